"""Models: what the manifest pins, and the files on disk."""
