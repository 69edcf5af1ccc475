"""The compiler in a process: `config_compile_ms` the first time, `config_10000_s` after that.

The first compilation is what a pipeline waits for: a fresh interpreter imports the compiler, reads
the server's registry, resolves and renders every file. Its reference is the same in the process
that has done it before. The 10,000 are what a property run does: requests that all differ in
preset, modifier and targets, each resolved and judged; the reference is `pydantic` and `orjson`
alone, which write and read one of those profiles as often.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import product
from statistics import median
from typing import Any, Final

from bench.result import BenchResult
from dsql_config.compiler import compile_profile
from dsql_config.modifiers import MODIFIERS
from dsql_config.presets import PRESETS
from dsql_config.profile import Given, Profile, Request

FRESH: Final = 7
"""Processes that compile once."""
COUNT: Final = 10_000

ONCE: Final = """
import time
began = time.perf_counter()
from dsql_config.artifacts import render
from dsql_config.compiler import compile_profile
from dsql_config.profile import Request
def once():
    compilation = compile_profile(Request(preset="mid-scale"))
    assert compilation.writable
    render(compilation.profile, sdks=(), platforms=())
once()
first = time.perf_counter()
once()
print((first - began) * 1000, (time.perf_counter() - first) * 1000)
"""


def run() -> Iterator[Mapping[str, Any]]:
    """Two figures, from processes that run one after the other."""
    firsts: list[float] = []
    seconds: list[float] = []
    for _ in range(FRESH):
        printed = subprocess.run(
            [sys.executable, "-c", ONCE], check=True, capture_output=True, text=True
        ).stdout.split()
        firsts.append(float(printed[0]))
        seconds.append(float(printed[1]))
    yield BenchResult(
        "config_compile_ms", round(median(firsts), 1), "ms",
        "the second compilation of the process", round(median(seconds), 1),
    ).as_dict()  # fmt: skip
    profile, ours_s = _compile_all()
    yield BenchResult(
        "config_10000_s", round(ours_s, 1), "s",
        "as many profiles written to JSON and read back", round(_round_trips_s(profile), 1),
    ).as_dict()  # fmt: skip


def requests() -> Iterator[Request]:
    """`COUNT` requests, no two alike: kinds take turns, targets grow."""
    kinds = list(product(PRESETS, (None, *MODIFIERS)))
    for n in range(COUNT):
        preset, modifier = kinds[n % len(kinds)]
        targets = {"state_transitions_per_s": 5 + n / 5, "workflow_completions_per_s": 1 + n / 50}
        given = tuple(Given(name=k, value=v, source="bench") for k, v in targets.items())
        yield Request(preset=preset, modifier=modifier, given=given)


def _compile_all() -> tuple[Profile, float]:
    """The last profile, and the seconds that all took."""
    profile: Profile | None = None
    began = time.perf_counter()
    for request in requests():
        profile = compile_profile(request).profile
    took_s = time.perf_counter() - began
    assert profile is not None
    return profile, took_s


def _round_trips_s(profile: Profile) -> float:
    """Seconds that `COUNT` round trips through JSON take, from a tenth of them."""
    began = time.perf_counter()
    for _ in range(COUNT // 10):
        Profile.from_json(profile.to_json())
    return (time.perf_counter() - began) * 10
