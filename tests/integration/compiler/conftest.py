"""The command, called inside the test's process."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from dsql_config.cli.main import main
from tests.integration.compiler.calling import Call, Called


@pytest.fixture
def call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Call:
    """Call the program in this process, in an empty folder and without variables of ours."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("DSQL_", "TEMPORAL_", "CLUSTER_", "COPILOT_", "REGION")):
            monkeypatch.delenv(name)

    def run(*args: object, stdin: str = "") -> Called:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in args])
        captured = capsys.readouterr()
        return Called(int(ended.value.code or 0), captured.out, captured.err)

    return run
