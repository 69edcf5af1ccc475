"""The short form of `python -m tests.chaos.rounds`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.rounds import run


@pytest.mark.slow
@pytest.mark.usefixtures("kafka", "postgres")  # a missing component is named there
async def test_a_few_rounds_of_harm_leave_no_trace_in_the_log(tmp_path: Path) -> None:
    """Five random kills, pauses and restarts: the log equals the fold of the topic."""
    figures = await run(5, seed=1, folder=tmp_path)
    assert figures.messages > 0
    assert sum(figures.harm.values()) == 5
