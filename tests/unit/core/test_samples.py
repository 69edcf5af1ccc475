"""The one door into the fold: what is malformed is refused with a reason, never guessed at."""

from __future__ import annotations

from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.readings import Missing, reading
from copilot_core.samples import (
    MAX_MESSAGE_BYTES,
    DeploymentFact,
    LogExcerpt,
    LogSample,
    Sample,
    all_missing,
    decode,
    encode,
    sample_of,
    slot_at,
)
from copilot_core.signals import SIGNAL_NAMES

SLOT = 1_795_367_070
GOOD = orjson.loads(
    encode(
        all_missing(
            Missing.NO_SAMPLE, cluster="orders", slot=SLOT, interval_s=30, source="watchdog"
        )
    )
)


def _code(body: object, *, key: bytes | None = None, received_at: Instant | None = None) -> str:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    with pytest.raises(Rejected) as caught:
        decode(data, key=key, received_at=received_at)
    assert caught.value.what
    return caught.value.code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"v": 2}, "unknown_version"),
        ({"v": True}, "unknown_version"),
        ({"kind": "verdict"}, "unknown_kind"),
        ({"signals": 99}, "unknown_signals"),
        ({"signals": [1]}, "unknown_signals"),
        ({"cluster": "Orders"}, "malformed"),
        ({"cluster": "x" * 64}, "malformed"),
        ({"cluster": "../etc"}, "malformed"),
        ({"slot": SLOT + 1}, "malformed"),
        ({"slot": 1e300}, "malformed"),
        ({"slot": -30}, "malformed"),
        ({"interval_s": 0}, "malformed"),
        ({"readings": [1.0]}, "malformed"),
        ({"readings": ["?"] * len(SIGNAL_NAMES)}, "malformed"),
        ({"readings": [None] * len(SIGNAL_NAMES)}, "malformed"),
        ({"readings": [True] * len(SIGNAL_NAMES)}, "malformed"),
        ({"readings": {"P1": 1}}, "malformed"),
        ({"surprise": 1}, "malformed"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], code: str) -> None:
    """Each way of being wrong has its stable reason code."""
    assert _code(GOOD | change) == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"{", "not_json"),
        (b"\xff\xfe\x00", "not_json"),
        (b"[1,2]", "not_json"),
        (b"null", "not_json"),
        (b'{"v":1,"kind":"sample","signals":1,"readings":[NaN]}', "not_json"),
        (b'{"v":1,"kind":"sample","signals":1,"readings":[1e999]}', "not_json"),
        (b" " * (MAX_MESSAGE_BYTES + 1), "too_large"),
        (b"[" * 60_000, "not_json"),
    ],
)
def test_bytes_that_are_no_message_are_refused(data: bytes, code: str) -> None:
    """Not JSON, not UTF-8, NaN, infinity, too large, nested beyond reason."""
    assert _code(data) == code


def test_a_message_may_not_lie_about_its_cluster() -> None:
    """The Kafka key and the body must name the same cluster."""
    assert _code(GOOD, key=b"payments") == "lies_about_cluster"
    assert decode(orjson.dumps(GOOD), key=b"orders").cluster == "orders"


def test_the_future_is_refused_five_minutes_ahead() -> None:
    """A slot 300 s ahead of the reader's clock is taken, 330 s ahead is not."""
    now = Instant.from_timestamp(SLOT)
    ahead = GOOD | {"slot": SLOT + 300}
    assert decode(orjson.dumps(ahead), received_at=now).cluster == "orders"
    assert _code(GOOD | {"slot": SLOT + 330}, received_at=now) == "from_the_future"


@given(
    st.binary(max_size=400)
    | st.recursive(
        st.none() | st.integers() | st.text() | st.floats(),
        lambda c: st.lists(c) | st.dictionaries(st.text(), c),
    ).map(lambda v: repr(v).encode())
)
def test_no_bytes_raise_anything_but_rejected(data: bytes) -> None:
    """Whatever arrives, the answer is a message or a reason."""
    with suppress(Rejected):
        decode(data)


@given(
    st.dictionaries(
        st.sampled_from(sorted(GOOD)),
        st.none()
        | st.integers(-(2**63), 2**63)
        | st.text()
        | st.lists(st.integers(0, 9), max_size=3),
        max_size=3,
    )
)
def test_no_change_to_a_message_raises_anything_but_rejected(change: dict[str, object]) -> None:
    """A message with some fields replaced by anything is decoded or refused."""
    with suppress(Rejected):
        decode(orjson.dumps(GOOD | change))


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_reading_is_finite_and_rounded_or_missing(value: float) -> None:
    """NaN and infinity are missing; numbers keep 6 significant digits, and rounding again changes
    nothing."""
    rounded = reading(value)
    if isinstance(rounded, Missing):
        assert rounded is Missing.NOT_A_NUMBER
        assert value != value or abs(value) == float("inf")
    else:
        assert reading(rounded) == rounded
        assert rounded == pytest.approx(value, rel=1e-5, abs=1e-300)
        assert str(rounded) != "-0.0"


def test_other_kinds_survive_the_wire() -> None:
    """Log samples and deployment facts decode to what was encoded."""
    logs = LogSample(
        cluster="orders", slot=SLOT, interval_s=30, counts={"history": {"shard-moved": 3}}
    )
    unread = LogSample(
        cluster="orders", slot=SLOT, interval_s=30, counts=None, missing=Missing.TIMED_OUT
    )
    fact = DeploymentFact(cluster="orders", at=SLOT, history_replicas=3)
    for message in (logs, unread, fact):
        assert decode(encode(message)) == message


def test_counts_and_their_absence_exclude_each_other() -> None:
    """A log sample either has counts or says why not."""
    assert (
        _code(
            {
                "v": 1,
                "kind": "log_sample",
                "cluster": "orders",
                "slot": SLOT,
                "interval_s": 30,
                "counts": None,
            }
        )
        == "malformed"
    )


def test_slots_are_aligned() -> None:
    """Two scrapers a few seconds apart compute the same slot."""
    assert (
        slot_at(Instant.from_timestamp(SLOT + 29), 30)
        == slot_at(Instant.from_timestamp(SLOT), 30)
        == SLOT
    )


def test_an_unnamed_signal_is_missing_not_zero() -> None:
    """A scraper that leaves a signal out has said nothing about it."""
    s = sample_of(
        {"transitions_per_s": 1.0}, cluster="orders", slot=SLOT, interval_s=30, source="prometheus"
    )
    assert s["transitions_per_s"] == 1.0
    assert s["closings_per_s"] is Missing.NO_SERIES
    assert isinstance(s, Sample)


def test_log_samples_are_guarded_at_the_door() -> None:
    """Whoever sent them: lines and names lose their secrets and tricks, counts add up, and what is
    guarded already passes as it is."""
    sent = LogSample(
        cluster="orders",
        slot=SLOT,
        interval_s=30,
        counts={"svc\u200b": {"p": 1}, "svc": {"p": 2}, "10.1.2.3": {"p": 3}},
        excerpts=(
            LogExcerpt(service="svc", pattern="p", untrusted_text="token=abc123\u202e refused"),
        ),
    )
    got = decode(encode(sent))
    assert isinstance(got, LogSample)
    assert got.counts == {"svc": {"p": 3}, "[ip]": {"p": 3}}
    assert got.excerpts[0].untrusted_text == "token=[password] refused"
    assert decode(encode(got)) == got
