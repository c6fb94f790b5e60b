"""Lines on the terminal that say how far the work is and how long it still takes."""

import time


def clock(seconds):
    """Seconds as 4s, 3m05s or 1h02m."""
    seconds = int(round(max(seconds, 0)))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    return f"{seconds // 3600}h{seconds % 3600 // 60:02d}m"


class Progress:
    """One line per step with the estimated time to the end. `budget` is in seconds, None for no limit."""

    def __init__(self, what, steps, budget=None):
        self.what, self.steps, self.budget = what, steps, budget
        self.started = time.monotonic()

    @property
    def elapsed(self):
        return time.monotonic() - self.started

    def affordable(self, done):
        """How many of the planned steps fit into the budget, seeing what `done` steps took."""
        if self.budget is None or done == 0:
            return self.steps
        return max(done, min(self.steps, int(self.budget / (self.elapsed / done))))

    def line(self, done, text):
        left = self.elapsed / max(done, 1) * (self.steps - done)
        print(f"{self.what} {done}/{self.steps}  {text}  elapsed {clock(self.elapsed)}, to go {clock(left)}", flush=True)


def say(text):
    print(text, flush=True)
