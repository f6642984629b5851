PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
Q ?= where will they meet?
# Data sets to measure on: a folder of them. These are the articles that the reader learned from.
SETS ?= training

.PHONY: ask chat test check bench bench-serve train-smoke

ask: $(VENV)/.runtime
	@$(BIN)/qa ask "$(Q)" seeds || test $$? -eq 1 # 1: nothing here answers that

chat: $(VENV)/.runtime
	@$(BIN)/qa chat seeds

test: $(VENV)/.dev
	$(BIN)/pytest -n auto --cov --cov-report=term

train-smoke: $(VENV)/.dev
	$(BIN)/pytest -n 0 tests/test_training_run.py

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/cold.py
	$(BIN)/python benchmarks/filling.py $(SETS)
	$(BIN)/python benchmarks/peers/run.py --sets $(SETS)
	$(BIN)/python benchmarks/growth.py $(SETS) $(if $(FULL),--full)
	$(BIN)/python benchmarks/plots.py

bench-serve: $(VENV)/.dev
	$(BIN)/python benchmarks/serving.py overhead load paint

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@ $(VENV)/.runtime
