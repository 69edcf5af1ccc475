# Called through ./dev, which puts the environment on PATH.

set positional-arguments

# List the recipes.
default:
    @just --list

# Play a recorded incident through the whole line (options: see `copilot demo --help`).
demo *ARGS:
    @copilot demo "$@"

# About a minute: format, lint, types, imports, SQL, unit tests, quick laws, docs.
check: static
    HYPOTHESIS_PROFILE=fast pytest -q -n auto -m "not infra and not slow" tests/unit tests/property tests/docs

# Everything, with real Kafka, PostgreSQL and Prometheus (brought first where they are missing).
test: static setup
    HYPOTHESIS_PROFILE=fast pytest -n auto --dist worksteal --ignore=tests/property
    HYPOTHESIS_PROFILE=standard pytest -q -n auto --dist worksteal tests/property

# The laws with 10,000 examples each: about a quarter of an hour on two cores.
laws:
    HYPOTHESIS_PROFILE=long pytest -q -n auto --dist worksteal tests/property

# Compare with other programs, in the same run on this machine (names and --json: see docs).
bench *ARGS: setup
    @python -m bench "$@"

# Run any command in the environment.
run +CMD:
    @"$@"

# Bring the real components that the tests need.
setup:
    @python -m tests.infra.setup

# Put the code into the house format.
format:
    ruff format
    ruff check --fix

[private]
static:
    ruff format --check
    ruff check
    ty check
    lint-imports
    find eventlog projections -path '*/src/*' -name '*.sql' -exec dsql-lint {} +
