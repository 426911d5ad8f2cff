"""Work is counted, time is watched, and neither raises."""

import pytest

from kg.budget import LOOK_EVERY, Budget


def test_steps_run_out_and_stay_out() -> None:
    budget = Budget(steps=3)
    assert [budget.spend() for _ in range(5)] == [True, True, True, False, False]
    assert (budget.exhausted_by, budget.left) == ("steps", 0)


def test_a_deadline_is_noticed_within_a_thousand_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("kg.budget.monotonic", lambda: now[0])
    budget = Budget(seconds=1.0)
    assert budget.spend()
    now[0] = 1.5
    steps = next(i for i in range(1, 5000) if not budget.spend())
    assert steps <= LOOK_EVERY
    assert budget.exhausted_by == "seconds"


def test_what_the_checkpoint_raises_ends_the_work() -> None:
    """A client that hung up must not keep a worker busy."""

    class Left(Exception):
        pass

    def leave() -> None:
        raise Left

    with pytest.raises(Left):
        Budget(checkpoint=leave).spend()


def test_a_share_ends_before_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("kg.budget.monotonic", lambda: now[0])
    budget = Budget(steps=100, seconds=2.0)
    share = budget.share(0.5)
    assert share.limit == 50
    now[0] = 1.1
    assert not share.spend()
    assert share.exhausted_by == "seconds"
    assert budget.spend()
