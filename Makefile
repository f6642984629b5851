PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
Q ?= where will they meet?

.PHONY: ask chat test check bench train-smoke

ask: $(VENV)/.runtime
	@$(BIN)/qa ask "$(Q)" seeds || test $$? -eq 1 # 1: nothing here answers that

chat: $(VENV)/.runtime
	@$(BIN)/qa chat seeds

test: $(VENV)/.dev
	$(BIN)/pytest -n auto --cov --cov-report=term

BENCH ?= bench

train-smoke: $(VENV)/.dev
	$(BIN)/python training/train.py --bench "$(BENCH)" --examples 100 --epochs 1 --out .qa-smoke.safetensors
	@rm -f .qa-smoke.safetensors

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/cold.py

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
