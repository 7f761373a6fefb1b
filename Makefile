# undrift: `make demo` and `make test` do everything on a machine with Python >= 3.11 (venv, pip) and make.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& { echo $$p; break; }; done)
PIP := .venv/bin/python -m pip --disable-pip-version-check --quiet
WORKERS ?= 2

.PHONY: help demo test test-slow check lint format requirements clean

help: ## Show what there is to make.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

demo: .venv/.runtime ## Install what undrift needs and play the whole story on real data.
	.venv/bin/undrift demo

test: .venv/.dev ## Run the whole test-suite but the slow simulations.
	.venv/bin/python -m pytest -m "not slow and not alone" -n $(WORKERS) --dist worksteal
	.venv/bin/python -m pytest -m "alone and not slow" || test $$? -eq 5

test-slow: .venv/.dev ## Run the simulations and the long runs.
	.venv/bin/python -m pytest -m "slow and not alone" -n $(WORKERS) --dist worksteal
	.venv/bin/python -m pytest -m "slow and alone" || test $$? -eq 5

check: lint ## Run every gate: lint, types, layers, house rules.
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m pytest tests/house

lint: .venv/.dev ## Check style and formatting.
	.venv/bin/ruff check
	.venv/bin/ruff format --check

format: .venv/.dev ## Mend style and formatting.
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

requirements: ## Compile the pinned requirements anew (needs uv).
	cd requirements && for which in runtime dev; do uv pip compile --quiet --universal --python-version 3.11 \
	--no-emit-index-url --no-header --no-annotate --upgrade \
	$$([ $$which = dev ] && echo "-c runtime.txt dev.in") ../pyproject.toml -o $$which.txt >/dev/null; done

clean: ## Take away the environment and what tools left.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "undrift needs Python 3.11, 3.12 or 3.13 with venv and pip"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.runtime: requirements/runtime.txt pyproject.toml | .venv/bin/python
	@echo "installing what undrift needs (about 135 MB to download, 580 MB on disk, once)"
	$(PIP) install -r requirements/runtime.txt
	$(PIP) install --no-deps --editable .
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.runtime
	@echo "installing the tools of development"
	$(PIP) install -r requirements/dev.txt
	@touch $@
