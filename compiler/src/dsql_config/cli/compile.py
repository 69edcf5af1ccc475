"""`compile`: from a preset and what you know to a folder of files, or to every finding at once.

Theory of operation. Everything that can be wrong is looked for before anything is written: the
command line, the input file, the request, the adapters, the author of an event. The folder appears
whole or not at all. The event comes after the files: files without an event can be emitted by the
same command again, an event without its files could not be undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from copilot_core.errors import Rejected
from dsql_config.cli import emission
from dsql_config.cli.options import (
    AsJson,
    Author,
    Cluster,
    Emit,
    Inputs,
    Modifier,
    Out,
    Platforms,
    Reason,
    Sdks,
    ServerVersion,
    Sets,
)
from dsql_config.cli.refusals import findings_of
from dsql_config.cli.request import read_request
from dsql_config.cli.terminal import (
    INPUT_IS_WRONG,
    PROGRAM,
    findings_json,
    note,
    report,
    show_findings,
    write_json,
    write_text,
)

if TYPE_CHECKING:
    from dsql_config.findings import Finding
    from dsql_config.profile import Profile, Request


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("compile", epilog=f"Example: {PROGRAM} compile mid-scale --out deploy/")(compile_)


def compile_(
    preset: Annotated[
        str | None,
        typer.Argument(
            metavar="PRESET",
            help="Size of the cluster. Left out: starter, with DSQL variables of the environment.",
        ),
    ] = None,
    *,
    out: Out,
    modifier: Modifier = None,
    inputs: Inputs = None,
    sets: Sets,
    server_version: ServerVersion = None,
    sdk: Sdks,
    platform: Platforms,
    cluster: Cluster = None,
    emit: Emit = False,
    author: Author = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Write files that work as they are.

    They are compiled from a preset and what you know of your workload. Unsafe input is refused with
    every finding at once, and nothing is written. Two runs write identical bytes.
    """
    from dsql_config.artifacts import render
    from dsql_config.compiler import compile_profile
    from dsql_config.findings import blocking
    from dsql_config.writing import write

    asked = read_request(
        preset, modifier=modifier, inputs=inputs, sets=sets, server_version=server_version
    )
    compiled = compile_profile(asked.request)
    findings = [*asked.findings, *compiled.findings, *_unknown_adapters(sdk, platform)]
    findings += _no_place(out)
    announced = None
    if emit:
        announced, silent = emission.announcement(
            cluster, author=author, reason=reason, subject=_subject(asked.request)
        )
        findings += silent
    elif cluster:
        findings += _nothing_emitted(cluster)
    profile = compiled.profile
    if profile is None or blocking(findings):
        _refuse(findings, as_json=as_json)
    try:
        with emission.opened(announced) as log:
            files = render(profile, sdks=sdk, platforms=platform)
            write(files, out)
            outcome = emission.record(log, profile, announced) if log and announced else None
    except Rejected as e:
        _refuse((*findings, *findings_of(e)), as_json=as_json)
    if as_json:
        write_json(_record(profile, files, findings, outcome))
    else:
        show_findings(findings)
        write_text(_told(profile, out, files, outcome))
    if outcome and outcome.error:
        report(outcome.error)
        raise typer.Exit(outcome.error.exit_code)


def _unknown_adapters(sdks: Sequence[str], platforms: Sequence[str]) -> tuple[Finding, ...]:
    """A finding for every adapter that is asked for and not installed."""
    from dsql_config.adapters.discovery import platform_adapter, sdk_adapter

    findings: list[Finding] = []
    for look_up, names in ((sdk_adapter, sdks), (platform_adapter, platforms)):
        for name in names:
            try:
                look_up(name)
            except Rejected as e:
                findings += findings_of(e)
    return tuple(findings)


def _nothing_emitted(cluster: str) -> tuple[Finding, ...]:
    """That a cluster was named and nothing is recorded for it."""
    from dsql_config.findings import Finding, Severity

    return (
        Finding(
            severity=Severity.WARNING, code="nothing-emitted", key="--cluster",
            message=f"no event is recorded for {cluster}", suggestion="--emit",
        ),
    )  # fmt: skip


def _no_place(out: Path) -> tuple[Finding, ...]:
    """A finding when the folder cannot be written, so that it is told with the others."""
    from dsql_config.writing import refuse_place

    try:
        refuse_place(out)
    except Rejected as e:
        return findings_of(e)
    return ()


def _subject(request: Request | Profile) -> str:
    """What is compiled, in a word or two."""
    return f"{request.preset} + {request.modifier}" if request.modifier else request.preset


def _refuse(findings: Iterable[Finding], *, as_json: bool) -> NoReturn:
    """Tell every finding; nothing was written."""
    if as_json:
        write_json(_record(None, {}, findings, None))
    else:
        show_findings(findings)
        note(f"{PROGRAM}: nothing is written")
    raise typer.Exit(INPUT_IS_WRONG)


def _record(
    profile: Profile | None,
    files: Iterable[str],
    findings: Iterable[Finding],
    outcome: emission.Outcome | None,
) -> dict[str, object]:
    """What `--json` prints; `files` are paths below the output folder."""
    return {
        "profile_fingerprint": profile.fingerprint if profile else None,
        "files": sorted(files),
        "findings": findings_json(findings),
        "emitted": outcome.as_json() if outcome else None,
    }


def _told(
    profile: Profile, out: Path, files: Iterable[str], outcome: emission.Outcome | None
) -> str:
    """What was done, for people."""
    lines = [
        f"{_subject(profile)} for server {profile.server_version}, "
        f"fingerprint {profile.fingerprint}",
        *(f"wrote {out / path}" for path in sorted(files)),
    ]
    return "\n".join([*lines, outcome.told()] if outcome else lines)
