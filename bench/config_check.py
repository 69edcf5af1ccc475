"""`config_check_ms`: the verdict on a dynamic-config file of 700 entries, in one process.

The file sets nearly every key that the newest server knows, to the server's own defaults where they
are scalars. The reference parses the same bytes with PyYAML's C loader and does nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, islice
from typing import Any, Final

import orjson
import yaml

from bench.result import BenchResult
from dsql_config.server.check import check_text
from dsql_config.server.registry import NEWEST, Always, load_registry

ENTRIES: Final = 700
ROUNDS: Final = 11


def run() -> Iterator[Mapping[str, Any]]:
    """One figure: milliseconds, the median of rounds that alternate."""
    text, registry = file_of(ENTRIES), load_registry(NEWEST)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        ours.append(_ms(lambda: check_text(text, registry=registry)))
        theirs.append(_ms(lambda: yaml.load(text, Loader=yaml.CSafeLoader)))
    yield BenchResult.of_rounds(
        "config_check_ms", "ms", ours=ours,
        reference="the same bytes parsed by PyYAML's CSafeLoader", theirs=theirs,
    ).as_dict()  # fmt: skip


def file_of(entries: int) -> bytes:
    """A file of so many entries: every scalar setting, then again for a namespace of its own."""
    scalars = {
        s.key: s.default.value
        for s in load_registry(NEWEST)
        if isinstance(s.default, Always) and isinstance(s.default.value, bool | int | float | str)
    }
    lists: dict[str, list[str]] = {key: [] for key in scalars}
    for n, key in enumerate(islice(cycle(scalars), entries)):
        value = orjson.dumps(scalars[key]).decode()
        constraint = f"\n  constraints: {{namespace: n{n}}}" if lists[key] else ""
        lists[key].append(f"- value: {value}{constraint}")
    lines = [line for key, rows in lists.items() if rows for line in (f"{key}:", *rows)]
    return "\n".join((*lines, "")).encode()


def _ms(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000
