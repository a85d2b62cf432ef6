#!/usr/bin/env bash
# Runs the tests.
#
#   scripts/test.sh all         everything, after installing what is missing
#   scripts/test.sh fast        what needs no Docker
#   scripts/test.sh schema      the API against its document
#   scripts/test.sh browser     the dashboard in a browser
#   scripts/test.sh python      the Python SDK
#   scripts/test.sh compose     the Compose file, with Wine itself
#   scripts/test.sh kubernetes  pods, on the cluster that KUBECONFIG names
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

# An engine that answered before stays; one that is started here ends with this script.
with_engine() {
    local engine
    engine=$("$ROOT/scripts/engine.sh" start) || die "there is no Docker engine to test with; see above"
    [[ $engine == found ]] || trap '"$ROOT/scripts/engine.sh" stop' EXIT
}

# How the names of the tests begin that are left out: those of a rolling upgrade where the version before this one cannot be built,
# those of the chart where helm cannot be had. Else both programs are told to them.
LEFT_OUT=()
with_previous() {
    local status=0
    PREVIOUS_LEASEHOLD=$("$ROOT/scripts/previous.sh") || status=$?
    export PREVIOUS_LEASEHOLD
    case $status in
        0) ;;
        2)
            say "NOT TESTED: the rolling upgrade (case 11)"
            LEFT_OUT+=(upgrade::)
            ;;
        *) die "the version before this one does not build; see above" ;;
    esac
}

with_helm() {
    local status=0
    HELM=$("$ROOT/scripts/helm.sh") || status=$?
    export HELM
    case $status in
        0) ;;
        2)
            say "NOT TESTED: the Helm chart (the plain manifests are)"
            LEFT_OUT+=(deploy::chart::)
            ;;
        *) die "helm could not be fetched; see above" ;;
    esac
}

# left_out NAME…: those, and what begins as NAME, as a filter of nextest.
left_out() {
    local name filter='none()'
    for name in "${LEFT_OUT[@]}" "$@"; do
        filter+=" | test(/^$name/)"
    done
    printf '%s' "$filter"
}

# The same for `cargo test`.
skips() {
    local name
    for name in "${LEFT_OUT[@]}" "$@"; do
        printf '%s\n' --skip "$name"
    done
}

all() {
    "$ROOT/scripts/setup.sh" redis sentinel faketime docker debootstrap curl openssl python promtool
    with_engine
    # Mostly downloads: meanwhile the compiler has the processors.
    "$ROOT/scripts/images.sh" linux redis haproxy &
    local images=$!
    "$ROOT/scripts/web.sh"
    "$ROOT/scripts/lint.sh"
    say "building the tests"
    cargo test --locked --no-run --quiet
    wait "$images" || die "the images could not be built; see above"
    say "documentation tests"
    cargo test --locked --doc --quiet
    with_previous
    with_helm
    say "tests"
    if has cargo-nextest; then
        cargo nextest run --locked --no-fail-fast -E "not ($(left_out))"
    else
        # shellcheck disable=SC2046 # words
        cargo test --locked --no-fail-fast --lib --bins --tests -- $(skips)
    fi
    "$ROOT/scripts/schemathesis.sh"
    "$ROOT/scripts/browser.sh"
    "$ROOT/scripts/python.sh"
}

fast() {
    "$ROOT/scripts/setup.sh" redis sentinel faketime openssl python promtool
    with_previous
    with_helm
    if has cargo-nextest; then
        cargo nextest run --locked -E "not ($(left_out compose:: discovery::))"
    else
        # shellcheck disable=SC2046 # words
        cargo test --locked --lib --bins --test integration -- $(skips compose:: discovery::)
    fi
}

compose_with_wine() {
    "$ROOT/scripts/setup.sh" docker debootstrap
    with_engine
    COMPOSE_TEST_WINE=1 cargo test --locked --test integration -- --test-threads 1 compose::
}

in_a_browser() {
    "$ROOT/scripts/setup.sh" docker debootstrap
    with_engine
    "$ROOT/scripts/browser.sh"
}

# On a cluster that somebody asked for: its API server alone is needed, for the tests play the kubelet.
on_cluster() {
    [[ -n ${KUBECONFIG:-} ]] || die "KUBECONFIG is not set: it names the kubeconfig of the cluster to test on"
    [[ -r $KUBECONFIG ]] || die "KUBECONFIG=$KUBECONFIG: there is no such file"
    KUBECONFIG=$(realpath "$KUBECONFIG")
    "$ROOT/scripts/setup.sh" redis
    say "building the tests"
    cargo test --locked --no-run --quiet --test integration
    cargo test --locked --quiet --test integration -- --exact kubernetes::cluster::the_api_server_answers_and_lets_the_tests_make_pods ||
        die "the API server that KUBECONFIG=$KUBECONFIG names cannot be used; see above"
    say "tests"
    # Those that need what no cluster does on demand, as broken watches, keep to the stub.
    cargo test --locked --test integration -- kubernetes::
}

# Whoever has a cluster at hand did not ask for tests on it.
[[ ${1:-} == kubernetes ]] || unset KUBECONFIG

case ${1:-} in
    all) all ;;
    fast) fast ;;
    kubernetes) on_cluster ;;
    browser) in_a_browser ;;
    schema) exec "$ROOT/scripts/schemathesis.sh" ;;
    python) exec "$ROOT/scripts/python.sh" ;;
    compose) compose_with_wine ;;
    *) die "test: all, fast, schema, browser, python, compose or kubernetes" ;;
esac
