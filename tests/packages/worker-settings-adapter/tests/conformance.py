"""The adapter keeps the laws of all adapters."""

from __future__ import annotations

from worker_settings_adapter import ADAPTER

from dsql_config.adapters.conformance import problems_of_sdk


def test_conforms() -> None:
    """No configuration shows a broken law."""
    assert problems_of_sdk(ADAPTER) == ()
