"""`copilot`: the commands, put together on one screen, and the boundary where errors become exits.

Every command module is light: it declares options and imports what does the work inside the
command, so that `copilot --help` and shell completion answer at once.

    exit   meaning
    0      done
    2      the input is wrong (a file, an option, a setting): all findings on standard error
    3      somebody else wrote first, or two logs that should agree do not
    70     a defect of this program
    75     another system does not answer: try again later
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Final

import typer

from copilot import terminal
from copilot.commands import (
    db,
    dead,
    demo,
    diagnose,
    docs,
    evaluate,
    explain,
    kb,
    log,
    record,
    rules,
    run,
    signals,
    status,
    views,
)
from copilot_core.errors import CopilotError, Defect

app: Final = typer.Typer(
    name="copilot",
    help="Is this Temporal cluster making forward progress on workflows? Since when, and why?",
    epilog="Example: copilot demo",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: starts three times faster and reads the same in a pipe
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (demo, record, evaluate, diagnose, explain, status):
    command.register(app)
for name, group in (
    ("run", run), ("log", log), ("views", views), ("dead", dead), ("db", db),
    ("rules", rules), ("signals", signals), ("kb", kb), ("docs", docs),
):  # fmt: skip
    app.add_typer(group.app, name=name)


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code; `argv` is for tests."""
    try:
        app(args=argv, prog_name="copilot")
    except CopilotError as e:
        terminal.report(e)
        sys.exit(e.exit_code)
    except Exception:  # noqa: BLE001  the process boundary: whatever is left is a defect of ours
        traceback.print_exc()
        terminal.note("copilot: a defect of this program; please report it with the lines above")
        sys.exit(Defect.exit_code)


if __name__ == "__main__":
    main()
