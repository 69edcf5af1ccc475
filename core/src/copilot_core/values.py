"""Values that events are made of: statuses, text, numbers that JSON keeps apart, the frozen model.

Small and without dependencies of ours, so that whoever needs a value does not load every event.
"""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)


class Status(StrEnum):
    """Is the cluster making forward progress on workflows?"""

    HAPPY = "happy"
    STRESSED = "stressed"
    CRITICAL = "critical"
    UNKNOWN = "unknown"
    """Nothing was ever seen well enough to say; only before the first verdict."""


UNWELL: Final = frozenset({Status.STRESSED, Status.CRITICAL})
"""Statuses in which progress is impaired, in danger or lost."""


class Evidence(StrEnum):
    """How much of what the rules need could be seen; an axis of its own beside the status."""

    FRESH = "fresh"
    PARTIAL = "partial"
    BLIND = "blind"


class Band(StrEnum):
    """Size of a cluster by state transitions per second; every threshold belongs to one band."""

    STARTER = "starter"
    MID = "mid"
    HIGH = "high"


class Apply(StrEnum):
    """What it takes until a changed parameter is in force."""

    LIVE = "live"
    """The running process takes it up by itself."""
    RESTART = "restart"
    """The process reads it when it starts."""
    RECREATE = "recreate"
    """It is fixed for the life of what it belongs to: that has to be made anew."""


def _writable(value: bool | int | float | str) -> bool | int | float | str:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"{value} does not fit into 64 bits")
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{value} is not a number that JSON can write")
    return value


Scalar = Annotated[StrictBool | StrictInt | StrictFloat | StrictStr, AfterValidator(_writable)]
"""A parameter's value. Its type is part of it: 1, 1.0 and true are three values, and each comes
back from its payload as what it was."""

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Text that any database column takes; PostgreSQL knows no NUL."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Model(BaseModel):
    """Frozen, and closed: an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
