# `make` alone lists the commands. Everything is installed into .venv, nothing outside this tree.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# For instance `make test PYTEST_ARGS="-x tests/darts_tf"`.
PYTEST_ARGS ?= -n 2 --dist loadfile --no-loadscope-reorder
# Spaces, runs, pages, settings, criteria, flags: the rooms without TensorFlow.
QUICK_TESTS := $(addprefix tests/,darts_tf/spaces darts_tf/runs darts_tf/searching/criteria darts_tf/report/pictures \
	darts_tf/test_config.py darts_tf/test_errors.py darts_tf/test_init.py darts_tf/test_registry.py \
	darts_tf/tuning/test_config.py darts_tf/command_line/test_parsing.py test_build.py test_oracles.py)
BAZEL ?= bazel
BUILDIFIER ?= npx --yes --loglevel=error --package=@bazel/buildifier@8.2.1 buildifier

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo check test long lint fix docs wheel-test bazel clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: $(VENV)/runtime ## search, train and export on a small embedded data set
	@echo "==> running the demo"
	@$(BIN)/python -m trainers.demo $(ARGS)

test: lint ## lint, then all tests but the long ones
	@echo "==> running the tests"
	@$(BIN)/python -m pytest -m "not long" $(PYTEST_ARGS)

long: $(VENV)/development ## the long tests: presets, benchmarks, clusters and faults of the machine, run for real
	@echo "==> running the long tests"
	@$(BIN)/python -m pytest -m long $(PYTEST_ARGS)

check: lint ## lint, then the tests that need no TensorFlow or little of it, in under 3 minutes
	@echo "==> running the quick tests"
	@$(BIN)/python -m pytest -n 2 --dist loadfile -q $(QUICK_TESTS)

lint: $(VENV)/development ## style, types and the direction of imports
	@echo "==> checking style, types and imports"
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy --no-error-summary
	@PATH="$(CURDIR)/$(BIN):$$PATH" lint-imports --no-logo >$(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }

fix: $(VENV)/development ## mend what ruff can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

docs: $(VENV)/development ## build the documentation site into build/docs
	@echo "==> building the documentation"
	@PATH="$(CURDIR)/$(BIN):$$PATH" NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "the site: build/docs/index.html"

wheel-test: $(VENV)/development ## all tests against the built wheel, outside the tree
	@echo "==> testing the built wheel"
	@$(BIN)/python -m tests.wheel $(PYTEST_ARGS)

bazel: $(VENV)/development ## build with Bazel, test the ground floor, check the spelling (needs bazel and npx)
	@BAZEL="$(BAZEL)" BUILDIFIER="$(BUILDIFIER)" tests/bazel_offline/run

clean: ## remove .venv, caches and build products (runs/ stays)
	@rm -rf $(VENV) build dist ./*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/runtime: requirements.txt
	@command -v "$(PYTHON)" >/dev/null || { echo "make: '$(PYTHON)' was not found; say PYTHON=<a Python 3.11, 3.12 or 3.13>" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "make: '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1); say PYTHON=<a Python 3.11, 3.12 or 3.13>" >&2; exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "make: '$(PYTHON)' cannot make environments; install its venv module (on Debian: apt-get install python3-venv)" >&2; exit 2; }
	@echo "==> installing the pinned requirements into $(VENV) (once, about two minutes)"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/development: requirements-dev.txt docs/site/requirements.txt $(VENV)/runtime
	@echo "==> installing the development tools into $(VENV) (once)"
	@$(PIP) install -r requirements.txt -r requirements-dev.txt -r docs/site/requirements.txt
	@touch $@
