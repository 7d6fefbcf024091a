# Everything that a contributor does, from a fresh checkout and a Python 3.10 or later:
# `make demo`, `make test`, and what `make help` lists.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
NODE_MODULES := node_modules/.installed
UI_NODE_MODULES := ui-tests/node_modules/.installed
LABEXTENSION := jupyterlab_notify/labextension/static/style.js
LINK := $(VENV)/share/jupyter/labextensions/jupyterlab_notify
# The distributions beside the lab's own, which is the root.
OTHERS := $(patsubst %/pyproject.toml,%,$(wildcard client/pyproject.toml hub/pyproject.toml))
# hub/ has tests of its own. The client's tests need the lab's server, so they are in tests/.
HUB_TESTS := $(wildcard hub/tests)
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# One worker more than there are cores, since many tests wait. Each worker starts servers of its
# own, so there are at most four.
XDIST := --numprocesses $(shell echo $$(($(CORES) < 4 ? $(CORES) + 1 : 4))) --dist loadfile
# Run targets side by side, all of them even if one fails, and print each output in one piece.
SIDE_BY_SIDE := --keep-going --jobs $(CORES) \
	$(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
CHECKS := check-style check-types $(OTHERS:%=check-types-%) check-browser-style check-browser-types

# The environment's tools first, then those that ui-tests/ installs (configurable-http-proxy).
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/ui-tests/node_modules/.bin:$(PATH)
# Playwright finds its browser by itself; pytest gets the path.
BROWSER = $$(node ui-tests/browser.js)

SOURCES := webpack.config.js $(shell find src style schema -type f -not -path '*/__tests__/*' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-hub test check $(CHECKS) test-py test-hub test-long test-ts test-ui test-activity test-hubs \
	test-oldest attack test-one types format build version watch bench browser screenshots states clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- Setting up: each step leaves a stamp, and runs again only when what it depends on changed

$(STAMPS)/venv:
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "No virtual environment: Debian needs 'apt-get install python3-venv'"; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or later is needed: make PYTHON=/path/to/python3 ..."; exit 1; }
	$(BIN)/python -m pip install --quiet 'jupyter-builder>=1.2,<2'
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/node: scripts/ensure_node.sh | $(STAMPS)/venv
	@scripts/ensure_node.sh $(CURDIR)/$(VENV)
	@touch $@

$(NODE_MODULES): package.json yarn.lock .yarnrc.yml | $(STAMPS)/node
	jlpm install --immutable
	@touch $@

$(UI_NODE_MODULES): ui-tests/package.json ui-tests/yarn.lock ui-tests/.yarnrc.yml \
		| $(STAMPS)/node
	cd ui-tests && jlpm install --immutable
	@touch $@

$(LABEXTENSION): $(SOURCES) tsconfig.json $(NODE_MODULES)
	jlpm build:prod
	@touch $@

# The browser side is built above, so pip need not build it. The link makes every later build
# effective at once. An earlier link is removed first: through it, pip would delete the new build.
# One call installs all distributions, so that pip finds those that depend on each other here.
$(STAMPS)/package: pyproject.toml $(OTHERS:%=%/pyproject.toml) install.json \
		jupyter-config/server-config/jupyterlab_notify.json | $(LABEXTENSION)
	@test ! -L $(LINK) || rm $(LINK)
	SKIP_JUPYTER_BUILDER=1 $(BIN)/python -m pip install --quiet --editable '.[dev]' \
		$(patsubst %,--editable './%',$(filter-out hub,$(OTHERS))) \
		$(patsubst %,--editable './%[dev]',$(filter hub,$(OTHERS)))
	@# The script once belonged to the lab's distribution. If pip replaced that, the script is gone.
	@test -x $(BIN)/jupyter-notify || $(BIN)/python -m pip install --quiet --no-deps \
		--force-reinstall --editable ./client
	jupyter-builder develop --overwrite .
	@touch $@

# An older JupyterHub to test the service with, in an environment without anything of ours.
$(STAMPS)/hub5: | $(STAMPS)/venv
	$(BIN)/python -m venv $(VENV)/hub5
	$(VENV)/hub5/bin/python -m pip install --quiet 'jupyterhub>=5,<6'
	@touch $@

# The extension that hubs push to today. It is kept apart from ours, since both have one route.
$(STAMPS)/older: | $(STAMPS)/venv
	$(BIN)/python -m pip install --quiet --no-deps --target $(VENV)/older \
		'jupyterlab-notifications-extension>=1.2,<2'
	@touch $@

# The oldest JupyterLab and Notebook that are supported, with the distributions from here.
$(STAMPS)/oldest: $(STAMPS)/package
	$(BIN)/python -m venv $(VENV)/oldest
	SKIP_JUPYTER_BUILDER=1 $(VENV)/oldest/bin/python -m pip install --quiet 'jupyterlab==4.2.*' \
		'notebook==7.2.*' --editable . $(patsubst %,--editable './%',$(OTHERS))
	rm -rf $(VENV)/oldest/share/jupyter/labextensions/jupyterlab_notify
	ln -s $(CURDIR)/jupyterlab_notify/labextension \
		$(VENV)/oldest/share/jupyter/labextensions/jupyterlab_notify
	@touch $@

INSTALLED := $(LABEXTENSION) $(STAMPS)/package

setup: $(INSTALLED) $(UI_NODE_MODULES) ## Build and install all of it into .venv
	@jupyter server extension list 2>&1 | grep -E 'jupyterlab_notify' || true
	@jupyter labextension list 2>&1 | grep -E 'jupyterlab_notify'
	@echo "Browser: $$(node ui-tests/browser.js --install || true)"

# --- Using it

demo: $(INSTALLED) ## Start JupyterLab and push a few notifications (DEMO="--port 9000" for options)
	$(BIN)/python scripts/demo.py $(DEMO)

demo-hub: $(INSTALLED) $(UI_NODE_MODULES) ## Start a JupyterHub with the service, two users and an administrator
	$(BIN)/python scripts/demo_hub.py $(DEMO)

# --- Testing it

# Targets that are joined by + run side by side: one uses the machine while the other waits.
test: ## Run every test of every kind, and stop at the first kind that fails
	@times=""; \
	for parts in setup check+test-ts test-py+test-activity test-hub test-ui attack; do \
		side_by_side=; \
		case $$parts in *+*) side_by_side="$(SIDE_BY_SIDE)" ;; esac; \
		echo "=== make $${parts/+/ }"; began=$$SECONDS; \
		$(MAKE) --no-print-directory $$side_by_side $${parts/+/ } || \
			{ echo "=== make $${parts/+/ } failed after $$((SECONDS - began)) s"; exit 1; }; \
		times+="  $$parts $$((SECONDS - began)) s"; \
	done; \
	echo "=== every check and test passed:$$times"

# Within `make test`, the outer make limits how many targets run at once.
check: $(INSTALLED) $(UI_NODE_MODULES) ## Run the linters and type checkers
	@$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,$(SIDE_BY_SIDE)) $(CHECKS)

