"""Records what the real loaders of all supported releases say of the corpus.

    uv run python -m tests.data.dynamicconfig.record_verdicts BINARIES

BINARIES is the folder that `compiler/extract_server_registry/extract.py --binaries` fills: a
`validate-RELEASE` for each release. Writes `verdicts.jsonl.gz`, a file of the corpus a line:

    name      of the trap, or `generated/SEED`
    text      the file, base64; absent for traps, whose text is in `traps.py`
    verdicts  release -> [refused, null or [[kind, lower-cased key, count]…]]; left out for a
              release that says the same as the one before it
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from dsql_config.server.registry import SUPPORTED
from tests.data.dynamicconfig.generate import file_text
from tests.data.dynamicconfig.traps import TRAPS
from tests.data.dynamicconfig.verdicts import Verdict, ask_loader

RECORD: Final = Path(__file__).parent / "verdicts.jsonl.gz"
GENERATED_FILES: Final = 400


def corpus() -> dict[str, bytes]:
    """Traps, then generated files for the newest server."""
    generated = {
        f"generated/{seed}": file_text(random.Random(seed)) for seed in range(GENERATED_FILES)
    }
    return TRAPS | generated


def record(binaries: Path) -> None:
    """Ask all loaders and write the record: the same bytes for the same answers."""
    files = corpus()
    answers: dict[str, list[Verdict]] = {}
    for release in map(str, SUPPORTED):
        with tempfile.TemporaryDirectory() as folder:
            texts = list(files.values())
            answers[release] = ask_loader(binaries / f"validate-{release}", texts, Path(folder))
    lines = _lines(files, answers)
    with gzip.GzipFile(RECORD, "wb", mtime=0) as out:
        for line in lines:
            out.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
    print(f"{len(files)} files, {len(answers)} releases")


def _lines(files: dict[str, bytes], answers: dict[str, list[Verdict]]) -> Iterator[dict[str, Any]]:
    for number, (name, data) in enumerate(files.items()):
        row: dict[str, Any] = {"name": name}
        if name not in TRAPS:
            row["text"] = base64.b64encode(data).decode()
        said: dict[str, Any] = {}
        before: Any = None
        for release, verdicts in answers.items():
            packed = _packed(verdicts[number])
            if packed != before:
                said[release] = before = packed
        yield row | {"verdicts": said}


def _packed(verdict: Verdict) -> list[Any]:
    if verdict.warned is None:
        return [verdict.refused, None]
    warned = sorted([response.name, key, n] for (response, key), n in verdict.warned.items())
    return [verdict.refused, warned]


if __name__ == "__main__":
    record(Path(sys.argv[1]))
