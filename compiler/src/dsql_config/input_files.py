"""Input files: the answers and overrides of a user, as YAML (JSON is YAML) or as variables.

Theory of operation. A file is read whole, up to a limit, and becomes `Given` values that carry
`file:line`; what they mean is decided where the command line's values are read, too. YAML is a flat
mapping from names to scalars, in the spelling of the server's own files (`yes` is text, `0x10` is
16). Three keys are no parameters: `preset`, `modifier`, `server_version`. Aliases, tags and nested
values have no use here and are refused, so no file can grow while it is read. A file whose name
ends in `.env` holds `NAME=VALUE` lines: variables (`variable_inputs` says what they amount to) and
parameters may stand beside each other.

    found                                   told as
    cannot be opened, too large, not text   one finding about the file
    not YAML, not a mapping                 one finding with its line; nothing else can be said
    key twice, odd value, odd line          a finding each; the rest is still read
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Final

from copilot_core.errors import Rejected
from dsql_config.findings import Finding, Severity
from dsql_config.foreign_files import env_lines, read_at_most
from dsql_config.nearest import nearest
from dsql_config.parameters import PARAMETERS, find
from dsql_config.profile import Given
from dsql_config.server.yaml_nodes import ALIAS, SCALAR, BadYaml, Node, parse
from dsql_config.server.yaml_scalars import (
    INT64_MAX,
    INT64_MIN,
    BadScalar,
    Timestamp,
    resolve,
)

LIMIT_BYTES: Final = 262_144
"""Largest input file: every parameter with a line of comment takes a tenth of it."""

LIMIT_KEYS: Final = 1_000
"""Most keys of an input file: ten times as many as there are parameters."""

LIMIT_NAME: Final = 200
"""Longest key, in characters."""

RESERVED: Final = ("preset", "modifier", "server_version")
"""Keys of an input file that say what is asked for, beside the values."""

_SCALAR_TAGS: Final = ("!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp")

_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*")
"""How variables are called; parameters are in lower case."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """What a file holds: the values it gives, what it asks for, and what is wrong with it."""

    preset: str | None
    modifier: str | None
    server_version: str | None
    given: tuple[Given, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A key and its value, before anybody asked what they mean. `text` is the value as it is
    written: a version `1.30` must not become the number 1.3."""

    name: str
    value: bool | int | float | str | None
    text: str
    line: int


