"""A clock that stands until it is set, for tests."""


class Clock:
    """Tells `now`, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now
