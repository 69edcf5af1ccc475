"""Requests in one line, for the tests beside this file."""

from __future__ import annotations

from collections.abc import Iterable

from copilot_core.events import Scalar
from dsql_config.compiler import Compilation, compile_profile
from dsql_config.findings import Finding
from dsql_config.modifiers import MODIFIERS
from dsql_config.presets import PRESETS
from dsql_config.profile import Given, Profile, Request

COMBINATIONS = [(preset, modifier) for preset in PRESETS for modifier in (None, *MODIFIERS)]
"""Every preset, by itself and with every modifier."""


def request(
    preset: str,
    modifier: str | None = None,
    values: dict[str, Scalar] | None = None,
    *,
    source: str = "--set",
    server: str | None = None,
) -> Request:
    """A request with values that all come from one source."""
    given = (Given(name=n, value=v, source=source) for n, v in (values or {}).items())
    return Request(preset=preset, modifier=modifier, given=tuple(given), server_version=server)


def compilation(
    preset: str, modifier: str | None = None, values: dict[str, Scalar] | None = None
) -> Compilation:
    """What comes of such a request."""
    return compile_profile(request(preset, modifier, values))


def profile(
    preset: str, modifier: str | None = None, values: dict[str, Scalar] | None = None
) -> Profile:
    """The profile of a request whose names are all known."""
    found = compilation(preset, modifier, values).profile
    assert found is not None
    return found


def codes(findings: Iterable[Finding]) -> list[str]:
    """The codes of findings, in their order."""
    return [finding.code for finding in findings]
