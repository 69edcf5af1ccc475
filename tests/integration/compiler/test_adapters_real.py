"""What adapters write, judged by what it is written for.

adapter   judge
go        gofmt, go vet and worker.New of the Go SDK
python    the installed SDK
ecs       botocore's model of the API, a shell, the template inside the Temporal server
compose   the loader of the Compose specification
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import yaml

from dsql_config.adapters.compose import ComposeAdapter
from dsql_config.adapters.conformance import profiles, shared_files
from dsql_config.adapters.ecs import EcsAdapter
from dsql_config.adapters.fargate import SIZES
from dsql_config.adapters.go import GoAdapter
from dsql_config.adapters.protocol import REPLICAS
from dsql_config.adapters.python import PythonAdapter
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import GoOption
from tests.infra.components import TEMPORAL_SERVER_VERSION
from tests.infra.ecs import validate_create_service, validate_register_task_definition
from tests.infra.go_tools import Refused, composed, go_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.infra.go_tools import GoSdk

PROFILES = profiles()
ROLES = tuple(REPLICAS)
PLACE = {"CLUSTER_ENDPOINT": "x.dsql.us-east-1.on.aws", "REGION": "us-east-1",
         "OPENSEARCH_ENDPOINT": "search.example"}  # fmt: skip


def go_source(name: str) -> str:
    return GoAdapter().render(PROFILES[name]).files["worker_options.go"].decode()


def test_go_is_as_gofmt_writes_it(go_sdk: GoSdk, tmp_path: Path) -> None:
    """gofmt finds nothing to change in any configuration's file."""
    for number, name in enumerate(PROFILES):
        (tmp_path / f"p{number}.go").write_text(go_source(name))
    gofmt = go_sdk.go.parent / "gofmt"
    done = subprocess.run(
        [gofmt, "-l", tmp_path], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == ""


_GO_MAIN = """\
package main

import (
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
{imports}
)

func show(c client.Client, set func(), options worker.Options) {{
	set()
	worker.New(c, "queue", options)
	text, err := json.Marshal(map[string]any{{{fields}}})
	if err != nil {{
		panic(err)
	}}
	fmt.Println(string(text))
}}

func main() {{
	c, err := client.NewLazyClient(client.Options{{}})
	if err != nil {{
		panic(err)
	}}
{calls}
}}
"""


def test_the_go_sdk_takes_every_option(go_sdk: GoSdk, tmp_path: Path) -> None:
    """Every file compiles and vets; the SDK makes a worker of its options, which hold the values.

    Durations come back in nanoseconds.
    """
    options = {
        target: parameter.name
        for parameter in PARAMETERS.values()
        for target in parameter.writes
        if isinstance(target, GoOption) and not target.call
    }
    packages = range(len(PROFILES))
    sources = {f"p{n}/worker_options.go": go_source(name) for n, name in enumerate(PROFILES)}
    sources["main.go"] = _GO_MAIN.format(
        imports="\n".join(f'\tp{n} "worker.test/p{n}"' for n in packages),
        fields=", ".join(f'"{target.name}": options.{target.name}' for target in options),
        calls="\n".join(f"\tshow(c, p{n}.SetProcessOptions, p{n}.Options())" for n in packages),
    )
    go_sdk.vet(sources, tmp_path)
    seen = [json.loads(line) for line in go_sdk.run(sources, tmp_path).splitlines()]
    assert len(seen) == len(PROFILES)
    for profile, fields in zip(PROFILES.values(), seen, strict=True):
        for target, name in options.items():
            value = profile.value(name)
            wanted = not value if target.form == "negated" else value
            assert fields[target.name] == (wanted * 10**9 if target.form == "seconds" else wanted)


_RUN_ALL = """
import runpy, sys
for file in sys.argv[1:]:
    runpy.run_path(file, run_name="__main__")
"""


def test_the_python_sdk_takes_every_option(tmp_path: Path) -> None:
    """Each configuration's file, run as a script, constructs its options and the runtime."""
    files = [tmp_path / f"p{number}.py" for number in range(len(PROFILES))]
    for file, profile in zip(files, PROFILES.values(), strict=True):
        file.write_bytes(PythonAdapter().render(profile).files["worker_options.py"])
    command = [sys.executable, "-W", "error", "-c", _RUN_ALL, *map(str, files)]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    said = "10 worker options and the runtime fit the installed SDK"
    assert done.stdout.splitlines() == [said] * len(files), done.stderr
    assert done.returncode == 0


def test_an_sdk_without_an_option_is_told(tmp_path: Path) -> None:
    """The script fails, naming the option, when the SDK's worker does not take it."""
    text = PythonAdapter().render(PROFILES["starter"]).files["worker_options.py"].decode()
    file = tmp_path / "worker_options.py"
    file.write_text(text.replace('"max_cached_workflows"', '"max_cashed_workflows"'))
    done = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "max_cashed_workflows" in done.stderr


@functools.cache
def ecs_files(name: str) -> Mapping[str, Any]:
    profile = PROFILES[name]
    rendered = EcsAdapter().render(profile, shared_files(profile))
    return {path: orjson.loads(content) for path, content in rendered.files.items()}


@pytest.mark.parametrize("name", PROFILES)
def test_ecs_takes_the_task_definitions(name: str) -> None:
    """Each role's body fits the API's model, in a size that Fargate sells."""
    for role in ROLES:
        body = ecs_files(name)[f"ecs/{role}.json"]
        assert validate_register_task_definition(body) == []
        assert (int(body["cpu"]), int(body["memory"])) in SIZES


@pytest.mark.parametrize("name", PROFILES)
def test_ecs_takes_the_services(name: str) -> None:
    """Each role's service fits the API's model and runs as many tasks as the profile says."""
    for role, replicas in REPLICAS.items():
        body = ecs_files(name)[f"ecs/services/{role}.json"]
        assert validate_create_service(body) == []
        assert body["taskDefinition"] == ecs_files(name)[f"ecs/{role}.json"]["family"]
        assert body["desiredCount"] == PROFILES[name].value(replicas)


@pytest.mark.parametrize("role", ROLES)
def test_the_task_writes_the_dynamic_config_where_the_server_reads_it(
    role: str, tmp_path: Path
) -> None:
    """The first container's command, run by a shell, leaves the file byte for byte in the volume.

    The volume is mounted at the same place in the server's container, which waits for the first to
    end well and is told that very path.
    """
    task = ecs_files("namespace that YAML could misread")[f"ecs/{role}.json"]
    writer, server = task["containerDefinitions"]
    (mount,) = writer["mountPoints"]
    assert server["mountPoints"] == [mount]
    assert server["dependsOn"] == [{"containerName": writer["name"], "condition": "SUCCESS"}]
    (command,) = writer["command"]
    path = {v["name"]: v["value"] for v in server["environment"]}["DYNAMIC_CONFIG_FILE_PATH"]
    environment = {v["name"]: v["value"] for v in writer["environment"]}
    here = command.replace(mount["containerPath"], str(tmp_path))
    subprocess.run([*writer["entryPoint"], here], env=environment, check=True, timeout=30)
    written = tmp_path / Path(path).relative_to(mount["containerPath"])
    shared = shared_files(PROFILES["namespace that YAML could misread"])
    assert written.read_bytes() == shared["dynamicconfig.yaml"]


@functools.cache
def template_of_the_server(go: Path) -> str:
    """The template that the server makes its configuration of when it is given no other."""
    module = f"go.temporal.io/server@v{TEMPORAL_SERVER_VERSION}"
    done = subprocess.run(
        [go, "mod", "download", "-json", module],
        env=go_environment(), capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    folder = Path(json.loads(done.stdout)["Dir"])
    return (folder / "common" / "config" / "config_template_embedded.yaml").read_text()


@pytest.mark.parametrize("role", ROLES)
def test_the_server_reads_dynamic_config_where_the_task_puts_it(
    role: str, go_sdk: GoSdk, temporal_server_binary: Path, tmp_path: Path
) -> None:
    """With the container's environment, the real server's own template names the mounted file.

    The template has no DSQL, so it is told of a PostgreSQL; the rest is the container's.
    """
    (tmp_path / "task.yaml").write_text(template_of_the_server(go_sdk.go))
    _, server = ecs_files("endpoint given")[f"ecs/{role}.json"]["containerDefinitions"]
    environment = {v["name"]: v["value"] for v in server["environment"]}
    done = subprocess.run(
        [temporal_server_binary, "--config", tmp_path, "--env", "task", "render-config"],
        env={**environment, "DB": "postgres12", "POSTGRES_SEEDS": "x", "POSTGRES_USER": "x"},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    rendered = yaml.safe_load(done.stdout)
    (mount,) = server["mountPoints"]
    path = rendered["dynamicConfigClient"]["filepath"]
    assert path == environment["DYNAMIC_CONFIG_FILE_PATH"]
    assert path.startswith(f"{mount['containerPath']}/")
    listens = rendered["services"][role]["rpc"]
    ports = {p["containerPort"] for p in server["portMappings"]}
    assert ports == {listens["grpcPort"], listens["membershipPort"], 9090}


@pytest.mark.parametrize("name", PROFILES)
def test_compose_runs_the_roles_as_configured(
    name: str, compose_check: Path, tmp_path: Path
) -> None:
    """Compose takes the file; each role has its replicas, environment and dynamic config."""
    profile = PROFILES[name]
    shared = shared_files(profile)
    for path, content in {**shared, **ComposeAdapter().render(profile, shared).files}.items():
        (tmp_path / path).write_bytes(content)
    project = composed(compose_check, tmp_path / "compose.yaml", environment=PLACE)
    meant = {variable.name: variable.value for variable in profile.environment}
    assert project["configs"]["dynamic-config"]["file"] == str(tmp_path / "dynamicconfig.yaml")
    assert set(project["services"]) == {f"temporal-{role}" for role in ROLES}
    for role, replicas in REPLICAS.items():
        service = project["services"][f"temporal-{role}"]
        environment = service["environment"]
        (config,) = service["configs"]
        assert service["deploy"]["replicas"] == profile.value(replicas)
        assert environment["SERVICES"] == role
        assert {name: environment[name] for name in meant} == meant
        assert config["source"] == "dynamic-config"
        assert config["target"] == environment["DYNAMIC_CONFIG_FILE_PATH"]
        assert environment["CLUSTER_ENDPOINT"] == meant.get(
            "CLUSTER_ENDPOINT", PLACE["CLUSTER_ENDPOINT"]
        )
        assert environment["AWS_REGION"] == environment["REGION"]


@pytest.mark.parametrize("missing", ["CLUSTER_ENDPOINT", "REGION", "OPENSEARCH_ENDPOINT"])
def test_compose_asks_for_what_it_is_not_told(
    missing: str, compose_check: Path, tmp_path: Path
) -> None:
    """A variable that only the place knows is named when it is not there; nothing starts."""
    profile = PROFILES["OpenSearch"]
    shared = shared_files(profile)
    for path, content in {**shared, **ComposeAdapter().render(profile, shared).files}.items():
        (tmp_path / path).write_bytes(content)
    rest = {name: value for name, value in PLACE.items() if name != missing}
    with pytest.raises(Refused, match=missing):
        composed(compose_check, tmp_path / "compose.yaml", environment=rest)
