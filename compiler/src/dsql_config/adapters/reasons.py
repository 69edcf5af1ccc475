"""Why a value is what it is, in the comments of generated source.

Where a step stands (file and line, the user's own paths) is left to `why.md`: generated files are
copied into other repositories, where such places mean nothing.
"""

from __future__ import annotations

import textwrap

from dsql_config.formulas import show
from dsql_config.parameters import PARAMETERS
from dsql_config.profile import Layer, Profile, Resolved


def reason(profile: Profile, name: str, *, width: int) -> list[str]:
    """The meaning of a parameter, then its name and how its value came about, wrapped."""
    resolved = next(p for p in profile.parameters if p.name == name)
    return [
        *textwrap.wrap(PARAMETERS[name].why, width),
        *textwrap.wrap(f"{name} = {_origin(profile, resolved)}", width, break_on_hyphens=False),
    ]


def _origin(profile: Profile, resolved: Resolved) -> str:
    """The last step of a value: its formula with the numbers, or who gave it."""
    value, step = show(resolved.value), resolved.steps[-1]
    if step.worked:
        return f"{step.formula if step.worked == value else step.worked} = {value}"
    givers = {
        Layer.PRESET: f", from the preset {profile.preset}",
        Layer.MODIFIER: f", from the modifier {profile.modifier}",
        Layer.INPUT: ", as it was given",
        Layer.OVERRIDE: ", as it was given",
    }
    return f"{value}{givers.get(step.layer, '')}"