check-style:
	ruff check .
	ruff format --check .
	PYTHONPATH=client:hub lint-imports --no-cache
	$(BIN)/python scripts/check_links.py

check-types:
	mypy

$(OTHERS:%=check-types-%): check-types-%:
	cd $* && mypy

check-browser-style:
	jlpm stylelint:check
	jlpm prettier:check
	jlpm eslint:check

check-browser-types:
	jlpm types:check
	cd ui-tests && jlpm types:check

test-py: $(INSTALLED) $(UI_NODE_MODULES) ## Run the Python tests of the lab and the client
	CHROMIUM="$(BROWSER)" pytest $(XDIST) $(PYTEST)

test-hub: $(INSTALLED) $(UI_NODE_MODULES) $(STAMPS)/hub5 $(STAMPS)/older ## Run the Python tests of hub/
ifneq ($(HUB_TESTS),)
	cd hub && CHROMIUM="$$(cd .. && echo $(BROWSER))" pytest $(XDIST) $(PYTEST)
endif

test-long: $(INSTALLED) ## Try many more requests of every operation of the service's document
	cd hub && NOTIFY_TEST_EXAMPLES=200 pytest --numprocesses auto --maxprocesses 4 --dist load \
		tests/test_openapi.py $(PYTEST)

test-ts: $(NODE_MODULES) ## Run the TypeScript tests
	jlpm test $(JEST)

test-ui: $(INSTALLED) $(UI_NODE_MODULES) browser ## Run the browser tests
	cd ui-tests && jlpm playwright test $(PLAYWRIGHT)

test-activity: $(INSTALLED) $(UI_NODE_MODULES) browser ## Watch a forgotten tab at a hub (NOTIFY_ACTIVITY_S=600 for ten minutes)
	cd ui-tests && NOTIFY_ACTIVITY_S=$${NOTIFY_ACTIVITY_S:-90} jlpm playwright test activity.spec

