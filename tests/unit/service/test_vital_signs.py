"""Progress and readiness of one process."""

from __future__ import annotations

from copilot_service.vital_signs import VitalSigns


class Clock:
    """A clock that moves when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_still_longer_than_the_limit_is_stuck_and_progress_cures_it() -> None:
    """A process is stuck exactly while nothing moved for longer than its limit."""
    clock = Clock()
    signs = VitalSigns(limit_s=10, clock=clock)
    clock.now += 10
    assert not signs.stuck()
    clock.now += 0.1
    assert signs.stuck()
    signs.progress()
    assert not signs.stuck()


def test_a_limit_of_zero_never_ends() -> None:
    """Limit 0 switches the limit off."""
    clock = Clock()
    signs = VitalSigns(limit_s=0, clock=clock)
    clock.now += 1e6
    assert not signs.stuck()


def test_ready_when_every_condition_holds() -> None:
    """One condition that does not hold makes the process unready, and is named with its reason."""
    signs = VitalSigns(limit_s=0)
    assert signs.ready()
    signs.set_ready("log", True)
    signs.set_ready("kafka", False, why="no metadata")
    assert not signs.ready()
    assert signs.waiting_for() == {"kafka": "no metadata"}
    signs.set_ready("kafka", True)
    assert signs.ready()
