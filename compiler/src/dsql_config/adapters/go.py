"""`worker_options.go`: a package for the Go SDK's workers (`go.temporal.io/sdk` 1.48 and later).

Theory of operation. The registry says which field of `worker.Options`, or which function of package
`worker`, takes a parameter. Fields become one composite literal, functions a second function, since
what they set holds for the whole process. The SDK reads 0 in a field as "my default": a 0 that was
asked for cannot be written there and is left out with that reason. No field is written that
excludes another (`Tuner` excludes sizes, a `PollerBehavior` excludes poller counts).

The layout is gofmt's: tabs, and no alignment to keep, because a comment stands between any two
fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from copilot_core.values import Scalar
from dsql_config.adapters.protocol import Rendered, SDKAdapter
from dsql_config.adapters.reasons import reason
from dsql_config.entries import spelled
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import Form, GoOption, Parameter
from dsql_config.profile import Profile
from dsql_config.stamp import stamp

FILE: Final = "worker_options.go"
PACKAGE: Final = "workeroptions"
_COMMENT_WIDTH: Final = 90

_HEAD: Final = """\
// Package {package} holds the options of this configuration's workers.
//
{stamp}
package {package}

{imports}

// Options returns what each worker is made with, as in worker.New(client, taskQueue, Options()).
func Options() worker.Options {{
\treturn worker.Options{{
"""
_IMPORT: Final = 'import "go.temporal.io/sdk/worker"'
_IMPORT_WITH_TIME: Final = 'import (\n\t"time"\n\n\t"go.temporal.io/sdk/worker"\n)'
_BETWEEN: Final = """\
\t}
}

// SetProcessOptions sets what all workers of a process share; call it before the first one is made.
func SetProcessOptions() {
"""
_USAGE: Final = (
    f"Put `{FILE}` into a folder `{PACKAGE}` of your Go module, call "
    f"`{PACKAGE}.SetProcessOptions()` at the start and make each worker with "
    f"`worker.New(client, taskQueue, {PACKAGE}.Options())`.",
)


@dataclass(frozen=True, slots=True)
class GoAdapter:
    """Worker options for the Go SDK."""

    name: str = "go"

    def render(self, profile: Profile) -> Rendered:
        """One complete Go file."""
        options = {p.name: (p, target) for p, target in _options()}
        left_out = {
            name: f"the Go SDK reads 0 in {target.name} as its own default"
            for name, (_, target) in options.items()
            if not target.call and _is_zero(profile.value(name))
        }
        fields, calls = [], []
        for name, (_, target) in options.items():
            if name in left_out:
                continue
            lines = [f"// {line}" for line in reason(profile, name, width=_COMMENT_WIDTH)]
            value = _literal(spelled(profile.value(name), target.form), target.form)
            if target.call:
                calls += [f"\t{line}" for line in (*lines, f"worker.{target.name}({value})")]
            else:
                fields += [f"\t\t{line}" for line in (*lines, f"{target.name}: {value},")]
        body = "\n".join((*fields, _BETWEEN.rstrip("\n"), *calls, "}", ""))
        head = _HEAD.format(
            package=PACKAGE,
            stamp="\n".join(f"//{line.removeprefix('#')}" for line in stamp(profile)),
            imports=_IMPORT_WITH_TIME if "time." in body else _IMPORT,
        )
        return Rendered(
            files={FILE: (head + body).encode()},
            written=frozenset(options) - left_out.keys(),
            left_out=left_out,
            usage=_USAGE,
        )


def _options() -> Iterator[tuple[Parameter, GoOption]]:
    """Every parameter that the Go SDK takes, with where."""
    for parameter in PARAMETERS.values():
        for target in parameter.writes:
            if isinstance(target, GoOption):
                yield parameter, target


def _is_zero(value: Scalar) -> bool:
    """A number 0, which Go's zero value hides; False is what it says."""
    return not isinstance(value, bool | str) and value == 0


def _literal(value: Scalar, form: Form) -> str:
    """A value in Go: whole seconds as a `time.Duration`, switches as `true` and `false`."""
    if form is Form.SECONDS:
        return f"{value} * time.Second"
    return str(value).lower() if isinstance(value, bool) else str(value)


ADAPTER: Final[SDKAdapter] = GoAdapter()
