"""`compose.yaml`: the four roles as Compose services, for one machine.

Theory of operation. The file refers to the two files beside it: `dsql.env` is the environment of
every process, `dynamicconfig.yaml` a Compose config that is mounted where the server's environment
says. Processes of one role share no host port: only frontends are published, each on a port of a
range. What the profile does not hold is asked for by Compose's own interpolation, which names it
and stops. AWS credentials are taken from the shell that starts it, or from the machine's role.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dsql_config.adapters.protocol import (
    DYNAMIC_CONFIG_FILE,
    ENVIRONMENT_FILE,
    PlatformAdapter,
    Rendered,
    expected_of_platform,
)
from dsql_config.adapters.server_process import (
    DYNAMIC_CONFIG_PATH,
    ROLES,
    Role,
    image_usage,
    missing,
)
from dsql_config.profile import Profile
from dsql_config.stamp import stamp

FILE: Final = "compose.yaml"
_CREDENTIALS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_OWN: Final = ("SERVICES", "TEMPORAL_SERVICES")
"""The variables that tell one role from another."""

_SERVER: Final = """\
name: temporal

x-server: &server
  image: {image}
  restart: unless-stopped
  init: true
  stop_grace_period: 60s
  env_file: {environment_file}
  configs:
    - source: dynamic-config
      target: {dynamic_config_path}

x-environment: &environment
{environment}

services:
"""
_SERVICE: Final = """\
  {process}:
    <<: *server
    environment:
      <<: *environment
{own}
    deploy:
      replicas: {replicas}
      resources:
        limits:
          cpus: "{cpus}"
          memory: {memory_mib}M
{ports}\
    healthcheck:
      test: ["CMD-SHELL", {health}]
      interval: 10s
      timeout: 5s
      retries: 3
      start_period: 120s # a reservoir fills before the server listens
"""
_CONFIGS: Final = """\
configs:
  dynamic-config:
    file: ./{dynamic_config_file}
"""


@dataclass(frozen=True, slots=True)
class ComposeAdapter:
    """A Compose file for one machine."""

    name: str = "compose"

    def render(self, profile: Profile, shared: Mapping[str, bytes]) -> Rendered:
        """One file; it refers to the shared files by name and holds nothing of them."""
        head = _SERVER.format(
            image=json.dumps(profile.value("platform.server_image")),
            environment_file=ENVIRONMENT_FILE,
            dynamic_config_path=DYNAMIC_CONFIG_PATH,
            environment="\n".join(f"  {line}" for line in _environment(profile)),
        )
        services = "\n".join(_service(role, profile) for role in ROLES)
        configs = _CONFIGS.format(dynamic_config_file=DYNAMIC_CONFIG_FILE)
        text = "\n".join(("\n".join((*stamp(profile), "")), head + services, configs))
        return Rendered(
            files={FILE: text.encode()},
            written=expected_of_platform(profile),
            usage=_usage(profile),
        )


def _environment(profile: Profile) -> Iterator[str]:
    """What all roles have in common beside `dsql.env`, as lines of a YAML map."""
    variables = ROLES[0].variables(profile)
    for name in sorted(variables.keys() - set(_OWN)):
        yield f"{name}: {json.dumps(variables[name])}"
    for item in missing(profile):
        for name in item.variables:
            yield f"{name}: ${{{item.name}:?{item.what}}}"
    for name in _CREDENTIALS:
        yield f"{name}: # from the shell, when it is set there"


def _service(role: Role, profile: Profile) -> str:
    variables = role.variables(profile)
    return _SERVICE.format(
        process=role.process,
        own="\n".join(f"      {name}: {variables[name]}" for name in _OWN),
        replicas=role.replicas(profile),
        cpus=f"{role.cpu_units(profile) / 1_024:g}",
        memory_mib=role.memory_mib(profile),
        ports=_ports(role, profile),
        health=json.dumps(role.health_command.replace("$", "$$")),
    )


def _ports(role: Role, profile: Profile) -> str:
    """Frontends on ports of this machine from 7233 on, one each; the other roles on none."""
    if role.name != "frontend":
        return ""
    last = role.grpc + role.replicas(profile) - 1
    published = str(role.grpc) if last == role.grpc else f"{role.grpc}-{last}"
    return f'    ports: ["127.0.0.1:{published}:{role.grpc}"]\n'


def _usage(profile: Profile) -> tuple[str, ...]:
    asked = "".join(f"{item.name}=… " for item in missing(profile))
    return (
        image_usage(profile),
        f"Start the servers in this folder: `{asked}docker compose up -d`, with AWS credentials in "
        "the environment.",
        "After writing the folder anew: `docker compose up -d --force-recreate`, because a "
        "container keeps the dynamic config that it was started with.",
    )


ADAPTER: Final[PlatformAdapter] = ComposeAdapter()
