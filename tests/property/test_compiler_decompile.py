"""Laws of decompiling: written files lead back to what was asked, with their heads and without."""

from __future__ import annotations

import json

import orjson
from hypothesis import assume, example, given
from hypothesis import strategies as st

from copilot_core.events import Scalar
from dsql_config import dynamic_config_file, environment_file
from dsql_config.compiler import compile_profile
from dsql_config.decompile import decompile
from dsql_config.diff import difference
from dsql_config.profile import Given, Profile, Request
from dsql_config.server.registry import SUPPORTED
from dsql_config.sides import side_of
from dsql_config.stamp import canonical, read_stamp
from tests.property.requests import requests

File = tuple[str, bytes]
Meaning = tuple[list[tuple[str, object, dict[str, object]]], list[tuple[str, str]]]

SERVERS = st.sampled_from([None, *(f"{v.major}.{v.minor}" for v in SUPPORTED)])


@st.composite
def writable(draw: st.DrawFn) -> tuple[Request, Profile]:
    """A request for any server that no finding forbids to write, and its profile."""
    request = draw(requests()).model_copy(update={"server_version": draw(SERVERS)})
    compilation = compile_profile(request)
    assume(compilation.writable)
    assert compilation.profile
    return request, compilation.profile


def written(profile: Profile) -> list[File]:
    """The files of a profile that a server and its plugin read."""
    return [
        ("dynamicconfig.yaml", dynamic_config_file.render(profile)),
        ("dsql.env", environment_file.render(profile)),
    ]


def without_comments(files: list[File]) -> list[File]:
    """The same files as somebody else would have written them: no head, no reasons."""
    return [
        (name, b"".join(line for line in text.splitlines(keepends=True) if line[:1] != b"#"))
        for name, text in files
    ]


def asked(request: Request | None) -> Request:
    """A request in canonical form: every value once, wherever it came from."""
    assert request is not None
    return canonical(request)


def meaning(profile: Profile | None) -> Meaning:
    """What a profile's files say to the server and its plugin."""
    assert profile is not None
    return (
        [(e.key, e.value, dict(e.constraints)) for e in profile.dynamic_config if e.written],
        [(v.name, v.value) for v in profile.environment],
    )


@given(writable())
def test_files_lead_back_to_the_request(made: tuple[Request, Profile]) -> None:
    """decompile(compile(x)) = x: preset, modifier, server, and every given value with its type;
    nothing is left over."""
    request, profile = made
    found = decompile(written(profile))
    assert asked(found.request) == asked(request)
    assert found.profile is not None
    assert found.profile.fingerprint == profile.fingerprint
    assert found.unattributed == ()


@given(requests())
def test_the_canonical_form_is_one(request: Request) -> None:
    """The canonical form of a canonical form is itself, and both compile to the same profile."""
    once = canonical(request)
    assert canonical(once) == once
    ours, theirs = compile_profile(request).profile, compile_profile(once).profile
    assert ours is not None
    assert theirs is not None
    assert ours.fingerprint == theirs.fingerprint


@given(writable())
def test_files_without_heads_mean_what_they_meant(made: tuple[Request, Profile]) -> None:
    """Without their heads, what is found compiles to the same entries and variables, for the same
    server, and nothing is left over; what that writes leads back to what was found."""
    _, profile = made
    files = without_comments(written(profile))
    found = decompile(files, server_version=profile.server_version)
    assert found.profile is not None
    assert meaning(found.profile) == meaning(profile)
    assert found.unattributed == ()
    assert asked(decompile(written(found.profile)).request) == asked(found.request)


@given(writable(), st.sampled_from([1, 7, 1_000]))
def test_an_edit_by_hand_becomes_an_override(made: tuple[Request, Profile], by: int) -> None:
    """A limit that somebody changed in the file below its head is the only new given value."""
    request, profile = made
    entries = {entry.parameter: entry for entry in profile.dynamic_config}
    limit = entries["frontend.namespace_count"]
    edited = int(limit.value) + by
    assume(edited <= 1_000_000)
    entries[limit.parameter] = limit.model_copy(update={"value": edited, "written": True})
    by_hand = profile.model_copy(update={"dynamic_config": tuple(entries.values())})
    found = decompile(written(by_hand))
    override = Given(name=limit.parameter, value=edited, source="")
    expected = request.model_copy(update={"given": (*request.given, override)})
    assert asked(found.request) == asked(expected)
    assert [f.key for f in found.findings if f.code == "edited"] == [limit.parameter]


SCALARS = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


@given(SCALARS)
def test_a_given_value_comes_back_from_its_line(value: Scalar) -> None:
    """Any value written as a head writes it stays on its line and keeps its type."""
    assume(not (isinstance(value, str) and any(0xD800 <= ord(c) < 0xE000 for c in value)))
    head = f"# temporal-dsql-config 0\n# preset: a\n# given: x = {json.dumps(value)}\nrest: []\n"
    read = read_stamp(head)
    assert read is not None
    assert read.request is not None
    (back,) = read.request.given
    assert (type(back.value), back.value) == (type(value), value)


NAMES = st.sampled_from(["dynamicconfig.yaml", "dsql.env", "profile.json", ".env", "x", ""])
LINES = st.sampled_from(
    [
        b"# temporal-dsql-config 0.1.0", b"# preset: starter", b"# preset: ?", b"# modifier: none",
        b"# server: 1.32.1", b"# server: 9", b"# given: history_shards = 0",
        b"# given: dsql.port = 1", b"# given: x = [", b"# fingerprint: 0", b"history.rps:",
        b"- value: 5", b"- value: !!binary /w==", b"  constraints: {namespace: a b}",
        b"Matching.NumTaskqueueReadPartitions: [{value: 2, constraints: {namespace: \"\\u2028\"}}]",
        b"history.persistenceDynamicRateLimitingParams: [{value: {a: [1, {2: 3}]}}]",
        b"TEMPORAL_SQL_MAX_CONNS=1e999", b"export DSQL_RESERVOIR_ENABLED='on", b"REGION=\xff",
        b"DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED=true", b"DSQL_SLOT_BLOCK_SIZE=5", b"{", b"[",
    ]
)  # fmt: skip
EMPTY = side_of([("d.yaml", b"{}"), ("s.env", b"")])
CONTENT = st.binary(max_size=200) | st.lists(LINES, max_size=12).map(b"\n".join)


@given(st.lists(st.tuples(NAMES, CONTENT), max_size=3))
@example([("profile.json", b"[" * 100_000)])
@example([("d.yaml", b"history.rps: " + b"[" * 9_000)])
@example([("d.yaml", b"history.rps: [{value: " + b"[" * 2_000 + b"]" * 2_000 + b"}]")])
@example([("dsql.env", b"A='" * 2_000)])
def test_no_content_makes_it_fail(files: list[File]) -> None:
    """Whatever files hold, there is an answer that JSON and text can show; so there is to what
    changes between them and an empty configuration."""
    found = decompile(files)
    assert orjson.loads(orjson.dumps(found.to_json()))["preset"] == (
        found.request.preset if found.request else None
    )
    assert found.to_text().encode()
    changes = difference(side_of(files), EMPTY)
    assert orjson.dumps(changes.to_json())
    assert changes.to_text().encode()
