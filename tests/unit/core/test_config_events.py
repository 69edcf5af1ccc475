"""Changes of configuration: values keep their type, bounds expect something, no state moves."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from copilot_core.events import (
    STREAM_KINDS,
    ConfigChange,
    ConfigChanged,
    Digest,
    NewEvent,
    Scalar,
    TelemetryBound,
    decode,
    encode,
    new_event,
    occurred_at,
)
from copilot_core.fold import evolve, initial
from copilot_core.state import FOLDED_KINDS, is_folded
from copilot_core.values import Apply
from tests.property.histories import CLUSTER, folded, sample

AT = 1_795_367_400

scalars = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
)


def changed(values: dict[str, Any], *, at: int = AT, bounds: tuple[Any, ...] = ()) -> ConfigChanged:
    """A first configuration with these values."""
    changes = tuple(
        ConfigChange(parameter=p, before=None, after=v, unit="", apply=Apply.RESTART, why="new")
        for p, v in values.items()
    )
    return ConfigChanged(
        at=at, fingerprint="0" * 64, previous_fingerprint=None, preset="starter", modifier=None,
        server_version="1.32.1", compiler_version="0.1.0", author="kim", reason="a test",
        changes=changes, values=values, bounds=bounds,
    )  # fmt: skip


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=20), scalars, max_size=8))
def test_values_come_back_as_what_they_were(values: dict[str, Scalar]) -> None:
    """1, 1.0 and true stay three values; writing what was read gives the same bytes."""
    event = changed(values)
    again = decode("ConfigChanged", 1, encode(event))
    assert isinstance(again, ConfigChanged)
    assert again == event
    assert encode(again) == encode(event)
    for name, value in values.items():
        assert type(again.values[name]) is type(value)
    assert [type(c.after) for c in again.changes] == [type(v) for v in values.values()]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), 2**63, -(2**63) - 1, None, [1], b"x"]
)
def test_what_json_cannot_write_is_no_value(value: object) -> None:
    """A value that would be lost or changed on its way through the log is refused at once."""
    with pytest.raises(ValidationError):
        ConfigChanged.model_validate({**changed({}).model_dump(), "values": {"a": value}})


@pytest.mark.parametrize(
    "sides",
    [
        {},
        {"minimum": None, "maximum": None},
        {"minimum": 2, "maximum": 1},
        {"maximum": float("nan")},
    ],
)
def test_a_bound_expects_something(sides: dict[str, Any]) -> None:
    """A bound with two open sides, or whose sides cross, says nothing and is refused."""
    with pytest.raises(ValidationError):
        TelemetryBound(signal="transitions_per_s", unit="1/s", why="a test", **sides)


@pytest.mark.parametrize("sides", [{"minimum": 0}, {"maximum": 0}, {"minimum": 1, "maximum": 1}])
def test_one_closed_side_is_enough(sides: dict[str, Any]) -> None:
    """Either side may be open, and a bound may allow exactly one value."""
    bound = TelemetryBound(signal="transitions_per_s", unit="1/s", why="a test", **sides)
    event = changed({}, bounds=(bound,))
    assert decode("ConfigChanged", 1, encode(event)) == event


def test_the_envelope_follows_from_the_event() -> None:
    """Stream, event time and id of a change of configuration, as of every other event."""
    new = new_event(changed({"a": 1}), cluster="orders", version=3)
    assert (new.stream, new.version, new.type) == ("config/orders", 3, "ConfigChanged")
    assert occurred_at(changed({"a": 1})).timestamp() == AT == new.occurred_at.timestamp()


def test_the_digest_covers_configuration() -> None:
    """Another value, or the same number of another type, is another log."""
    digests = set()
    for value in (1, 2, 1.0, True, "1"):
        digest = Digest()
        digest.add(new_event(changed({"a": value}), cluster="orders", version=1))
        digests.add(digest.hexdigest())
    assert len(digests) == 5


def test_every_kind_of_stream_is_folded_or_not() -> None:
    """Health and logs are the fold's own; the others are facts that somebody else writes down."""
    assert set(STREAM_KINDS) == {"health", "logs", "explanation", "ledger", "config"}
    assert {k for k in STREAM_KINDS if is_folded(f"{k}/orders")} == FOLDED_KINDS
    assert not is_folded("config/health/x")


@given(st.lists(st.integers(0, 20), max_size=4))
def test_configuration_moves_no_state(places: list[int]) -> None:
    """Wherever changes of configuration lie between a cluster's events, its state is the same."""
    _, events, _ = folded([sample({}, n) for n in range(4)])
    mixed: list[NewEvent] = list(events)
    for version, place in enumerate(places, start=1):
        new = new_event(changed({"a": version}), cluster=CLUSTER, version=version)
        mixed.insert(min(place, len(mixed)), new)
    assert reduce(evolve, mixed, initial(CLUSTER)) == reduce(evolve, events, initial(CLUSTER))
