"""Laws of the written files, over profiles of every kind that may be written."""

from __future__ import annotations

import io

from dotenv import dotenv_values
from hypothesis import assume, given

from copilot_core.errors import Rejected
from dsql_config import dynamic_config_file, environment_file
from dsql_config.adapters.conformance import (
    problems_of_platform,
    problems_of_sdk,
    shared_files,
)
from dsql_config.adapters.discovery import platform_adapter, sdk_adapter
from dsql_config.adapters.protocol import PlatformAdapter
from dsql_config.artifacts import render
from dsql_config.compiler import compile_profile
from dsql_config.profile import Profile, Request
from dsql_config.server.yaml_dialect import decode
from tests.property.requests import requests


def writable(request: Request) -> Profile:
    """The profile of a request that no finding forbids to write."""
    compiled = compile_profile(request)
    assume(compiled.writable)
    assert compiled.profile
    return compiled.profile


def refusal(adapter: PlatformAdapter, profile: Profile) -> str | None:
    """The code of an adapter's refusal; None when it renders."""
    try:
        adapter.render(profile, shared_files(profile))
    except Rejected as e:
        return e.code
    return None


@given(requests())
def test_adapters_conform_on_every_profile(request: Request) -> None:
    """Our adapters render whatever may be written, and account for all of it.

    The only limit that there is, is Fargate's largest task.
    """
    profile = writable(request)
    for name in ("go", "python"):
        assert problems_of_sdk(sdk_adapter(name), {"drawn": profile}) == ()
    assert problems_of_platform(platform_adapter("compose"), {"drawn": profile}) == ()
    ecs = platform_adapter("ecs")
    refused = refusal(ecs, profile)
    assert refused in (None, "no-fargate-size")
    assert refused or problems_of_platform(ecs, {"drawn": profile}) == ()


@given(requests())
def test_readers_see_what_was_meant(request: Request) -> None:
    """The server's YAML dialect gives the profile's entries, types included; a reader of
    environment files gives its variables."""
    profile = writable(request)
    decoded = decode(dynamic_config_file.render(profile))
    assert not decoded.problems
    seen = [
        (key.name, type(entry.value), entry.value, dict(entry.constraints))
        for key in decoded.keys
        for entry in key.entries
    ]
    meant = [
        (entry.key, type(entry.value), entry.value, entry.constraints)
        for entry in profile.dynamic_config
        if entry.written
    ]
    assert sorted(seen, key=str) == sorted(meant, key=str)
    text = environment_file.render(profile).decode()
    assert dotenv_values(stream=io.StringIO(text)) == {v.name: v.value for v in profile.environment}


@given(requests())
def test_files_are_functions_of_the_profile(request: Request) -> None:
    """Every file is the same for the profile that was stored, to the byte."""
    profile = writable(request)
    chosen = {"sdks": ["go", "python"], "platforms": ["compose"]}
    files = render(profile, **chosen)
    assert render(Profile.from_json(files["profile.json"]), **chosen) == files
