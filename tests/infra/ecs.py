"""What ECS would say to a request body, by botocore's model of its API.

botocore itself sends any text where the API takes one of a few (`networkMode`); those are checked
here with the model's own lists.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, ServiceModel, StringShape, StructureShape
from botocore.session import Session
from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import Shape


def validate_register_task_definition(body: object) -> list[str]:
    """Every reason for which the body is no valid request; empty for a valid one."""
    return _problems(body, "RegisterTaskDefinition")


def validate_create_service(body: object) -> list[str]:
    """Every reason for which the body is no valid request; empty for a valid one."""
    return _problems(body, "CreateService")


def _problems(body: object, operation: str) -> list[str]:
    shape = _ecs().operation_model(operation).input_shape
    report = ParamValidator().validate(body, shape)
    if report.has_errors():
        return report.generate_report().splitlines()
    return list(_outside_enumerations(body, shape, operation))


@functools.cache
def _ecs() -> ServiceModel:
    return Session().get_service_model("ecs")


def _outside_enumerations(value: Any, shape: Shape, where: str) -> Iterator[str]:
    """The texts below `value`, which has the right types, that their shapes do not list."""
    match shape:
        case StructureShape():
            for name, inner in value.items():
                yield from _outside_enumerations(inner, shape.members[name], f"{where}.{name}")
        case ListShape():
            for position, inner in enumerate(value):
                yield from _outside_enumerations(inner, shape.member, f"{where}[{position}]")
        case StringShape() if shape.enum and value not in shape.enum:
            yield f"{where}: {value!r} is none of {', '.join(shape.enum)}"
        case _:
            pass  # numbers, free text and maps of texts have no lists of values
