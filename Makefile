# chatwatch. `make help` lists the targets. Only Go and make are needed; a C compiler for the race detector and
# PostgreSQL for the tests are fetched where there are none and the machine allows it.

SHELL       := /bin/bash
export PATH := $(PATH):/usr/local/go/bin
export GOFLAGS += -buildvcs=false
export CGO_ENABLED ?= 1

BIN         := bin/chatwatch
DEMO_DATA   ?= data/demo
LISTEN      ?= 127.0.0.1:8080
# A file of conversations to run the end-to-end tests and the benchmarks on; the tests bring their own when it is absent.
CONVERSATIONS ?= $(firstword $(wildcard conversations.jsonl ../*/corpus/conversations.jsonl))
export CHATWATCH_TEST_CONVERSATIONS := $(abspath $(CONVERSATIONS))

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: build
build: ## build the binary into bin/
	@mkdir -p bin
	CGO_ENABLED=0 go build -o $(BIN) ./cmd/chatwatch

.PHONY: run
run: build ## start the demo: a sample site with lively traffic
	./$(BIN) demo --data-dir $(DEMO_DATA) --listen $(LISTEN)

.PHONY: test
test: format vet race ## gofmt, vet, and every test under the race detector, on both event stores and read databases

.PHONY: format
format: ## fail when a file is not gofmt'ed
	@files=$$(gofmt -l $$(find . -name '*.go' -not -path './.git/*')); \
	if [ -n "$$files" ]; then echo "not formatted:"; echo "$$files"; exit 1; fi

.PHONY: vet
vet: ## go vet
	go vet ./...

.PHONY: lint
lint: ## golangci-lint, where it is installed
	@if command -v golangci-lint >/dev/null; then golangci-lint run; else echo "golangci-lint is not installed: skipped"; fi

# Packages whose tests run once more with the EventStoreDB adapter as the store, over the protocol, and with the read models on
# PostgreSQL. Those of the second list are many small requests, for which the race detector takes minutes; their race has been
# run on the embedded store, and that of the adapter in its own package. The program's own tests start and kill processes and wait
# for them; those that play whole conversations run under the race detector, over the wire and PostgreSQL.
OVER_WIRE       := ./internal/live ./internal/process
OVER_WIRE_PLAIN := ./api ./internal/command ./internal/feed
CONVERSING      := 'TestSimulated|TestNothingAcknowledgedIsLostOrDoubledWhenTheServerIsKilled'
# Tests that mostly wait run side by side.
PARALLEL        := -parallel 4 -timeout 20m

.PHONY: race
race: compiler postgres ## all tests under the race detector
	@race=-race; \
	if [ -f .no-race ]; then \
	  rm -f .no-race; race=; export CGO_ENABLED=0; \
	  echo "WARNING: there is no C compiler and none could be installed: the tests run WITHOUT the race detector."; \
	fi; \
	set -e; \
	echo "on the embedded event store"; \
	go test $$race $(PARALLEL) $$(go list ./... | grep -v '/cmd/'); \
	echo "the program"; \
	go test $(PARALLEL) ./cmd/...; \
	echo "on EventStoreDB's protocol and PostgreSQL"; \
	export CHATWATCH_TEST_STORE=wire CHATWATCH_TEST_READS=postgres; \
	go test $$race $(PARALLEL) $(OVER_WIRE); \
	go test $$race $(PARALLEL) -run $(CONVERSING) ./cmd/chatwatch; \
	go test $(PARALLEL) $(OVER_WIRE_PLAIN)

.PHONY: compiler
compiler:
	@rm -f .no-race; \
	if ! command -v gcc >/dev/null && ! command -v clang >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get install -y --no-install-recommends gcc libc6-dev || \
	      (apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev)) || touch .no-race; \
	  else touch .no-race; fi; \
	fi

# The tests make clusters of their own with its programs; the one that Debian's package makes is left alone.
.PHONY: postgres
postgres:
	@if [ -z "$$CHATWATCH_TEST_DATABASE" ] && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && ! command -v initdb >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    export DEBIAN_FRONTEND=noninteractive; \
	    apt-get install -y --no-install-recommends postgresql || \
	      (apt-get update && apt-get install -y --no-install-recommends postgresql) || \
	      echo "WARNING: PostgreSQL could not be installed: the tests that need it FAIL."; \
	  else echo "WARNING: PostgreSQL is not installed: the tests that need it FAIL. Install the package postgresql."; fi; \
	fi

.PHONY: bench
bench: ## the figures of docs/benchmarks.md, in one run
	go test -run '^$$' -bench 'RawSync|Append|Read' -benchtime 3s ./internal/eventstore/embedded
	go test -run '^$$' -bench . -benchtime 3s ./internal/eventstore/eventstoredb
	go test -run '^$$' -bench . -benchtime 3s ./internal/command
	go test -run '^$$' -bench 'CatchUp|Live|FromStore' ./projections/catalogue
	go test -run '^$$' -bench 'Postgres|Backlog|Lag' -benchtime 2x -timeout 30m ./projections/catalogue
	go test -run '^$$' -bench Postgres -benchtime 300x -timeout 30m ./projections/snapshot
	go test -run '^$$' -bench Messages -benchtime 100000x ./cmd/chatwatch
	CHATWATCH_TEST_STORE=wire go test -run '^$$' -bench 'Messages/HTTP$$' -benchtime 20000x ./cmd/chatwatch
	go test -run '^$$' -bench Simulation -benchtime 1x ./cmd/chatwatch

.PHONY: vuln
vuln: ## known vulnerabilities in what is used, where the database can be reached
	go run golang.org/x/vuln/cmd/govulncheck@latest ./...

.PHONY: generate
generate: ## write the generated files anew
	go generate ./...

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
