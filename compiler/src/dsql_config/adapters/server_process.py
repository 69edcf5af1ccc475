"""What every platform must know of a server process: role, ports, size, and how its image is told.

Theory of operation. The image starts the role that `SERVICES` names and reads its dynamic config
where `DYNAMIC_CONFIG_FILE_PATH` says: so do the templates of Temporal's own images (1.27 to 1.30
from `docker/config_template.yaml`, later ones from the template inside the server, whose `start`
takes the role from `TEMPORAL_SERVICES`). Images of the DSQL deployments link the file
`<folder>/$DEPLOY_ENVIRONMENT.yaml` into place instead; the path and the variables below suit both.
Connections come from the profile's environment; what is here is how a process is started and found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dsql_config.profile import Profile

DYNAMIC_CONFIG_FOLDER: Final = "/etc/temporal/config/dynamicconfig"
DYNAMIC_CONFIG_NAME: Final = "compiled"
DYNAMIC_CONFIG_PATH: Final = f"{DYNAMIC_CONFIG_FOLDER}/{DYNAMIC_CONFIG_NAME}.yaml"
FRONTEND: Final = "temporal-frontend"
"""Host name under which the other processes reach the frontends."""


@dataclass(frozen=True, slots=True)
class Role:
    """One of the server's four services. Ports: Temporal's defaults. `listens` is the port that is
    open once the process serves: the worker service has no gRPC, only membership."""

    name: str
    grpc: int
    membership: int

    @property
    def process(self) -> str:
        """Name of its processes on a platform."""
        return f"temporal-{self.name}"

    @property
    def listens(self) -> int:
        return self.membership if self.name == "worker" else self.grpc

    @property
    def health_command(self) -> str:
        """A shell command that fails until the process serves.

        Servers bind to the container's address and not to localhost.
        """
        return f"nc -z \"$(hostname -i | cut -d ' ' -f 1)\" {self.listens}"

    def replicas(self, profile: Profile) -> int:
        """How many processes of this role run."""
        return int(profile.value(f"{self.name}_replicas"))

    def cpu_units(self, profile: Profile) -> int:
        """Its share of a processor, in 1/1024 core."""
        return int(profile.value(f"platform.{self.name}_cpu_units"))

    def memory_mib(self, profile: Profile) -> int:
        """Its memory, in MiB."""
        per_core = int(profile.value("platform.memory_mib_per_core"))
        return self.cpu_units(profile) * per_core // 1_024

    def variables(self, profile: Profile) -> Mapping[str, str]:
        """Its environment beside the profile's own, as far as the profile decides it."""
        written = {variable.name: variable.value for variable in profile.environment}
        return MappingProxyType({
            "SERVICES": self.name,
            "TEMPORAL_SERVICES": self.name,
            **_SAME_EVERYWHERE,
            **(_OPENSEARCH if uses_opensearch(profile) else {}),
            **({"AWS_REGION": written["REGION"]} if "REGION" in written else {}),
        })  # fmt: skip


ROLES: Final = (
    Role("history", grpc=7234, membership=6934),
    Role("matching", grpc=7235, membership=6935),
    Role("frontend", grpc=7233, membership=6933),
    Role("worker", grpc=7239, membership=6939),
)

METRICS_PORT: Final = 9090

_SAME_EVERYWHERE: Final = MappingProxyType({
    "DYNAMIC_CONFIG_FILE_PATH": DYNAMIC_CONFIG_PATH,
    "DEPLOY_ENVIRONMENT": DYNAMIC_CONFIG_NAME,
    "PUBLIC_FRONTEND_ADDRESS": f"{FRONTEND}:7233",
    "PROMETHEUS_ENDPOINT": f"0.0.0.0:{METRICS_PORT}",
})  # fmt: skip

_OPENSEARCH: Final = MappingProxyType({
    "TEMPORAL_ELASTICSEARCH_SCHEME": "https",
    "TEMPORAL_ELASTICSEARCH_PORT": "443",
    "TEMPORAL_ELASTICSEARCH_VERSION": "v8",
    "TEMPORAL_ELASTICSEARCH_INDEX": "temporal_visibility_v1",
})  # fmt: skip


def image_usage(profile: Profile) -> str:
    """What the image must do, for a person to check."""
    return (
        f"The image `{profile.value('platform.server_image')}` must start the role that `SERVICES` "
        "names and read its dynamic config at `DYNAMIC_CONFIG_FILE_PATH`, as Temporal's own images "
        "do; `platform.server_image` names another."
    )


def uses_opensearch(profile: Profile) -> bool:
    """Whether visibility lives in OpenSearch and not in DSQL."""
    return profile.value("visibility_store") == "opensearch"


@dataclass(frozen=True, slots=True)
class Missing:
    """Something only the place of deployment knows: the variables that take it, and what it is."""

    name: str
    variables: tuple[str, ...]
    what: str


_ENDPOINT: Final = "host name of the DSQL cluster"


def missing(profile: Profile) -> tuple[Missing, ...]:
    """What a platform's files must ask for, because the profile does not hold it."""
    known = {variable.name for variable in profile.environment}
    asked = [
        Missing("CLUSTER_ENDPOINT", ("CLUSTER_ENDPOINT", "TEMPORAL_SQL_HOST"), _ENDPOINT),
        Missing("REGION", ("REGION", "AWS_REGION"), "AWS region of the DSQL cluster"),
    ]
    if uses_opensearch(profile):
        asked.append(
            Missing(
                "OPENSEARCH_ENDPOINT",
                ("TEMPORAL_ELASTICSEARCH_HOST",),
                "host name of the OpenSearch domain",
            )
        )
    return tuple(item for item in asked if item.name not in known)
