"""`copilot run`: what each process says when it is not told enough, and which settings it reads."""

from __future__ import annotations

from base64 import b64encode
from decimal import Decimal
from enum import Enum
from typing import Any, get_args

import pytest
from annotated_types import Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import to_json
from pydantic_settings import BaseSettings

from copilot.reference.settings import READERS, variables
from copilot_service import read_settings
from tests.unit.cli.conftest import Copilot

PROCESSES = [
    (("run", "scraper"), "COPILOT_CLUSTERS_FILE"),
    (("run", "worker"), "COPILOT_LOG_DSN"),
    (("run", "relay"), "COPILOT_KAFKA_BOOTSTRAP"),
    (("run", "projector"), "COPILOT_LOG_DSN"),
    (("run", "api"), "COPILOT_LOG_DSN"),
    (("run", "explainer"), "COPILOT_LOG_DSN"),
    (("run", "trigger"), "COPILOT_TEMPORAL_ADDRESS"),
    (("run", "agents"), "COPILOT_TEMPORAL_ADDRESS"),
    (("run", "all"), "COPILOT_CLUSTERS_FILE"),
]

NEEDED = {
    "COPILOT_LOG_DSN": "postgresql://copilot@127.0.0.1/copilot",
    "COPILOT_KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "COPILOT_CLUSTERS_FILE": "clusters.toml",
    "COPILOT_TEMPORAL_ADDRESS": "127.0.0.1:7233",
}

OTHER = {
    "COPILOT_API_HOST": "localhost",
    "COPILOT_LOG_TLS_CA_FILE": __file__,
    "COPILOT_TEMPORAL_TLS_CA_FILE": __file__,
    "COPILOT_TEMPORAL_TLS_CERT_FILE": __file__,
    "COPILOT_TEMPORAL_TLS_KEY_FILE": __file__,
    "COPILOT_TEMPORAL_PAYLOAD_KEYS": "main=" + b64encode(bytes(32)).decode(),
    "COPILOT_KNOWLEDGE_PREFIX": "another-folder/",
    "COPILOT_MODEL_PRICES": '{"ollama:x":{"input":"0","output":"0"}}',
}
"""Values for settings that accept few."""

TOGETHER = {
    "COPILOT_LOG_AUTH": {"COPILOT_LOG_REGION": "eu-central-1", "COPILOT_LOG_TLS": "require"},
    "COPILOT_KAFKA_SECURITY": {"COPILOT_KAFKA_USERNAME": "copilot"},
    "COPILOT_TEMPORAL_TLS_CERT_FILE": {"COPILOT_TEMPORAL_TLS_KEY_FILE": __file__},
    "COPILOT_TEMPORAL_TLS_KEY_FILE": {"COPILOT_TEMPORAL_TLS_CERT_FILE": __file__},
    "COPILOT_KNOWLEDGE_BASE_ID": {
        "COPILOT_KNOWLEDGE_DATA_SOURCE_ID": "source",
        "COPILOT_KNOWLEDGE_BUCKET": "bucket",
        "COPILOT_KNOWLEDGE_REGION": "eu-central-1",
    },
}
"""Variables that a value of another one asks for."""


@pytest.mark.parametrize(("args", "variable"), PROCESSES, ids=lambda v: " ".join(v) if v else v)
def test_a_missing_setting_is_named_before_anything_starts(
    args: tuple[str, ...], variable: str, copilot: Copilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2, and the name of the variable on standard error."""
    for name in NEEDED:
        monkeypatch.delenv(name, raising=False)
    called = copilot(*args)
    assert called.code == 2
    assert variable in called.err


SETTINGS = [
    pytest.param(cls, name, field, id=f"{reader}: {name}")
    for reader, cls in READERS.items()
    for name, field in variables(cls).items()
]


def other_value(name: str, field: FieldInfo) -> str:
    """A valid value of a setting that is not its default."""
    default: Any = None if field.is_required() else field.get_default()
    if name in NEEDED:
        return NEEDED[name].replace("copilot", "other")
    if name in OTHER:
        return OTHER[name]
    if isinstance(default, Enum):
        return next(m.value for m in type(default) if m is not default)
    if isinstance(default, bool):
        return str(not default).lower()
    if isinstance(default, (int, float, Decimal)):
        highest = next((m.le for m in field.metadata if isinstance(m, Le)), None)
        return str(
            type(default)(default + 1 if highest is None or default < highest else default - 1)
        )
    enums = [t for t in get_args(field.annotation) if isinstance(t, type) and issubclass(t, Enum)]
    return next(iter(enums[0])).value if enums else "another-value-of-16+"


@pytest.mark.parametrize(("cls", "name", "field"), SETTINGS)
def test_every_documented_setting_is_read(
    cls: type[BaseSettings], name: str, field: FieldInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value in the environment arrives in the settings of the process that documents it."""
    given = other_value(name, field)
    for variable, value in {**NEEDED, **TOGETHER.get(name, {}), name: given}.items():
        monkeypatch.setenv(variable, value)
    read = getattr(read_settings(cls), name.removeprefix("COPILOT_").lower())
    if isinstance(read, SecretStr):
        read = read.get_secret_value()
    if isinstance(read, dict):
        read = to_json(read).decode()
    assert str(read.value if isinstance(read, Enum) else read).lower() == given.lower()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COPILOT_SERVICE_PORT", "99999"),
        ("COPILOT_LOG_LEVEL", "loud"),
        ("COPILOT_LOG_DSN", "mysql://somewhere"),
        ("COPILOT_VIEWS_ON_POISON", "maybe"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_wrong(
    name: str, value: str, copilot: Copilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2 before anything starts; the line has the variable's name."""
    for variable, given in {**NEEDED, name: value}.items():
        monkeypatch.setenv(variable, given)
    called = copilot("run", "projector")
    assert called.code == 2
    assert name in called.err
