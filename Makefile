# The commands of the project. What they do is in scripts/.

.DEFAULT_GOAL := help
.PHONY: help run test test-fast test-schema test-browser test-python test-compose test-kubernetes torture bench bench-quick fuzz lint setup images manifests

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Build and run everything on this machine: Redis, two replicas on 8088 and 8089, targets; Ctrl-C ends it
	@scripts/run.sh

test: ## Test everything: lint, unit and integration tests, the Compose file on a real engine
	@scripts/test.sh all

test-fast: ## Test what needs no Docker
	@scripts/test.sh fast

test-schema: ## Ask a running replica for all that its OpenAPI document describes (Schemathesis, from PyPI)
	@scripts/test.sh schema

test-browser: ## Test the dashboard in Chromium, on real replicas; SCREENSHOTS=1 takes the pictures of docs/images/
	@scripts/test.sh browser

test-python: ## Build the Python SDK's wheel, and test it against real replicas
	@scripts/test.sh python

test-compose: ## Test the Compose file, with Wine itself
	@scripts/test.sh compose

test-kubernetes: ## Test pods on the cluster that KUBECONFIG names, in namespaces of the tests' own
	@scripts/test.sh kubernetes

torture: ## Torture it: replicas, clients, containers and faults, for half an hour; one run by ARGS="--seed 7 --seconds 60"
	@scripts/torture.sh $(ARGS)

fuzz: ## Run each fuzz target for a minute (FUZZ_SECONDS); needs a nightly toolchain and cargo-fuzz
	@scripts/fuzz.sh

bench: ## Measure everything beside its floors and peers, for about 20 minutes; writes docs/benchmarks/
	@scripts/bench.sh full

bench-quick: ## Measure a little of everything, for about 2 minutes; writes target/benchmarks/
	@scripts/bench.sh quick

lint: ## Check format, clippy, shell scripts, the load balancer's file, licences and advisories
	@scripts/lint.sh

setup: ## Install what is missing: redis-server and redis-sentinel, faketime, Docker with Compose, debootstrap, curl, openssl, python3-venv, Chromium
	@scripts/setup.sh

images: ## Build the images that docker-compose.yml names
	@scripts/images.sh

manifests: ## Render the Helm chart into deploy/kubernetes/, after a change of it, of the alerts or of the dashboard
	@scripts/manifests.sh
