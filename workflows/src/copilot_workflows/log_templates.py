"""Log lines as templates with typed parameters: what a prompt may hold of a log.

Theory of operation. The words of a line are chosen by others, so none of them reaches a model. What
does: which lines are of one kind (a *template*, by a number), which patterns of our own table they
match, how many there were, and the values at the places that vary, each of a type:

    number     written with at most 8 characters
    duration   in seconds
    time       nothing but that there is one
    ip, uuid, host, path, name     a pseudonym (`copilot_core.guarding.pseudonyms`)
    secret     nothing but that there was one: the guard took it out

A line is cut into tokens at white space, quotes, brackets and separators; tokens of a type are
replaced by the type's name, and Drain groups the rest: lines of the same length whose fixed words
agree are one template, and a word that differs between them is a `name`. The same lines in the same
order give the same templates; nothing is kept between calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from math import isfinite
from typing import Final

from drain3.drain import Drain

from copilot_core.guarding.guard import Secret, Sink, guard
from copilot_core.guarding.pseudonyms import NO_NAMES, Json, Names, prompt_value
from copilot_core.logpatterns import matches
from copilot_core.samples import LogExcerpt

MAX_LINES: Final = 500
MAX_TOKENS: Final = 64
MAX_TEMPLATES: Final = 20
MAX_PARAMETERS: Final = 12
"""Of one template; those of its newest line, from the left."""
MAX_NUMBER_CHARS: Final = 8

SIMILAR: Final = 0.6
"""Share of equal tokens from which two lines are of one template. Drain's usual 0.4 joins lines of
a server that tell different things about the same shard."""


class ParameterKind(StrEnum):
    """What a place of a template holds."""

    NUMBER = "number"
    DURATION = "duration"
    TIME = "time"
    IP = "ip"
    UUID = "uuid"
    HOST = "host"
    PATH = "path"
    NAME = "name"
    SECRET = "secret"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value at a place that varies: a number as text, a pseudonym, or empty."""

    kind: ParameterKind
    value: str


@dataclass(frozen=True, slots=True)
class LogTemplate:
    """Lines of one kind. `service` and the values of `parameters` hold no foreign words."""

    id: str
    service: str
    patterns: tuple[str, ...]
    lines: int
    parameters: tuple[Parameter, ...]

    def as_json(self) -> dict[str, Json]:
        """As a prompt shows it."""
        return {
            "template": self.id,
            "service": self.service,
            "patterns": list(self.patterns),
            "lines": self.lines,
            "parameters": [{str(p.kind): p.value} for p in self.parameters],
        }


def log_templates(
    excerpts: Iterable[LogExcerpt], names: Names = NO_NAMES
) -> tuple[tuple[LogTemplate, ...], Names]:
    """The templates of some lines, commonest first, and the table of the names in them."""
    lines = [_Line.of(excerpt) for excerpt in islice(excerpts, MAX_LINES)]
    drain = Drain(sim_th=SIMILAR, parametrize_numeric_tokens=False)
    groups: dict[int, list[_Line]] = {}
    fixed: dict[int, Sequence[str]] = {}
    for line in lines:
        cluster, _ = drain.add_log_message(" ".join((line.service_token, *line.shapes)))
        groups.setdefault(cluster.cluster_id, []).append(line)
        fixed[cluster.cluster_id] = cluster.log_template_tokens
    commonest = sorted(groups, key=lambda group: (-len(groups[group]), group))[:MAX_TEMPLATES]
    made: list[LogTemplate] = []
    for group in commonest:
        template, names = _template(group, groups[group], fixed[group][1:], names)
        made.append(template)
    return tuple(made), names


def _template(
    number: int, lines: Sequence[_Line], fixed: Sequence[str], names: Names
) -> tuple[LogTemplate, Names]:
    newest = lines[-1]
    service, names = prompt_value(newest.service, names, field="service")
    parameters: list[Parameter] = []
    for token, shape, constant in zip(newest.tokens, newest.shapes, fixed, strict=True):
        if len(parameters) == MAX_PARAMETERS:
            break
        kind = _KIND_OF_SHAPE.get(shape)
        if kind is None and constant == shape:
            continue  # a word that all lines share
        parameter, names = _parameter(kind or ParameterKind.NAME, token, names)
        parameters.append(parameter)
    patterns = dict.fromkeys(p for line in lines for p in line.patterns)
    template = LogTemplate(
        id=f"T{number}",
        service=str(service),
        patterns=tuple(patterns),
        lines=len(lines),
        parameters=tuple(parameters),
    )
    return template, names