class _Refused(ValueError):
    """The file as a whole cannot be read: code, message, and the line where there is one."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        self.code = code
        self.line = line
        super().__init__(message)


def read_inputs(path: Path) -> InputFile:
    """Read an input file. Never raises for what is in the file, or for a file that is not there."""
    name = _printable(str(path))
    try:
        data = read_at_most(path, LIMIT_BYTES)
    except Rejected as e:
        return _nothing(name, _Refused(e.code, e.what))
    return parse_inputs(data, name=name)


def parse_inputs(data: bytes, *, name: str) -> InputFile:
    """The values in the bytes of an input file; `name` decides between YAML and variables."""
    findings: list[Finding] = []
    is_env = name.lower().endswith(".env")
    try:
        pairs = _env_pairs if is_env else _yaml_pairs
        file = _sorted_out(pairs(_text(data), name, findings), name, findings)
    except _Refused as e:
        return _nothing(name, e)
    return _without_variables(file) if is_env else file


def _without_variables(file: InputFile) -> InputFile:
    """The file with what its variables amount to in their place; other names stay as they are."""
    from dsql_config.variable_inputs import from_variables

    variables = {g.name: g for g in file.given if _VARIABLE.fullmatch(g.name)}
    given, findings = from_variables(
        {name: str(g.value) for name, g in variables.items()},
        sources={name: g.source for name, g in variables.items()},
    )
    named = tuple(g for g in file.given if g.name not in variables)
    return replace(file, given=(*given, *named), findings=(*file.findings, *findings))


def _nothing(name: str, refused: _Refused) -> InputFile:
    where = f"{name}:{refused.line}" if refused.line else name
    return InputFile(None, None, None, (), (_error(refused.code, name, str(refused), where),))


def _error(code: str, key: str, message: str, where: str, suggestion: str | None = None) -> Finding:
    return Finding(
        severity=Severity.ERROR, code=code, key=key,
        message=f"{message} ({where})", suggestion=suggestion,
    )  # fmt: skip


def _text(data: bytes) -> str:
    if len(data) > LIMIT_BYTES:
        raise _Refused("file-too-large", f"is larger than {LIMIT_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise _Refused("not-text", f"byte {e.start} is not UTF-8", line) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _Refused("not-text", "holds a NUL: this is no text", line)
    return text


def _few(keys: int) -> None:
    if keys > LIMIT_KEYS:
        raise _Refused("file-too-large", f"has more than {LIMIT_KEYS:,} keys")


def _sorted_out(pairs: Iterator[_Pair], name: str, findings: list[Finding]) -> InputFile:
    """Each key once: reserved ones apart, the others as given values. Findings are put behind those
    that reading the pairs gives, so that all stand in the order of the file."""
    seen: dict[str, int] = {}
    reserved: dict[str, str] = {}
    given: list[Given] = []
    for pair in pairs:
        where = f"{name}:{pair.line}"
        if pair.name in seen:
            what = f"stands twice, first in line {seen[pair.name]}"
            findings.append(_error("given-twice", pair.name, what, where, "keep one of them"))
            continue
        seen[pair.name] = pair.line
        if pair.name not in RESERVED:
            if near := _meant_reserved(pair.name):
                what = f"no parameter is called {pair.name!r}"
                findings.append(_error("unknown-parameter", pair.name, what, where, near))
            else:
                given.append(Given(name=pair.name, value=pair.value, source=where))
        elif not pair.text or len(pair.text) > LIMIT_NAME:
            findings.append(_error("bad-value", pair.name, "wants a name", where))
        else:
            reserved[pair.name] = pair.text
    return InputFile(
        reserved.get("preset"), reserved.get("modifier"), reserved.get("server_version"),
        tuple(given), tuple(findings),
    )  # fmt: skip


def _meant_reserved(name: str) -> str | None:
    """The reserved key that a misspelt key is nearer to than to any parameter."""
    near = None if find(name) else nearest(name, (*RESERVED, *PARAMETERS))
    return near if near in RESERVED else None


def _yaml_pairs(text: str, name: str, findings: list[Finding]) -> Iterator[_Pair]:
    """Keys and scalars of a flat mapping; what is something else becomes a finding."""
    try:
        parsed = parse(text.encode())
    except BadYaml as e:
        raise _Refused("not-yaml", f"is no YAML: {e.message}", e.line or None) from e
    root = parsed.root
    if parsed.ignored_from_line:
        what = "holds a second document, which nothing reads"
        raise _Refused("not-yaml", what, parsed.ignored_from_line)
    if root is None or (root.kind == SCALAR and root.tag == "!!null"):
        return
    if root.kind != "mapping":
        raise _Refused("not-a-mapping", "holds no `name: value` lines", root.line)
    _few(len(root.children) // 2)
    for key, value in zip(root.children[::2], root.children[1::2], strict=True):
        where = f"{name}:{key.line}"
        if key.kind != SCALAR or key.tag not in _SCALAR_TAGS or not 0 < len(key.text) <= LIMIT_NAME:
            what = "a key has to be a name"
            findings.append(_error("bad-key", key.text[:40] or name, what, where))
        elif problem := _odd(value):
            code, what = problem
            near = None if find(key.text) else nearest(key.text, PARAMETERS)
            findings.append(_error(code, key.text, what, where, near))
        else:
            yield from _scalar(key, value, where, findings)


def _odd(value: Node) -> tuple[str, str] | None:
    """Why a node is no value of an input file: code and message."""
    if value.kind == ALIAS:
        return "yaml-alias", f"*{value.text[:40]} is an alias; write the value itself"
    if value.kind != SCALAR:
        return "not-a-scalar", f"holds a {value.kind}; every line is `name: value`"
    if value.tag not in _SCALAR_TAGS:
        return "yaml-tag", f"{value.tag[:40]} is a tag that means nothing here"
    return None


def _scalar(key: Node, value: Node, where: str, findings: list[Finding]) -> Iterator[_Pair]:
    try:
        _, read = resolve(value.tag, value.text)
    except BadScalar as e:
        findings.append(_error("bad-value", key.text, str(e), where))
        return
    if isinstance(read, int) and not INT64_MIN <= read <= INT64_MAX:
        what = f"is greater than {INT64_MAX:,}, the largest number there is here"
        findings.append(_error("bad-value", key.text, what, where))
        return
    is_text = isinstance(read, Timestamp) or (isinstance(read, float) and not isfinite(read))
    yield _Pair(key.text, value.text if is_text else read, value.text, key.line)


def _env_pairs(text: str, name: str, findings: list[Finding]) -> Iterator[_Pair]:
    """`NAME=VALUE` lines, with `export`, quotes and comments as dotenv readers take them."""
    for number, found in enumerate(env_lines(text), start=1):
        _few(number)
        if found.name is None or len(found.name) > LIMIT_NAME:
            what, where = "is no NAME=VALUE line", f"{name}:{found.line}"
            findings.append(_error("bad-line", found.written.split("\n")[0][:40], what, where))
        else:
            yield _Pair(found.name, found.value, found.value, found.line)


def _printable(text: str) -> str:
    """Text without lone surrogates, which a file's name may hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
