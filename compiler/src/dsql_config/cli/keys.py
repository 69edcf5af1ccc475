"""`keys`: search what the Temporal servers know, release by release."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dsql_config.cli.options import AsJson
from dsql_config.cli.refusals import refuse_empty
from dsql_config.cli.terminal import PROGRAM, note, show_table, write_json

if TYPE_CHECKING:
    from packaging.version import Version

    from dsql_config.server.registry import Default, Setting

NEAREST: Final = 5
"""Keys that are named when none holds the text."""

LONGEST: Final = 200
"""Characters of a text that are looked for: more than any key has."""

WIDEST: Final = 40
"""Characters of a default in the table; `--json` has all of it."""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=f"Example: {PROGRAM} keys persistenceMaxQPS")(keys)


def keys(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="Part of a key, or its words, in any case; left out: all."
        ),
    ] = "",
    server_version: Annotated[
        str | None,
        typer.Option(
            "--server-version",
            metavar="V",
            help="Only keys of this server (1.32, 1.32.1).  [default: all known servers]",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Search the server's keys.

    Type, scope and default are those of the chosen server, else of the newest that knows the key.
    """  # fmt: skip
    from dsql_config.server.names import alike, search
    from dsql_config.server.registry import SUPPORTED, load_registry, resolve_version

    refuse_empty({"--server-version": server_version}, as_json=as_json)
    of = SUPPORTED if server_version is None else (resolve_version(server_version),)
    settings: dict[str, Setting] = {}
    for version in of:
        settings |= {s.key.lower(): s for s in load_registry(version)}
    text = text.strip()[:LONGEST]
    found = search(text, settings.values())
    near = [] if found else [s.key for s in alike(text, settings.values(), at_most=NEAREST)]
    if as_json:
        write_json({"keys": [_record(s) for s in found], "nearest": near})
        return
    if found:
        show_table(("key", "type", "scope", "default", "servers"), map(_row, found))
    else:
        note(f"{PROGRAM}: no key holds {text!r}; near are {', '.join(near) or 'none'}")


def _record(setting: Setting) -> dict[str, object]:
    """One setting as `--json` shows it; `default` is null where the server has none."""
    from dsql_config.server.registry import in_dsql_fork, presence

    return {
        "key": setting.key,
        "type": _type(setting),
        "scope": setting.scope,
        "default": _default(setting.default),
        "versions": [str(v) for v in presence(setting.key).versions],
        "in_dsql_fork": in_dsql_fork(setting.key),
    }


def _row(setting: Setting) -> tuple[str, ...]:
    from dsql_config.server.registry import NIL, presence

    default = "none" if setting.default is NIL else json.dumps(_default(setting.default))
    if len(default) > WIDEST:
        default = f"{default[: WIDEST - 1]}…"
    servers = _minors(presence(setting.key).versions)
    return setting.key, _type(setting), setting.scope, default, servers


def _type(setting: Setting) -> str:
    return setting.go_type or setting.kind


def _default(default: Default) -> object:
    """The value; where the server's own task queues have another one, that of all others."""
    from dsql_config.server.registry import Always, ByConstraints

    match default:
        case Always(value):
            return value
        case ByConstraints():
            return default.otherwise
        case _:
            return None


def _minors(versions: tuple[Version, ...]) -> str:
    """The minors that know a key: those between the first and the last, or each by itself."""
    from dsql_config.server.registry import SUPPORTED

    names = [f"{v.major}.{v.minor}" for v in versions]
    first = SUPPORTED.index(versions[0])
    gapless = versions == SUPPORTED[first : first + len(versions)]
    return f"{names[0]} to {names[-1]}" if gapless and len(names) > 1 else ", ".join(names)
