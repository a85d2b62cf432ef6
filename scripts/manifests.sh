#!/usr/bin/env bash
# Renders the chart into plain manifests, and copies into the chart what helm cannot read outside of it.
#
#   scripts/manifests.sh            deploy/kubernetes/ and deploy/helm/leasehold/files/
#   scripts/manifests.sh FOLDER     the manifests alone, into FOLDER: a test compares
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

CHART=deploy/helm/leasehold
HELM=$("$ROOT/scripts/helm.sh") || exit $?

# render TITLE ARGUMENT…: without what only helm would read.
render() {
    printf '# %s\n# Rendered from the chart by scripts/manifests.sh: change that. For the namespace leasehold; see docs/kubernetes.md.\n' "$1"
    shift
    "$HELM" template leasehold "$CHART" --namespace leasehold --set auth.existingSecret=leasehold "$@" |
        sed -e '/app.kubernetes.io\/managed-by: Helm$/d' -e '/helm.sh\/chart: /d' -e 's/[[:space:]]*$//'
}

main() {
    local folder=${1:-deploy/kubernetes}
    if (($# == 0)); then
        cp deploy/prometheus/leasehold.rules.yml deploy/grafana/leasehold.json "$CHART/files/"
    fi
    render 'First and once: a volume for Redis, marked as new.' \
        --show-only templates/init/settings.yaml --show-only templates/init/volumeclaim.yaml \
        --show-only templates/init/job.yaml >"$folder/1-new-redis.yaml"
    render 'Redis and the replicas, when that job is complete.' --no-hooks >"$folder/2-leasehold.yaml"
    render 'Samples of what is lent.' --show-only templates/targets/deployment.yaml \
        --show-only templates/targets/networkpolicy.yaml --set targets.demo.enabled=true,targets.linux.enabled=true \
        --set targets.wine.enabled=true >"$folder/3-targets.yaml"
}

main "$@"
