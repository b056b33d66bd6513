# Thin: Meson and Ninja do the building; this file knows how to call them.
#   make run     install what is missing, build, start the demo server (Ctrl-C stops it)
#   make build   install what is missing and build
#   make check   every test, under 20 minutes on two cores
#   make soak    the tests' long forms, hours; tests/soak --list tells the parts, PARTS=kills,disk runs some
#   make replay  attackers and innocents against a server: docs/detection-measured.md (two minutes)
#   make fuzz    fuzz for long (FUZZ_SECONDS each target)
#   make bench   measure beside Debian's mail servers (half an hour)
#   make clean   remove build/
SHELL := /bin/bash
PYTHON := /usr/bin/python3
MESON := /usr/bin/meson
WERROR ?= true
FUZZ_SECONDS ?= 1800
PARTS ?=

.PHONY: run build check replay soak fuzz bench clean packages-build packages-check packages-soak packages-bench

run: build
	@exec build/postern demo

build: packages-build build/build.ninja
	@echo "Building into build/ ..."
	@ninja -C build programs

build/build.ninja:
	@echo "Configuring build/ (gcc, optimised, hardened) ..."
	@CC=gcc $(MESON) setup build -Dwerror=$(WERROR)

check: packages-check
	@$(PYTHON) tests/check

replay: build
	@$(PYTHON) tests/replay --write docs/detection-measured.md

soak: packages-soak
	@$(PYTHON) tests/soak --only "$(PARTS)"

fuzz: packages-check
	@$(PYTHON) tests/check --only fuzz --fuzz-seconds $(FUZZ_SECONDS)

bench: packages-bench build
	@ninja -C build tests/bench/load
	@$(PYTHON) tests/bench/bench

clean:
	rm -rf build

packages-build:
	@packaging/packages.sh build

packages-check:
	@packaging/packages.sh build check

packages-soak:
	@packaging/packages.sh build check soak

packages-bench:
	@packaging/packages.sh build bench
