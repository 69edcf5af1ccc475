"""A row of the parameter registry: what one parameter means and how its value comes about.

Theory of operation. A value is made in layers: the registry's `base`, replaced by the preset's,
then by the modifier's, then (inputs only) by the user's; the `formula` derives the value, `enforce`
lets a guard rail correct it, and an override replaces it last. A Safety parameter takes no
override. `writes` says where the value goes; a parameter that is written nowhere is read by
formulas and guard rails.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import inf

from copilot_core.values import Apply, Scalar
from dsql_config.formulas import Formula
from dsql_config.profile import ParameterClass


class Kind(StrEnum):
    """The type of a parameter's value. Durations are whole numbers of the unit in the name."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    CHOICE = "choice"
    TEXT = "text"


class Text(StrEnum):
    """What a text looks like; the value is a regular expression for the whole of it."""

    NAME = r"[A-Za-z0-9._:/@+-]*"
    HOST_NAME = r"([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)?"


class Form(StrEnum):
    """How a value is spelled where it is written."""

    PLAIN = "plain"
    GO_DURATION = "Go duration"
    """`90s`, from a number of seconds."""
    NOT = "negated"
    """The other side calls the same switch by its opposite."""
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class DynamicKey:
    """A key of the server's dynamic config. With `in_namespace` the entry is constrained to the
    workload's namespace, so that the server's own queues keep their defaults."""

    key: str
    in_namespace: bool = False
    form: Form = Form.PLAIN


@dataclass(frozen=True, slots=True)
class Env:
    """An environment variable of the server or its DSQL plugin. `when` is a formula; the variable
    is written only where it holds."""

    name: str
    form: Form = Form.PLAIN
    when: str | None = None


@dataclass(frozen=True, slots=True)
class GoOption:
    """A field of the Go SDK's `worker.Options`, or a function of package `worker` if `call`."""

    name: str
    form: Form = Form.PLAIN
    call: bool = False


@dataclass(frozen=True, slots=True)
class PythonOption:
    """A keyword argument of `temporalio.worker.Worker`. `wrap` names the class it is put into."""

    name: str
    form: Form = Form.PLAIN
    wrap: str | None = None


Target = DynamicKey | Env | GoOption | PythonOption


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    `minimum` and `maximum` are inclusive and in `unit`; `base` None means that the preset must
    give a value or that the formula needs none. `text` says what a text must look like. `rails` are the ids of the guard rails that read
    it.
    """

    name: str
    parameter_class: ParameterClass
    kind: Kind
    unit: str
    why: str
    base: Scalar | None = None
    formula: str | None = None
    enforce: tuple[str, str] | None = None
    minimum: float = -inf
    maximum: float = inf
    choices: tuple[str, ...] = ()
    text: Text = Text.NAME
    writes: tuple[Target, ...] = ()
    apply: Apply = Apply.RESTART
    rails: tuple[str, ...] = ()

    @cached_property
    def derivation(self) -> Formula | None:
        """The formula, parsed; None for a parameter that is given and not derived."""
        return Formula(self.formula) if self.formula else None

    @cached_property
    def enforcement(self) -> tuple[str, Formula] | None:
        """Id of the guard rail that corrects the value, and its formula over `value`."""
        return (self.enforce[0], Formula(self.enforce[1])) if self.enforce else None

    @property
    def given(self) -> bool:
        """Whether users answer it: SLO or Topology."""
        return self.parameter_class in (ParameterClass.SLO, ParameterClass.TOPOLOGY)
