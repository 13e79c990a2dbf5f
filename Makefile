# Dogwatch. "make help" lists the targets; each says what it does.
SHELL := /bin/bash
export CGO_ENABLED ?= 0

FUZZTIME ?= 30s
TESTFLAGS ?=

.PHONY: help run build test lint fuzz bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## set up, build, and show the product at work: bin/dogwatch demo
	bin/dogwatch demo

build: ## build the one binary into bin/
	@scripts/setup run
	go build -trimpath -ldflags '-s -w' -o bin/dogwatch ./cmd/dogwatch

test: build ## set up what the tests need (apt, npm), then run all tests
	@scripts/setup test
	CGO_ENABLED=1 go test -race $(TESTFLAGS) ./...
	cd tests/node && npm test --silent

lint: ## check formatting, import rules and the rest of .golangci.yml
	@scripts/setup lint
	.cache/bin/golangci-lint run ./...

fuzz: ## run each fuzz target for FUZZTIME (30s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz

bench: ## measure: the benchmarks of bench/, figures to the terminal
	go test -run '^$$' -bench . -benchmem ./bench/...

clean: ## delete what was built; the cache of tools stays
	rm -rf bin
	go clean -testcache
