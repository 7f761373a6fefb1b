"""Pages and pictures as text: HTML and SVG that need nothing else, for every room that shows something."""
