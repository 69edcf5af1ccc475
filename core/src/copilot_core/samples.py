"""What enters the fold: one message per cluster and slot, on the topic `copilot.samples.v1`.

Theory of operation. Everything that may influence a decision is a message of this topic, keyed by
the cluster, so the order of one partition is the only order there is. A *slot* is the Unix second
at which an aligned interval begins (`slot % interval_s == 0`): two scrapers of one cluster produce
the same slot, and the second one is recognised as a duplicate. `decode` is the only door: what it
lets through, the fold can take; what it refuses, it refuses with a stable reason code.

    kind         what
    sample       one reading or reason per signal of the signal table
    log_sample   counted log patterns of the slot
    deployment   what runs: history replicas, whether an autoscaler is adding some
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from math import isfinite
from typing import Annotated, Final, Literal

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SkipValidation,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.guarding.guard import Sink, guard
from copilot_core.readings import CODE_OF, MISSING_OF, Missing, Reading
from copilot_core.signals import INDEX, SIGNAL_LIST, SIGNAL_LISTS, SIGNAL_NAMES

SAMPLES_TOPIC: Final = "copilot.samples.v1"
DEAD_LETTER_TOPIC: Final = "copilot.samples.dead.v1"
EVENTS_TOPIC: Final = "copilot.events.v1"

MAX_MESSAGE_BYTES: Final = 64 * 1024
"""A sample is about 1 kB and a log sample at most 20 kB; anything larger is not one of ours."""

MAX_FUTURE_S: Final = 300
"""A slot further ahead of the receiver's clock than this is refused, not waited for."""

EXCERPT_CHARS: Final = 300
"""How much of a log line is kept for people."""

NAME_CHARS: Final = 64
"""Of the name of a service or a pattern."""

CLUSTER_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""Cluster ids appear in stream names, URLs and labels: lower case, 63 characters at most."""

ClusterId = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", description="id of a watched cluster")
]
Slot = Annotated[
    int, Field(ge=946_684_800, lt=4_102_444_800, description="Unix seconds, start of the slot")
]


class _Input(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    v: Literal[1] = 1
    cluster: ClusterId


class _Slotted(_Input):
    slot: Slot
    interval_s: Annotated[int, Field(ge=5, le=3600)]

    @model_validator(mode="after")
    def _aligned(self) -> _Slotted:
        if self.slot % self.interval_s:
            raise ValueError(f"slot {self.slot} is not a multiple of interval_s {self.interval_s}")
        return self


def _expand(values: object, names: tuple[str, ...]) -> tuple[Reading, ...]:
    if not isinstance(values, (list, tuple)) or len(values) != len(names):
        raise ValueError(f"readings must be a list of {len(names)} entries")
    out: list[Reading] = []
    for name, value in zip(names, values, strict=True):
        if type(value) is float and isfinite(value):
            out.append(value + 0.0)  # -0.0 becomes 0.0: both must digest alike
        elif isinstance(value, Missing):
            out.append(value)
        elif isinstance(value, str):
            if value not in MISSING_OF:
                raise ValueError(f"{name}: unknown code {value!r} for a missing reading")
            out.append(MISSING_OF[value])
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
            raise ValueError(f"{name}: neither a finite number nor a missing code")
        else:
            out.append(float(value))
    return tuple(out)


class Sample(_Slotted):
    """The readings of one cluster in one slot, in the order of signal list `signals`.

    `source` tells who made it: `prometheus`, `amp`, `recording`, or `watchdog` for the all-missing
    sample that stands for silence. On the wire and in the log a missing reading is one letter.
    """

    kind: Literal["sample"] = "sample"
    source: Annotated[str, Field(max_length=32)] = "prometheus"
    signals: int = SIGNAL_LIST
    readings: SkipValidation[tuple[Reading, ...]]

    @model_validator(mode="before")
    @classmethod
    def _decode_readings(cls, data: object) -> object:
        if isinstance(data, dict) and "readings" in data:
            number = data.get("signals", SIGNAL_LIST)
            if not isinstance(number, int) or number not in SIGNAL_LISTS:
                raise ValueError(f"unknown signal list {number!r}")
            names = SIGNAL_LISTS[number]
            data = {**data, "readings": _expand(data["readings"], names)}
        return data

    def __getitem__(self, name: str) -> Reading:
        """The reading of a signal by name; `Missing.NO_SOURCE` for one that its list lacks."""
        names = SIGNAL_LISTS[self.signals]
        if names is SIGNAL_NAMES:
            return self.readings[INDEX[name]]
        return self.readings[names.index(name)] if name in names else Missing.NO_SOURCE


class LogExcerpt(BaseModel):
    """One log line, for human eyes: untrusted text without secrets, cut to 300 characters, never
    for a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Annotated[str, Field(max_length=NAME_CHARS)]
    pattern: Annotated[str, Field(max_length=NAME_CHARS)]
    untrusted_text: Annotated[str, Field(max_length=EXCERPT_CHARS)]


