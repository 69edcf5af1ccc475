"""From running files back to a request: preset + modifier + inputs + overrides, and the rest.

Theory of operation. The files pin values of parameters (`attribution`), and a start is searched
from which fewest of them must be given (`inference`). What is found compiles to the files again.

    a head that reads back   its request is the start: what was given stays given, and a value that
                             was edited since is one more
    no head                  preset and modifier are inferred, and targets where limits tell them

A Safety parameter takes no value, and a variable that nobody reads has none: they are listed as not
attributed, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from copilot_core.values import Scalar
from dsql_config.attribution import Attribution, Pin, Unattributed, attribute
from dsql_config.findings import Finding, Severity
from dsql_config.formulas import parsed, show
from dsql_config.given import accept
from dsql_config.inference import given_of, infer, is_locked, profile_of, settle
from dsql_config.origin import Origin, Start, origin_of, registry_of, softened, start_of, warning
from dsql_config.parameters import PARAMETERS
from dsql_config.profile import Given, Profile, Request, Variable
from dsql_config.solving import with_targets
from dsql_config.variables import PLUGIN_DEFAULTS, compiled
from dsql_config.written import SeenVariable, identify, read


@dataclass(frozen=True, slots=True)
class Decompiled:
    """What files were compiled from, or could have been.

    `request` is None when they say nothing; `profile` is what it compiles to. A given value's
    source is the `file:line` that says so. `unattributed` holds all that the request does not
    account for. `origin` is the file that says what it was compiled from; None means inferred.
    """

    request: Request | None
    profile: Profile | None
    origin: str | None
    unattributed: tuple[Unattributed, ...]
    findings: tuple[Finding, ...]

    @property
    def inputs(self) -> Mapping[str, Scalar]:
        """Given values of SLO and Topology parameters, in registry order."""
        return self._given(inputs=True)

    @property
    def overrides(self) -> Mapping[str, Scalar]:
        """Given values of other parameters, in registry order."""
        return self._given(inputs=False)

    def _given(self, *, inputs: bool) -> Mapping[str, Scalar]:
        given = self.request.given if self.request else ()
        return {
            g.name: g.value
            for g in given
            if g.value is not None and PARAMETERS[g.name].given is inputs
        }

    def to_json(self) -> dict[str, Any]:
        """`{preset, modifier, server_version, inputs, overrides, unattributed, findings}`."""
        request = self.request
        return {
            "preset": request.preset if request else None,
            "modifier": request.modifier if request else None,
            "server_version": request.server_version if request else None,
            "inputs": dict(self.inputs),
            "overrides": dict(self.overrides),
            "unattributed": [u.model_dump(mode="json") for u in self.unattributed],
            "findings": [f.model_dump(mode="json") for f in self.findings],
        }

    def to_text(self) -> str:
        """The same for people, ending in a line feed."""
        if self.request is None:
            lines = ["nothing in these files can be traced to a configuration"]
        else:
            lines = [f"preset {self.request.preset}, modifier {self.request.modifier or 'none'}, "
                     f"server {self.request.server_version}"]  # fmt: skip
            sources = {g.name: g.source for g in self.request.given}
            for title, given in (("inputs", self.inputs), ("overrides", self.overrides)):
                lines += [f"{title}:"] if given else []
                lines += [f"  {n} = {show(v)}  ({sources[n]})" for n, v in given.items()]
        lines += ["not attributed:"] if self.unattributed else []
        lines += [
            f"  {u.file}:{u.line} {u.key} = {show(u.value)}: {u.reason}" for u in self.unattributed
        ]
        lines += [f"{f.severity}: {f.key}: {f.message}" for f in self.findings]
        return "\n".join(lines) + "\n"


def decompile(
    texts: Sequence[tuple[str, bytes]], *, server_version: str | None = None
) -> Decompiled:
    """The request behind files given as (name, content): dynamic config, environment, profile.

    `server_version` is that of the server which runs on them; None takes it from the files' heads
    and otherwise means the newest known. Findings are errors only where a file could not be read:
    what compiling would refuse in a running configuration is a warning here. Raises `Rejected` for
    a version that is not known, and for no content whatever.
    """
    sources = tuple(identify(name, data) for name, data in texts)
    origin, told = origin_of(sources)
    registry, unknown = registry_of(server_version, origin)
    version = str(registry.version)
    said = read(sources, registry)
    start, damage = start_of(origin)
    known = start.given.get("namespace") if start else None
    found = attribute(
        said.entries, said.variables, registry=registry,
        namespace=str(known.value) if known else None,
    )  # fmt: skip
    findings = (*told, *unknown, *said.findings, *damage, *found.findings)
    if start is None and not found.pins:
        return Decompiled(None, None, None, tuple(found.unattributed), (*findings, _NOTHING))
    if start is None:
        inferred = with_targets(infer(found, version), found.pins, version=version)
        return _traced(None, inferred, found, findings, version)
    return _traced(origin, start, found, findings, version)


def _traced(
    origin: Origin | None,
    start: Start,
    found: Attribution,
    findings: tuple[Finding, ...],
    version: str,
) -> Decompiled:
    """What a start and the pins beside it come to; `origin` is None for an inferred start."""
    alone = profile_of(start, given_of(start.given), version=version)
    since = tuple(_since(origin, alone, found.pins)) if origin else ()
    profile = settle(start, found.pins, alone=alone)
    if _leave_out_idle(found, profile):
        profile = settle(start, found.pins, alone=alone)
    locked = tuple(_locked_out(found, profile))
    absent = tuple(_absent(found, profile, written_here=origin is not None))
    return Decompiled(
        Request(
            preset=start.preset,
            modifier=start.modifier,
            given=profile.given,
            server_version=version,
        ),
        profile,
        origin.file if origin else None,
        tuple(found.unattributed),
        (*findings, *since, *locked, *absent, *softened(profile.findings)),
    )


_NOTHING = Finding(
    severity=Severity.ERROR, code="nothing-found", key="files",
    message="no entry, variable or head in these files belongs to a configuration",
    suggestion="name a dynamic-config file, an environment file or profile.json",
)  # fmt: skip


def _since(origin: Origin, alone: Profile, pins: Mapping[str, Pin]) -> Iterator[Finding]:
    """What happened since the files were written: another compiler, or an edit by hand."""
    if origin.fingerprint != alone.fingerprint:
        yield warning(
            "origin-differs",
            origin.file,
            f"it was written with fingerprint {origin.fingerprint} by compiler "
            f"{origin.compiler_version}, and compiles to {alone.fingerprint} now: its head was "
            "edited, or the compiler or the server is another one",
        )
    for name, pin in pins.items():
        if alone.value(name) != pin.value:
            yield Finding(
                severity=Severity.INFO, code="edited", key=name,
                message=f"{show(pin.value)} ({pin.source}), compiled as {show(alone.value(name))}",
            )  # fmt: skip


def _leave_out_idle(found: Attribution, profile: Profile) -> bool:
    """Take out what variables pin that nobody reads here; returns whether there was any."""
    pinned = {p.said.name: n for n, p in found.pins.items() if isinstance(p.said, SeenVariable)}
    idle = [
        (name, row.target.when)
        for name, row in compiled().items()
        if name in pinned and row.target.when
        if not parsed(row.target.when).evaluate(profile.values)
    ]
    for name, when in idle:
        said = found.pins.pop(pinned[name]).said
        if said is not None:
            found.left_over(said, f"without effect: read only where {parsed(when).readable()}")
    return bool(idle)


def _locked_out(found: Attribution, profile: Profile) -> Iterator[Finding]:
    """List what files say of a Safety parameter and the compiler does not write."""
    for name, pin in found.pins.items():
        value = profile.value(name)
        if not is_locked(name) or pin.value == value:
            continue
        if pin.said:
            found.left_over(pin.said, f"{name} is locked at {show(value)}: {PARAMETERS[name].why}")
        else:
            yield warning(
                "locked", name, f"{show(pin.value)} ({pin.source}), locked at {show(value)}"
            )


def _absent(found: Attribution, profile: Profile, *, written_here: bool) -> Iterator[Finding]:
    """Variables that this configuration is written with and that the environment lacks, as far as
    that is known to matter: the file had them once, or the plugin has a default of its own."""
    if not found.seen or not found.seen.keys() & compiled().keys():
        return
    for variable in profile.environment:
        default = PLUGIN_DEFAULTS.get(variable.name)
        known = default is not None or written_here
        if known and variable.name not in found.seen and not _means(variable, default, profile):
            yield warning(
                "variable-absent", variable.name,
                f"compiled as {variable.value}; absent, it is {default or 'nothing'}",
            )  # fmt: skip


def _means(variable: Variable, text: str | None, profile: Profile) -> bool:
    """Whether a text is read as the value that a variable's parameter has."""
    accepted, _ = accept((Given(name=variable.parameter, value=text, source=""),))
    value = accepted.get(variable.parameter)
    return value is not None and value.value == profile.value(variable.parameter)
