"""A clock that a test moves by hand."""


class Clock:
    """Monotonic seconds; a test adds to `now_s`."""

    def __init__(self, now_s=1000.0):
        self.now_s = now_s

    def __call__(self):
        return self.now_s
