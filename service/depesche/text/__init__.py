"""Text: pure functions, no I/O, no model."""
