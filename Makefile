# What there is to do, and how: `make help`.
GO       ?= go
GOTEST   ?= $(GO) test
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
LDFLAGS   = -s -w -X github.com/firedrill/firedrill/cmd.Version=$(VERSION)
GOLANGCI  = v2.15.0
TOOLS     = $(CURDIR)/bin/tools
PLATFORMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
RUNS     ?= 50
FUZZTIME ?= 60s
FUZZED    = ./drills=FuzzReadDrill ./drills=FuzzReadEnvironments ./internal/journal=FuzzJournalFile ./internal/journal=FuzzEvent \
	./inject=FuzzUndoRecord ./inject=FuzzPolicyDocument ./observe=FuzzLogEntry ./observe=FuzzWebhook \
	./drills=FuzzHeard ./drills=FuzzCalendar ./observe/debrief=FuzzNote
PROPERTIES ?= 100000
CELLS    ?= 48
PARALLEL ?= 4

.DEFAULT_GOAL := help
.PHONY: help build drill play test race kill9 kills crashes crash-matrix crash-sample exit-matrix properties fuzz scripts lint conformance bench picture pagerduty-schema man dist dist-check walk clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the program, as bin/firedrill
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/firedrill ./cmd/firedrill

drill: build ## your first drill, on the built-in sandbox: half a minute, no account needed
	@bin/firedrill run orders-write-throttle --env sandbox

play: build ## be on call yourself, on the built-in sandbox: ten minutes, no account needed
	@bin/firedrill play $(DRILL)

test: ## every test that needs nothing but Go
	$(GO) test ./...

# What runs the built program in processes of its own gains nothing from a detector in the test.
race: ## the same under the race detector (needs a C compiler)
	$(GOTEST) -race -short $$($(GO) list ./... | grep -v -e /internal/kill -e /internal/privilege -e /internal/conformance -e /bench)

kill9: ## kill the runner in the middle of a fault, recover from another process, and see that nothing is left
	$(GO) run ./internal/kill9

kills: ## RUNS (50) seeded kills of the runner for each fault, a fresh sandbox for each
	FIREDRILL_KILLS=$(RUNS) $(GOTEST) -count=1 -timeout 60m -v -run TestKills ./internal/kill9

crashes: ## every prefix of a run of every fault, with the real faults, and every way a runner can be stopped (CI takes a sample)
	FIREDRILL_FULL=1 $(GOTEST) -count=1 -timeout 120m ./drills ./internal/kill9

crash-matrix: ## kill at every call and every append of every fault, and write docs/proofs/crash-matrix.md; goes on where it was interrupted
	VERSION=$(VERSION) $(GO) run ./internal/killmatrix -parallel $(PARALLEL) -o docs/proofs/crash-matrix.md

crash-sample: ## CELLS (48) cells of it, of every fault, phase and kind; the seed it prints repeats them: SEED=n
	$(GO) run ./internal/killmatrix -parallel $(PARALLEL) -sample $(CELLS) -within 4m -results '' $(if $(SEED),-seed $(SEED))

exit-matrix: ## every way in which a run can end, and write docs/proofs/exit-matrix.md
	mkdir -p docs/proofs
	FIREDRILL_FULL=1 FIREDRILL_EXIT_MATRIX=docs/proofs/exit-matrix.md $(GOTEST) -count=1 -timeout 30m -parallel 3 -v -run 'TestExitMatrix|TestEveryReason' ./internal/kill9

properties: ## PROPERTIES (100000) lives of each fault with a responder's edits between any two calls (an hour or more; make test takes a hundred)
	$(GOTEST) -count=1 -timeout 24h -run TestRespondersAreFree ./inject -rapid.checks=$(PROPERTIES)

fuzz: ## FUZZTIME (60s) for each of the targets, side by side: drills, environments, journals, undo records, policies, log entries, webhooks
	@printf '%s\n' $(FUZZED) | xargs -P 8 -I{} sh -c 't={}; $(GO) test -run "^$$" -fuzz "$${t#*=}$$" -fuzztime $(FUZZTIME) -parallel 1 "$${t%=*}"'