test-hubs: $(INSTALLED) $(UI_NODE_MODULES) $(STAMPS)/hub5 browser ## Run the lab at hubs with all that a site may have
	cd ui-tests && NOTIFY_HUBS=1 jlpm playwright test hub-lab.spec $(PLAYWRIGHT)

# Leave out the tests of the hub's pages, which do not depend on JupyterLab.
test-oldest: $(INSTALLED) $(UI_NODE_MODULES) $(STAMPS)/oldest browser ## Run the browser tests in the oldest JupyterLab and Notebook
	cd ui-tests && NOTIFY_ENVIRONMENT=oldest jlpm playwright test \
		$$(ls tests/*.spec.ts | grep -v -e hub -e activity -e screenshots) $(PLAYWRIGHT)

# There are two parts: hostile inputs to the server, and to the page in the browser.
attack: $(INSTALLED) $(UI_NODE_MODULES) browser ## Try every hostile input, and print what came of it
	$(BIN)/python -m tests.attack
	cd ui-tests && NOTIFY_ATTACK=1 jlpm playwright test attack.spec

test-one: $(INSTALLED) ## Run one test: T=tests/test_x.py::test_y, T=src/…/x.spec.ts, T=ui-tests/tests/x.spec.ts
	@test -n "$(T)" || { echo 'Which one? make test-one T=tests/unit/storage/test_engine.py'; exit 1; }
	@case "$(T)" in \
		ui-tests/*) $(MAKE) --no-print-directory test-ui PLAYWRIGHT="$(T:ui-tests/%=%)" ;; \
		src/*) $(MAKE) --no-print-directory test-ts JEST="$(T)" ;; \
		hub/*) cd hub && pytest "$(T:hub/%=%)" ;; \
		*/*|*.py) pytest "$(T)" ;; \
		*) pytest -k "$(T)" ;; \
	esac

browser: $(UI_NODE_MODULES)
	@node ui-tests/browser.js --install

screenshots: $(INSTALLED) $(UI_NODE_MODULES) browser ## Take the pictures in docs/images/ anew
	cd ui-tests && NOTIFY_SCREENSHOTS=1 jlpm playwright test screenshots

states: $(INSTALLED) $(UI_NODE_MODULES) browser ## Take a picture of each state of the interface (PLAYWRIGHT="-g WORD": some)
	cd ui-tests && NOTIFY_STATES=1 jlpm playwright test states $(PLAYWRIGHT)

bench: $(INSTALLED) $(UI_NODE_MODULES) ## Run every benchmark, each of which prints a table
	@for file in benchmarks/bench_*.py hub/benchmarks/bench_*.py; do \
		echo "=== $$file"; CHROMIUM="$(BROWSER)" $(BIN)/python "$$file" || exit 1; \
	done

# --- Changing it

# This must not depend on the build, which fails while src/ uses types that are not written yet.
types: $(NODE_MODULES) ## Write src/wire.ts, docs/openapi.json and enumerations in schema/ from the models
	@test -e $(STAMPS)/package || $(MAKE) $(STAMPS)/package
	$(BIN)/python scripts/generate.py
	$(BIN)/python -m jupyterhub_notify.openapi docs/hub-openapi.json

format: $(INSTALLED) ## Format and fix what the linters can
	ruff check --fix --exit-zero .
	ruff format .
	jlpm lint

watch: $(INSTALLED) ## Rebuild the browser side at every change
	jlpm watch

build: $(INSTALLED) ## Make the wheels and source distributions of all parts in dist/
	rm -rf dist jupyterlab_notify/labextension
	$(BIN)/python -m build
	@for part in $(OTHERS); do \
		(set -x; $(BIN)/python -m build --outdir dist $$part) || exit 1; \
	done

version: ## Set the version of every distribution: V=0.2.0
	@test -n "$(V)" || { echo 'Which one? make version V=0.2.0'; exit 1; }
	$(PYTHON) scripts/set_version.py "$(V)"

clean: ## Remove everything that was built or installed here
	rm -rf $(VENV) node_modules ui-tests/node_modules lib build dist coverage tsconfig.tsbuildinfo \
		jupyterlab_notify/labextension jupyterlab_notify/_version.py .eslintcache .stylelintcache \
		.mypy_cache .pytest_cache .ruff_cache .hypothesis ui-tests/playwright-report \
		ui-tests/test-results
