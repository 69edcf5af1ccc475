"""Config history without a database: rows, and differences composed from recorded changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from copilot_core.events import ConfigChange, ConfigChanged, Scalar, TelemetryBound
from copilot_core.values import Apply
from copilot_projections.shape import Rows
from copilot_projections.views import config_history
from copilot_projections.views.config_history import composed, heaviest, undone
from tests.unit.projections.story import Story

Values = dict[str, Scalar]

profiles = st.dictionaries(
    st.sampled_from(("qps", "pool", "shards", "jitter")),
    st.sampled_from((1, 2, 1.0, 2.5, True, False, "on", "")),
)
histories = st.lists(profiles, min_size=1, max_size=6)


def steps_of(history: Sequence[Values]) -> list[tuple[ConfigChange, ...]]:
    """What each configuration of a history changed about the one before."""
    story, steps = Story(), []
    for values in history:
        story.sample()
        story.configured(values)
        assert story.config is not None
        steps.append(story.config.changes)
    return steps


def after(values: Values, changes: Sequence[ConfigChange]) -> dict[str, Any]:
    """Values with a difference applied; fails when a `before` is not what was there."""
    now: dict[str, Any] = dict(values)
    for change in changes:
        assert repr(now.get(change.parameter)) == repr(change.before)
        now[change.parameter] = change.after
    return {name: value for name, value in now.items() if value is not None}


@given(histories, st.data())
def test_a_composed_difference_leads_from_one_to_the_other(
    history: list[Values], data: st.DataObject
) -> None:
    """Between any two configurations, applying the difference to the one gives the other, by type
    and value; each parameter is in it once, and only when it differs."""
    steps = steps_of(history)
    whole: list[Values] = [{}, *history]
    first = data.draw(st.integers(0, len(history)))
    last = data.draw(st.integers(first, len(history)))
    changes = composed(steps[first:last])
    assert repr(sorted(after(whole[first], changes).items())) == repr(sorted(whole[last].items()))
    names = [c.parameter for c in changes]
    assert len(names) == len(set(names))
    assert all(repr(c.before) != repr(c.after) for c in changes)


@given(histories)
def test_undoing_leads_back(history: list[Values]) -> None:
    """A difference and its undoing give the first values back; undone twice it is the same."""
    changes = composed(steps_of(history))
    assert repr(after(history[-1], undone(changes))) == "{}"
    again = undone(undone(changes))
    told = [(c.parameter, c.before, c.after, c.apply) for c in changes]
    assert [(c.parameter, c.before, c.after, c.apply) for c in again] == told


def test_a_composed_difference_keeps_every_reason() -> None:
    """A parameter that was changed twice tells both reasons, in order; so does its undoing."""
    first, second, third = steps_of([{"qps": 1, "pool": 5}, {"qps": 2, "pool": 5}, {"qps": 3}])
    found = {c.parameter: c for c in composed([second, third])}
    assert (found["qps"].before, found["qps"].after) == (1, 3)
    reasons = [next(c.why for c in step if c.parameter == "qps") for step in (second, third)]
    assert found["qps"].why == "; then ".join(reasons)
    assert (found["pool"].before, found["pool"].after) == (5, None)
    assert undone([found["pool"]])[0].why == f"undoes: {found['pool'].why}"
    assert composed([first]) == first


def test_the_heaviest_change_decides_what_it_takes() -> None:
    """Recreate outweighs restart, restart outweighs live, and no change takes nothing."""

    def change(apply: Apply) -> ConfigChange:
        return ConfigChange(parameter="a", before=1, after=2, unit="", apply=apply, why="w")

    assert heaviest([]) is None
    assert heaviest(map(change, (Apply.LIVE,))) is Apply.LIVE
    assert heaviest(map(change, (Apply.LIVE, Apply.RESTART))) is Apply.RESTART
    assert heaviest(map(change, (Apply.RECREATE, Apply.LIVE))) is Apply.RECREATE


def test_a_row_says_what_the_event_said() -> None:
    """One row per event, at the event's place; its JSON gives values, changes and bounds back."""
    story = Story()
    story.sample()
    story.configured({"qps": 3000, "ratio": 1.0, "on": True})
    story.sample()
    story.configured({"qps": 9000, "ratio": 1.0, "on": True}, modifier="orchestrator")
    events = [e for e in story.events if e.type == ConfigChanged.__name__]
    rows = Rows()
    config_history.apply(rows, events)
    found = rows.all(config_history.CONFIGS)
    assert [(r.version, r.position, r.event_id) for r in found] == [
        (e.version, e.position, str(e.event_id)) for e in events
    ]
    for row, event in zip(found, events, strict=True):
        config = event.decoded()
        assert isinstance(config, ConfigChanged)
        bounds = [TelemetryBound(**b) for b in orjson.loads(row.bounds)]
        changes = [ConfigChange(**c) for c in orjson.loads(row.changes)]
        assert (tuple(bounds), tuple(changes)) == (config.bounds, config.changes)
        assert repr(orjson.loads(row.profile)) == repr(config.values)
        assert (row.modifier, row.slot) == (config.modifier, config.at)
