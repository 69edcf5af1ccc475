"""Which knowledge base the settings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from copilot_core.errors import Rejected
from copilot_service.settings import read_settings
from copilot_workflows.knowledge.bedrock import BedrockKnowledge
from copilot_workflows.knowledge.connect import connect, corpus
from copilot_workflows.knowledge.corpus import SHIPPED, pack, read_packed
from copilot_workflows.knowledge.local import LocalKnowledge
from copilot_workflows.knowledge.settings import KnowledgeSettings
from tests.unit.workflows.knowledge.pages_of import FRUIT

BEDROCK = {
    "COPILOT_KNOWLEDGE_BASE_ID": "KB12345678",
    "COPILOT_KNOWLEDGE_DATA_SOURCE_ID": "DS12345678",
    "COPILOT_KNOWLEDGE_BUCKET": "pages",
    "COPILOT_KNOWLEDGE_REGION": "eu-west-1",
}


def test_nothing_set_means_the_shipped_pages_in_memory() -> None:
    """No account, no key, no file."""
    settings = read_settings(KnowledgeSettings)
    assert isinstance(connect(settings), LocalKnowledge)
    assert corpus(settings) == read_packed(SHIPPED)


def test_a_packed_file_takes_the_place_of_the_shipped_pages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An installation's own pages."""
    own = tmp_path / "knowledge.jsonl"
    own.write_bytes(pack(FRUIT))
    monkeypatch.setenv("COPILOT_KNOWLEDGE_FILE", str(own))
    assert corpus(read_settings(KnowledgeSettings)).digest == FRUIT.digest


def test_a_knowledge_base_means_bedrock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients are made, nothing is called."""
    for name, value in BEDROCK.items():
        monkeypatch.setenv(name, value)
    assert isinstance(connect(read_settings(KnowledgeSettings)), BedrockKnowledge)


@pytest.mark.parametrize("missing", list(BEDROCK)[1:])
def test_half_a_knowledge_base_is_refused(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """The missing variable is named."""
    for name, value in BEDROCK.items():
        if name != missing:
            monkeypatch.setenv(name, value)
    with pytest.raises(Rejected, match=missing):
        read_settings(KnowledgeSettings)


def test_a_prefix_is_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a sync would remove objects of others whose names begin alike."""
    monkeypatch.setenv("COPILOT_KNOWLEDGE_PREFIX", "rag")
    with pytest.raises(Rejected, match="COPILOT_KNOWLEDGE_PREFIX"):
        read_settings(KnowledgeSettings)
