"""`wizard`: at most fifteen questions, then a file that `compile --inputs` takes.

Theory of operation. The questions are the parameters that users answer: the targets first, then
what runs where. The first answer, the throughput, chooses the preset; an empty answer takes what
preset and earlier answers give. On a terminal a bad answer is asked for again, and answers that
contradict each other are gone through once more. From a pipe one line is one answer, the end of the
input takes the rest as it is, and mistakes are told all at once.

Questions go to standard error, so that standard output holds the result alone.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from copilot_core.errors import Rejected
from dsql_config.cli.options import AsJson, Modifier
from dsql_config.cli.refusals import refuse, refuse_empty
from dsql_config.cli.terminal import (
    PROGRAM,
    findings_json,
    note,
    show_findings,
    write_json,
    write_text,
)

if TYPE_CHECKING:
    from dsql_config.compiler import Compilation
    from dsql_config.findings import Finding
    from dsql_config.parameters.parameter import Parameter
    from dsql_config.profile import Given, Profile

ANSWER: Final = "answer"
"""Source of a value that was answered here."""

LONGEST: Final = 4_096
"""Characters that are read for one answer."""

MOST_PIECES: Final = 256
"""So many times `LONGEST`, a megabyte, is a line that is passed over; a longer one never ends."""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=f"Example: {PROGRAM} wizard --out inputs.yaml")(wizard)


def wizard(
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where the answers go: a new file.")
    ] = Path("inputs.yaml"),
    preset: Annotated[
        str | None,
        typer.Option("--preset", metavar="NAME", help="Size.  [default: by the throughput]"),
    ] = None,
    modifier: Modifier = None,
    as_json: AsJson = False,
) -> None:
    """Ask questions, write an input file.

    Four targets are asked for first. Enter takes the value in brackets. Answers may come through a
    pipe, one a line.
    """
    refuse_empty({"--preset": preset, "--modifier": modifier}, as_json=as_json)
    _refuse_place(out)
    interview = Interview(preset, modifier, patient=sys.stdin.isatty())
    compiled = interview.hold()
    if compiled.profile is None or not compiled.writable or interview.findings:
        refuse((*interview.findings, *compiled.findings), as_json=as_json)
    _write(out, _page(compiled.profile, out))
    if as_json:
        given = {g.name: g.value for g in compiled.profile.given}
        write_json(
            {
                "file": str(out), "preset": compiled.profile.preset, "modifier": modifier,
                "given": given, "findings": findings_json(compiled.findings),
            }
        )  # fmt: skip
    else:
        show_findings(compiled.findings)
        write_text(f"wrote {out}; next: {_next(out)}")


def _refuse_place(out: Path) -> None:
    """Tell before the first question that the answers could not be written."""
    if out.exists():
        raise Rejected(
            "is there already", where=str(out), todo="name another file with --out", code="exists"
        )
    if not out.parent.is_dir():
        raise Rejected(
            "there is no such folder", where=str(out.parent), todo="make it", code="unwritable"
        )


class Interview:
    """One conversation: the answers so far, and what was wrong with some of them.

    `patient` asks again after a mistake; else mistakes are collected in `findings`.
    """

    def __init__(self, preset: str | None, modifier: str | None, *, patient: bool) -> None:
        self._preset = preset
        self._modifier = modifier
        self._patient = patient
        self._ended = False
        self._answers: dict[str, Given] = {}
        self.findings: list[Finding] = []

    def hold(self) -> Compilation:
        """Ask everything; again while a patient interview's answers contradict each other."""
        from dsql_config.parameters import GROUPS

        while True:
            for parameter in GROUPS["inputs"]:
                if (profile := self._compiled().profile) is None:
                    return self._compiled()
                self._ask(parameter, profile)
            compiled = self._compiled()
            if compiled.writable or not self._patient or self._ended:
                return compiled
            show_findings(compiled.findings)
            note("these answers do not go together: once more, Enter keeps an answer")

    def _compiled(self) -> Compilation:
        from dsql_config.compiler import compile_profile
        from dsql_config.profile import Request

        request = Request(
            preset=self._preset or _fitting(self._answers),
            modifier=self._modifier, given=tuple(self._answers.values()),
        )  # fmt: skip
        return compile_profile(request)

    def _ask(self, parameter: Parameter, profile: Profile) -> None:
        """One question, until there is an answer that can be read."""
        from dsql_config.given import accept
        from dsql_config.plain_text import shown
        from dsql_config.profile import Given

        note(f"\n{parameter.name}: {parameter.why}")
        default = shown(profile.value(parameter.name), parameter.unit)
        while True:
            print(f"[{default}, {profile.preset}]: ", end="", file=sys.stderr, flush=True)
            line = "" if self._ended else self._line()
            if not line.strip():
                return
            given = Given(name=parameter.name, value=line.strip(), source=ANSWER)
            _, misread = accept([given])
            if not misread:
                self._answers[parameter.name] = given
                return
            if not self._patient:
                self.findings += misread
                return
            note("; ".join(f.message for f in misread))

    def _line(self) -> str:
        """One line, as far as it is read; the rest of it is no answer to the next question. A line
        without end is the end of the input."""
        line = rest = sys.stdin.readline(LONGEST)
        for _ in range(MOST_PIECES):
            if len(rest) < LONGEST or rest.endswith("\n"):
                self._ended = not rest
                return line
            rest = sys.stdin.readline(LONGEST)
        self._ended = True
        return line


def _fitting(answers: Mapping[str, Given]) -> str:
    """The preset for the throughput that was answered; the smallest before it is."""
    from dsql_config.given import accept
    from dsql_config.presets import PRESETS

    accepted, _ = accept(answers.values())
    target = accepted.get("state_transitions_per_s")
    if target is None:
        return next(iter(PRESETS))
    return next(p.name for p in PRESETS.values() if float(target.value) <= p.up_to)


def _next(out: Path) -> str:
    return f"{PROGRAM} compile --inputs {out} --out deploy/"


def _page(profile: Profile, out: Path) -> str:
    """The input file: the targets always, a fact that was not answered behind a `#`."""
    import orjson

    from dsql_config.parameters import GROUPS
    from dsql_config.profile import ParameterClass

    answered = {given.name for given in profile.given}
    lines = [f"# {_next(out)}", f"preset: {profile.preset}"]
    lines += [f"modifier: {profile.modifier}"] if profile.modifier else []
    lines += ["", "# Values behind a # are the preset's: take the # away to change them."]
    for parameter in GROUPS["inputs"]:
        fixed = parameter.name in answered or parameter.parameter_class is ParameterClass.SLO
        value = orjson.dumps(profile.value(parameter.name)).decode()
        unit = f"  # {parameter.unit}" if parameter.unit else ""
        lines.append(f"{'' if fixed else '# '}{parameter.name}: {value}{unit}")
    return "\n".join(lines) + "\n"


def _write(out: Path, page: str) -> None:
    """Create the file; raises `Rejected` when it cannot be, and leaves a file of others alone."""
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(page)
    except OSError as e:
        raise Rejected(f"cannot be written: {e.strerror}", where=str(out), code="unwritable") from e
