"""An event in words: what it went from and to, a summary in one line, and its reasons.

The words stand on the event and on nothing else: its reasons are repeated, never derived again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, assert_never

import orjson

from copilot_core.causes import CAUSE
from copilot_core.events import (
    BandChanged,
    BottleneckChanged,
    CannotTell,
    CausesRanked,
    ConfigChanged,
    DeploymentRecorded,
    Event,
    Explaining,
    HealthTransitioned,
    IncidentReviewed,
    LogPatternSurged,
    LogSampleRecorded,
    ModelCallReserved,
    ModelCallSettled,
    RankedCause,
    SampleDropped,
    SampleRecorded,
    Scalar,
    ServiceHealthChanged,
    SightLost,
    SightRegained,
    SignSeen,
    StateAssessed,
    TransitionExplained,
)
from copilot_core.signs import SIGN
from copilot_core.words.phrases import phrase
from copilot_core.words.wording import against


class Told(NamedTuple):
    """`was` and `became` are empty where a type has no such thing."""

    was: str
    became: str
    summary: str
    reasons: Sequence[str]


def of(event: Event) -> Told | None:
    """What is told of an event; None for what was merely seen."""
    match event:
        case HealthTransitioned():
            gates = [
                f"{g.id}: {g.signal} {g.value:g} {g.unit}, fires {g.comparison} {g.threshold:g}"
                for g in event.gates
            ]
            return Told(event.from_, event.to, event.summary, [*gates, event.counterfactual])
        case SightLost() | SightRegained():
            lost = [f"{signal}: {reason}" for signal, reason in event.missing.items()]
            return Told(event.was, event.evidence, event.reason, lost)
        case BandChanged():
            what = f"scale band {event.from_} to {event.to}"
            rate = f"{event.transitions_per_s:g} state transitions/s"
            return Told(event.from_, event.to, what, [rate])
        case BottleneckChanged():
            return Told(
                event.from_, event.to, f"bottleneck {event.from_} to {event.to}", event.reasons
            )
        case ServiceHealthChanged():
            what = f"{event.service}: progress {event.progress}, pressure {event.pressure}"
            return Told(
                "", event.progress, what, [event.dominant_signal] if event.dominant_signal else ()
            )
        case LogPatternSurged():
            what = f"{event.service} logs {event.pattern} far more often than usual"
            return Told("", "", what, [f"{event.count} in the slot, usually {event.usual:g}"])
        case DeploymentRecorded():
            what = f"{event.history_replicas} history replicas"
            return Told(
                "",
                "",
                what,
                [f"scaling up for {event.scaling_up_evaluations} evaluations"]
                if event.scaling_up_evaluations
                else (),
            )
        case CausesRanked():
            return _told_causes(event)
        case TransitionExplained() | IncidentReviewed() | StateAssessed():
            return _told_explanation(event)
        case ModelCallReserved() | ModelCallSettled():
            return _told_call(event)
        case ConfigChanged():
            return _told_config(event)
        case SampleDropped():
            return Told("", "", f"late sample of {event.source} dropped: {event.reason}", ())
        case SampleRecorded() | LogSampleRecorded():
            return None
        case _:
            assert_never(event)


def _told_causes(event: CausesRanked) -> Told:
    """The likeliest first; each with what was seen for it and against it."""
    reasons = [*map(_told_cause, event.causes), *map(untold, event.cannot_tell)]
    became = words(event.causes[0].component, event.causes[0].kind) if event.causes else ""
    return Told("", became, ranked(event), reasons)


def ranked(event: CausesRanked) -> str:
    """The causes of a ranking in one line, each with its score."""
    named = [f"{words(c.component, c.kind)} ({c.score:.2f})" for c in event.causes]
    return f"causes: {', '.join(named) or 'none'}"


def words(component: str, kind: str) -> str:
    """A cause as people read it: `database/connections_exhausted` is "database connections
    exhausted"."""
    return _read_aloud(f"{component} {kind}")


