# Thin calls of CMake presets and scripts. `make` prints the targets.
PRESET ?= dev
BUILD := build/$(PRESET)
JOBS ?= $(shell nproc)

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what the build and the tests need (Debian 12 packages, Go tools)
	@tests/stack/setup

configure: setup
	@cmake --preset $(PRESET) >/dev/null || cmake --preset $(PRESET)

build: configure ## build the operator and the tests (PRESET=dev|release|asan|tsan)
	@cmake --build $(BUILD) -j $(JOBS)

test-unit: build ## unit tests only
	@ctest --test-dir $(BUILD) -j $(JOBS) -L unit --output-on-failure

test: build ## everything CI runs
	@ctest --test-dir $(BUILD) -j $(JOBS) --output-on-failure

format: ## format all C++ of the project
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-14 -i

.DEFAULT_GOAL := help
.PHONY: help setup configure build test-unit test format
