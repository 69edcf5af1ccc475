"""docs/reference/settings.md, from the settings classes of every process."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from copilot.reference.markdown import code, prose, table
from copilot.settings import AllInOneSettings, ClientSettings
from copilot_api.settings import ApiSettings
from copilot_eventlog.settings import EventLogSettings
from copilot_projections.settings import ProjectorSettings
from copilot_service.settings import PREFIX, ServiceSettings
from copilot_streams.kafka import KafkaSettings
from copilot_streams.relay.settings import RelaySettings
from copilot_streams.scrapers.settings import ScraperSettings
from copilot_streams.worker.settings import WorkerSettings
from copilot_workflows.agents.settings import ModelSettings
from copilot_workflows.knowledge.settings import KnowledgeSettings
from copilot_workflows.settings import (
    ExplainerSettings,
    FollowerSettings,
    TemporalSettings,
    TriggerSettings,
)
from copilot_workflows.worker.settings import AgentsSettings

READERS: Final[Mapping[str, type[BaseSettings]]] = MappingProxyType(
    {
        "copilot run scraper": ScraperSettings,
        "copilot run worker": WorkerSettings,
        "copilot run relay": RelaySettings,
        "copilot run projector": ProjectorSettings,
        "copilot run api": ApiSettings,
        "copilot run explainer": ExplainerSettings,
        "copilot run trigger": TriggerSettings,
        "copilot run agents": AgentsSettings,
        "copilot run all": AllInOneSettings,
        "copilot db, log, views, dead": EventLogSettings,
        "copilot dead redrive": KafkaSettings,
        "copilot status": ClientSettings,
        "copilot kb": KnowledgeSettings,
    }
)
"""Who reads the environment, and with which class. `copilot run all` passes what it got on to the
processes it starts, so it takes their settings, too."""

SHARED: Final = (
    ServiceSettings,
    EventLogSettings,
    KafkaSettings,
    FollowerSettings,
    TemporalSettings,
    ModelSettings,
    KnowledgeSettings,
)

HEAD: Final = """# Settings

Every setting is an environment variable, read once at the start of a process. A wrong or missing
one is named, with what is wrong with it, before anything starts (exit code 2). Which clusters are
watched stands in the file that `COPILOT_CLUSTERS_FILE` names (see [operations](../operations.md)).

`copilot run all` passes its environment on to the processes it starts, so their settings work
there, too. `copilot demo` reads no settings. AWS credentials, for Amazon Managed Prometheus and
Aurora DSQL, come from the usual places of botocore: variables, profile, container or instance role.
No colour is written when `NO_COLOR` is set.
"""


def render() -> str:
    """The page."""
    shared = [_section(cls, cls.__name__, f"Read by {_readers(cls)}.") for cls in SHARED]
    own = [
        _section(cls, code(name), _also(cls)) for name, cls in READERS.items() if cls not in SHARED
    ]
    return "\n".join([HEAD, *shared, *own])


def variables(cls: type[BaseSettings]) -> dict[str, FieldInfo]:
    """Every variable that a settings class reads."""
    return {PREFIX + name.upper(): field for name, field in cls.model_fields.items()}


def _readers(cls: type[BaseSettings]) -> str:
    return ", ".join(code(name) for name, reader in READERS.items() if issubclass(reader, cls))


def _bases(cls: type[BaseSettings]) -> list[type[BaseSettings]]:
    return [base for base in SHARED if base is not cls and issubclass(cls, base)]


def _also(cls: type[BaseSettings]) -> str:
    names = ", ".join(base.__name__ for base in _bases(cls))
    return f"Also reads {names}." if names else ""


def _section(cls: type[BaseSettings], title: str, readers: str) -> str:
    inherited = {name for base in _bases(cls) for name in base.model_fields}
    rows = [
        (code(PREFIX + name.upper()), _default(field), field.description or "")
        for name, field in cls.model_fields.items()
        if name not in inherited
    ]
    told = "\n\n".join(part for part in (prose(cls), readers) if part)
    return f"## {title}\n\n{told}\n\n" + table(("variable", "default", "meaning"), rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value: Any = field.get_default(call_default_factory=False)
    value = value.get_secret_value() if isinstance(value, SecretStr) else value
    if value is None or value == "":
        return "unset"
    return code(value.value if isinstance(value, Enum) else value)
