"""How much work a search may do: a number of steps, a deadline, and a way to be told to stop."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

DEFAULT_STEPS = 2_000_000
LOOK_EVERY = 1024  # steps between looks at the clock: rarely enough to cost nothing, often enough to stop in time


class Budget:
    """A count of steps of work, and a deadline on a clock that never goes back.

    A search calls ``spend`` as it works and stops with what it has once that says False; then
    ``exhausted_by`` is ``"steps"`` or ``"seconds"``. ``checkpoint`` is called whenever the clock is
    looked at; what it raises ends the search at once, which is how a client that left ends its work.
    One budget may pass through several searches: they then share it.
    """

    __slots__ = ("_checkpoint", "_deadline", "_look", "exhausted_by", "limit", "seconds", "spent")

    def __init__(
        self,
        steps: int = DEFAULT_STEPS,
        seconds: float | None = None,
        checkpoint: Callable[[], None] | None = None,
    ) -> None:
        self.limit = steps
        self.seconds = seconds
        self.spent = 0
        self.exhausted_by: str | None = None
        self._deadline = None if seconds is None else monotonic() + seconds
        self._checkpoint = checkpoint
        self._look = 0

    def spend(self, steps: int = 1) -> bool:
        """Count some steps; return False once the budget is exhausted, and ever after."""
        if self.exhausted_by is not None:
            return False
        self.spent += steps
        if self.spent > self.limit:
            self.exhausted_by = "steps"
            return False
        if self.spent >= self._look:
            self._look = self.spent + LOOK_EVERY
            return self._in_time()
        return True

    def _in_time(self) -> bool:
        if self._checkpoint is not None:
            self._checkpoint()
        if self._deadline is not None and monotonic() >= self._deadline:
            self.exhausted_by = "seconds"
            return False
        return True

    @property
    def left(self) -> int:
        """Number of steps that may still be taken."""
        return 0 if self.exhausted_by is not None else self.limit - self.spent

    def share(self, fraction: float) -> Budget:
        """Return a budget of a fraction of the steps and of the time that are left; pay it back with ``spend``."""
        share = Budget(int(self.left * fraction), None, self._checkpoint)
        if self._deadline is not None:
            share._deadline = monotonic() + (self._deadline - monotonic()) * fraction
        return share

    def __repr__(self) -> str:
        return f"<Budget {self.spent:,} of {self.limit:,} steps{', exhausted' if self.exhausted_by else ''}>"
