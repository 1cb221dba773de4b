# Thin calls of CMake presets and scripts. `make` prints the targets.
PRESET ?= dev
BUILD := build/$(PRESET)
JOBS ?= $(shell nproc)
GENESYS_SIM := $(BUILD)/tests/genesys-sim/genesys-sim
CTEST := ctest --test-dir $(BUILD) --output-on-failure --no-tests=error

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what the build, the tests and the stack need
	@tests/stack/setup

packages:
	@tests/stack/setup --packages

configure: packages
	@mkdir -p build && { cmake --preset $(PRESET) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }; }

build: configure ## build the operator and the tests (PRESET=dev|release|asan|tsan)
	@cmake --build $(BUILD) -j $(JOBS)

install: build ## put the operator and the plugin of kubectl below PREFIX (default: /usr/local)
	@cmake --install $(BUILD) --prefix $(or $(PREFIX),/usr/local)

test-unit: build ## unit tests and the simulation
	@$(CTEST) -j $(JOBS) -L 'unit|simulation'

# All rules and the simulation, and of the operator's own tests those of these names.
ROTATION := adoption|ari|budget|chain|connection|disaster|drain|limits|peers|plan|policy|rollback|rotation|source|vendor

test-rotation: setup build ## only what is about rotations, policies and fleets, of all kinds of tests
	@tests/integration/run $(BUILD) $(CTEST) -j 4 -R '^(unit_decide|simulation)\.|^operator\.test_($(ROTATION))\.'

# The ACME client, the DNS drivers, all rules and the simulation, and of the operator's own tests those of these names.
ACME := account|ari|ca|chain|dns[a-z0-9_]*|fallback|http01|limits|many|orders

test-acme: setup build ## only what is about CAs, DNS-01 and HTTP-01; its last lines are the matrices, a line for each CA, each DNS provider and each kind of name by HTTP
	@tests/integration/run $(BUILD) $(CTEST) -j 4 --output-junit $(abspath $(BUILD))/acme.xml -R '^unit_(acme|decide|dns[a-z0-9_]*)\.|^unit_main\.(AnswersTest|WebLookupTest)\.|^unit_api\.SolverFor\.|^(simulation|integration_dns_bind|dns_sdk)\.|^operator\.test_($(ACME))\.'; \
	  status=$$?; tests/integration/operator/matrix.py $(BUILD)/acme.xml; exit $$status

PINS := ^unit_pinfile\.|^unit_decide\.(Pin|FileChange|Goal|RotationPolicyOf)|^unit_pki\.ChainViewer|^unit_main\.(Announcements|PinShow)|^simulation\.Pins|^integration_edge_host\.|^edge_machine\.|^operator\.test_pin

test-pins: setup build ## only what is about pins; the last line counts cut connections, reads of the file and partial ones
	@tests/integration/run $(BUILD) $(CTEST) -j 4 -R '$(PINS)' -E 'CutConnection\.'
	@$(BUILD)/tests/integration_edge_host --gtest_filter='CutConnection.*' >build/test-pins.log || { cat build/test-pins.log; exit 1; }
	@grep '^test-pins:' build/test-pins.log

bench-pins: setup build ## one PinPolicy on 200 Edges on loopback; its last line has time, sessions and memory
	@cd tests/integration/operator && EDGETRUST=$(abspath $(BUILD))/edgetrust GENESYS_SIM=$(abspath $(GENESYS_SIM)) ../run ../../../$(BUILD) python3 -B -m unittest -q bench_pins

test-node: setup configure ## only the image's life on a node of its own (kubelet, containerd, runc), and the documents that a new user follows, there; says why where this machine cannot run one
	@cmake --build $(BUILD) -j $(JOBS) --target edgetrust kubectl-edgetrust genesys-sim
	@$(CTEST) --verbose -R '^node\.'

test-integration: setup build ## tests on real servers
	@tests/integration/run $(BUILD) $(CTEST) -j 4 -L integration

