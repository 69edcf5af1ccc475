"""`temporal-dsql-config`: the commands on one screen, and the boundary where errors become exits.

Every command module is light: it declares options and imports what does the work inside the
command, so that `--help` and shell completion answer at once.

    exit   meaning
    0      done; there may be warnings
    2      the input is wrong: every finding is told (with --json on standard output, too), nothing
           is written
    3      somebody else emitted first: the files are written, the event is not
    70     a defect of this program
    75     another system does not answer: try again later
"""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import typer

from copilot_core.errors import CopilotError, Defect, Rejected
from dsql_config.cli import (
    check,
    compile,
    decompile,
    diff,
    explain,
    keys,
    migrate,
    presets,
    terminal,
    wizard,
)
from dsql_config.cli.refusals import findings_of

app: Final = typer.Typer(
    name=terminal.PROGRAM,
    help="Temporal on Aurora DSQL: from a preset and a few targets to files that work as they are.",
    epilog=f"Example: {terminal.PROGRAM} compile starter --out deploy/",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: starts three times faster and reads the same in a pipe
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (compile, presets, explain, check, diff, decompile, migrate, keys, wizard):
    command.register(app)


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code; `argv` is for tests."""
    words = sys.argv[1:] if argv is None else argv
    try:
        _make_streams_lenient()
        _run(_text_only(words))
    except CopilotError as e:
        if isinstance(e, Rejected) and "--json" in words:
            terminal.write_json({"findings": terminal.findings_json(findings_of(e))})
        terminal.report(e)
        sys.exit(e.exit_code)
    except Exception:  # noqa: BLE001  the process boundary: whatever is left is a defect of ours
        traceback.print_exc()
        terminal.note(
            f"{terminal.PROGRAM}: a defect of this program; please report it with the lines above"
        )
        sys.exit(Defect.exit_code)


def _run(words: Sequence[str]) -> None:
    """Run one command; a path that the system cannot even look at is wrong input."""
    try:
        app(args=words, prog_name=terminal.PROGRAM)
    except OSError as e:
        if e.filename is None:
            raise
        where = str(e.filename)
        raise Rejected(
            e.strerror or str(e), where=where, code="unreadable", todo="name another"
        ) from e


def _text_only(argv: Sequence[str]) -> list[str]:
    """The arguments; raises `Rejected` for one that is no UTF-8, which no file could hold."""
    for word in argv:
        if any("\ud800" <= character <= "\udfff" for character in word):
            raise Rejected(f"{word!r} is not UTF-8", where="command line", code="not_text")
    return list(argv)


def _make_streams_lenient() -> None:
    """A terminal that lacks a character shows its code, input that is no text `\ufffd`; a closed
    stream is an empty one."""
    sys.stdin = sys.stdin or io.StringIO()
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()
    for stream, errors in (
        (sys.stdin, "replace"), (sys.stdout, "backslashreplace"), (sys.stderr, "backslashreplace"),
    ):  # fmt: skip
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors=errors)


if __name__ == "__main__":
    main()
