"""`ecs/*.json`: a RegisterTaskDefinition body for each role, and `ecs/services/*.json` to run it.

Theory of operation. A task is one server process on Fargate and, before it, a container that writes
the dynamic config into a volume of the task: the server starts when that one ended well, and finds
the file where its environment says. The text of the file is in the task definition, so a new
dynamic config is a new revision, rolled out like any other change and rolled back the same way.

Only the account knows roles, cluster and subnets. They are no part of the bodies, because the
command line adds them (`usage`); values that only the place knows come from SSM parameters.

A service replaces half of its tasks at a time and never runs more than it should: the connection
limits were shared out among exactly that many processes, and half of them carry the load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from copilot_core.errors import Rejected
from dsql_config.adapters.fargate import smallest
from dsql_config.adapters.protocol import (
    DYNAMIC_CONFIG_FILE,
    PlatformAdapter,
    Rendered,
    expected_of_platform,
)
from dsql_config.adapters.server_process import (
    DYNAMIC_CONFIG_FOLDER,
    DYNAMIC_CONFIG_PATH,
    METRICS_PORT,
    ROLES,
    Role,
    image_usage,
    missing,
)
from dsql_config.profile import Profile

TASK_DEFINITION_LIMIT_BYTES: Final = 64 * 1_024
"""Largest task definition that ECS registers (Amazon ECS service quotas)."""

_VOLUME: Final = "dynamic-config"
_WRITER: Final = "write-dynamic-config"
# The folder stays open to the image's own user: images of the DSQL deployments put a link there.
_WRITE: Final = (
    f'printf "%s" "$DYNAMIC_CONFIG" > {DYNAMIC_CONFIG_PATH} && chmod 0777 {DYNAMIC_CONFIG_FOLDER}'
)
_LOG_GROUP: Final = "/ecs/temporal"


@dataclass(frozen=True, slots=True)
class EcsAdapter:
    """Task definitions and services for Amazon ECS on Fargate."""

    name: str = "ecs"

    def render(self, profile: Profile, shared: Mapping[str, bytes]) -> Rendered:
        """Two files per role.

        Raises `Rejected` for a process larger than Fargate's largest task, and for a task
        definition above ECS's limit.
        """
        dynamic_config = shared[DYNAMIC_CONFIG_FILE].decode()
        files: dict[str, bytes] = {}
        for role in ROLES:
            body = _json(_task_definition(role, profile, dynamic_config))
            if len(body) > TASK_DEFINITION_LIMIT_BYTES:
                raise Rejected(
                    f"the task definition has {len(body):,} bytes, ECS takes 65,536",
                    where=f"ecs/{role.name}.json",
                    todo="give fewer values, or run the server with another platform",
                    code="task-definition-too-large",
                )
            files[f"ecs/{role.name}.json"] = body
            files[f"ecs/services/{role.name}.json"] = _json(_service(role, profile))
        return Rendered(files=files, written=expected_of_platform(profile), usage=_usage(profile))


def _task_definition(role: Role, profile: Profile, dynamic_config: str) -> dict[str, Any]:
    size = smallest(
        cpu_units=role.cpu_units(profile),
        memory_mib=role.memory_mib(profile),
        where=f"platform.{role.name}_cpu_units",
    )
    return {
        "family": role.process,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": str(size.cpu_units),
        "memory": str(size.memory_mib),
        "volumes": [{"name": _VOLUME}],
        "containerDefinitions": [
            _writer(role, profile, dynamic_config),
            _server(role, profile),
        ],
    }


def _writer(role: Role, profile: Profile, dynamic_config: str) -> dict[str, Any]:
    return {
        "name": _WRITER,
        "image": profile.value("platform.server_image"),
        "essential": False,
        "user": "0",  # a fresh volume belongs to root
        "entryPoint": ["/bin/sh", "-ec"],
        "command": [_WRITE],
        "environment": _pairs({"DYNAMIC_CONFIG": dynamic_config}),
        "mountPoints": [_mount()],
        **_logs(role, profile),
    }


def _server(role: Role, profile: Profile) -> dict[str, Any]:
    environment = {variable.name: variable.value for variable in profile.environment}
    ports = (("grpc", role.grpc), ("membership", role.membership), ("metrics", METRICS_PORT))
    return {
        "name": role.process,
        "image": profile.value("platform.server_image"),
        "essential": True,
        "dependsOn": [{"containerName": _WRITER, "condition": "SUCCESS"}],
        "environment": _pairs({**role.variables(profile), **environment}),
        "secrets": [
            {"name": variable, "valueFrom": _parameter(item.name)}
            for item in missing(profile)
            for variable in item.variables
        ],
        "mountPoints": [_mount()],
        # No appProtocol: as gRPC, Service Connect would cut a long poll after 15 seconds.
        "portMappings": [
            {"name": name, "containerPort": port, "protocol": "tcp"} for name, port in ports
        ],
        "healthCheck": {
            "command": ["CMD-SHELL", role.health_command],
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 120,  # a reservoir fills before the server listens
        },
        "stopTimeout": 60,
        **_logs(role, profile),
    }


def _service(role: Role, profile: Profile) -> dict[str, Any]:
    """A CreateService body. One task alone cannot be half replaced: it stops before the next."""
    count = role.replicas(profile)
    return {
        "serviceName": role.process,
        "taskDefinition": role.process,
        "desiredCount": count,
        "launchType": "FARGATE",
        "availabilityZoneRebalancing": "DISABLED",  # it would run more tasks for a while
        "deploymentConfiguration": {
            "maximumPercent": 100,
            "minimumHealthyPercent": 50 if count > 1 else 0,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
        "serviceConnectConfiguration": _service_connect(role),
    }


def _service_connect(role: Role) -> dict[str, Any]:
    """Frontends are found by name, the rest of the servers find each other through the database."""
    if role.name != "frontend":
        return {"enabled": True}
    alias = {"port": role.grpc, "dnsName": role.process}
    return {
        "enabled": True,
        "services": [
            {"portName": "grpc", "discoveryName": role.process, "clientAliases": [alias]},
        ],
    }


def _logs(role: Role, profile: Profile) -> dict[str, Any]:
    """Logs in CloudWatch, as far as the region is known: Fargate's log driver must be told it."""
    region = next((v.value for v in profile.environment if v.name == "REGION"), None)
    if region is None:
        return {}
    options = {
        "awslogs-group": _LOG_GROUP,
        "awslogs-region": region,
        "awslogs-stream-prefix": role.name,
        "awslogs-create-group": "true",
    }
    return {"logConfiguration": {"logDriver": "awslogs", "options": options}}


