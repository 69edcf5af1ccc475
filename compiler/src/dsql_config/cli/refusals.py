"""When a command ends because of its input: every finding, and exit code 2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NoReturn

import typer

from copilot_core.errors import Rejected
from dsql_config.cli.terminal import INPUT_IS_WRONG, findings_json, show_findings, write_json

if TYPE_CHECKING:
    from dsql_config.findings import Finding


def refuse(findings: Iterable[Finding], *, as_json: bool) -> NoReturn:
    """Tell findings that forbid going on, and end the command."""
    if as_json:
        write_json({"findings": findings_json(findings)})
    else:
        show_findings(findings)
    raise typer.Exit(INPUT_IS_WRONG)


def refuse_empty(options: Mapping[str, str | None], *, as_json: bool) -> None:
    """End the command when one of the options, by name, is there and says nothing."""
    if findings := empty_options(options):
        refuse(findings, as_json=as_json)


def empty_options(options: Mapping[str, str | None]) -> tuple[Finding, ...]:
    """A finding for each option that is there and says nothing: a script's variable was not set."""
    from dsql_config.findings import Finding, Severity

    return tuple(
        Finding(
            severity=Severity.ERROR, code="empty-option", key=option, message=f"{option} is empty",
            suggestion="leave it out, or say which one",
        )
        for option, text in options.items()
        if text is not None and not text.strip()
    )  # fmt: skip


def findings_of(refused: Rejected) -> tuple[Finding, ...]:
    """A refusal as the findings it stands for; `key` is the place it names."""
    from dsql_config.findings import Finding, Severity

    return tuple(
        Finding(
            severity=Severity.ERROR, code=refused.code, key=refused.where or "command line",
            message=what, suggestion=refused.todo or None,
        )
        for what in refused.findings
    )  # fmt: skip
