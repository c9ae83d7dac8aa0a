"""Generated from proto/depesche/v1 by `make proto`."""