class LogSample(_Slotted):
    """How often each log pattern occurred per service in one slot.

    `counts` maps service to pattern id to count; None means that the log backend could not be read,
    for the reason in `missing`.
    """

    kind: Literal["log_sample"] = "log_sample"
    counts: (
        dict[
            Annotated[str, Field(max_length=NAME_CHARS)],
            dict[Annotated[str, Field(max_length=NAME_CHARS)], Annotated[int, Field(ge=0)]],
        ]
        | None
    )
    missing: Missing | None = None
    excerpts: Annotated[tuple[LogExcerpt, ...], Field(max_length=5)] = ()

    @model_validator(mode="after")
    def _absent_with_reason(self) -> LogSample:
        if (self.counts is None) != (self.missing is not None):
            raise ValueError("counts and missing: exactly one of them")
        return self


class DeploymentFact(_Input):
    """What runs now: it scales the stressed thresholds of persistence and backlog.

    `at` is Unix seconds. `scaling_up_evaluations` counts how many evaluations in a row an
    autoscaler has been adding history replicas.
    """

    kind: Literal["deployment"] = "deployment"
    at: Slot
    history_replicas: Annotated[int, Field(ge=0, le=100_000)]
    scaling_up_evaluations: Annotated[int, Field(ge=0)] = 0


Input = Sample | LogSample | DeploymentFact
_INPUT: TypeAdapter[Input] = TypeAdapter(Annotated[Input, Field(discriminator="kind")])


def sample_of(
    values: dict[str, Reading], *, cluster: str, slot: int, interval_s: int, source: str
) -> Sample:
    """Build a sample from readings by name; a signal that is not named counts as `NO_SERIES`."""
    return Sample(
        cluster=cluster,
        slot=slot,
        interval_s=interval_s,
        source=source,
        readings=tuple(values.get(name, Missing.NO_SERIES) for name in SIGNAL_NAMES),
    )


def all_missing(
    reason: Missing, *, cluster: str, slot: int, interval_s: int, source: str
) -> Sample:
    """The sample that says: nothing was seen in this slot, for this reason."""
    return Sample(
        cluster=cluster,
        slot=slot,
        interval_s=interval_s,
        source=source,
        readings=(reason,) * len(SIGNAL_NAMES),
    )


def pack(readings: tuple[Reading, ...]) -> list[float | str]:
    """Readings in their compact form: numbers, and one letter for each missing one."""
    return [CODE_OF[r] if isinstance(r, Missing) else r for r in readings]


def unpack(values: Iterable[float | str], signals: int) -> tuple[Reading, ...]:
    """Compact readings of signal list `signals`, in the order of the present one."""
    found: list[Reading] = [MISSING_OF[v] if isinstance(v, str) else float(v) for v in values]
    return in_present_order(tuple(found), signals)


def in_present_order(readings: tuple[Reading, ...], signals: int) -> tuple[Reading, ...]:
    """Readings of signal list `signals`, in the order of the present one."""
    names = SIGNAL_LISTS[signals]
    if names is SIGNAL_NAMES:
        return readings
    by_name = dict(zip(names, readings, strict=True))
    return tuple(by_name.get(name, Missing.NO_SOURCE) for name in SIGNAL_NAMES)


