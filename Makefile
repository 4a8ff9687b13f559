# `make` lists the targets. ./start and ./test are the two that matter; the rest is for people who change the code.
.DEFAULT_GOAL := help
.PHONY: help check format lint web api-types types imports deps test test-pg bench chaos demo lock wheel

BIN := .venv/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-header

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.made-from:
	@./test --version

check: .venv/.made-from ## every gate but the tests: format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.made-from ## lay out the code and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: .venv/.made-from ## ruff, dead code
	$(BIN)/ruff check .
	$(BIN)/vulture

types: .venv/.made-from ## mypy --strict
	$(BIN)/mypy

imports: .venv/.made-from ## the layers of the architecture
	$(BIN)/lint-imports

web: .venv/.made-from ## the web page: types, lint, its unit tests, size; builds it when it is out of date
	./test --web

api-types: .venv/.made-from ## write web/src/api/schema.d.ts again after the API has changed
	@sh -c 'root=$$PWD; . requirements/environment.sh; . requirements/web.sh; ensure_modules && write_api_types src/api/schema.d.ts'

deps: .venv/.made-from ## dependencies declared but unused, used but undeclared
	$(BIN)/deptry src

test: ## everything, as continuous integration runs it
	./test

test-pg: ## only the tests that need PostgreSQL
	./test -n 2 -m postgresql

bench: .venv/.made-from ## measure; results in bench/results
	$(BIN)/python bench/run.py

chaos: .venv/.made-from ## hurt real servers for hours and count (CHAOS_MINUTES=10 for each experiment)
	$(BIN)/python -m tests.chaos --minutes $${CHAOS_MINUTES:-10} $(EXPERIMENTS)

demo: ## the server with real data and example jobs
	./start --demo

lock: .venv/.made-from ## resolve pyproject.toml again into the hashed lock files (UPGRADE=--upgrade for newer versions)
	$(LOCK) $(UPGRADE) pyproject.toml --group build -o requirements/runtime.lock
	$(LOCK) $(UPGRADE) pyproject.toml --group build --group dev -c requirements/runtime.lock -o requirements/dev.lock
	$(LOCK) $(UPGRADE) --group bench -o requirements/bench.lock
	$(LOCK) $(UPGRADE) --group bootstrap -o requirements/bootstrap.lock
	$(LOCK) $(UPGRADE) --group node -o requirements/node.lock

wheel: .venv/.made-from ## build the distribution, web page included, into dist/
	@sh -c 'root=$$PWD; . requirements/environment.sh; . requirements/web.sh; ensure_page'
	$(BIN)/uv build --no-build-isolation --wheel --python $(BIN)/python
