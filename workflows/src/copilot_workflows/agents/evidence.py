"""The evidence: a book as the text that a model reads.

Theory of operation. Only what is ours passes: handles of events, numbers, times, and the words of
our own tables. Names that others chose are pseudonyms, their sentences are lengths, their secrets
are nothing (`copilot_core.guarding.pseudonyms`). The table of pseudonyms is worked out of the book
wherever it is needed, so it travels nowhere.

    explained   the event, its gates with values and thresholds
    rules       the words of the rules, each sentence with its claims in the form of an answer
    ranking     the causes found: in words, with the signs seen and the way to what users feel
    readings    what gates and signs read, slot by slot
    events      what was decided before, newest first
    logs        counted log patterns, by id; the lines that were kept, by template

The first two are shown whole, unless they leave the others no room. When there is more than fits,
each section keeps its share: what a short one leaves goes to the longer ones. Lines are shown whole
or not at all, and a section says how many it left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

import orjson

from copilot_core.causes import CAUSE, MECHANISMS
from copilot_core.events import (
    CausesRanked,
    ConfigChanged,
    DeploymentRecorded,
    Event,
    HealthTransitioned,
    LogSampleRecorded,
    RankedCause,
    SampleDropped,
    SampleRecorded,
    encode,
)
from copilot_core.explanation import Claim, Explanation, LinkRole, Sentence
from copilot_core.guarding.pseudonyms import NO_NAMES, Json, Names, prompt_text, prompt_value
from copilot_core.signals import BY_NAME
from copilot_core.signs import SIGN
from copilot_core.words.book import Book, Fact, unit_of
from copilot_core.words.phrases import phrase
from copilot_core.words.wording import clock
from copilot_workflows.agents.handles import handle, handle_of
from copilot_workflows.agents.requests import CLAIMS, ComposeRequest, TextKind
from copilot_workflows.agents.settings import ModelSettings
from copilot_workflows.log_templates import log_templates

MAX_EVIDENCE_CHARS: Final = 28_000
"""About 10,000 tokens of JSON; every request of a call reads them anew."""
MAX_SECTION_CHARS: Final = 9_000
WHOLE_SECTIONS: Final = 2
"""The event and the words of the rules are shown whole: a model words anew what it has read. They
came to 13,300 characters at the most on all transitions of the recorded incidents."""
MOST_WHOLE: Final = 0.7
"""Share of the room that they may take."""
_NOTE_CHARS: Final = len("(999999 lines left out)")
SLOTS: Final = 10
"""Slots whose readings are shown; tools show more."""
EVENTS: Final = 25
LOG_SLOTS: Final = 5

_CLAIM_WORDS: Final = (*CLAIMS, *(str(role) for role in LinkRole))

ALWAYS_SHOWN: Final = ("starts_accepted_per_s", "closings_per_s", "waiting_s", "first_steps_per_s")
"""What forward progress is judged by; shown whether or not a gate or a sign reads it."""


def request_of(
    book: Book, rules: Explanation, *, kind: TextKind, settings: ModelSettings
) -> ComposeRequest:
    """What the agents are asked about one event. `rules` are the words that stand already."""
    return ComposeRequest(
        cluster=book.cluster,
        explains=book.explains,
        as_of=book.slot,
        kind=kind,
        dispatcher_model=settings.dispatcher_model,
        researcher_model=settings.researcher_model,
        evidence=evidence(book, rules),
        pages=pages(book),
        limits=settings.call_limits,
    )


def evidence(book: Book, rules: Explanation) -> str:
    """The whole text about one event."""
    names = names_of(book)
    sections = (
        ("explained event", [event_line(book.explained, names)]),
        ("words of the rules", _rules(book, rules, names)),
        ("ranking of causes", _ranking(book)),
        ("readings", readings(book, _signals(book), until=book.slot, slots=SLOTS)),
        ("events before, newest first", events(book, names, until=book.slot, limit=EVENTS)),
        ("log patterns", _logs(book, names)),
        ("log lines by template", _templates(book, names)),
    )
    told = [(f"## {title}\n", _guarded(lines) or ["none"]) for title, lines in sections]
    whole = [_chars(lines) for _, lines in told[:WHOLE_SECTIONS]]
    needed = [min(_chars(lines), MAX_SECTION_CHARS) for _, lines in told[WHOLE_SECTIONS:]]
    around = sum(len(title) + len("\n\n") for title, _ in told)
    room = MAX_EVIDENCE_CHARS - around
    if sum(whole) > room * MOST_WHOLE:
        rooms = shares([*whole, *needed], room)
    else:
        rooms = [*whole, *shares(needed, room - sum(whole))]
    return "\n\n".join(
        title + _whole_lines(lines, room) for (title, lines), room in zip(told, rooms, strict=True)
    )


def names_of(book: Book) -> Names:
    """The pseudonyms of a book: its cluster first, then every foreign name as it appears."""
    names, _ = NO_NAMES.with_name("cluster", book.cluster)
    for fact in book.facts:
        if not fact.is_a(SampleRecorded):  # holds no words but those of our tables
            _, names = prompt_value(orjson.loads(encode(fact.event)), names)
    return names


def pages(book: Book) -> tuple[tuple[str, str], ...]:
    """The runbooks that matter here, name and subject: of causes found and of those that cannot be
    told."""
    ranking = book.ranking.event if book.ranking else None
    if ranking is None:
        return ()
    keys = [f"{c.component}/{c.kind}" for c in (*ranking.causes, *ranking.cannot_tell)]
    keys += [t.rather_than for t in ranking.cannot_tell if t.rather_than]
    rows = [CAUSE[key] for key in dict.fromkeys(keys) if key in CAUSE]
    return tuple((row.runbook, row.says) for row in rows)


# --- lines, shared with the tools -----------------------------------------------------------------


def event_line(fact: Fact[Event], names: Names) -> str:
    """One event: handle, type, time, payload."""
    payload: dict[str, Json] = orjson.loads(encode(fact.event))
    if isinstance(fact.event, CausesRanked):
        payload = {
            "causes": [f"{c.component}/{c.kind}" for c in fact.event.causes],
            "cannot_tell": [f"{t.component}/{t.kind}" for t in fact.event.cannot_tell],
        }
    if isinstance(fact.event, ConfigChanged):
        payload = {"changes": payload["changes"]}
    shown, _ = prompt_value(payload, names)
    return _line(fact, {"type": type(fact.event).__name__, **_object(shown)})


def events(book: Book, names: Names, *, until: int, limit: int) -> list[str]:
    """What was decided up to a time, newest first."""
    told = [
        fact
        for fact in book.facts
        if fact.at <= until
        and fact.id != book.explains
        and not fact.is_a(SampleRecorded | SampleDropped | DeploymentRecorded | LogSampleRecorded)
    ]
    newest = sorted(told, key=lambda fact: (fact.at, fact.version), reverse=True)[:limit]
    return [event_line(fact, names) for fact in newest]


def readings(book: Book, signals: Iterable[str], *, until: int, slots: int) -> list[str]:
    """What was read of some signals and quantities, newest slot first, after a line that names
    them."""
    known = [s for s in signals if unit_of(s) is not None and not s.startswith("log:")]
    legend = {s: f"{phrase(s)}, {unit_of(s)}" for s in known}
    lines = [orjson.dumps(legend).decode()]
    for sample in [s for s in book.samples if s.at <= until][-slots:][::-1]:
        values = {s: _read(book, s, sample.event.slot) for s in known}
        lines.append(_line(sample, {s: v for s, v in values.items() if v is not None}))
    return lines


def _read(book: Book, name: str, slot: int) -> float | str | None:
    """A number, or why there is none; None for a quantity that was not seen."""
    number = book.number(name, slot)
    if number is not None or name not in BY_NAME:
        return number
    reading = book.reading(name, slot)
    return None if reading is None else str(reading)


# --- sections -------------------------------------------------------------------------------------


def _rules(book: Book, rules: Explanation, names: Names) -> Iterator[str]:
    yield _json({"headline": _sentence(book, rules.headline, names)})
    for part in ("since", "certainty", "path", "changed_before", "not_seen"):
        for sentence in getattr(rules, part):
            yield _json({part: _sentence(book, sentence, names)})
    for cause in rules.causes:
        for sentence in cause.sentences:
            told = _sentence(book, sentence, names)
            yield _json({"cause": f"{cause.component}/{cause.kind}", **told})


def _sentence(book: Book, sentence: Sentence, names: Names) -> dict[str, Json]:
    return {
        "text": names.hidden(sentence.text),
        "claims": [claim_shown(book, claim, names) for claim in sentence.claims],
    }


def claim_shown(book: Book, claim: Claim, names: Names) -> dict[str, Json]:
    """A claim in the form of an answer: flat, with handles for events."""
    fields = claim.model_dump(mode="json", exclude_none=True)
    events: dict[str, Json] = {
        key: [_shown(book, UUID(id_)) for id_ in ids]
        if isinstance(ids, list)
        else _shown(book, UUID(ids))
        for key in ("events", "first", "then")
        if (ids := fields.pop(key, None)) is not None
    }
    shown, _ = prompt_value(fields, names, ours=_CLAIM_WORDS)
    return {**_object(shown), **events}


def _shown(book: Book, id_: UUID) -> str:
    return handle_of(id_, book) or "gone"


def _ranking(book: Book) -> Iterator[str]:
    fact = book.ranking
    if fact is None:
        return
    ranking = fact.event
    for cause in ranking.causes:
        yield _line(fact, _cause(cause))
    for told in ranking.cannot_tell:
        yield _line(fact, {"cannot_tell": told.model_dump(mode="json")})


def _cause(cause: RankedCause) -> dict[str, Json]:
    row = CAUSE.get(f"{cause.component}/{cause.kind}")
    return {
        "component": cause.component,
        "kind": cause.kind,
        "says": row.says if row else "",
        "score": cause.score,
        "since": cause.since,
        "now": cause.now,
        "signs": [
            {**sign.model_dump(mode="json"), "says": SIGN[sign.id].says if sign.id in SIGN else ""}
            for sign in cause.evidence
        ],
        "signs_against": [sign.model_dump(mode="json") for sign in cause.against],
        "mechanisms": {m: MECHANISMS[m] for m in (row.path if row else ())},
    }


def _signals(book: Book) -> list[str]:
    """What gates and signs read, then what progress is judged by."""
    found: list[str] = []
    for transition in book.all(HealthTransitioned)[-1:]:
        found += [gate.signal for gate in transition.event.gates]
    if book.ranking is not None:
        for cause in book.ranking.event.causes:
            found += [sign.signal for sign in (*cause.evidence, *cause.against)]
    return list(dict.fromkeys((*found, *ALWAYS_SHOWN)))[:16]


def _logs(book: Book, names: Names) -> Iterator[str]:
    for fact in book.all(LogSampleRecorded)[-LOG_SLOTS:][::-1]:
        counts, _ = prompt_value(_counts(fact.event), names, field="counts")
        yield _line(fact, {"counts": counts})


def _templates(book: Book, names: Names) -> Iterator[str]:
    """Lines that were kept, as templates: never their words, and names that nobody can restore."""
    facts = book.all(LogSampleRecorded)[-LOG_SLOTS:]
    made, _ = log_templates((e for fact in facts for e in fact.event.excerpts), names)
    return (_json(template.as_json()) for template in made)


def _counts(sample: LogSampleRecorded) -> Json:
    """Patterns that occurred, by service."""
    seen = {s: {p: n for p, n in of.items() if n} for s, of in (sample.counts or {}).items()}
    return {service: dict(of) for service, of in seen.items() if of}


# --- text -----------------------------------------------------------------------------------------


def _line(fact: Fact[Event], told: dict[str, Json]) -> str:
    return _json(
        {"event": handle(fact.stream, fact.version), "at": fact.at, "clock": clock(fact.at), **told}
    )


def _json(value: Json) -> str:
    return orjson.dumps(value).decode()


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {"value": value}


def fitting(lines: Iterable[str], max_chars: int) -> str:
    """The lines that fit, whole; what does not is counted. Empty without any."""
    return _whole_lines(_guarded(lines), max_chars)


def shares(needed: Sequence[int], room: int) -> list[int]:
    """What each gets of a room: all that it needs, where that is no more than an equal part of what
    the smaller ones left."""
    got = [0] * len(needed)
    smallest_first = sorted(range(len(needed)), key=needed.__getitem__)
    for n, at in enumerate(smallest_first):
        got[at] = min(needed[at], room // (len(needed) - n))
        room -= got[at]
    return got


def _guarded(lines: Iterable[str]) -> list[str]:
    """Each line guarded once more: what is shown passes one door."""
    return [prompt_text(line) for line in lines]


def _chars(lines: Sequence[str]) -> int:
    return sum(map(len, lines)) + max(len(lines) - 1, 0)


def _whole_lines(lines: Sequence[str], max_chars: int) -> str:
    """A line that is too long does not hide the shorter ones behind it."""
    if _chars(lines) <= max_chars:
        return "\n".join(lines)
    kept, room = [], max_chars - _NOTE_CHARS
    for line in lines:
        if len(line) < room:
            kept.append(line)
            room -= len(line) + 1
    return "\n".join([*kept, f"({len(lines) - len(kept)} lines left out)"])
