"""What files say that they were compiled from: a stored profile, or the head of a written file.

Theory of operation. The first origin that reads back is taken, a profile before a head because it
knows where each value came from; the others must agree. An origin whose preset, modifier or server
does not exist is told and not believed. Nothing here raises for what a file says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from copilot_core.errors import Rejected
from dsql_config.attribution import Pin
from dsql_config.findings import Finding, Severity
from dsql_config.given import accept
from dsql_config.modifiers import MODIFIERS
from dsql_config.presets import PRESETS
from dsql_config.profile import Profile, Request
from dsql_config.server.registry import NEWEST, ServerRegistry, load_registry
from dsql_config.stamp import Stamp
from dsql_config.written import Source


@dataclass(frozen=True, slots=True)
class Start:
    """Where a configuration starts from: preset, modifier, and the values given, by parameter."""

    preset: str
    modifier: str | None
    given: Mapping[str, Pin]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file was compiled from, and the fingerprint of what came out then."""

    file: str
    request: Request
    fingerprint: str | None
    compiler_version: str


def origin_of(sources: Sequence[Source]) -> tuple[Origin | None, list[Finding]]:
    """The origin of some files, None when they name none, and what disagrees with it."""
    stored = [_of_profile(s.name, s.profile) for s in sources if s.profile]
    heads = [_of_head(s.name, s.stamp) for s in sources if s.stamp]
    origins = [origin for origin in (*stored, *heads) if origin]
    findings = [f for s in sources if s.stamp for f in s.stamp.findings]
    findings += [
        warning(
            "origins-differ",
            one.file,
            f"it was compiled from another request than {origins[0].file}, which is taken",
        )
        for one in origins[1:]
        if one.fingerprint != origins[0].fingerprint
    ]
    return next(iter(origins), None), findings


def _of_profile(file: str, profile: Profile) -> Origin:
    request = Request(
        preset=profile.preset,
        modifier=profile.modifier,
        given=profile.given,
        server_version=profile.server_version,
    )
    return Origin(file, request, profile.fingerprint, profile.compiler_version)


def _of_head(file: str, head: Stamp) -> Origin | None:
    if head.request is None:
        return None
    return Origin(file, head.request, head.fingerprint, head.compiler_version)


def registry_of(
    asked: str | None, origin: Origin | None
) -> tuple[ServerRegistry, tuple[Finding, ...]]:
    """The registry of the server that was asked for, else of the origin's, else of the newest.

    Raises `Rejected` when the one that was asked for is not known.
    """
    if asked or origin is None:
        return load_registry(asked or NEWEST), ()
    try:
        return load_registry(origin.request.server_version or NEWEST), ()
    except Rejected as e:
        told = warning("unknown-server-version", origin.file, f"{e}; {NEWEST} is taken")
        return load_registry(NEWEST), (told,)


def start_of(origin: Origin | None) -> tuple[Start | None, tuple[Finding, ...]]:
    """The origin as a start, None when its preset or modifier does not exist, and what in it
    cannot be read."""
    if origin is None:
        return None, ()
    request = origin.request
    if request.preset not in PRESETS or (request.modifier and request.modifier not in MODIFIERS):
        what = f"there is no preset {request.preset} with modifier {request.modifier or 'none'}"
        return None, (warning("unknown-origin", origin.file, f"{what}; its values decide instead"),)
    accepted, misread = accept(request.given)
    given = {name: Pin(a.value, a.source) for name, a in accepted.items()}
    return Start(request.preset, request.modifier, given), softened(misread)


def softened(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings about a configuration that runs already: what compiling refuses is a warning here,
    where nothing is compiled."""
    return tuple(
        f.model_copy(update={"severity": Severity.WARNING}) if f.severity is Severity.ERROR else f
        for f in findings
    )


def warning(code: str, where: str, what: str) -> Finding:
    """A warning about one place."""
    return Finding(severity=Severity.WARNING, code=code, key=where, message=what)
