"""One event as one line for scripts, or as a few lines for eyes.

Both are built from the stored payload and nothing else: the reasons shown are the reasons that
decided, never derived again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, assert_never

import orjson

from copilot.times import rfc3339
from copilot_core.events import (
    BandChanged,
    BottleneckChanged,
    CausesRanked,
    ConfigChange,
    ConfigChanged,
    DeploymentRecorded,
    Event,
    GateFinding,
    HealthTransitioned,
    IncidentReviewed,
    LogPatternSurged,
    LogSampleRecorded,
    ModelCallReserved,
    ModelCallSettled,
    NewEvent,
    RecordedEvent,
    SampleDropped,
    SampleRecorded,
    Scalar,
    ServiceHealthChanged,
    SightLost,
    SightRegained,
    SignSeen,
    StateAssessed,
    TransitionExplained,
    cluster_of,
)
from copilot_projections.telling import ranked, seen_sign, told_by, untold, usd, words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from copilot.evaluation import Summary

OBSERVATIONS: Final = frozenset({"SampleRecorded", "LogSampleRecorded"})
"""What was seen, one per slot; everything else is something that was decided or noticed."""

COLOUR_OF: Final = {
    "happy": "green", "stressed": "yellow", "critical": "bold red", "unknown": "dim",
    "fresh": "green", "partial": "yellow", "blind": "magenta",
}  # fmt: skip

INDENT: Final = 22
"""Reasons stand under the headline, behind its time."""

MISSING_SHOWN: Final = 4
"""Signals named on one line of the timeline; the JSON line has them all."""


def as_record(event: NewEvent | RecordedEvent) -> dict[str, object]:
    """The event for a script: `type`, `cluster`, `at` (event time) and `data` (the payload)."""
    return {
        "type": event.type,
        "cluster": cluster_of(event.stream),
        "at": rfc3339(event.occurred_at),
        "data": orjson.Fragment(event.payload),
    }


def as_rows(event: NewEvent | RecordedEvent) -> Iterator[RenderableType]:
    """The event as a person reads it: a headline with its time, then one line per reason."""
    from rich.padding import Padding
    from rich.text import Text

    headline, *reasons = _told(event.decoded())
    yield Text.assemble((rfc3339(event.occurred_at), "bold"), "  ", *headline)
    for reason in reasons:
        yield Padding(Text.assemble(*reason), (0, 0, 0, INDENT), expand=False)


def summary_rows(summary: Summary) -> Iterator[RenderableType]:
    """The last lines of an evaluation for a person."""
    from rich.text import Text

    yield Text(f"{summary.samples} samples, {summary.events} events, digest {summary.digest}")
    for axis, seconds in (
        ("status", summary.seconds_by_status),
        ("evidence", summary.seconds_by_evidence),
    ):
        shares = [Text.assemble(_status(word), f" {n} s") for word, n in seconds.items() if n]
        yield Text.assemble(f"{axis}: ", Text(", ").join(shares))


Piece = str | tuple[str, str]


def _status(word: str) -> Piece:
    return (word, COLOUR_OF.get(word, ""))


def _told(event: Event) -> Iterator[tuple[Piece, ...]]:
    match event:
        case HealthTransitioned():
            yield from _transition(event)
        case SightLost() | SightRegained():
            yield from _sight(event)
        case BandChanged():
            yield (f"band {event.from_} → {event.to} at {event.transitions_per_s:g} transitions/s",)
        case BottleneckChanged():
            yield (f"bottleneck {event.from_} → {event.to}",)
            for reason in event.reasons:
                yield (reason,)
        case ServiceHealthChanged():
            by = f", by {event.dominant_signal}" if event.dominant_signal else ""
            yield (f"{event.service}: progress {event.progress}, pressure {event.pressure}{by}",)
        case LogPatternSurged():
            yield (
                f"log of {event.service}: {event.pattern} {event.count} times, "
                f"usually {event.usual:g}",
            )
        case CausesRanked():
            yield from _causes(event)
        case TransitionExplained() | IncidentReviewed() | StateAssessed():
            yield (f"{told_by(event)}: ", (event.explanation.headline.text, "italic"))
        case ModelCallReserved():
            yield (
                f"call of {event.model} allowed: at most {event.requests} requests, "
                f"{event.tokens} tokens, {usd(event.cost_micro_usd)}",
            )
        case ModelCallSettled():
            yield (
                f"call of a model {event.outcome}: {event.requests} requests, "
                f"{event.input_tokens} + {event.output_tokens} tokens, "
                f"{usd(event.cost_micro_usd)}",
            )
        case ConfigChanged():
            yield from _config(event)
        case SampleDropped():
            yield (f"late sample of slot {event.slot} from {event.source} dropped: {event.reason}",)
        case DeploymentRecorded():
            yield (f"deployment: {event.history_replicas} history replicas",)
        case SampleRecorded():
            yield (
                "seen: ", _status(event.verdict.status), f", evidence {event.verdict.evidence}",
            )  # fmt: skip
        case LogSampleRecorded():
            total = sum(n for service in (event.counts or {}).values() for n in service.values())
            yield (
                f"logs: {total} lines of known patterns"
                if event.missing is None
                else f"logs: {event.missing.value}",
            )
        case _:
            assert_never(event)


def _transition(event: HealthTransitioned) -> Iterator[tuple[Piece, ...]]:
    yield (
        *(_status(event.from_), " → ", _status(event.to)),
        f"   evidence {event.evidence}, band {event.band}",
    )
    for gate in event.gates:
        yield (_gate(gate),)
    if event.counterfactual:
        yield ((event.counterfactual, "italic"),)


def _sight(event: SightLost | SightRegained) -> Iterator[tuple[Piece, ...]]:
    lost = isinstance(event, SightLost)
    yield (
        f"sight {'lost' if lost else 'regained'}: ",
        *(_status(event.was), " → ", _status(event.evidence)),
        f"   {event.status} is held" if lost else f"   status {event.status}",
    )
    if event.reason:
        yield (event.reason,)
    if event.missing:
        yield (_missing({name: reason.value for name, reason in event.missing.items()}),)


def _causes(event: CausesRanked) -> Iterator[tuple[Piece, ...]]:
    yield (ranked(event),)
    for cause in event.causes:
        gone = "" if cause.now else "not seen any more; when it was, "
        yield (f"{words(cause.component, cause.kind)}: {gone}{_signs(cause.evidence)}",)
        if cause.against:
            yield (f"against it: {_signs(cause.against)}",)
    for cannot in event.cannot_tell:
        yield ((untold(cannot), "italic"),)


def _signs(signs: Sequence[SignSeen]) -> str:
    return "; ".join(map(seen_sign, signs))


def _config(event: ConfigChanged) -> Iterator[tuple[Piece, ...]]:
    modifier = f" + {event.modifier}" if event.modifier else ""
    first = event.previous_fingerprint is None
    what = "first configuration" if first else "config"
    yield (f"{what} {event.preset}{modifier}, by {event.author}: {event.reason}",)
    if first:  # its changes are all of its values, a screen and more
        yield (f"values set: {len(event.values)}; what was there before is not known",)
        return
    for change in event.changes:
        yield (_change(change),)


def _change(change: ConfigChange) -> str:
    unit = f" {change.unit}" if change.unit else ""
    values = f"{_scalar(change.before)} → {_scalar(change.after)}{unit}"
    return f"{change.parameter}: {values} ({change.apply}): {change.why}"


def _scalar(value: Scalar | None) -> str:
    return "unset" if value is None else orjson.dumps(value).decode()


def _gate(gate: GateFinding) -> str:
    assumed = " (assumed from earlier slots)" if gate.assumed else ""
    return (
        f"{gate.id}: {gate.signal} {gate.value:.4g} {gate.unit}{assumed}"
        f", fires {gate.comparison} {gate.threshold:.4g}, margin {gate.margin:+.4g}"
    )


def _missing(missing: dict[str, str]) -> str:
    names = sorted(missing)
    shown = ", ".join(f"{name} ({missing[name]})" for name in names[:MISSING_SHOWN])
    rest = len(names) - MISSING_SHOWN
    return f"missing: {shown}" + (f" and {rest} more" if rest > 0 else "")
