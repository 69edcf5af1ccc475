"""The record of `record_verdicts.py`, read back."""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dsql_config.server.check_codes import Response, Verdict
from dsql_config.server.registry import SUPPORTED
from tests.data.dynamicconfig.traps import TRAPS

_RECORD: Final = Path(__file__).parent / "verdicts.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One file with the answers of all supported releases, by their version."""

    name: str
    text: bytes
    verdicts: dict[str, Verdict]


def recorded() -> Iterator[Recorded]:
    """The corpus in the order of the record."""
    with gzip.open(_RECORD, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            text = base64.b64decode(row["text"]) if "text" in row else TRAPS[row["name"]]
            verdicts: dict[str, Verdict] = {}
            said: Any = None
            for release in map(str, SUPPORTED):
                said = row["verdicts"].get(release, said)
                verdicts[release] = _verdict(said)
            yield Recorded(row["name"], text, verdicts)


def _verdict(said: list[Any]) -> Verdict:
    refused, warned = said
    if warned is None:
        return Verdict(refused=refused, warned=None)
    counted = Counter({(Response[kind], key): count for kind, key, count in warned})
    return Verdict(refused=refused, warned=counted)
