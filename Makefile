# Every target does all of its own set-up. The work is done by `phoneterm`; this file only calls it.
# The system's own Python if it is suitable, because it is built for speed, or else the first one found. PYTHON= names one.
WILL_DO := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(or $(shell for one in /usr/bin/python3 python3; do \
  $$one -c '$(WILL_DO)' 2>/dev/null && echo $$one && break; done),python3)
PBX ?= simulator
PHONE ?= virtual
TAPS ?= 200
SOAK ?= 2
BOARD ?= VIRTUAL
PORT ?=
EXT ?=
HOST ?=
WIFI ?=
CERT ?=
KEY ?=
AGAIN ?=
ANOTHER ?=
SETTINGS ?=
IMAGE ?=
ARGS ?=
VENV := .venv
READY := $(VENV)/.ready
PHONETERM := $(VENV)/bin/phoneterm
# Most tests wait most of the time. Every worker, and every command that a test starts, uses what Python has compiled.
# Python 3.11 parses code again for the marks under a traceback, which fails while another is being shown.
PYTEST := PYTHONDONTWRITEBYTECODE= PYTHONNODEBUGRANGES=1 $(VENV)/bin/python -m pytest -n auto --dist worksteal
LOCKED := --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet
FAST := $(addprefix host_tests/,core scenarios properties test_house.py) \
  $(patsubst %,host_tests/bridge/test_%.py,access deliveries mqtt_packets outbox policy replay_window settings store why) \
  $(patsubst %,host_tests/pbx/test_%.py,ami_codec ami_stream calls transfer_table) \
  $(patsubst %,host_tests/voipnow/test_%.py,arrivals call_table reading rhythm turns)

.DEFAULT_GOAL := help
.PHONY: help check fast run test coverage chaos fuzz lint format types bench bench-keypad bench-link bench-bridge bench-pages bench-pbx sizes firmware image sim lab flash provision lock clean
.PHONY: attack pictures vendor rotate wipe smoke repl logs test-chip test-server install remove wheel

help: ## Print this list.
	@echo "make TARGET [NAME=VALUE]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(READY) ## Broker, bridge, PBX and a phone: press '#1102' and watch. PBX=asterisk: a real one, PBX=voipnow: a stand-in; PHONE=chip: an emulated ESP32.
	@if [ "$(PBX)" = asterisk ]; then $(PHONETERM) parts install; fi
	@$(PHONETERM) run --pbx $(PBX) --phone $(PHONE) $(ARGS)

check: $(READY) ## Before each commit, in less than a minute: lint, types, the pure core, and the tests that need no other program.
	@$(MAKE) --no-print-directory -j3 --output-sync=target lint types fast

fast: $(READY)
	@$(PYTEST) -n logical $(FAST) $(ARGS)

test: $(READY) ## All tests but those on a server, side by side. ARGS='-k name' selects; SKIPS=forbidden makes a skip a failure.
	@$(PHONETERM) parts install --if-possible --tests
	@PHONETERM_SKIPS=$(SKIPS) $(PYTEST) -m 'not on_server' $(ARGS)

test-server: $(READY) ## The tests that put the bridge into service on a bare Debian, which they boot here. Needs root.
	@$(PHONETERM) parts install --if-possible --tests
	@PHONETERM_SKIPS=$(SKIPS) $(PYTEST) host_tests/service -m on_server $(ARGS)

test-chip: $(READY) ## The tests on an emulated ESP32 (ESP32_CHIP), a soak (SOAK=60 minutes), memory, and keys heard of TAPS=200.
	@$(PHONETERM) parts install --if-possible --tests
	@$(VENV)/bin/python -m pytest host_tests/chip $(ARGS)
	@test -z "$(ESP32_CHIP)" || { $(PHONETERM) chip soak --minutes $(SOAK) && $(PHONETERM) chip bench --taps $(TAPS); }

coverage: $(READY) ## The pure core's tests alone; fails if a branch of it is not run.
	@$(VENV)/bin/python -m pytest host_tests/core host_tests/scenarios host_tests/properties \
	  --cov=phoneterm.core --cov-branch --cov-report=term --cov-fail-under=100

