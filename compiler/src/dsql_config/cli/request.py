"""From the command line to a `Request`: preset, input file, `--set`, or the environment alone.

Theory of operation. Whatever names a preset decides it: the argument, else the input file. When
neither does, the request is `starter` with the variables of the process environment that are known
as overrides, which is how an installation that is only configured by variables goes on working.
The command line wins over the file; a later `--set` of the same name contradicts an earlier one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsql_config.cli.refusals import empty_options

if TYPE_CHECKING:
    from dsql_config.findings import Finding
    from dsql_config.profile import Given, Request

SET: Final = "--set"
"""Source of the values that are given on the command line."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what was wrong with the way it was asked."""

    request: Request
    findings: tuple[Finding, ...]


def read_request(
    preset: str | None,
    *,
    modifier: str | None,
    inputs: Path | None,
    sets: Sequence[str],
    server_version: str | None,
) -> Asked:
    """What the options of a command ask for. Never raises for what users wrote."""
    from dsql_config.input_files import InputFile, read_inputs
    from dsql_config.profile import Request

    file = read_inputs(inputs) if inputs else InputFile(None, None, None, (), ())
    set_values, misspelt = _set_values(sets)
    misspelt += empty_options({"--modifier": modifier, "--server-version": server_version})
    named = file.preset if preset is None else preset
    modifier = file.modifier if modifier is None else modifier
    server_version = file.server_version if server_version is None else server_version
    if named is not None:
        request = Request(
            preset=named, modifier=modifier, server_version=server_version,
            given=(*file.given, *set_values),
        )  # fmt: skip
        return Asked(request, (*file.findings, *misspelt))
    from dsql_config.migrate import DEFAULT_PRESET
    from dsql_config.variable_inputs import from_variables

    variables, strange = from_variables(environment())
    request = Request(
        preset=DEFAULT_PRESET, modifier=modifier, server_version=server_version,
        given=(*variables, *file.given, *set_values),
    )  # fmt: skip
    return Asked(request, (*strange, *file.findings, *misspelt))


def _set_values(sets: Sequence[str]) -> tuple[tuple[Given, ...], tuple[Finding, ...]]:
    """The values of `--set NAME=VALUE`, and a finding for each that has another form."""
    from dsql_config.findings import Finding, Severity
    from dsql_config.profile import Given

    given: list[Given] = []
    findings: list[Finding] = []
    for text in sets:
        name, equals, value = text.partition("=")
        if equals and name.strip():
            given.append(Given(name=name.strip(), value=value, source=SET))
        else:
            findings.append(
                Finding(
                    severity=Severity.ERROR, code="bad-set", key=SET,
                    message=f"{text[:80]!r} is not NAME=VALUE",
                    suggestion="--set history_replicas=6",
                )
            )  # fmt: skip
    return tuple(given), tuple(findings)


def environment() -> Mapping[str, str]:
    """The variables of this process; bytes that are no text are replaced."""
    return {
        name: value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for name, value in sorted(os.environ.items())
    }
