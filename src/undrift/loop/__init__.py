"""The closed loop: the use cases that join several rooms."""