chaos: $(READY) ## 1,000 seeded runs through drops, cuts, dead connections and kills, with a tally. ARGS='--only SEED'.
	@$(PHONETERM) parts install && $(PHONETERM) chaos $(ARGS)

attack: $(READY) ## Every known attack on both brokers, in at most five minutes; exit code 1 if one does not hold. ARGS=--list.
	@$(PHONETERM) parts install && $(PHONETERM) attack $(ARGS)

fuzz: $(READY) ## Every decoder under atheris, a minute each. ARGS='--seconds 600 --target device'.
	@$(VENV)/bin/python -m fault_lab.fuzz $(ARGS)

lint: $(READY) ## Style and common mistakes (ruff).
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

format: $(READY) ## Let ruff rewrite the layout of all files.
	@$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

types: $(READY) ## Types of the CPython side (mypy).
	@$(VENV)/bin/mypy

bench: bench-keypad bench-link bench-bridge bench-pages bench-pbx ## All measurements, each compared with its peers or its limit.

bench-keypad: $(READY) ## The scanner and other firmwares' algorithms: latency, missed and extra keys, cost.
	@$(PHONETERM) keys bench

bench-link: $(READY) ## The MQTT client and its peers on the same VM: publish, reconnect, half-open, garbage.
	@$(PHONETERM) parts install
	@$(PHONETERM) link bench

bench-pbx: $(READY) ## Real Asterisk: every way to start a transfer, by plain AMI and by the bridge.
	@$(PHONETERM) parts install
	@$(PHONETERM) pbx bench $(ARGS)

bench-bridge: $(READY) ## The bridge, Node-RED and python-ami under load: delay, rate, storms, memory, journal, work beside.
	@$(PHONETERM) parts install
	@$(PHONETERM) load bench $(ARGS)

bench-pages: $(READY) ## The operator's console at 1,000 terminals with 20 pages open, and commands beside it.
	@$(PHONETERM) parts install --tests
	@$(PHONETERM) load pages $(ARGS)

pictures: $(READY) ## Take the pictures of console and virtual phone that stand in the documents anew; then look at them.
	@$(PHONETERM) parts install --tests
	@cd host_tests && ../$(VENV)/bin/python -m console.take_pictures ../tools/phoneterm_bridge/console/pictures
	@cd host_tests && ../$(VENV)/bin/python -m phone_page.take_pictures ../tools/labs/desk_lab/page/pictures

sizes: $(READY) ## Compile the firmware, print each module's size on the device, and the heap that all take.
	@$(PHONETERM) firmware sizes
	@$(PHONETERM) parts install --if-possible --tests
	@$(PHONETERM) heap measure

firmware: $(READY) ## Build all files of a board: BOARD=ESP32_GENERIC. ROMFS=1 makes a ROMFS image too.
	@$(PHONETERM) firmware build $(BOARD) $(if $(ROMFS),--romfs) $(ARGS)

image: $(READY) ## MicroPython with the firmware frozen in, built in a container: BOARD=ESP32_GENERIC. ARGS=--dry-run prints how.
	@$(PHONETERM) firmware image "$(BOARD)" $(ARGS)

sim: $(READY) ## The virtual phone alone, for a bridge that already runs: SETTINGS=terminal.json.
	@test -n "$(SETTINGS)" || { echo "make sim needs SETTINGS=FILE, the file that 'phoneterm terminal add' wrote."; exit 2; }
	@$(PHONETERM) phone run --settings $(SETTINGS) $(ARGS)

lab: $(READY) ## A real Asterisk with SIP endpoints 101, 102 and 103 on loopback, until Ctrl-C.
	@$(PHONETERM) parts install && $(PHONETERM) lab up $(ARGS)

flash: $(READY) ## Build the firmware and write it to a board: BOARD=ESP32_GENERIC, PORT=/dev/ttyUSB0; IMAGE=FILE.bin writes MicroPython first.
	@if [ "$(BOARD)" != VIRTUAL ]; then $(PHONETERM) firmware build "$(BOARD)"; fi && \
	  $(PHONETERM) device flash --board "$(BOARD)" --port "$(PORT)" $(if $(IMAGE),--image "$(IMAGE)") $(ARGS)

