"""Names that stand in for foreign ones while a model reads, and the way back.

Theory of operation. A prompt holds no words that others chose. Whatever is not of our own
vocabulary is named anew: `<service-1>`, `<namespace-2>`. Which name stands for which is a value,
`Names`, built in the order of appearance, so the same events give the same names. It never leaves
the process, and prints as a count. What a model answers is turned back by `restored` before anybody
checks or sees it.

    prompt_value   a payload. Deny by default: a string stays when `VOCABULARY` has it, or when its
                   field holds our own sentences, event ids, digests or versions (`_FIELDS`); a name
                   becomes a pseudonym; free text becomes its length
    prompt_text    a text of ours in which foreign names may stand: every known name is replaced

Names are kept as the guard leaves them (no secrets, no tricks), which is how they are shown
elsewhere; what is restored is that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from copilot_core.bottleneck import Bottleneck, WorkerRule
from copilot_core.causes import CAUSES, MECHANISMS, Component, Kind
from copilot_core.events import EVENT_TYPES, ExplanationSource
from copilot_core.explanation import Direction, Explanation, LinkRole
from copilot_core.guarding.guard import Sink, guard
from copilot_core.logpatterns import PATTERNS_BY_ID
from copilot_core.quantities import QUANTITIES
from copilot_core.readings import MISSING_OF, Missing
from copilot_core.rules import GATES, SERVICES
from copilot_core.signals import SIGNALS, Role
from copilot_core.signs import SIGNS
from copilot_core.values import Apply, Band, Evidence, Status

MAX_NAME_CHARS: Final = 200

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True, repr=False)
class Names:
    """Which pseudonym stands for which name: pairs of kind and name, in order of appearance."""

    entries: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Names({len(self.entries)} hidden)"

    def with_name(self, kind: str, name: str) -> tuple[Names, str]:
        """The pseudonym of a name, and the table that knows it. `kind` is a word of ours."""
        entry = (kind, guard(name, Sink.SHOWN, limit=MAX_NAME_CHARS))
        if entry in self.entries:
            return self, _pseudonym(self.entries, self.entries.index(entry))
        entries = (*self.entries, entry)
        return Names(entries), _pseudonym(entries, len(entries) - 1)

    def hidden(self, text: str) -> str:
        """`text` with a pseudonym in the place of every name that the table knows."""
        if not self.entries:
            return text
        expression, pseudonym_of = _hiding(self.entries)
        return expression.sub(lambda found: pseudonym_of[found.group()], text)

    def told_in(self, text: str) -> tuple[tuple[str, str], ...]:
        """Kind and name of every known name that stands in a text, in order."""
        if not self.entries:
            return ()
        expression, _ = _hiding(self.entries)
        found = set(expression.findall(text))
        return tuple(entry for entry in self.entries if entry[1] in found)

    def restored(self, text: str) -> str:
        """`text` with the name in the place of every pseudonym; brackets may be missing."""
        if not self.entries:
            return text
        names = _restoring(self.entries)
        return _PSEUDONYM.sub(lambda found: names.get(found[1].lower(), found.group()), text)

    def restored_value(self, value: Json) -> Json:
        """A payload with names in the place of pseudonyms, in its values and keys."""
        match value:
            case str():
                return self.restored(value)
            case list():
                return [self.restored_value(v) for v in value]
            case dict():
                return {self.restored(k): self.restored_value(v) for k, v in value.items()}
            case _:
                return value


NO_NAMES: Final = Names()

_PSEUDONYM: Final = re.compile(r"<?(?<![A-Za-z0-9_-])([A-Za-z_]{1,20}-\d{1,6})(?![A-Za-z0-9_-])>?")


def _pseudonym(entries: tuple[tuple[str, str], ...], at: int) -> str:
    kind = entries[at][0]
    return f"<{kind}-{sum(1 for k, _ in entries[: at + 1] if k == kind)}>"


@lru_cache(maxsize=64)
def _hiding(entries: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], Mapping[str, str]]:
    pseudonym_of: dict[str, str] = {}
    for at, (_, name) in enumerate(entries):
        if name:
            pseudonym_of.setdefault(name, _pseudonym(entries, at))
    longest_first = sorted(pseudonym_of, key=lambda name: (-len(name), name))
    either = "|".join(re.escape(name) for name in longest_first) or r"(?!)"
    # a name is replaced where it stands alone: `order` is no part of `disorder` or of `order_id`
    return re.compile(rf"(?<![A-Za-z0-9_])(?:{either})(?![A-Za-z0-9_])"), pseudonym_of


@lru_cache(maxsize=64)
def _restoring(entries: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return {_pseudonym(entries, at)[1:-1]: name for at, (_, name) in enumerate(entries)}


# --- what is ours ---------------------------------------------------------------------------------

_FIELDS: Final[Mapping[str, re.Pattern[str] | None]] = MappingProxyType(
    {
        "summary": None, "counterfactual": None, "reasons": None, "artifacts": None,
        "advice": None, "action": None,
        "explains": re.compile(r"[0-9a-f-]{36}"), "event": re.compile(r"[0-9a-f-]{36}"),
        "events": re.compile(r"[0-9a-f-]{36}"), "id": re.compile(r"[0-9a-f-]{36}"),
        "first": re.compile(r"[0-9a-f-]{36}"), "then": re.compile(r"[0-9a-f-]{36}"),
        "rules_digest": re.compile(r"[0-9a-f]{16,64}"),
        "graph_digest": re.compile(r"[0-9a-f]{16,64}"),
        "fingerprint": re.compile(r"[0-9a-f]{64}"),
        "previous_fingerprint": re.compile(r"[0-9a-f]{64}"),
        "signature": re.compile(r"[0-9a-f]{64}"),
        "server_version": re.compile(r"\d{1,3}(\.\d{1,3}){1,3}"),
        "compiler_version": re.compile(r"\d{1,3}(\.\d{1,3}){1,3}"),
    }
)  # fmt: skip
"""Fields whose strings are ours though no word list has them: None for sentences of the rules, in
which known names are replaced, else the form that the string must have."""

_SHORT_VALUE: Final = re.compile(r"-?\d{1,5}(\.\d{1,3})?(ns|us|ms|s|m|h|d|%|KB|MB|GB|KiB|MiB|GiB)?")
"""Values of parameters that say nothing but a quantity: `14m`, `500ms`."""

_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z| UTC)?|\d\d:\d\d:\d\d UTC"
)

_LOG_SIGNAL: Final = re.compile(r"log:(.+)/([a-z_]+|\*)", re.DOTALL)

_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "service": "service", "counts": "service", "cluster": "cluster", "host": "host",
        "namespace": "namespace", "workflow_type": "workflow_type", "task_queue": "task_queue",
        "author": "person", "values": "parameter", "parameter": "parameter", "before": "value",
        "after": "value", "preset": "preset", "modifier": "modifier", "pattern": "pattern",
        "source": "source", "label": "label", "path": "path", "model": "model",
    }
)  # fmt: skip
"""What a pseudonym is called, by the field that the name stands in; `name` for any other."""


_ENUMS: Final = (
    Status, Evidence, Band, Apply, Missing, Bottleneck, WorkerRule, Component, Kind, Role,
    ExplanationSource, Direction, LinkRole,
)  # fmt: skip

_WORDS: Final = frozenset(
    (
        "", "{}", ">=", "<", "ok", "degraded", "blocked", "unseen", "low", "moderate", "high",
        "improving", "worsening", "steady", "filled", "watchdog", "prometheus", "amp", "recording",
        "status", "evidence", "band", "bottleneck", "answered", "failed", "abandoned",
    )
)  # fmt: skip
"""Words of payloads that no table or enum lists."""


@lru_cache(maxsize=1)
def vocabulary() -> frozenset[str]:
    """Every string of our own that a payload may hold: ids of tables, words of enums, fields."""
    words = set(_WORDS)
    for enum in _ENUMS:
        words |= {str(member) for member in enum}
    words |= {*_KINDS, *MISSING_OF, *MECHANISMS, *PATTERNS_BY_ID, *SERVICES, *EVENT_TYPES}
    for row in (*SIGNALS, *QUANTITIES):
        words |= {row.name, row.unit}
    words |= {gate.id for gate in GATES}
    words |= {sign.id for sign in SIGNS} | {sign.unit for sign in SIGNS}
    for cause in CAUSES:
        words |= {f"{cause.component}/{cause.kind}"}
    words |= {f"service:{service}" for service in SERVICES} | {f"event:{t}" for t in EVENT_TYPES}
    for cls in (*EVENT_TYPES.values(), Explanation):
        words |= set(_field_names(cls.model_json_schema(by_alias=True)))
    return frozenset(words)


def _field_names(schema: object) -> Iterator[str]:
    match schema:
        case dict():
            fields = schema.get("properties")
            if isinstance(fields, dict):
                yield from fields
            for part in schema.values():
                yield from _field_names(part)
        case list():
            for part in schema:
                yield from _field_names(part)
        case _:
            pass


# --- prompts --------------------------------------------------------------------------------------

_TYPOGRAPHY: Final = frozenset("–—−×·…≥≤→±µ°é“”‘’½")
"""Signs beyond ASCII that our own sentences use; a prompt holds no others."""


def prompt_text(text: str, names: Names = NO_NAMES) -> str:
    """A text of ours as a model may read it: guarded, known names hidden, signs of ours only.

    For sentences of rules, questions and prompts. It is no door for foreign text, whose words would
    pass: those are pseudonyms, or nothing.
    """
    seen = names.hidden(guard(text, Sink.PROMPT))
    if seen.isascii():
        return seen
    return "".join(c if c.isascii() or c in _TYPOGRAPHY else "?" for c in seen)


def prompt_value(
    value: Json, names: Names = NO_NAMES, *, field: str = "", ours: Collection[str] = ()
) -> tuple[Json, Names]:
    """A payload as a model may read it, and the table that knows its names.

    `field` is what the payload is the value of. `ours` adds words to the vocabulary, for strings
    and keys: names of parameters, say.
    """
    naming = _Naming(names, frozenset(ours) | vocabulary())
    return naming.value(value, field), naming.names


class _Naming:
    """One walk through a payload."""

    def __init__(self, names: Names, words: frozenset[str]) -> None:
        self.names = names
        self._words = words

    def value(self, value: Json, field: str) -> Json:
        match value:
            case str():
                return self._string(value, field)
            case list():
                return [self.value(v, field) for v in value]
            case dict():
                return {
                    self._key(key, field): self.value(inner, _below(key, field))
                    for key, inner in value.items()
                }
            case _:
                return value

    def _key(self, key: str, field: str) -> str:
        return key if key in self._words else self._name(key, field)

    def _string(self, text: str, field: str) -> str:
        if text in self._words:
            return text
        if field in _FIELDS:
            form = _FIELDS[field]
            if form is None:
                return prompt_text(text, self.names)
            if form.fullmatch(text):
                return text
        if _SHORT_VALUE.fullmatch(text) or _TIME.fullmatch(text):
            return text
        if signal := _LOG_SIGNAL.fullmatch(text):
            service = self._string(signal[1], "service")
            return f"log:{service}/{self._string(signal[2], 'pattern')}"
        if len(text) > MAX_NAME_CHARS or any(c.isspace() for c in text.strip()):
            return f"[text of {len(text)} characters]"
        return self._name(text, field)

    def _name(self, text: str, field: str) -> str:
        self.names, pseudonym = self.names.with_name(_KINDS.get(field, "name"), text)
        return pseudonym


def _below(key: str, field: str) -> str:
    """The field that a value stands in: its key, or the field above where the keys are names."""
    return "pattern" if field == "counts" else key if key in vocabulary() else field