def encode(message: Input) -> bytes:
    """The bytes of one message; equal messages have equal bytes."""
    match message:
        case Sample():
            body: dict[str, object] = {
                "v": message.v,
                "kind": message.kind,
                "cluster": message.cluster,
                "slot": message.slot,
                "interval_s": message.interval_s,
                "source": message.source,
                "signals": message.signals,
                "readings": pack(message.readings),
            }
            return orjson.dumps(body)
        case _:
            return orjson.dumps(message.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)


def decode(
    data: bytes | None, *, key: bytes | None = None, received_at: Instant | None = None
) -> Input:
    """Read one message of the samples topic.

    `key` is the Kafka key, checked against the cluster named inside; `received_at` is the reader's
    clock, against which slots from the future are refused. Both may be left out (re-fold, files).

    Raises `Rejected` with the codes `empty`, `too_large`, `not_json`, `unknown_kind`,
    `unknown_version`, `unknown_signals`, `malformed`, `lies_about_cluster`, `from_the_future`.
    """
    if not data:
        raise Rejected(
            "message without a body", code="empty", todo="send one JSON object per message"
        )
    if len(data) > MAX_MESSAGE_BYTES:
        raise Rejected(f"message of {len(data)} bytes, limit {MAX_MESSAGE_BYTES}", code="too_large")
    try:
        raw = orjson.loads(data)
    except orjson.JSONDecodeError as e:
        raise Rejected(f"not UTF-8 JSON: {e}", code="not_json") from e
    if not isinstance(raw, dict):
        raise Rejected("not a JSON object", code="not_json")
    if raw.get("kind") not in ("sample", "log_sample", "deployment"):
        raise Rejected(f"unknown kind {raw.get('kind')!r}", code="unknown_kind")
    if raw.get("v") is True or raw.get("v") != 1:
        raise Rejected(
            f"unknown version {raw.get('v')!r}",
            code="unknown_version",
            todo="this reader knows version 1",
        )
    if raw["kind"] == "sample" and raw.get("signals") not in tuple(SIGNAL_LISTS):
        raise Rejected(
            f"unknown signal list {raw.get('signals')!r}",
            code="unknown_signals",
            todo="upgrade the worker first",
        )
    try:
        message = _INPUT.validate_python(raw)
    except ValidationError as e:
        findings = tuple(
            f"{'.'.join(map(str, f['loc']))}: {f['msg']}"
            for f in e.errors(include_url=False, include_input=False)
        )
        raise Rejected(findings[0], code="malformed", findings=findings) from e
    if isinstance(message, LogSample):
        message = guarded(message)
    if key is not None and key != message.cluster.encode():
        raise Rejected(
            f"key {key[:80]!r} but the message says cluster {message.cluster!r}",
            code="lies_about_cluster",
            todo="key messages by the cluster id they are about",
        )
    if received_at is not None:
        at = message.at if isinstance(message, DeploymentFact) else message.slot
        if at > received_at.timestamp() + MAX_FUTURE_S:
            raise Rejected(
                f"slot {at} is more than {MAX_FUTURE_S} s ahead of now",
                code="from_the_future",
                todo="check the sender's clock",
            )
    return message


@lru_cache(maxsize=4096)
def _name(text: str) -> str:
    """The name of a service or a pattern; the same ones come in every slot."""
    return guard(text, Sink.METRIC, limit=NAME_CHARS)


def guarded(sample: LogSample) -> LogSample:
    """A log sample without what its sender should have taken out: names and lines are foreign."""
    counts: dict[str, dict[str, int]] = {}
    for service, by_pattern in (sample.counts or {}).items():
        of_service = counts.setdefault(_name(service), {})
        for pattern, count in by_pattern.items():
            name = _name(pattern)
            of_service[name] = of_service.get(name, 0) + count
    excerpts = tuple(
        LogExcerpt(
            service=_name(e.service),
            pattern=_name(e.pattern),
            untrusted_text=guard(e.untrusted_text, Sink.EVENT, limit=EXCERPT_CHARS),
        )
        for e in sample.excerpts
    )
    return sample.model_copy(
        update={"counts": None if sample.counts is None else counts, "excerpts": excerpts}
    )


def slot_at(at: Instant, interval_s: int) -> int:
    """The slot that is current at an instant: `floor(now / interval)`, in Unix seconds."""
    return at.timestamp() // interval_s * interval_s
