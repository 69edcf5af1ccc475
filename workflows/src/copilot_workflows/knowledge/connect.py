"""The knowledge base that the settings name."""

from __future__ import annotations

from copilot_workflows.knowledge.corpus import SHIPPED, Corpus, read_packed
from copilot_workflows.knowledge.local import LocalKnowledge
from copilot_workflows.knowledge.port import Knowledge
from copilot_workflows.knowledge.settings import KnowledgeSettings


def connect(settings: KnowledgeSettings) -> Knowledge:
    """Bedrock where it is configured, else an index in memory. Opens no connection by itself."""
    if settings.knowledge_base_id is None:
        return LocalKnowledge(lambda: corpus(settings))
    return _bedrock(settings, settings.knowledge_base_id)


def corpus(settings: KnowledgeSettings) -> Corpus:
    """The pages in force."""
    return read_packed(settings.knowledge_file or SHIPPED)


def _bedrock(settings: KnowledgeSettings, knowledge_base_id: str) -> Knowledge:
    import boto3  # only where it is used: a second of start-up
    from botocore.config import Config

    from copilot_workflows.knowledge.bedrock import BedrockKnowledge, Clients, Place

    session = boto3.Session(region_name=settings.knowledge_region)
    config = Config(
        connect_timeout=settings.knowledge_timeout_s,
        read_timeout=settings.knowledge_timeout_s,
        retries={"total_max_attempts": 1},  # the caller retries
    )
    clients = Clients(
        runtime=session.client("bedrock-agent-runtime", config=config),
        agent=session.client("bedrock-agent", config=config),
        s3=session.client("s3", config=config),
    )
    place = Place(
        knowledge_base_id=knowledge_base_id,
        data_source_id=settings.knowledge_data_source_id or "",
        bucket=settings.knowledge_bucket or "",
        prefix=settings.knowledge_prefix,
    )
    return BedrockKnowledge(
        clients, place, lambda: corpus(settings), patience_s=settings.knowledge_patience_s
    )
