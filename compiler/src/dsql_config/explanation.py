"""What an explanation consists of, and how it reads as text and as JSON.

Theory of operation. `explain.py` fills these models; they know nothing of how. `to_json` writes the
model itself, so that a program finds every number in a field of its own; `to_text` lays the same
fields out for people, block by block. What is absent is said in words and never left blank.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict

from copilot_core.configuration import TelemetryBound
from copilot_core.values import Apply, Scalar
from dsql_config.findings import Finding, Severity
from dsql_config.formulas import show
from dsql_config.plain_text import INDENT, block, bound_text, finding_text, page, rows, shown
from dsql_config.profile import Given, Layer, ParameterClass, Step

CLASS_MEANING: Final = {
    ParameterClass.SLO: "a target that you must know",
    ParameterClass.TOPOLOGY: "a fact about what runs where; the preset knows a default",
    ParameterClass.SAFETY: "derived and locked: another value is refused",
    ParameterClass.TUNING: "derived; may be overridden by those who know why",
}
APPLY_MEANING: Final = {
    Apply.LIVE: "live: the running process takes it up by itself",
    Apply.RESTART: "restart: the process reads it when it starts",
    Apply.RECREATE: "recreate: fixed for the life of the cluster; another value means another one",
}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Explanation(_Model, ABC):
    """An answer to "why": equal questions give equal bytes, as text and as JSON."""

    @abstractmethod
    def to_text(self) -> str:
        """The explanation for people, ending in a line feed."""

    def to_json(self) -> bytes:
        """The explanation for programs: canonical JSON, indented, ending in a line feed."""
        options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        return orjson.dumps(self.model_dump(mode="json"), option=options)


class LayerView(_Model):
    """What one layer says about a value: its steps, or in `said` why there are none."""

    layer: Layer
    steps: tuple[Step, ...] = ()
    said: str = ""

    def text(self) -> str:
        """One line per value, with formula and source below it."""
        lines = [self.said] if self.said else []
        for step in self.steps:
            lines.append(f"{show(step.value)}{self._because(step)}")
            lines += [f"{INDENT}{step.formula}"] if step.formula else []
            lines.append(f"{INDENT}{step.source}")
        return "\n".join(lines)

    def _because(self, step: Step) -> str:
        """The formula with its numbers, or the step's reason; a base value has none of its own."""
        if step.worked:
            return f" = {step.worked}"
        return "" if self.layer is Layer.REGISTRY else f": {step.why}"


class Effect(_Model):
    """What a value would be after one change: a parameter from `before` to `after`, another preset
    or modifier (`name`), or the override left out."""

    kind: Literal["parameter", "modifier", "preset", "override"]
    name: str
    before: Scalar | None = None
    after: Scalar | None = None
    value: Scalar

    @property
    def cause(self) -> str:
        """The change in words."""
        match self.kind:
            case "parameter" if self.before is not None and self.after is not None:
                return f"{self.name} {show(self.before)} → {show(self.after)}"
            case "override":
                return "without the override"
            case _:
                return f"{self.kind} {self.name}"


class Place(_Model):
    """Somewhere a value is written: `text` as it stands there (None without a profile), `note` why
    it is not written or where it holds."""

    kind: Literal["dynamic config", "environment", "Go option", "Python option"]
    name: str
    text: str | None
    written: bool
    note: str

    def line(self) -> str:
        """The place in one line."""
        value = "" if self.text is None else f": {self.text}"
        return f"{self.name}{value}" + (f" ({self.note})" if self.note else "")


class Watch(_Model):
    """A guard rail that watches a value. `worked` and `broken` are None without a profile."""

    rail: str
    severity: Severity
    bad_when: str
    worked: str | None
    broken: bool | None
    why: str
    source: str

    def text(self) -> str:
        """Why the rail stands, its condition, and the condition with numbers."""
        state = {None: "", True: "broken: ", False: "kept: "}[self.broken]
        lines = [f"{state}{self.why}", f"{INDENT}{self.severity} when {self.bad_when}"]
        return "\n".join([*lines, *([f"{INDENT}{self.worked}"] if self.worked else [])])