provision: $(READY) ## Make a board the terminal of an extension: BOARD= PORT= EXT=101 HOST=broker, or SETTINGS=; WIFI=, CERT= KEY=, ANOTHER=1, AGAIN=1.
	@$(PHONETERM) device provision --board "$(BOARD)" --port "$(PORT)" \
	  $(if $(SETTINGS),--settings "$(SETTINGS)") $(if $(EXT),--extension "$(EXT)") $(if $(ANOTHER),--another) \
	  $(if $(HOST),--mqtt-host "$(HOST)") $(if $(WIFI),--wifi "$(WIFI)") $(if $(CERT),--certificate "$(CERT)") \
	  $(if $(KEY),--key "$(KEY)") $(if $(AGAIN),--again) $(ARGS)

rotate: $(READY) ## New keys for the terminal on a board, there and in the store: BOARD= PORT=.
	@$(PHONETERM) device rotate --board "$(BOARD)" --port "$(PORT)" $(ARGS)

wipe: $(READY) ## Erase a board's settings and secrets: PORT=.
	@$(PHONETERM) device wipe --port "$(PORT)" $(ARGS)

smoke: $(READY) ## Test a board with somebody at its keypad; measure it and save a table: BOARD= PORT=.
	@$(PHONETERM) device smoke --board "$(BOARD)" --port "$(PORT)" $(ARGS)

repl: $(READY) ## Talk with the MicroPython on a board, with the terminal stopped: PORT=.
	@$(PHONETERM) device repl --port "$(PORT)" $(ARGS)

logs: $(READY) ## Listen to the terminal on a board: PORT=.
	@$(PHONETERM) device logs --port "$(PORT)" $(ARGS)

vendor: ## Copy what the console's pages take from npm into its folder, as its package-lock.json names it.
	@rm -rf build/npm && mkdir -p build/npm && cp tools/phoneterm_bridge/console/package*.json build/npm
	@cd build/npm && npm ci --ignore-scripts --no-audit --no-fund --omit=dev
	@cp build/npm/node_modules/idiomorph/dist/idiomorph.esm.js tools/phoneterm_bridge/console/static/vendor/
	@cp build/npm/node_modules/idiomorph/LICENSE tools/phoneterm_bridge/console/static/vendor/idiomorph.LICENSE

lock: ## Renew requirements.lock and the service's locks after a change of the dependencies. ARGS=--upgrade takes newer releases too.
	@$(PYTHON) -m venv --clear build/lock && build/lock/bin/python -m pip install --quiet uv
	@build/lock/bin/uv pip compile pyproject.toml --extra workbench --extra voipnow --group dev --python-version 3.11 $(LOCKED) \
	  --output-file requirements.lock $(ARGS)
	@build/lock/bin/uv pip compile pyproject.toml --python-version 3.11 --universal --constraint requirements.lock $(LOCKED) \
	  --output-file tools/phoneterm_service/bridge.lock $(ARGS)
	@build/lock/bin/uv pip compile pyproject.toml --extra voipnow --python-version 3.11 --universal --constraint requirements.lock $(LOCKED) \
	  --output-file tools/phoneterm_service/voipnow.lock $(ARGS)

install: ## As root: put the bridge of this checkout into service, or upgrade the one that is (Debian, systemd). ARGS=--voipnow: with SystemAPI.
	@$(PYTHON) tools/phoneterm_service $(ARGS)

remove: ## As root: take the service away; settings and data stay.
	@$(PYTHON) tools/phoneterm_service --remove

wheel: $(READY) ## Build the wheel, which installs the bridge without this checkout: build/wheel.
	@$(VENV)/bin/python tools/phoneterm_service --build build/wheel

clean: ## Remove what the other targets made in this folder.
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage tools/*.egg-info

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c '$(WILL_DO)' || \
	  { echo "This needs Python 3.11 or later with venv: apt-get install python3-venv, or name one with PYTHON=."; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@PYTHONNODEBUGRANGES=1 $(VENV)/bin/python -m compileall -q -j 0 tools firmware/phoneterm
	@touch $@