def _read_aloud(name: str) -> str:
    return name.replace("/", " ").replace("_", " ")


def _told_cause(cause: RankedCause) -> str:
    seen = "; ".join(map(seen_sign, cause.evidence))
    contrary = "; ".join(map(seen_sign, cause.against))
    but = f"; against it: {contrary}" if contrary else ""
    return f"{words(cause.component, cause.kind)}: {seen}{but}"


def seen_sign(sign: SignSeen) -> str:
    """A sign with what was read and what it was compared with; one that this program does not know
    by its signal."""
    row = SIGN.get(sign.id)
    if row is None or row.unit != sign.unit:
        value = f"{sign.signal} {sign.value:g}{f' {sign.unit}' if sign.unit else ''}"
        return f"{value}, seen {sign.comparison} {sign.threshold:g}"
    value, threshold = against(sign.value, sign.threshold, sign.unit)
    return f"{row.says}: {value}, threshold {threshold}"


def untold(cannot: CannotTell) -> str:
    """What cannot be told, and for want of which signal."""
    key = f"{cannot.component}/{cannot.kind}"
    other = f" rather than {_says(cannot.rather_than)}" if cannot.rather_than else ""
    return f"cannot tell whether {_says(key)}{other}: {phrase(cannot.signal)} ({cannot.missing})"


def _says(cause: str) -> str:
    return CAUSE[cause].says if cause in CAUSE else _read_aloud(cause)


def told_by(event: Explaining) -> str:
    """What was put into words, and by whom."""
    match event:
        case TransitionExplained():
            what = "explained"
        case IncidentReviewed():
            what = "incident reviewed"
        case StateAssessed():
            what = "state assessed"
        case _:
            assert_never(event)
    return f"{what} by {event.model or event.source}"


def usd(micro_usd: int) -> str:
    """An amount of money, to a hundredth of a cent."""
    return f"{micro_usd / 1e6:.4f} USD"


def _told_explanation(event: Explaining) -> Told:
    stands = f"the words of the rules stand: {event.stands_because}" if event.stands_because else ""
    cut = f"sentences cut: {len(event.cut)}" if event.cut else ""
    told = event.explanation
    summary = f"{told_by(event)}: {told.headline.text}"
    return Told("", "", summary, [told.next_step.action, stands, cut])


def _told_call(event: ModelCallReserved | ModelCallSettled) -> Told:
    cost = usd(event.cost_micro_usd)
    match event:
        case ModelCallReserved():
            most = f"at most {event.requests} requests, {event.tokens} tokens, {cost}"
            return Told("", "", f"model call {event.call} of {event.model} allowed", [most])
        case ModelCallSettled():
            tokens = f"{event.input_tokens} tokens in, {event.output_tokens} out"
            came_to = f"{event.requests} requests, {tokens}, {cost}"
            return Told("", event.outcome, f"model call {event.call} {event.outcome}", [came_to])
        case _:
            assert_never(event)


def _told_config(event: ConfigChanged) -> Told:
    """The changes one by one; the first configuration lists every value, which nobody would read
    here: how many they are, and the event has them all."""
    became = f"{event.preset}+{event.modifier}" if event.modifier else event.preset
    by_whom = f"by {event.author}: {event.reason}"
    if event.previous_fingerprint is None:
        many = f"values set: {len(event.values)}; what was there before is not known"
        return Told("", became, f"first configuration {became} {by_whom}", [many])
    changes = [
        f"{c.parameter} {_shown(c.before)} to {_shown(c.after)}"
        f"{f' {c.unit}' if c.unit else ''}, {c.apply}: {c.why}"
        for c in event.changes
    ]
    return Told("", became, f"config {became} {by_whom}", changes)


def _shown(value: Scalar | None) -> str:
    return "unset" if value is None else orjson.dumps(value).decode()
