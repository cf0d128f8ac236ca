# One verb per thing. Everything runs in .venv, which is made on first use.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= auto
export PYTHON
# Demo and tests start hundreds of processes; each would parse every module anew, a second of CPU.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint docs bench cassettes mutate lock install clean

demo: install ## Run the whole thing on this machine, in a browser
	@$(BIN)/smsctl demo

test: install lint ## Lint, types, import contracts, then every test
	@echo "==> Tests (SQLite and PostgreSQL, real Redis, real workers; browser tests where a Chromium is found)"
	@$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST)

lint: install
	@echo "==> Lint and format"
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@echo "==> Types"
	@$(BIN)/mypy --no-error-summary
	@echo "==> Import contracts"
	@$(BIN)/lint-imports --no-logo >.venv/contracts.log 2>&1 || { cat .venv/contracts.log; exit 1; }

docs: install ## Write the generated reference pages and app.json anew
	@$(BIN)/python -m connector.entrypoints.cli docs

bench: install ## Measure, each figure beside its floor
	@$(BIN)/python -m bench

cassettes: install ## Record what the CRMs' clients say anew; from an account: CRM=hubspot PORTAL=… TOKEN=…
	@$(BIN)/python -m tests.adapters.crm.cassettes.record

mutate: install ## Change domain/ bit by bit; see whether its tests notice
	@sh scripts/mutate.sh

lock: install ## Resolve the dependencies anew
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --all-extras pyproject.toml -o requirements.lock

install:
	@sh scripts/install.sh

clean:
	rm -rf .venv .demo build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
