"""The head of a written file: which request it was compiled from, as comments that read back.

Theory of operation. `dynamicconfig.yaml` and `dsql.env` both take `#` for a comment, so each starts
with the request that it came from, one fact a line:

    # temporal-dsql-config 0.1.0
    # preset: mid-scale
    # modifier: none
    # server: 1.32.1
    # given: history_shards = 1024
    # fingerprint: 8c1f…

A given value is JSON in ASCII: its type comes back (`1`, `1.0` and `true` are three values) and no
character of it ends the line. Whoever edits a file may also edit its head, so reading never raises:
a line that cannot be read is a finding, and the fingerprint tells whether a line is gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from copilot_core.values import Scalar
from dsql_config.findings import Finding, Severity
from dsql_config.given import accept
from dsql_config.parameters import PARAMETERS
from dsql_config.profile import Given, Profile, Request
from dsql_config.server.registry import NEWEST, load_registry

PRODUCT: Final = "temporal-dsql-config"
_NO_MODIFIER: Final = "none"
_FIRST: Final = re.compile(rf"#\s*{PRODUCT}\s+(\S+)\s*")
_FACT: Final = re.compile(r"#\s*(preset|modifier|server|given|fingerprint):\s*(.*?)\s*")
_GIVEN: Final = re.compile(r"(\S+)\s*=\s*(.+)")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_FIELDS: Final = ("preset", "modifier", "server", "fingerprint")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file says of its origin.

    `request` is None when the preset cannot be read; `fingerprint` is that of the profile that was
    written. `findings` names what in the head could not be read.
    """

    compiler_version: str
    request: Request | None
    fingerprint: str | None
    findings: tuple[Finding, ...]


def canonical(request: Request) -> Request:
    """The request with every value once, under its parameter's name, in registry order.

    What `accept` refuses is left out; the server is the exact version; where a value came from
    takes no part. Two requests with the same canonical form compile to the same profile, sources
    apart. Raises `Rejected` for a server version that is not known.
    """
    accepted, _ = accept(request.given)
    given = tuple(
        Given(name=name, value=accepted[name].value, source="")
        for name in PARAMETERS
        if name in accepted
    )
    return Request(
        preset=request.preset,
        modifier=request.modifier,
        given=given,
        server_version=str(load_registry(request.server_version or NEWEST).version),
    )


def stamp(profile: Profile) -> tuple[str, ...]:
    """The lines that a file written from this profile starts with, without line feeds."""
    request = canonical(
        Request(
            preset=profile.preset,
            modifier=profile.modifier,
            given=profile.given,
            server_version=profile.server_version,
        )
    )
    return (
        f"# {PRODUCT} {profile.compiler_version}",
        f"# preset: {request.preset}",
        f"# modifier: {request.modifier or _NO_MODIFIER}",
        f"# server: {request.server_version}",
        *(f"# given: {item.name} = {json.dumps(item.value)}" for item in request.given),
        f"# fingerprint: {profile.fingerprint}",
    )


def read_stamp(text: str, *, source: str = "stamp") -> Stamp | None:
    """The stamp in the comments that a file starts with; None when it has none.

    Lines of other comments before, between and after are passed over. `source` is the name of the
    file; each given value gets it as its source, with its line.
    """
    lines = tuple(_head(text))
    first = next((m for _, line in lines if (m := _FIRST.fullmatch(line))), None)
    if first is None:
        return None
    facts: dict[str, str] = {}
    given: list[Given] = []
    findings: list[Finding] = []
    for number, line in lines:
        if not (match := _FACT.fullmatch(line)):
            continue
        field, value = match.groups()
        where = f"{source}:{number}"
        if field == "given":
            item = _given(value, where)
            if item is None:
                findings.append(_damaged(where, f"{value[:80]!r} is no name and value"))
            else:
                given.append(item)
        elif facts.setdefault(field, value) != value:
            findings.append(_damaged(where, f"{field} was {facts[field]} and is {value} here"))
    findings += [_damaged(source, f"it does not say the {f}") for f in _FIELDS if not facts.get(f)]
    fingerprint = facts.get("fingerprint")
    if fingerprint and not _FINGERPRINT.fullmatch(fingerprint):
        findings.append(_damaged(source, "its fingerprint is not 64 hexadecimal digits"))
        fingerprint = None
    return Stamp(first[1], _request(facts, given), fingerprint or None, tuple(findings))


def _head(text: str) -> Iterator[tuple[int, str]]:
    """The comment lines before the first other line that is not empty, with their numbers."""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        stripped = line.strip()
        if stripped.startswith("#"):
            yield number, stripped
        elif stripped:
            return


def _given(text: str, where: str) -> Given | None:
    match = _GIVEN.fullmatch(text)
    if not match:
        return None
    try:
        value: Scalar = orjson.loads(match[2])
        return Given(name=match[1], value=value, source=where)
    except ValueError:  # orjson's and pydantic's errors are ValueErrors
        return None


def _request(facts: Mapping[str, str], given: Iterable[Given]) -> Request | None:
    if not facts.get("preset"):
        return None
    modifier = facts.get("modifier") or _NO_MODIFIER
    return Request(
        preset=facts["preset"],
        modifier=None if modifier == _NO_MODIFIER else modifier,
        given=tuple(given),
        server_version=facts.get("server") or None,
    )


def _damaged(where: str, what: str) -> Finding:
    return Finding(
        severity=Severity.WARNING, code="stamp-damaged", key=where,
        message=f"the head of the file is damaged: {what}",
        suggestion="leave the head as it was written; change values below it, or compile again",
    )  # fmt: skip
