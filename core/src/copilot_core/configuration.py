"""What a configuration changes and what it promises: the parts of `ConfigChanged` that the compiler
makes.

A module of its own, beside `values`, because the compiler needs these and no event: loading every
event took a sixth of a second, which is most of what a command of the compiler takes.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from copilot_core.values import Apply, Model, Scalar


class ConfigChange(Model):
    """One parameter that has another value than before, and what the change means.

    `before` is null where the parameter is new, `after` where it is gone. `unit` is empty for a
    value without one. `apply` says what it takes until the change is in force.
    """

    parameter: str
    before: Scalar | None
    after: Scalar | None
    unit: str
    apply: Apply
    why: str


class TelemetryBound(Model):
    """What a signal is expected to stay within while a configuration is in force.

    `minimum` and `maximum` are in the signal's unit and belong to what is expected; null where that
    side is open. At least one side is closed.
    """

    signal: str
    minimum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    maximum: Annotated[float, Field(allow_inf_nan=False)] | None = None
    unit: str
    why: str

    @model_validator(mode="after")
    def _closed_and_ordered(self) -> Self:
        low, high = self.minimum, self.maximum
        if low is None and high is None:
            raise ValueError(f"{self.signal}: a bound with two open sides expects nothing")
        if low is not None and high is not None and low > high:
            raise ValueError(f"{self.signal}: minimum {low} above maximum {high}")
        return self