def _parameter(kind: ParameterKind, token: str, names: Names) -> tuple[Parameter, Names]:
    match kind:
        case ParameterKind.TIME | ParameterKind.SECRET:
            return Parameter(kind, ""), names
        case ParameterKind.NUMBER:
            return Parameter(kind, _number(float(token))), names
        case ParameterKind.DURATION:
            return Parameter(kind, f"{_number(_seconds(token))} s"), names
        case _:
            names, pseudonym = names.with_name(str(kind), token)
            return Parameter(kind, pseudonym), names


# --- lines ----------------------------------------------------------------------------------------

_MARKERS: Final = "|".join(re.escape(f"[{secret}]") for secret in Secret)
_TOKEN: Final = re.compile(rf"(?:{_MARKERS})(?::\d{{1,5}})?|[^\s\"'`{{}}\[\](),;=|<>\\]+")

_NUMBER: Final = re.compile(r"[+-]?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?")
_DURATION: Final = re.compile(r"(?:\d{1,12}(?:\.\d{1,12})?(?:ns|us|µs|μs|ms|s|m|h|d)){1,5}")
_TIME: Final = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d(?:[T_]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?Z?"
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f]{32}")
_IP: Final = re.compile(
    r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?|[0-9A-Fa-f:]{2,39}:[0-9A-Fa-f:]{1,39}"
)
_PATH: Final = re.compile(r"\S{0,2000}/\S{0,2000}")
_HOST: Final = re.compile(
    r"[A-Za-z0-9_\-]{1,63}(?:\.[A-Za-z0-9_\-]{1,63}){1,8}(?::\d{1,5})?|[\w\-]{1,63}:\d{2,5}"
)

_FORMS: Final[tuple[tuple[ParameterKind, re.Pattern[str]], ...]] = (
    (ParameterKind.NUMBER, _NUMBER),
    (ParameterKind.DURATION, _DURATION),
    (ParameterKind.TIME, _TIME),
    (ParameterKind.UUID, _UUID),
    (ParameterKind.IP, _IP),
    (ParameterKind.PATH, _PATH),
    (ParameterKind.HOST, _HOST),
)
"""Types in the order in which a token is tried; the first that fits is its type."""

_KIND_OF_SHAPE: Final = {f"<{kind}>": kind for kind in ParameterKind}


@dataclass(frozen=True, slots=True)
class _Line:
    """A line in tokens. `shapes` are what Drain sees: the type of a token, or its word."""

    service: str
    patterns: tuple[str, ...]
    tokens: tuple[str, ...]
    shapes: tuple[str, ...]

    @property
    def service_token(self) -> str:
        """Lines of two services are never one template."""
        return "".join(self.service.split()) or "-"

    @classmethod
    def of(cls, excerpt: LogExcerpt) -> _Line:
        text = guard(excerpt.untrusted_text, Sink.EVENT)
        found = (t.rstrip(":.") for t in _TOKEN.findall(text))
        tokens = tuple(islice((t for t in found if t), MAX_TOKENS))
        shapes = tuple(_shape(token) for token in tokens)
        return cls(excerpt.service, tuple(matches(text)), tokens, shapes)


def _shape(token: str) -> str:
    if token.startswith("["):
        secret = token.partition("]")[0].removeprefix("[")
        return f"<{ParameterKind.IP if secret == Secret.IP else ParameterKind.SECRET}>"
    for kind, form in _FORMS:
        if form.fullmatch(token):
            return f"<{kind}>"
    return token


_SECONDS: Final = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
    "d": 86400.0,
}  # fmt: skip
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h|d)")


def _seconds(token: str) -> float:
    return sum(float(value) * _SECONDS[unit] for value, unit in _PART.findall(token))


def _number(value: float) -> str:
    """A number that leaves no room for a message: six digits, or the power of ten."""
    for digits in (6, 4, 2):
        text = f"{value:.{digits}g}"
        if len(text) <= MAX_NUMBER_CHARS:
            return text
    return f"{value:.0e}" if isfinite(value) else "inf"
