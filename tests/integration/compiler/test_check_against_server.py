"""`check` against `temporal-server validate-dynamic-config`, the server itself."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from dsql_config.server.check import check_text
from dsql_config.server.registry import load_registry
from tests.data.dynamicconfig.generate import file_text
from tests.data.dynamicconfig.traps import TRAPS
from tests.data.dynamicconfig.verdicts import ask_server, disagreement

_REGISTRY = load_registry("1.32")
_FILES_PER_START = 50


def _differences(server: Path, files: dict[str, bytes]) -> dict[str, str]:
    with TemporaryDirectory() as folder:
        answers = ask_server(server, list(files.values()), Path(folder))
    found = {
        name: disagreement(check_text(data, registry=_REGISTRY), answer)
        for (name, data), answer in zip(files.items(), answers, strict=True)
    }
    return {name: difference for name, difference in found.items() if difference}


def test_traps(temporal_server_binary: Path) -> None:
    """The server says of every trap what `check` says."""
    assert not _differences(temporal_server_binary, TRAPS)


# Each example is a start of the server with all its files: 0.4 s.
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_generated_files(temporal_server_binary: Path, seed: int) -> None:
    """The server says of generated files what `check` says."""
    r = random.Random(seed)
    batch = [file_text(r) for _ in range(_FILES_PER_START)]
    assert not _differences(temporal_server_binary, {repr(data): data for data in batch})
