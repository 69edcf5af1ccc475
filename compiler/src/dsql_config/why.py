"""why.md: the page beside the written files that says why each value is what it is.

Theory of operation. The page is a function of the profile alone and holds no time: two compilations
of one request, given in the same words, write identical bytes. It goes from what was asked to what
to do next; every number stands with the formula or the source that it came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsql_config.explain import decided_by
from dsql_config.findings import Severity
from dsql_config.formulas import CONSTANTS, parsed, show
from dsql_config.markdown import bullets, code, prose, section, table
from dsql_config.parameters import GROUPS, PARAMETERS
from dsql_config.parameters.parameter import Parameter
from dsql_config.places import places_of
from dsql_config.plain_text import bound_text, finding_text, shown
from dsql_config.profile import Entry, Layer, Profile, Resolved


def why(profile: Profile) -> str:
    """The page as Markdown, ending in a line feed."""
    return "\n".join(
        [
            _head(profile),
            _given(profile),
            _findings(profile),
            *(_group(name, rows, profile) for name, rows in GROUPS.items()),
            _dynamic_config(profile),
            _figures(profile),
            _telemetry(profile),
            _next_steps(profile),
        ]
    )


def _head(profile: Profile) -> str:
    modifier = f"modifier {profile.modifier}" if profile.modifier else "no modifier"
    return (
        "# Why this configuration\n\n"
        f"Preset {profile.preset}, {modifier}, for Temporal server {profile.server_version}; "
        f"compiled by temporal-dsql-config {profile.compiler_version}. "
        f"Fingerprint `{profile.fingerprint}`.\n\n"
        "`temporal-dsql-config explain NAME` tells more about any name on this page.\n"
    )


def _given(profile: Profile) -> str:
    rows = [(code(g.name), "" if g.value is None else show(g.value), g.source)
            for g in profile.given]  # fmt: skip
    if not rows:
        return section("Given by you", "Nothing: every value is the preset's, or follows from it.")
    return section("Given by you", table(("name", "value", "from"), rows))


def _findings(profile: Profile) -> str:
    told = [
        f"**{f.severity}** `{f.code}`: {prose(finding_text(f))}"
        for f in sorted(profile.findings, key=lambda f: list(Severity).index(f.severity))
    ]
    return section("Findings", bullets(told) if told else "None: no guard rail is broken.")


def _group(name: str, parameters: Sequence[Parameter], profile: Profile) -> str:
    resolved = {r.name: r for r in profile.parameters}
    rows = (_row(p, resolved[p.name], profile) for p in parameters)
    columns = ("parameter", "value", "decided by", "because", "in force", "written as")
    return section(name.capitalize(), table(columns, rows))


def _row(parameter: Parameter, resolved: Resolved, profile: Profile) -> tuple[str, ...]:
    last = resolved.steps[-1]
    places = [code(p.name) if p.written else f"{code(p.name)} (default, not emitted)"
              for p in places_of(parameter, profile)
              if p.text is not None]  # fmt: skip
    return (
        code(parameter.name),
        shown(resolved.value, resolved.unit),
        f"{last.layer}: {decided_by(last)}",
        parameter.why,
        resolved.apply.value,
        ", ".join(places) or "nowhere",
    )


def _dynamic_config(profile: Profile) -> str:
    rows = ((code(e.key), show(e.value), e.default, _state(e), _fork(e))
            for e in profile.dynamic_config)  # fmt: skip
    columns = ("key", "value", f"default of {profile.server_version}", "file", "DSQL fork")
    told = (
        "A value that equals the server's default is shown here and not emitted. Whether the DSQL "
        "fork knows a key is information; nothing depends on it.\n\n"
    )
    return section("Dynamic config", told + table(columns, rows))


def _state(entry: Entry) -> str:
    where = ", ".join(f"{name} {value}" for name, value in entry.constraints.items())
    state = "emitted" if entry.written else "shown, not emitted"
    return f"{state} ({where})" if where else state


def _fork(entry: Entry) -> str:
    return {True: "knows it", False: "does not know it", None: "not known"}[entry.in_dsql_fork]


def _figures(profile: Profile) -> str:
    """The constants of the formulas that decided a value."""
    derived = {r.name for r in profile.parameters if r.steps[-1].layer is Layer.DERIVATION}
    formulas = (PARAMETERS[name].derivation for name in derived)
    used = {constant for formula in formulas if formula for constant in formula.constants}
    rows = ((code(name), show(c.value), c.meaning, c.source)
            for name, c in CONSTANTS.items() if name in used)  # fmt: skip
    return section("Figures in the formulas", table(("name", "value", "meaning", "source"), rows))


def _telemetry(profile: Profile) -> str:
    told = "While this configuration is in force, telemetry should stay within:\n\n"
    return section("Expected telemetry", told + bullets(map(bound_text, profile.bounds)))


def _next_steps(profile: Profile) -> str:
    """What to do, in an order in which no step harms what runs already."""
    steps = enumerate(_steps(profile), start=1)
    return section("What to do next", "\n".join(f"{n}. {step}" for n, step in steps) + "\n")


def _steps(profile: Profile) -> Iterator[str]:
    values = profile.values
    if any(f.severity is not Severity.INFO for f in profile.findings):
        yield "Read the findings above; settle each of them or decide to live with it."
    if not values["dsql_endpoint"]:
        yield "Give the processes `CLUSTER_ENDPOINT` and `REGION`: no endpoint was given here."
    tables = [str(values[name]) for name, when in _TABLES if parsed(when).evaluate(values)]
    if tables:
        names = " and ".join(map(code, tables))
        yield f"Create {names} in DynamoDB before any process starts; each needs access to them."
    yield (
        f"Check that the cluster has {show(values['history_shards'])} history shards, or is new: "
        "the number is fixed for its life."
    )
    yield (
        "Put `dynamicconfig.yaml` in force. On a running cluster raise read partitions before "
        "write partitions; lower write partitions first and read partitions once the backlog of "
        "those that go is empty."
    )
    yield (
        "Replace the server's processes one after another: what is marked restart they read when "
        f"they start, and all together they may open {show(values['dsql.cluster_connects_per_s'])} "
        "connections a second."
    )
    yield "Restart the SDK workers with their new options."
    yield "Watch the expected telemetry above for an hour of usual load."


_TABLES = (
    ("dsql.limiter_table", "dsql.limiter_enabled"),
    ("dsql.lease_table", "dsql.slot_blocks_enabled"),
)
"""Parameters that name a DynamoDB table, and when it is used."""
