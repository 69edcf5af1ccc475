"""What a real server says of a file, in the same form as what `check` foretells.

Both `temporal-server validate-dynamic-config` and the loaders that are built from older modules
print the loader's own errors and warnings; `answer` reads those texts. `disagreement` is the one
comparison that every differential test uses.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from dsql_config.findings import Finding
from dsql_config.server.check_codes import CODES, Response, Verdict, verdict
from dsql_config.server.constraints import go_lower

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_WARNINGS = (
    (Response.UNREGISTERED, re.compile(f"unregistered key {_QUOTED}", re.DOTALL)),
    (Response.INVALID, re.compile(f"validation failed: key {_QUOTED} value ", re.DOTALL)),
    (
        Response.OUT_OF_SCOPE,
        re.compile(rf'constraint "(?:[^"\\]|\\.)*" isn\'t valid for dynamic config key {_QUOTED}'),
    ),
)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(r"\\(?:x(..)|u(....)|U(.{8})|(.))", re.DOTALL)

CRASHED = Verdict(refused=True, warned=None)
"""A loader that panics takes nothing from the file."""


def answer(errors: Sequence[str], warnings: Sequence[str]) -> Verdict:
    """A loader's errors and warnings. Raises ValueError for a warning of an unknown kind."""
    if any(error.startswith("decode error:") for error in errors):
        return Verdict(refused=True, warned=None)
    return Verdict(refused=bool(errors), warned=Counter(map(_warning, warnings)))


def _warning(text: str) -> tuple[Response, str]:
    for response, pattern in _WARNINGS:
        if m := pattern.match(text):
            return response, go_lower(_ESCAPE.sub(_unescaped, m[1]))
    raise ValueError(f"a warning of an unknown kind: {text}")


def _unescaped(m: re.Match[str]) -> str:
    code = m[1] or m[2] or m[3]
    return chr(int(code, 16)) if code else _ESCAPES.get(m[4], m[4])


def disagreement(findings: Iterable[Finding], server: Verdict) -> str | None:
    """How the findings and a server's answer differ; None when they agree.

    Left out: a struct's field in two spellings, of which the server takes one at random, and keys
    of modules that the registry could not be read from.
    """
    findings = tuple(findings)
    ours = verdict(findings)
    if ours.refused != server.refused:
        return f"refused: check {ours.refused}, server {server.refused}"
    if ours.warned is None or server.warned is None:
        return None if ours.warned is server.warned else "only one of both could decode the file"
    unread = {f.key.lower() for f in findings if CODES[f.code].response is Response.UNKNOWN}
    random = {f.key.lower() for f in findings if f.code == "field_twice"}
    left_out = unread | random
    differing = {
        (response.name, key, ours.warned[response, key], server.warned[response, key])
        for response, key in ours.warned.keys() | server.warned.keys()
        if ours.warned[response, key] != server.warned[response, key] and key not in left_out
    }
    return f"(kind, key, check, server): {sorted(differing)}" if differing else None


def ask_server(binary: Path, files: Sequence[bytes], folder: Path) -> list[Verdict]:
    """What `validate-dynamic-config` of a server's binary says of each file, in their order."""
    paths = _written(files, folder)
    verdicts: list[Verdict] = []
    while len(verdicts) < len(paths):
        command = [str(binary), "validate-dynamic-config", *map(str, paths[len(verdicts) :])]
        out = subprocess.run(command, capture_output=True, timeout=120, check=False).stdout
        answered = [answer(*said) for said in _sections(out.decode("utf-8", "replace"), paths)]
        if not answered and len(verdicts) < len(paths):
            answered = [CRASHED]
        verdicts += answered
    return verdicts


def _sections(text: str, paths: Sequence[Path]) -> Iterator[tuple[list[str], list[str]]]:
    """Errors and warnings of each file that was answered; a message may have several lines."""
    names = {str(path) for path in paths}
    said: dict[str, list[str]] | None = None
    last: list[str] = []
    for line in text.split("\n"):
        kind = next((k for k in ("error", "warning") if line.startswith(f"  {k}: ")), None)
        if line in names:
            if said is not None:
                yield said["error"], said["warning"]
            said = {"error": [], "warning": []}
        elif said is not None and kind is not None:
            last = said[kind]
            last.append(line.removeprefix(f"  {kind}: "))
        elif said is not None and last:
            last[-1] += f"\n{line}"
    if said is not None:
        yield said["error"], said["warning"]


def ask_loader(binary: Path, files: Sequence[bytes], folder: Path) -> list[Verdict]:
    """The same of a loader built by `compiler/extract_server_registry`, for any release."""
    paths = _written(files, folder)
    verdicts: list[Verdict] = []
    while len(verdicts) < len(paths):
        command = [str(binary), "validate", *map(str, paths[len(verdicts) :])]
        out = subprocess.run(command, capture_output=True, timeout=120, check=False).stdout
        said = [json.loads(line) for line in out.splitlines()]
        verdicts += [answer(s["errors"] or [], s["warnings"] or []) for s in said]
        if len(verdicts) < len(paths):
            verdicts.append(CRASHED)
    return verdicts


def _written(files: Sequence[bytes], folder: Path) -> list[Path]:
    paths = [folder / f"{number}.yaml" for number in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    return paths
