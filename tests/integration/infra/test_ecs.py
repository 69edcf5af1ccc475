"""botocore's model of ECS tells right request bodies from wrong ones."""

from __future__ import annotations

import pytest

from tests.infra.ecs import validate_create_service, validate_register_task_definition


def _body(**container: object) -> dict[str, object]:
    return {
        "family": "temporal-history",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "2048",
        "memory": "4096",
        "containerDefinitions": [{"name": "history", "image": "temporal:1.32.1", **container}],
    }


def test_a_right_body_has_no_problem() -> None:
    """A body with environment, secrets and a log driver of the API is valid."""
    body = _body(
        environment=[{"name": "TEMPORAL_HISTORY_SHARDS", "value": "512"}],
        logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": "temporal"}},
    )
    assert validate_register_task_definition(body) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (_body(environment={"A": "1"}), "environment"),
        (_body(environment=[{"name": "A", "value": 1}]), "environment[0].value"),
        (_body(enviroment=[]), '"enviroment"'),
        (_body(logConfiguration={"logDriver": "aws"}), "logConfiguration.logDriver: 'aws'"),
        ({**_body(), "networkMode": "vpc"}, "networkMode: 'vpc'"),
        ({**_body(), "requiresCompatibilities": ["EKS"]}, "requiresCompatibilities[0]: 'EKS'"),
        ({"containerDefinitions": []}, '"family"'),
    ],
)
def test_a_wrong_body_is_told(body: dict[str, object], said: str) -> None:
    """Wrong types, unknown names, missing names and texts outside the API's lists are problems."""
    (problem,) = validate_register_task_definition(body)
    assert said in problem


def test_services_are_judged_too() -> None:
    """CreateService has a model of its own: its launch types are not those of a task."""
    body = {"serviceName": "history", "taskDefinition": "temporal-history", "launchType": "FARGATE"}
    assert validate_create_service(body) == []
    (problem,) = validate_create_service({**body, "launchType": "LAMBDA"})
    assert "launchType: 'LAMBDA'" in problem
