"""Which clusters are watched: one TOML file, checked whole, reloaded safely.

    [[cluster]]
    id = "orders"
    interval_s = 30                       # cadence of samples, 30 unless said otherwise
    rules = "orders.rules.toml"           # overlay of the rule pack, beside this file; optional

    [cluster.prometheus]                  # or [cluster.amp], exactly one of them
    url = "http://prometheus:9090"
    scrape_interval_s = 15                # how often it scrapes: sets the window of rates
    instance_label = "instance"           # the label that tells processes of one role apart
    server_dialect = "auto"               # or tally, otel_ms, otel_seconds
    sdk_dialect = "auto"                  # or core_ms, core_ms_suffixed, seconds_suffixed
    headers = { X-Scope-OrgID = "ops" }
    bearer_token_env = "ORDERS_TOKEN"     # name of the variable that holds the token

    [cluster.loki]                        # optional
    url = "http://loki:3100"
    selector = '{cluster="orders"}'
    service_label = "service"

Amazon Managed Prometheus takes `url` (up to the workspace), `region`, and the keys above but the
token: requests are signed with the credentials of the process.

A file with any finding is refused as a whole, with all findings. A reload that is refused leaves
the clusters as they were.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from copilot_core.errors import Rejected
from copilot_core.samples import ClusterId
from copilot_core.signals import DIALECTS, Family

AUTO: Final = "auto"

LabelName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/@?#]+(/[^\s?#]*)?$")]
Headers = dict[
    Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")], Annotated[str, Field(pattern=r"^[ -~]*$")]
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Metrics(_Section):
    """What any metrics backend is told by."""

    url: Url
    scrape_interval_s: Annotated[int, Field(ge=1, le=300)] = 15
    instance_label: LabelName = "instance"
    server_dialect: str = AUTO
    sdk_dialect: str = AUTO
    headers: Headers = {}

    @field_validator("server_dialect", "sdk_dialect")
    @classmethod
    def _known_dialect(cls, value: str, info: object) -> str:
        name = getattr(info, "field_name", "")
        family = Family.SERVER if name == "server_dialect" else Family.SDK
        choices = [AUTO, *(d.id for d in DIALECTS.values() if d.family is family)]
        if value not in choices:
            raise ValueError(f"{value!r} is none of {', '.join(choices)}")
        return value

    @property
    def server(self) -> str | None:
        """The server dialect that is fixed, None for auto."""
        return None if self.server_dialect == AUTO else self.server_dialect

    @property
    def sdk(self) -> str | None:
        """The SDK dialect that is fixed, None for auto."""
        return None if self.sdk_dialect == AUTO else self.sdk_dialect


class PrometheusBackend(_Metrics):
    """A Prometheus, or anything that answers its query API."""

    kind: Literal["prometheus"] = "prometheus"
    bearer_token_env: str | None = None


class AmpBackend(_Metrics):
    """A workspace of Amazon Managed Prometheus."""

    kind: Literal["amp"] = "amp"
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]


class LokiBackend(_Section):
    """A Loki, and which of its streams belong to the cluster."""

    url: Url
    selector: Annotated[str, Field(pattern=r'^\{\s*[A-Za-z_]\w*\s*(=|=~|!=|!~)\s*".*\}$')]
    service_label: LabelName = "service"
    headers: Headers = {}
    bearer_token_env: str | None = None


class Cluster(_Section):
    """One watched cluster."""

    id: ClusterId
    interval_s: Annotated[int, Field(ge=5, le=3600)] = 30
    rules: Path | None = None
    prometheus: PrometheusBackend | None = None
    amp: AmpBackend | None = None
    loki: LokiBackend | None = None

    @model_validator(mode="after")
    def _one_metrics_backend(self) -> Cluster:
        if (self.prometheus is None) == (self.amp is None):
            raise ValueError("exactly one of [cluster.prometheus] and [cluster.amp] is needed")
        return self

    @property
    def metrics(self) -> PrometheusBackend | AmpBackend:
        """The metrics backend, whichever kind it is."""
        backend = self.prometheus or self.amp
        assert backend is not None  # the validator saw to it
        return backend


class _File(_Section):
    cluster: tuple[Cluster, ...]


def load_clusters(path: Path) -> tuple[Cluster, ...]:
    """Read and check the clusters file; paths of rule overlays come back absolute.

    Raises `Rejected` (code `clusters_file`) with every finding.
    """
    try:
        return parse_clusters(path.read_bytes(), path)
    except OSError as e:
        raise _rejected(path, (f"cannot read: {e.strerror}",)) from e


def parse_clusters(content: bytes, path: Path) -> tuple[Cluster, ...]:
    """As `load_clusters`, for content that was read from `path`."""
    try:
        raw = tomllib.loads(content.decode())
        clusters = _File.model_validate(raw).cluster
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise _rejected(path, (f"not TOML: {e}",)) from e
    except ValidationError as e:
        raise _rejected(path, tuple(_findings(e))) from e
    clusters = tuple(
        cluster.model_copy(update={"rules": path.parent.resolve() / cluster.rules})
        if cluster.rules
        else cluster
        for cluster in clusters
    )
    findings = tuple(_whole_file_findings(clusters))
    if findings:
        raise _rejected(path, findings)
    return clusters


def _findings(error: ValidationError) -> Iterator[str]:
    for finding in error.errors(include_url=False):
        where = ".".join(
            f"[{part}]" if isinstance(part, int) else part for part in finding["loc"]
        ).replace(".[", "[")
        yield f"{where}: {finding['msg'].removeprefix('Value error, ')}"


def _whole_file_findings(clusters: tuple[Cluster, ...]) -> Iterator[str]:
    if not clusters:
        yield "no [[cluster]]: nothing to watch"
    seen: set[str] = set()
    for cluster in clusters:
        if cluster.id in seen:
            yield f"cluster {cluster.id!r} stands there twice"
        seen.add(cluster.id)
        if cluster.rules is not None and not cluster.rules.is_file():
            yield f"cluster {cluster.id!r}: no rules file {cluster.rules}"


def _rejected(path: Path, findings: tuple[str, ...]) -> Rejected:
    return Rejected(
        "; ".join(findings),
        where=str(path),
        code="clusters_file",
        findings=findings,
        todo="correct the file; until then the clusters stay as they were",
    )


class ClustersFile:
    """The clusters file while a process runs: `current` is the last valid content."""

    def __init__(self, path: Path) -> None:
        """Load the file; raises `Rejected` as `load_clusters` does."""
        self._path = path
        self._content = self._read()
        self.current = parse_clusters(self._content, path)

    def changed(self) -> bool:
        """Read the file again: True when `current` is new, False when nothing changed.

        Raises `Rejected` when the new content is wrong (once per change) or cannot be read (each
        time); `current` stays.
        """
        content = self._read()
        if content == self._content:
            return False
        self._content = content
        self.current = parse_clusters(content, self._path)
        return True

    def _read(self) -> bytes:
        try:
            return self._path.read_bytes()
        except OSError as e:
            raise _rejected(self._path, (f"cannot read: {e.strerror}",)) from e
