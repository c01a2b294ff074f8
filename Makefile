# Each target is a line or two; .ci/run calls the same ones.
GO ?= go
FUZZTIME ?= 5s

.PHONY: all build check test race fuzz gen bench cover interop crash

all: check test

build:
	$(GO) build -trimpath -o bin/mta ./cmd/mta

check: ## prints nothing when the house is in order
	@test -z "$$(gofmt -l .)" || { echo "not gofmt-ed:"; gofmt -l .; exit 1; }
	@$(GO) vet ./...
	@$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

test:
	$(GO) test ./...

race:
	$(GO) test -race ./...

fuzz: ## every fuzz target for FUZZTIME
	@./.ci/fuzz.sh $(FUZZTIME)

gen:
	$(GO) generate ./...

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

cover: ## coverage of the rooms that must not be wrong
	@./.ci/cover.sh 85 ./core/smtp ./core/queue ./core/hook ./core/bounce

interop: ## round trips with Debian's servers and clients (root, Debian packages)
	CI=true $(GO) test ./cmd/mta -count=1 -run "Swaks|Postfix|Dovecot|Defers|Smtplib|TenThousand|Pflogsumm"

crash: ## kill -9 under load: nothing acknowledged is missing
	$(GO) test ./cmd/mta -count=1 -run Kill9 -crash.rounds 60 -v
