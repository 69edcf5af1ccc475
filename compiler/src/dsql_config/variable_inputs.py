"""Variables as input: those of a `.env` file that was named, or those of the process.

Theory of operation. What a variable amounts to is decided where migrations are (`migrate`), so that
both read it alike; here the source of each value is put back to where the variable stands, and what
nobody reads is told. A file was named on purpose, so a name in it that is nearly one of ours is an
error; a process has variables of all kinds, and the same is a warning there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dsql_config.findings import Finding, Severity
from dsql_config.migrate import ENVIRONMENT, Judged, Verdict, migrate, request_from_environment
from dsql_config.profile import Given
from dsql_config.variables import compiled

_TOLD: Final = {Verdict.DEAD: "dead-variable", Verdict.UNKNOWN: "unknown-variable"}
"""Code of the finding about a variable that gives nothing and should."""


def from_variables(
    variables: Mapping[str, str], *, sources: Mapping[str, str] | None = None
) -> tuple[tuple[Given, ...], tuple[Finding, ...]]:
    """What variables give, and what is to be told of the others.

    `sources` has the `file:line` of each variable of a file; None stands for the environment of
    the process.
    """
    given = [
        g.model_copy(update={"source": sources[name] if sources else ENVIRONMENT})
        for name, text in variables.items()
        for g in request_from_environment({name: text}).given
    ]
    others = {name: text for name, text in variables.items() if name not in compiled()}
    findings = (_finding(row, sources) for row in migrate(others).variables if row.verdict in _TOLD)
    return tuple(given), tuple(findings)


def _finding(row: Judged, sources: Mapping[str, str] | None) -> Finding:
    misspelt = row.verdict is Verdict.UNKNOWN and row.suggestion is not None
    return Finding(
        severity=Severity.ERROR if misspelt and sources is not None else Severity.WARNING,
        code=_TOLD[row.verdict], key=row.name,
        message=f"{row.why} ({sources[row.name] if sources else ENVIRONMENT})",
        suggestion=row.suggestion,
    )  # fmt: skip
