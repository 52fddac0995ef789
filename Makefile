# Kinodom. `make help` lists what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= .venv/bin/python
PYTEST = $(PYTHON) -m pytest
COMPOSE ?= docker compose
SOURCES = services demo house tests $(wildcard bench)

.PHONY: help run demo status fsck front-end up down logs ps check format lint types unit node-test test test-compose check-source \
	bench bench-serve bench-start bench-search bench-truth bench-kill bench-download bench-faults bench-firstframe bench-evening \
	bench-package bench-publish bench-full-disks bench-once words lock dev clean

##@ The house
help: ## say what there is
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: ## run the house on this machine until Ctrl-C (KINODOM_PORT, KINODOM_DATA)
	@exec sh house/run.sh run

demo: ## make three short films in the running house, or start one for it
	@exec sh house/run.sh demo

status: ## say how the parts of the running house are
	@exec sh house/run.sh status

front-end: ## build the scripts and styles of the pages, if they changed
	@exec sh house/run.sh front-end

##@ In containers
up: ## build and start the house in containers
	@$(COMPOSE) up --detach --build --wait

down: ## stop the containers; films and settings stay
	@$(COMPOSE) down

logs: ## follow the containers' logs
	@$(COMPOSE) logs --follow --tail 50

ps: ## say how the containers are
	@$(COMPOSE) ps

##@ Look after it
fsck: dev ## compare the films on the disk with the catalogue of the running house: make fsck ARGS="--repair --sums"
	@data=$${KINODOM_DATA:-data}; \
	port=$$($(PYTHON) -c 'import json, sys; print(json.load(open(sys.argv[1]))["ports"]["catalogue"])' "$$data/run/ports.json") && \
	exec env PYTHONPATH=services/common/src:services/downloader/src KINODOM_MEDIA_ROOT="$$data/media" \
		KINODOM_INNER_KEY_FILE="$$data/secrets/inner_key" KINODOM_CATALOGUE_URL="http://127.0.0.1:$$port" \
		$(PYTHON) -m kinodom_downloader.fsck $(ARGS)

##@ Work on the code
check: lint types unit node-test ## everything quick: format, lint, types, unit and contract tests

format: dev ## put the code into form
	@$(PYTHON) -m ruff format $(SOURCES)
	@$(PYTHON) -m ruff check --fix $(SOURCES)

lint: dev ## form and rules of the code
	@$(PYTHON) -m ruff format --check $(SOURCES)
	@$(PYTHON) -m ruff check $(SOURCES)

types: dev ## mypy, strict
	@$(PYTHON) -m mypy

unit: dev ## quick tests that need no browser and no containers
	@$(PYTEST) -q -n 2 -m 'not slow' $(wildcard tests/unit tests/contract tests/architecture)

node-test: dev ## tests of the front end's modules
	@cd services/gateway/frontend && PATH=$(CURDIR)/.venv/bin:$$PATH && export PATH && \
		files=$$(find test -name '*.test.*js') && if [ -n "$$files" ]; then node --test $$files; fi

test: node-test ## all tests but those in containers; with an engine, the containers' stores too
	@if docker info >/dev/null 2>&1; then marks='not compose'; \
	elif [ -n "$$CI" ]; then echo 'make test: CI is set and there is no Docker engine' >&2; exit 1; \
	else marks='not compose and not containers'; fi; \
	TESTCONTAINERS_RYUK_DISABLED=true exec $(PYTEST) -m "$$marks"

test-compose: dev ## the journey through the real containers
	@exec $(PYTEST) -m compose

check-source: dev ## try the description of a site: make check-source FILE=sites/lantern.yaml
	@exec env PYTHONPATH=services/common/src:services/resolver/src $(PYTHON) -m kinodom_resolver.check_source \
		--allow-lan "$$KINODOM_ALLOW_LAN" "$(FILE)"

bench: bench-serve bench-start bench-search bench-truth bench-kill bench-download bench-faults bench-firstframe \
	bench-evening bench-package bench-publish bench-full-disks bench-once ## all benchmarks

bench-serve: dev ## signed delivery by Nginx against bare files
	@exec $(PYTHON) -m bench.serve

bench-search: dev ## how long a search takes, cold, warm, and asked 200 times at once
	@exec $(PYTHON) -m bench.search

bench-start: dev ## how long the house takes to open, and what it holds at rest
	@exec $(PYTHON) -m bench.start

words: dev ## gather the words of pages and scripts into the Russian catalogue; new ones come empty
	@cd services/gateway && words=$$(mktemp) && trap 'rm -f "$$words"' EXIT && \
		babel='$(abspath $(PYTHON)) -m babel.messages.frontend --quiet' && \
		$$babel extract -F babel.cfg -k t -k tn:1,2 -k mark --add-location=file --sort-by-file --no-wrap -o "$$words" src frontend/src && \
		$$babel update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --no-wrap -l ru -i "$$words" \
			-o src/kinodom_gateway/translations/ru/LC_MESSAGES/messages.po
bench-truth: dev ## bad media hosts: the film is identical or fails by name
	@exec $(PYTHON) -m bench.truth

bench-firstframe: dev ## from the click on Watch to the first frame, nothing of the film being here
	@exec $(PYTHON) -m bench.firstframe

bench-evening: dev ## four downloads and eight viewers at once: no buffer runs dry, no download starves
	@exec $(PYTHON) -m bench.evening

bench-kill: dev ## downloads killed at random moments: identical, and hardly a byte fetched twice
	@exec $(PYTHON) -m bench.kill

bench-package: dev ## packaging against cp and a bare demux; exact starts by shaka-packager; 300 seeks in three players
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r services/requirements/oracle.txt
	@cd bench/players && PATH=$(CURDIR)/.venv/bin:$$PATH npm ci --ignore-scripts --silent
	@exec $(PYTHON) -m bench.package

bench-publish: dev ## fetching and publishing killed at every system call (strace)
	@exec $(PYTHON) -m bench.publish

bench-once: dev ## a film in fragmented MP4 is written once, killed or not: make bench-once ARGS=--calls
	@exec $(PYTHON) -m bench.once $(ARGS)

bench-full-disks: dev ## disks that run full from the first byte of a film to the last (root)
	@exec $(PYTHON) -m bench.full_disks

bench-download: dev ## the fetch engine against curl and yt-dlp: time, processor, memory, truth
	@exec $(PYTHON) -m bench.download

bench-faults: dev ## workers and Redis killed while films come: nothing lost, doubled, half-shown or left behind
	@exec $(PYTHON) -m bench.faults

lock: dev ## compile the hashed requirement files anew
	@sh services/requirements/lock.sh

dev:
	@if [ "$(PYTHON)" = .venv/bin/python ]; then sh house/run.sh dev; fi

clean: ## take away what was built; data, films and settings stay
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results \
		services/gateway/src/kinodom_gateway/static/dist services/gateway/frontend/node_modules
	@find services demo house tests -name __pycache__ -prune -exec rm -rf {} +