class KeyExplanation(Explanation):
    """Everything about one parameter; `value` and what follows from it are None without a profile.

    `asked` is the name it was asked for by. `depends_on` and `moves` are the parameters it is
    computed from and those computed from it, each transitively. `telemetry` are the profile's
    bounds that are worked out from it, `expected` the same in words, also without a profile.
    """

    asked: str
    name: str
    parameter_class: ParameterClass
    unit: str
    range: str
    meaning: str
    apply: Apply
    value: Scalar | None
    layers: tuple[LayerView, ...]
    depends_on: tuple[str, ...]
    moves: tuple[str, ...]
    would_change: tuple[Effect, ...]
    places: tuple[Place, ...]
    rails: tuple[Watch, ...]
    telemetry: tuple[TelemetryBound, ...]
    expected: tuple[str, ...]

    def to_text(self) -> str:
        head = self.name if self.value is None else f"{self.name} = {shown(self.value, self.unit)}"
        facts = [
            ("class", f"{self.parameter_class}: {CLASS_MEANING[self.parameter_class]}"),
            ("range", self.range),
            ("in force", APPLY_MEANING[self.apply]),
        ]
        if self.asked != self.name:
            facts.insert(0, ("asked as", self.asked))
        return page(
            f"{head}\n{INDENT}{self.meaning}\n{rows(facts)}",
            block("How it came about", ((v.layer.value, v.text()) for v in self.layers)),
            block("What would change it", self._changes()),
            block("What it moves", [("", n) for n in self.moves] or [("", "no other parameter")]),
            block("Where it is written", self._places()),
            block(
                "Guard rails that watch it",
                [(w.rail, w.text()) for w in self.rails] or [("", "none reads it")],
            ),
            block(
                "Expected telemetry",
                [("", e) for e in self.expected] or [("", "no bound is worked out from it")],
            ),
        )

    def _changes(self) -> list[tuple[str, str]]:
        told = [(e.cause, self._effect(e)) for e in self.would_change]
        if not told and self.depends_on:
            told = [("computed from", ", ".join(self.depends_on))]
        if self.parameter_class is not ParameterClass.SAFETY:
            told.append(("a value of yours", f"--set {self.name}=VALUE"))
        return told or [("", "nothing: it is fixed and locked")]

    def _effect(self, effect: Effect) -> str:
        return "no change" if effect.value == self.value else show(effect.value)

    def _places(self) -> list[tuple[str, str]]:
        nowhere = [("", "nowhere: formulas, guard rails and adapters read it")]
        return [(p.kind, p.line()) for p in self.places] or nowhere


class ValueLine(_Model):
    """One parameter in a list: its value, and the layer and source that decided it."""

    name: str
    parameter_class: ParameterClass
    value: Scalar
    unit: str
    layer: Layer
    because: str
    source: str

    def line(self) -> tuple[str, str]:
        """Name and text for a block."""
        return self.name, f"{shown(self.value, self.unit)}, {self.layer}: {self.because}"


class ModifierLine(_Model):
    """What a modifier changes on a preset: parameter, value before, value after."""

    name: str
    summary: str
    changes: tuple[tuple[str, Scalar, Scalar], ...]
    findings: tuple[Finding, ...]

    def text(self) -> str:
        """Summary and changes, a line each."""
        changes = [f"{INDENT}{n} {show(a)} → {show(b)}" for n, a, b in self.changes]
        findings = [f"{INDENT}{f.severity} {f.code}: {f.message}" for f in self.findings]
        return "\n".join([self.summary, *(changes or [f"{INDENT}changes nothing"]), *findings])


class PresetExplanation(Explanation):
    """A preset, by itself or with a modifier: every value at its defaults, and what each modifier
    would change. `up_to` is None for a preset without an upper bound."""

    preset: str
    modifier: str | None
    summary: str
    above: float
    up_to: float | None
    source: str
    values: tuple[ValueLine, ...]
    modifiers: tuple[ModifierLine, ...]

    def to_text(self) -> str:
        bounds = f"above {self.above:g}" + (f" to {self.up_to:g}" if self.up_to else "")
        facts = [
            ("meant for", f"{bounds} state transitions a second"),
            ("modifier", self.modifier or "none"),
            ("source", self.source),
        ]
        head = f"{self.preset}\n{INDENT}{self.summary}\n{rows(facts)}"
        modifiers = [(m.name, m.text()) for m in self.modifiers]
        others = [block("Modifiers", modifiers)] if modifiers else []
        return page(head, *by_class(self.values), *others)


class ProfileExplanation(Explanation):
    """A compiled profile: what was asked, every value with what decided it, what is written, what
    was found, what telemetry should show."""

    preset: str
    modifier: str | None
    server_version: str
    compiler_version: str
    fingerprint: str
    given: tuple[Given, ...]
    values: tuple[ValueLine, ...]
    written: tuple[Place, ...]
    findings: tuple[Finding, ...]
    telemetry: tuple[TelemetryBound, ...]

    def to_text(self) -> str:
        given = [(g.name, f"{_given(g)}, from {g.source}") for g in self.given]
        findings = [(f"{f.severity} {f.code}", finding_text(f)) for f in self.findings]
        facts = [
            ("preset", self.preset),
            ("modifier", self.modifier or "none"),
            ("server", self.server_version),
            ("compiler", self.compiler_version),
            ("fingerprint", self.fingerprint),
        ]
        return page(
            f"Profile\n{rows(facts)}",
            block("Given by you", given or [("", "nothing: every value is the preset's")]),
            *by_class(self.values),
            block("Written", ((p.kind, p.line()) for p in self.written)),
            block("Findings", findings or [("", "none")]),
            block("Expected telemetry", (("", bound_text(b)) for b in self.telemetry)),
        )


def _given(given: Given) -> str:
    return "no value" if given.value is None else show(given.value)


def by_class(values: Iterable[ValueLine]) -> list[str]:
    """A block per parameter class, in the order SLO, Topology, Safety, Tuning."""
    values = tuple(values)
    return [
        block(f"{c}: {CLASS_MEANING[c]}", (v.line() for v in values if v.parameter_class is c))
        for c in ParameterClass
    ]