def _mount() -> dict[str, str | bool]:
    return {"sourceVolume": _VOLUME, "containerPath": DYNAMIC_CONFIG_FOLDER}


def _pairs(variables: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in sorted(variables.items())]


def _parameter(name: str) -> str:
    """The SSM parameter of the task's own region that holds a value."""
    return f"/temporal-dsql/{name}"


def _usage(profile: Profile) -> tuple[str, ...]:
    parameters = tuple(
        f"Store the {item.what} in the SSM parameter `{_parameter(item.name)}`."
        for item in missing(profile)
    )
    return (
        image_usage(profile),
        *parameters,
        "Register each task: `aws ecs register-task-definition --cli-input-json "
        "file://ecs/history.json --execution-role-arn … --task-role-arn …`. The execution role "
        "pulls the image, reads the SSM parameters and writes logs; the task role may connect to "
        "DSQL (`dsql:DbConnectAdmin`) and use the DynamoDB tables named in `dsql.env`. For an ARM "
        "image add `--runtime-platform cpuArchitecture=ARM64`.",
        "Start each service, history first, in a cluster with a Service Connect namespace: `aws "
        "ecs create-service --cluster … --cli-input-json file://ecs/services/history.json "
        "--network-configuration …`. Security groups must let the servers reach each other on "
        "their gRPC and membership ports.",
    )


def _json(body: Mapping[str, Any]) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


ADAPTER: Final[PlatformAdapter] = EcsAdapter()
