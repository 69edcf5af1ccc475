"""`explain`: why a value is what it is, for a key, a preset or a compiled profile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copilot_core.errors import Rejected
from dsql_config.cli.options import AsJson, Inputs, Modifier, ServerVersion, Sets
from dsql_config.cli.refusals import refuse, refuse_empty
from dsql_config.cli.request import read_request
from dsql_config.cli.terminal import PROGRAM, write_document, write_text

if TYPE_CHECKING:
    from dsql_config.explanation import Explanation
    from dsql_config.profile import Profile


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    example = f"{PROGRAM} explain history.persistenceMaxQPS --preset mid-scale"
    app.command(epilog=f"Example: {example}")(explain)


def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="Parameter, server key, variable or worker option; or a preset."
        ),
    ] = None,
    *,
    preset: Annotated[
        str | None, typer.Option("--preset", metavar="NAME", help="Explain as compiled from it.")
    ] = None,
    modifier: Modifier = None,
    inputs: Inputs = None,
    sets: Sets,
    server_version: ServerVersion = None,
    profile: Annotated[
        Path | None,
        typer.Option(
            "--profile", metavar="PATH", help="A profile.json, or the output folder it is in."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say why a value is what it is.

    Also where it comes from, and what would change it. With NAME one key is explained, with
    --preset alone the preset, with --profile or more input the whole profile.
    """
    from dsql_config.presets import PRESETS

    refuse_empty(
        {"--preset": preset, "--modifier": modifier, "--server-version": server_version},
        as_json=as_json,
    )
    if name in PRESETS and preset is None:
        name, preset = None, name
    asked = [x for x in (preset, modifier, inputs, server_version, *sets) if x is not None]
    subject = None
    if profile is not None:
        if asked:
            raise Rejected(
                "a stored profile is explained as it is", where="--profile", code="two_subjects",
                todo="leave out --preset, --modifier, --inputs, --set and --server-version",
            )  # fmt: skip
        subject = read_profile(profile)
    elif asked and (name or preset is None or inputs or sets or server_version is not None):
        subject = _compiled(
            preset, modifier=modifier, inputs=inputs, sets=sets, server_version=server_version,
            as_json=as_json,
        )  # fmt: skip
    explanation = _answer(name, preset=preset, modifier=modifier, subject=subject)
    if as_json:
        write_document(explanation.to_json())
    else:
        write_text(explanation.to_text())


def _answer(
    name: str | None, *, preset: str | None, modifier: str | None, subject: Profile | None
) -> Explanation:
    """A key, of a profile or by the tables; else a profile; else a preset."""
    from dsql_config.explain import explain_key, explain_preset, explain_profile
    from dsql_config.input_files import LIMIT_NAME

    if name is not None:
        return explain_key(name[:LIMIT_NAME], subject)
    if subject is not None:
        return explain_profile(subject)
    if preset is not None:
        return explain_preset(preset, modifier=modifier)
    raise Rejected(
        "nothing to explain", where="explain", code="no_subject",
        todo="name a key, a preset, --preset or --profile",
    )  # fmt: skip


def read_profile(path: Path) -> Profile:
    """A stored profile: `path` is a profile.json, or a folder that holds one.

    Raises `Rejected` for anything else.
    """
    from dsql_config.written import identify, load

    file = path / "profile.json" if path.is_dir() else path
    found = next((identify(name, data).profile for name, data in load([file])), None)
    if found is None:
        raise Rejected(
            "is no profile of this version", where=str(file), code="no_profile",
            todo="name the profile.json that compile wrote, or its folder",
        )  # fmt: skip
    return found


def _compiled(
    preset: str | None,
    *,
    modifier: str | None,
    inputs: Path | None,
    sets: Sequence[str],
    server_version: str | None,
    as_json: bool,
) -> Profile:
    """The profile that is asked for, also where guard rails forbid to write it."""
    from dsql_config.compiler import compile_profile
    from dsql_config.findings import blocking

    asked = read_request(
        preset, modifier=modifier, inputs=inputs, sets=sets, server_version=server_version
    )
    compiled = compile_profile(asked.request)
    if compiled.profile is None or blocking(asked.findings):
        refuse((*asked.findings, *compiled.findings), as_json=as_json)
    return compiled.profile