test: setup build ## everything CI runs
	@cmake --build $(BUILD) --target all_verify_interface_header_sets
	@tests/integration/run $(BUILD) $(CTEST) -j 4

test-asan: ## unit and integration tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory test PRESET=asan

test-tsan: ## unit tests, simulation and the operator's tests under ThreadSanitizer
	@$(MAKE) --no-print-directory setup build PRESET=tsan
	@tests/integration/run build/tsan ctest --test-dir build/tsan --output-on-failure --no-tests=error -j 3 -E 'test_crash|test_many'

test-nightly: lint image-again test-asan test-tsan ## what takes long: clang-tidy, the image of a release build twice, and the tests under the sanitizers

demo: setup ## the samples on the local stack: three certificates, one rollback (KEEP=1 leaves it running)
	@mkdir -p build && { cmake --preset $(PRESET) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }; }
	@cmake --build $(BUILD) -j $(JOBS) --target edgetrust genesys-sim
	@KEEP=$(KEEP) tests/demo/run $(BUILD)

sim-year: build ## a year of 1,000 simulated Edges; the last line counts what went wrong
	@$(BUILD)/tests/simulation_year >build/sim-year.log || { cat build/sim-year.log; exit 1; }
	@grep '^sim-year:' build/sim-year.log

crds: build ## write crds/ from the field lists, and what is made of them
	@$(BUILD)/crdgen crds
	@controller/docs/generate
	@$(MAKE) --no-print-directory chart

chart: setup ## write what the chart has of other files (CRDs, rights, its table of values), and manifests/install.yaml
	@charts/generate
	@mkdir -p build && charts/install >build/install.yaml && mv build/install.yaml manifests/install.yaml

page-shots: setup configure ## take the pictures of the fleet page for the docs, in Chromium
	@cmake --build $(BUILD) -j $(JOBS) --target fleet-server
	@cd tests/page && FLEET_SERVER=$(abspath $(BUILD))/tests/fleet-server PAGE_SHOTS=$(abspath controller/docs/images) python3 -B -m unittest -q shots.Pictures

image-program: packages
	@mkdir -p build && { cmake --preset release >build/release.log 2>&1 || { cat build/release.log; exit 1; }; }
	@cmake --build build/release -j $(JOBS) --target edgetrust

image: image-program ## the container image of the release build, into build/image, without a daemon; the last line is its digest and compressed size
	@controller/image/build build/release/edgetrust build/image

image-again: image ## compile the last commit a second time, elsewhere and without ccache: the digest must be the same
	@controller/image/reproduce build/image

stack-up: setup ## start the local stack and wait until it is ready (DIR=folder)
	@tests/stack/stack.py up $(if $(DIR),--dir "$(DIR)") $(if $(wildcard $(GENESYS_SIM)),--genesys-sim "$(GENESYS_SIM)")

stack-env: ## print its environment: eval "$$(make -s stack-env)"
	@tests/stack/stack.py env $(if $(DIR),--dir "$(DIR)")

stack-down: ## end it: no process and no file is left (DIR=folder)
	@tests/stack/stack.py down $(if $(DIR),--dir "$(DIR)")

lint: ## clang-format, house rules, links, scripts, chart and alerts (tests/architecture/hooks), and clang-tidy over what is shipped; what was clean and has not changed is not looked at again
	@tests/stack/setup
	@tests/architecture/hooks
	@$(MAKE) --no-print-directory configure
	@tests/architecture/tidy.py --jobs $(JOBS) $(BUILD)

format: ## format all C++ of the project
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-14 -i

.DEFAULT_GOAL := help
.PHONY: help setup packages configure build install sim-year test-unit test-rotation test-acme test-pins bench-pins test-node test-integration test test-asan test-tsan test-nightly demo crds chart page-shots image image-again image-program stack-up stack-env stack-down lint format
