# Every chore of this repository; `make` alone lists them.
# Needs Python 3.11 or newer, make and pip: house/uv fetches the rest into .venv and .tools.

.DEFAULT_GOAL := help
.PHONY: help demo test check bench simulate torture format reference lock clean
MAKEFLAGS += --no-print-directory

UV := sh house/uv
BIN := .venv/bin
SYNC := UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --frozen --quiet --all-extras --all-groups
# The demo has an environment of its own: a newcomer fetches what the demo needs and nothing else.
DEMO := .tools/demo
SYNC_DEMO := UV_PROJECT_ENVIRONMENT=$(DEMO) $(UV) sync --frozen --quiet --no-dev --extra server

help: ## list the chores
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: ## tell the story of a payment, then serve until Ctrl-C (CHECK=1: stop after the story; ARGS="--help")
	@$(SYNC_DEMO)
	@$(DEMO)/bin/dojang demo $(if $(CHECK),--check) $(ARGS)

test: ## run every test (ARGS="-k verify" passes words to pytest)
	@$(SYNC)
	$(BIN)/pytest -n auto --dist loadgroup $(ARGS)

check: ## format, lint, types, layers, docstrings, lock file
	@$(SYNC)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy src $(wildcard tests/typing)
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/house/test_docstrings.py
	$(UV) lock --check

bench: ## measure against the official SDK and write docs/benchmarks.md
	@$(SYNC)
	$(BIN)/python -m bench

simulate: ## every schedule of the small races, then 100,000 seeded worlds (ARGS="--seed 7 --runs 1000000")
	@$(SYNC)
	$(BIN)/dojang simulate --schedules
	$(BIN)/dojang simulate --runs 100000 $(ARGS)

torture: ## kill the real server hundreds of times and compare three ledgers (ARGS="--kills 50 --store sqlite")
	@$(SYNC)
	$(BIN)/python -m torture $(ARGS)

format: ## put the code into its usual form
	@$(SYNC)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

reference: ## write docs/settings.md (and .ko.md), docs/commands.md and the example in docs/reliability.md from the code
	@$(SYNC)
	$(BIN)/python house/reference.py
	$(BIN)/python -m dojang.testing.simulation.example docs/reliability.md

lock: ## bring uv.lock in line with pyproject.toml
	$(UV) lock

clean: ## remove everything the chores made, environments included
	rm -rf .venv .tools dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
