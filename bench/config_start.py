"""`config_help_ms`: how long `temporal-dsql-config --help` takes from start to exit, warm.

The installed console script, as a shell starts it, in turn with `python -c pass` of the same
interpreter: what is left between the two is the program's own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.result import BenchResult

SCRIPT: Final = Path(sys.executable).with_name("temporal-dsql-config")
ROUNDS: Final = 15
WARM_UP: Final = 3


def run() -> Iterator[Mapping[str, Any]]:
    """One figure: milliseconds, the median of rounds that alternate."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(WARM_UP + ROUNDS):
        ours.append(_ms((SCRIPT, "--help")))
        theirs.append(_ms((sys.executable, "-c", "pass")))
    yield BenchResult.of_rounds(
        "config_help_ms", "ms", ours=ours[WARM_UP:],
        reference="python -c pass", theirs=theirs[WARM_UP:],
    ).as_dict()  # fmt: skip


def _ms(command: Sequence[str | Path]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1000
