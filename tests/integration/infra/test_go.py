"""The Go compiler and the Compose loader refuse what is wrong and accept what is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.infra.go_tools import SDK_MODULE, Refused, composed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.go_tools import GoSdk

_OPTIONS = """\
package options

import (
	"time"

	"go.temporal.io/sdk/worker"
)

func Worker() worker.Options {
	return worker.Options{
		MaxConcurrentActivityExecutionSize: 200,
		StickyScheduleToStartTimeout:       10 * time.Second,
	}
}
"""

_MAIN = f"""\
package main

import (
	"fmt"

	"{SDK_MODULE}/options"
)

func main() {{
	o := options.Worker()
	fmt.Println(o.MaxConcurrentActivityExecutionSize, o.StickyScheduleToStartTimeout)
}}
"""

_COMPOSE = """\
services:
  worker:
    image: ${IMAGE:?the image to run}
    env_file: dsql.env
    volumes: ["./dynamicconfig.yaml:/etc/temporal/dynamicconfig.yaml:ro"]
"""


def test_options_that_exist_are_accepted(go_sdk: GoSdk, tmp_path: Path) -> None:
    """Worker options with the SDK's own names and types compile."""
    go_sdk.vet({"options/worker_options.go": _OPTIONS}, tmp_path)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("MaxConcurrentActivityExecutionSize:", "MaxConcurrentActivities:", "unknown field"),
        ("10 * time.Second", '"10s"', "cannot use"),
        ("10 * time.Second", "500m * time.Second", "missing"),
    ],
)
def test_options_that_do_not_exist_are_refused(
    go_sdk: GoSdk, tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    """A field the SDK does not have, a wrong type and a duration that is not Go do not compile."""
    assert right in _OPTIONS
    with pytest.raises(Refused, match=said):
        go_sdk.vet({"options/worker_options.go": _OPTIONS.replace(right, wrong)}, tmp_path)


def test_a_program_prints_what_the_options_hold(go_sdk: GoSdk, tmp_path: Path) -> None:
    """Options can be built by a program that imports them, and read from what it prints."""
    sources = {"options/worker_options.go": _OPTIONS, "main.go": _MAIN}
    assert go_sdk.run(sources, tmp_path) == "200 10s\n"


def test_compose_reads_a_right_file(compose_check: Path, tmp_path: Path) -> None:
    """Variables are filled in, and a file mounted beside the Compose file has its full path."""
    file = tmp_path / "compose.yaml"
    file.write_text(_COMPOSE)
    (tmp_path / "dsql.env").write_text("REGION=eu-west-1\n")
    project = composed(compose_check, file, environment={"IMAGE": "temporal:1.32.1"})
    worker = project["services"]["worker"]
    assert worker["image"] == "temporal:1.32.1"
    assert worker["environment"] == {"REGION": "eu-west-1"}
    assert worker["volumes"][0]["source"] == str(tmp_path / "dynamicconfig.yaml")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("env_file: dsql.env", "env_files: dsql.env", "env_files"),
        ("env_file: dsql.env", "env_file: other.env", "other.env"),
        ("env_file: dsql.env", "replicas: 2", "replicas"),
        ("${IMAGE:?the image to run}", "${MISSPELT}", "MISSPELT"),
        ("${IMAGE:?the image to run}", "${MISSPELT:?the image to run}", "the image to run"),
    ],
)
def test_compose_refuses_a_wrong_file(
    compose_check: Path, tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    """An unknown field, a file that is not there and a variable without a value are refused."""
    assert right in _COMPOSE
    file = tmp_path / "compose.yaml"
    file.write_text(_COMPOSE.replace(right, wrong))
    (tmp_path / "dsql.env").touch()
    with pytest.raises(Refused, match=said):
        composed(compose_check, file, environment={"IMAGE": "temporal:1.32.1"})