scripts: ## the program end to end, as scripts
	$(GOTEST) -count=1 -run Script ./cmd/...

walk: ## docs/first-real-drill.md, every command of it, on a sandbox: two minutes (WALK=-update writes docs/proofs/first-real-drill.md)
	FIREDRILL_WALK=1 $(GOTEST) -count=1 -timeout 10m -v -run 'Walked' ./internal/docrun $(WALK)

lint: $(TOOLS)/golangci-lint-$(GOLANGCI) ## golangci-lint and the house's own rules
	$(TOOLS)/golangci-lint-$(GOLANGCI) run
	$(GO) test -count=1 .

$(TOOLS)/golangci-lint-$(GOLANGCI):
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv $(TOOLS)/golangci-lint $@

conformance: ## what others wrote: moto, dynalite, Prometheus, Alertmanager, Pushgateway, the AWS CLI, linters (each skipped, and named, where it is not installed); required, docs/first-real-drill.md is walked too
	$(GOTEST) -count=1 -v ./internal/conformance/ ./internal/docrun/

bench: ## start, first fault, memory and size, as ratios of one run
	FIREDRILL_BENCH=1 $(GO) test -count=1 -v ./bench/

pagerduty-schema: ## PagerDuty's published OpenAPI, pinned, pruned and mended, into bin/pagerduty-schema: what ./internal/contract checks against
	$(GO) run ./internal/contract/schema -o bin/pagerduty-schema $(if $(FROM),-from $(FROM))

picture: build ## docs/live.svg and docs/timeline.svg, of a real run
	$(GO) run ./docs/picture

# What makes another binary of the same source stands here, and nowhere else: no path, no clock, no settings of whoever builds.
# The tools are built as the binary is: what they share is compiled once.
REPRODUCIBLE = CGO_ENABLED=0 GOFLAGS= GOEXPERIMENT= GOAMD64=v1 GOARM64=v8.0 SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH)
DIST ?= dist

dist: man ## for each of PLATFORMS a static binary with its SBOM (CycloneDX); manual, completions; checksums of all: in dist/
	@for p in $(PLATFORMS); do \
		f=$(DIST)/firedrill-$${p%/*}-$${p#*/}; echo $$f; \
		$(REPRODUCIBLE) GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $$f ./cmd/firedrill || exit 1; \
		$(REPRODUCIBLE) $(GO) run -trimpath ./docs/sbom -version '$(VERSION)' -o $$f.cdx.json $$f || exit 1; \
	done
	@cd $(DIST) && if command -v sha256sum >/dev/null; then sha256sum firedrill-*; else shasum -a 256 firedrill-*; fi | tee SHA256SUMS

man: ## manual pages in dist/man, and an archive of them and of the completions of bash, zsh and fish
	@rm -rf $(DIST) && mkdir -p $(DIST)
	$(REPRODUCIBLE) $(GO) run -trimpath ./docs/man -version '$(VERSION)' -o $(DIST)

dist-check: ## build the release twice, in two folders and the second time from nothing, and compare (PLATFORMS=linux/amd64: one of them)
	@t=$$(mktemp -d) && trap 'chmod -R u+w '$$t'; rm -rf '$$t EXIT && mkdir -p $$t/one $$t/a/longer/way/to/two && \
	for d in $$t/one $$t/a/longer/way/to/two; do \
		git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for f; do [ -f "$$f" ] && printf "%s\0" "$$f"; done' _ | tar c --null -T - | tar x -C $$d || exit 1; \
	done && \
	$(MAKE) -C $$t/one dist VERSION='$(VERSION)' SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) PLATFORMS='$(PLATFORMS)' DIST=dist >/dev/null && \
	GOCACHE=$$t/cache $(MAKE) -C $$t/a/longer/way/to/two dist VERSION='$(VERSION)' SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) PLATFORMS='$(PLATFORMS)' DIST=dist >/dev/null && \
	diff $$t/one/dist/SHA256SUMS $$t/a/longer/way/to/two/dist/SHA256SUMS && cat $$t/one/dist/SHA256SUMS && echo "two builds, the same bytes"

clean: ## delete what was built here
	rm -rf bin dist
