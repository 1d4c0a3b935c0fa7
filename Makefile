# gatewise: `make demo` and `make test` each do all the set-up they need.
.DEFAULT_GOAL := help
SHELL := /bin/bash
LOGS := runs/shop-logs
BENCHMARKS := event_logs statistics features input_pipeline evaluation pipeline growth training_step embeddings logs_to_model runners retrieval_training
BENCHMARKS += $(if $(wildcard /dev/nvidia[0-9]*),gpu_step)
LOCK := .runtime/tools/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet

.PHONY: help setup demo test check bench docs site lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## Create .venv from the locks (does nothing if it is up to date)
	@scripts/bootstrap

demo: setup $(LOGS) ## Simulate shop logs, train and push a model, answer three requests, write a report
	.venv/bin/gatewise run recipes/shop.yaml --root runs
	.venv/bin/gatewise predict runs/serving/shop --input recipes/shop_requests.jsonl
	.venv/bin/gatewise recommend runs/serving/shop --user '{"segment": "loyal", "country": "DE", "age": 34, "device": "phone"}' --k 5
	.venv/bin/gatewise report runs
	@echo "To see all of it in a browser: .venv/bin/gatewise ui runs"

$(LOGS): | setup
	.venv/bin/gatewise simulate recipes/shop.yaml --impressions 200000 --seed 7 --out $(LOGS)

test: setup check ## Run the checks and all tests, including end-to-end tests
	.venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: setup ## Check formatting, lint, types, import rules and generated pages
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m pipeline.recipe_docs --check
	.venv/bin/python -m pipeline.command_docs --check

bench: setup ## Time every stage against its peers (hours; a quick run: make bench ROWS=20000 RUNS=1)
	@for name in $(BENCHMARKS); do \
		.venv/bin/python -m benchmarks.$$name $(if $(ROWS),--rows $(ROWS)) $(if $(RUNS),--runs $(RUNS)) || exit 1; \
	done
	.venv/bin/python -m benchmarks.serving
	.venv/bin/python -m benchmarks.predict $(if $(ROWS),--rows $(ROWS)) $(if $(RUNS),--runs $(RUNS))
	.venv/bin/python -m benchmarks.two_stage $(if $(ROWS),--rows $(ROWS))
	.venv/bin/python -m benchmarks.top_k $(if $(ROWS),--rows $(ROWS))

docs: setup ## Write docs/recipe.md, docs/cli.md and recipes/recipe.schema.json from the code
	.venv/bin/python -m pipeline.recipe_docs
	.venv/bin/python -m pipeline.command_docs

site: setup ## Build the documentation site, site/html/index.html
	.venv/bin/python -m sphinx -W --keep-going -q -c docs/site -d site/doctrees . site/html

lock: setup ## Resolve the locks again from requirements/*.in
	$(LOCK) requirements/dev.in -o requirements/dev.lock
	$(LOCK) -c requirements/dev.lock requirements/kubeflow.in -o requirements/kubeflow.lock
	$(LOCK) -c requirements/dev.lock requirements/runtime.in -o requirements/runtime.lock
	$(LOCK) -c requirements/dev.lock requirements/gpu.in -o requirements/gpu.lock
	$(LOCK) requirements/tools.in -o requirements/tools.lock

clean: ## Remove the environment, the site and the output of runs
	rm -rf .venv .runtime runs site
