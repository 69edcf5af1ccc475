"""What a compilation gives: every value with its history, and what is written from it.

Theory of operation. A `Request` is what a user asked for: a preset, perhaps a modifier, values of
their own, and the server it is for. Compiling gives a `Profile`: for every parameter its value and
the steps that led to it, the dynamic-config entries, the environment, the findings and the bounds
that telemetry is expected to keep. Adapters, explanations, the diff and the event read the profile
and nothing else; `profile.json` is the profile itself, so each of them works on a stored one too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import orjson
from pydantic import BaseModel, ConfigDict

from copilot_core.configuration import TelemetryBound
from copilot_core.values import Apply, Scalar
from dsql_config.findings import Finding

COMPILER_VERSION: Final = "0.1.0"
"""Version of the tables and formulas; part of every profile and event."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ParameterClass(StrEnum):
    """Who decides a parameter."""

    SLO = "SLO"
    """A target; the user must know it."""
    TOPOLOGY = "Topology"
    """What runs where; the preset knows a default."""
    SAFETY = "Safety"
    """Derived and locked: another value is refused."""
    TUNING = "Tuning"
    """Derived; may be overridden by those who know why."""


class Layer(StrEnum):
    """Where a step of a value's history comes from, in the order in which layers apply."""

    REGISTRY = "registry"
    PRESET = "preset"
    MODIFIER = "modifier"
    INPUT = "input"
    DERIVATION = "derivation"
    GUARD_RAIL = "guard rail"
    OVERRIDE = "override"


class Given(_Model):
    """A value that the user gave: `name` as they wrote it, `source` as `file:line`, `--set` or
    `environment`."""

    name: str
    value: Scalar | None
    source: str


class Request(_Model):
    """What is asked for. `server_version` is a minor or a patch; None means the newest known."""

    preset: str
    modifier: str | None = None
    given: tuple[Given, ...] = ()
    server_version: str | None = None


class Step(_Model):
    """One step in the history of a value. `formula` is the derivation as written in the registry,
    `worked` the same with its numbers."""

    layer: Layer
    value: Scalar
    source: str
    why: str
    formula: str | None = None
    worked: str | None = None


class Resolved(_Model):
    """One parameter's value, and how it came about. `reads` names the parameters its formula
    reads: changing one of them changes this."""

    name: str
    value: Scalar
    unit: str
    parameter_class: ParameterClass
    apply: Apply
    steps: tuple[Step, ...]
    reads: tuple[str, ...] = ()


class Entry(_Model):
    """One dynamic-config entry. `written` is False when it equals the server's default, which is
    then shown and not emitted. `value` is as the server's YAML wants it; `in_dsql_fork` is
    information (None: not known)."""

    key: str
    value: Scalar
    constraints: dict[str, Scalar] = {}
    parameter: str
    default: str
    written: bool
    in_dsql_fork: bool | None = None


class Variable(_Model):
    """One environment variable of the server or its DSQL plugin."""

    name: str
    value: str
    parameter: str


class Profile(_Model):
    """A resolved configuration: everything that is written, and why."""

    preset: str
    modifier: str | None
    server_version: str
    compiler_version: str = COMPILER_VERSION
    given: tuple[Given, ...]
    parameters: tuple[Resolved, ...]
    dynamic_config: tuple[Entry, ...]
    environment: tuple[Variable, ...]
    bounds: tuple[TelemetryBound, ...]
    findings: tuple[Finding, ...]

    def value(self, name: str) -> Scalar:
        """The value of a parameter; raises `KeyError` for a name that the registry lacks."""
        return self.values[name]

    def resolved(self, name: str) -> Resolved:
        """A parameter with its history; raises `KeyError` for a name that the registry lacks."""
        return {p.name: p for p in self.parameters}[name]

    @property
    def values(self) -> Mapping[str, Scalar]:
        """Parameter name to value, in registry order."""
        return {p.name: p.value for p in self.parameters}

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of what the configuration means: values, target server, preset, modifier.

        Where a value came from takes no part, so that the same configuration reached on another
        way has the same fingerprint.
        """
        meaning = {
            "preset": self.preset,
            "modifier": self.modifier,
            "server_version": self.server_version,
            "values": dict(self.values),
        }
        return hashlib.sha256(orjson.dumps(meaning, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def to_json(self) -> bytes:
        """Canonical JSON, indented, ending in a line feed: equal profiles give equal bytes."""
        body = self.model_dump(mode="json") | {"fingerprint": self.fingerprint}
        options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        return orjson.dumps(body, option=options)

    @classmethod
    def from_json(cls, text: bytes) -> Profile:
        """Read a stored profile; raises `ValueError` (also pydantic's or orjson's) when it is none,
        or when its fingerprint is not that of its values: somebody edited them."""
        body = orjson.loads(text)
        if not isinstance(body, dict):
            raise ValueError("a profile is a JSON object")  # noqa: TRY004  wrong text, not wrong type
        stored = body.pop("fingerprint", None)
        profile = cls.model_validate_json(orjson.dumps(body))
        if stored != profile.fingerprint:
            raise ValueError(f"fingerprint {stored} is not that of the values")
        return profile
