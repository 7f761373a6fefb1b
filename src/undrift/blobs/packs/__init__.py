"""Pack files: many chunks in one file, found through an index that can be made again from them."""
