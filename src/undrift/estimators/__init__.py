"""Our own parts of a scikit-learn Pipeline, and the arithmetic that an engine shares with them."""
