# The commands of the project. What they do is in scripts/.

.DEFAULT_GOAL := help
.PHONY: help run test test-fast test-compose bench bench-quick lint setup images

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Build and run everything on this machine: Redis, two replicas on 8088 and 8089, targets; Ctrl-C ends it
	@scripts/run.sh

test: ## Test everything: lint, unit and integration tests, the Compose file on a real engine
	@scripts/test.sh all

test-fast: ## Test what needs no Docker
	@scripts/test.sh fast

test-compose: ## Test the Compose file, with Wine itself
	@scripts/test.sh compose

bench: ## Measure everything beside its floors and peers, for about 20 minutes; writes docs/benchmarks/
	@scripts/bench.sh full

bench-quick: ## Measure a little of everything, for about 2 minutes; writes target/benchmarks/
	@scripts/bench.sh quick

lint: ## Check format, clippy, shell scripts, the load balancer's file, licences and advisories
	@scripts/lint.sh

setup: ## Install what is missing: redis-server, Docker with Compose, debootstrap, curl, openssl
	@scripts/setup.sh

images: ## Build the images that docker-compose.yml names
	@scripts/images.sh
