# passback: bare `make` explains itself.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
GO ?= go
BIN := bin
FUZZTIME ?= 10s
LABELS ?=
SOAK ?= 1h
REQUESTS ?= 1000000
TARGET ?=
TOOL = $(GO) tool -modfile=tools/go.mod

.DEFAULT_GOAL := help

help: ## what there is to do
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## start the sandbox: the whole path, with a web page
	$(BIN)/passback sandbox

test: ## all tests, with the race detector; says which were skipped, and why
	$(TOOL) gotestsum --format pkgname -- -race ./...

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

scenarios: build ## the scenario suite under Ginkgo: LABELS='Area:policy && !Slow', TARGET=target.yaml, report in report/
	@mkdir -p report
	PASSBACK_TARGET=$(if $(TARGET),$(abspath $(TARGET))) $(GO) test ./scenarios/suite -count=1 -timeout 15m -v --ginkgo.label-filter='$(LABELS)' --ginkgo.junit-report=$(CURDIR)/report/junit.xml

fuzz: ## every fuzz target for FUZZTIME (10s) each
	@for pkg in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
		echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; done; done

bench: bench-relay ## resets end to end beside bare RSA-2048; fakead beside slapd and Samba, fakerelay beside RabbitMQ and rhea, in one run each
	$(GO) test ./sim -run '^$$' -bench . -benchtime 5s -timeout 10m
	$(GO) run ./fakead/bench

bench-relay: build ## fakerelay beside RabbitMQ (Debian: rabbitmq-server) and a broker on rhea (Node, npm), in turns: rates, and CPU of each message (Linux)
	$(GO) run ./fakerelay/bench -relay $(BIN)/passback

oracle: ## fakead against a real Samba 4.24 domain controller (root, Debian packages; about a minute to make it once)
	fakead/oracle/samba.sh run $(GO) test ./fakead/oracle -count=1 -timeout 20m -v -run TestTheRealDomainControllerAnswersAlike

oracle-agent: ## the agent and the suites against that domain controller, with its KDC (as oracle; some minutes)
	PASSBACK_ORACLE_KDC=1 GO=$(GO) fakead/oracle/samba.sh run scenarios/oracle/run.sh

soak: ## fakead under 64 connections for an hour of its domain's time (two minutes)
	$(GO) test ./fakead -count=1 -timeout 30m -v -run TestSoak -soak 60

sdk-live: build ## the Go SDK's own 121 live tests against passback relay, unmodified (Linux: root, or user namespaces)
	$(GO) run ./fakerelay/sdklive -relay $(BIN)/passback

clients: build ## stock clients and others' tests against passback relay: JavaScript (npm), Python and Qpid Proton (Debian); the conformance tests of the Go CDK and of dapr
	for client in js python proton gocloud dapr; do fakerelay/clients/run.sh $(BIN)/passback $$client || [ $$? = 75 ]; done

kill-matrix: ## kill the agent 1,000 times at each point of a request's way and 1,000 at random instants (half an hour)
	$(GO) test ./scenarios/ordeal -count=1 -timeout 3h -v -run TestKillMatrix -kills 1000

soak-agent: ## the agent under random faults for SOAK (1h), its memory over REQUESTS (1000000), and 10,000 requests waiting: nothing lost, below 40 MB
	$(GO) test ./scenarios/ordeal -count=1 -timeout 24h -v -run 'TestSoak|TestMemory|TestBacklog' -waiting 10000 -soak $(SOAK) -requests $(REQUESTS)

agents: ## agents under load: one joins (after its two minutes), leaves, reloads, is unenrolled, and is killed with the lock of a real queue
	$(GO) test ./scenarios/ordeal -count=1 -timeout 30m -v -run 'TestAgentJoins|TestAgentLeaves|TestTakeOver|UnderLoad' -join -lock 30s

diagnosis: ## how often the agent names the rule that refused, over every policy: the table of docs/diagnosis.md
	$(GO) test ./writeback -count=1 -run TestDiagnosisOverTheMatrixOfPolicies

outbound: ## prove that the agent only connects outward, in network namespaces (root, iproute2, nftables, strace)
	$(GO) test ./scenarios/ordeal -count=1 -v -run TestOutboundOnly

cross: ## the agent for Windows and macOS
	for os in windows darwin; do GOOS=$$os CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/passback-agent; done

vuln: ## known vulnerabilities in what we depend on (asks the Go vulnerability database)
	$(TOOL) govulncheck ./...

.PHONY: help run test check fmt vet lint build scenarios fuzz bench bench-relay oracle soak oracle-agent sdk-live clients kill-matrix soak-agent agents diagnosis outbound cross vuln
