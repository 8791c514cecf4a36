# passback: bare `make` explains itself.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
GO ?= go
BIN := bin
TOOL = $(GO) tool -modfile=tools/go.mod

.DEFAULT_GOAL := help

help: ## what there is to do
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## start the sandbox: the whole path, with a web page
	$(BIN)/passback sandbox

test: ## all tests, with the race detector
	$(GO) test -race ./...

check: fmt vet lint build test ## what must be green before a commit

fmt:
	@out=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); if [ -n "$$out" ]; then echo "not gofmt-ed:"; echo "$$out"; exit 1; fi

vet:
	$(GO) vet ./...

lint: ## the design's rules: import directions, kinds of time, wrapped errors, function length
	$(TOOL) golangci-lint run ./...

build: ## bin/passback and bin/passback-agent
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build -o $(BIN)/ ./cmd/...

vuln: ## known vulnerabilities in what we depend on (asks the Go vulnerability database)
	$(TOOL) govulncheck ./...

.PHONY: help run test check fmt vet lint build vuln
