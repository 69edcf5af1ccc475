"""Where knowledge is looked up: in the shipped pages, in a packed file, or in Bedrock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from copilot_service.settings import PREFIX


class KnowledgeSettings(BaseSettings):
    """Which pages are searched, and where. Nothing has to be set: the shipped pages are searched in
    memory. Bedrock is used when its knowledge base is named."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", populate_by_name=True
    )

    knowledge_file: Path | None = Field(
        None, description="packed pages, made by `copilot kb build`; unset: the shipped ones"
    )
    knowledge_base_id: str | None = Field(
        None, description="Bedrock knowledge base; unset: search in memory"
    )
    knowledge_data_source_id: str | None = Field(
        None, description="its S3 data source; needed with a knowledge base"
    )
    knowledge_bucket: str | None = Field(
        None, description="bucket of that data source; needed with a knowledge base"
    )
    knowledge_prefix: str = Field(
        "copilot-knowledge/",
        min_length=1,
        description="folder of the bucket that holds the pages and nothing else",
    )
    knowledge_region: str | None = Field(
        None, description="AWS region of both; needed with a knowledge base"
    )
    knowledge_timeout_s: Annotated[float, Field(gt=0)] = Field(
        10.0, description="seconds to wait for one answer of Bedrock or S3"
    )
    knowledge_patience_s: Annotated[float, Field(gt=0)] = Field(
        600.0, description="seconds to wait for the end of an ingestion job"
    )

    @model_validator(mode="after")
    def _base_is_complete(self) -> Self:
        if self.knowledge_base_id is not None:
            needed = ("knowledge_data_source_id", "knowledge_bucket", "knowledge_region")
            missing = [PREFIX + n.upper() for n in needed if getattr(self, n) is None]
            if missing:
                raise ValueError(f"COPILOT_KNOWLEDGE_BASE_ID needs {', '.join(missing)}")
        if not self.knowledge_prefix.endswith("/"):
            raise ValueError("COPILOT_KNOWLEDGE_PREFIX is a folder and ends with /")
        return self
