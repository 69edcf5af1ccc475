"""Everything in an output folder: the files of every configuration, and those of chosen adapters.

Theory of operation. Four files are always there: what the server reads (`dynamicconfig.yaml`,
`dsql.env`), the profile itself (`profile.json`) and its explanation (`why.md`). Adapters add
theirs. What an adapter says of its files (how they are used, what they leave out and why) becomes
the end of `why.md`, so that nothing is dropped without a word.

The rendering of a foreign adapter is a boundary: whatever fails inside becomes a `Defect` that
names it, and a path outside of the folder or that of another file is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final, TypeVar

from copilot_core.errors import CopilotError, Defect, Rejected
from dsql_config import dynamic_config_file, environment_file
from dsql_config.adapters.discovery import (
    platform_adapter,
    platform_names,
    sdk_adapter,
    sdk_names,
)
from dsql_config.adapters.protocol import (
    DYNAMIC_CONFIG_FILE,
    ENVIRONMENT_FILE,
    PlatformAdapter,
    Rendered,
    SDKAdapter,
)
from dsql_config.markdown import bullets, code, section
from dsql_config.profile import Profile
from dsql_config.why import why

Adapter = TypeVar("Adapter", SDKAdapter, PlatformAdapter)

PROFILE_FILE: Final = "profile.json"
WHY_FILE: Final = "why.md"


def render(
    profile: Profile, *, sdks: Sequence[str] = (), platforms: Sequence[str] = ()
) -> Mapping[str, bytes]:
    """Path below the output folder to bytes, for every file of it, sorted by path.

    `sdks` and `platforms` choose adapters by name; none chosen means every one that is installed.
    Raises `Rejected` for an unknown name or for values that an adapter cannot express, `Defect`
    for a broken adapter.
    """
    shared = {
        DYNAMIC_CONFIG_FILE: dynamic_config_file.render(profile),
        ENVIRONMENT_FILE: environment_file.render(profile),
    }
    unknown: list[Rejected] = []
    chosen_sdks = _chosen(sdk_adapter, sdks or sdk_names(), unknown)
    chosen_platforms = _chosen(platform_adapter, platforms or platform_names(), unknown)
    if unknown:
        first, findings = unknown[0], tuple(str(problem) for problem in unknown)
        raise Rejected(first.what, todo=first.todo, code=first.code, findings=findings)
    rendered = [
        *((sdk.name, _guarded(sdk.name, partial(sdk.render, profile))) for sdk in chosen_sdks),
        *((p.name, _guarded(p.name, partial(p.render, profile, shared))) for p in chosen_platforms),
    ]
    files = {PROFILE_FILE: profile.to_json(), **shared}
    for name, made in rendered:
        _add(files, name, made)
    files[WHY_FILE] = f"{why(profile)}\n{_files_section(rendered)}".encode()
    return dict(sorted(files.items()))


def is_safe(path: str) -> bool:
    """Whether a path stays below its folder, and means the same on every system."""
    posix, windows = PurePosixPath(path), PureWindowsPath(path)
    return (
        path == str(posix)
        and path.isprintable()
        and posix.parts == windows.parts != ()
        and not windows.anchor
        and ".." not in posix.parts
    )


def _chosen(
    load: Callable[[str], Adapter], names: Iterable[str], unknown: list[Rejected]
) -> list[Adapter]:
    """Adapters by name, each once; names that there are not are added to `unknown`."""
    adapters = []
    for name in dict.fromkeys(names):
        try:
            adapters.append(load(name))
        except Rejected as e:
            unknown.append(e)
    return adapters


def _guarded(name: str, render_one: Callable[[], Rendered]) -> Rendered:
    try:
        return render_one()
    except CopilotError:
        raise
    except Exception as e:
        raise Defect(
            f"adapter {name!r} failed: {type(e).__name__}: {e}",
            where=name,
            todo="tell its authors, or choose another adapter",
        ) from e


def _add(files: dict[str, bytes], name: str, made: Rendered) -> None:
    for path, content in made.files.items():
        if not is_safe(path):
            what = f"adapter {name!r} writes {path!r}, which is no path below the output folder"
        elif path == WHY_FILE or any(_in_the_way(path, other) for other in files):
            what = f"adapter {name!r} writes {path}, where the folder holds something else already"
        else:
            files[path] = content
            continue
        raise Defect(what, where=name, todo="tell its authors, or choose another adapter")


def _in_the_way(path: str, other: str) -> bool:
    """Whether two files cannot both be: one path, or one inside of the other."""
    return path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/")


def _files_section(rendered: Iterable[tuple[str, Rendered]]) -> str:
    """What adapters made, how it is used, and what it leaves out."""
    parts = []
    for name, made in rendered:
        left_out = (f"{code(p)} is left out: {reason}" for p, reason in made.left_out.items())
        paths = ", ".join(code(path) for path in sorted(made.files))
        parts.append(f"**{name}**: {paths}.\n\n{bullets((*made.usage, *left_out))}")
    return section("How to use the files", "\n".join(parts))
