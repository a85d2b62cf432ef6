#!/usr/bin/env bash
# Builds the version before this one, for the tests of a rolling upgrade, and prints where its program is. Which commit that is
# stands in tests/upgrade/PREVIOUS; PREVIOUS=COMMIT takes another. Ends with status 2 when the commit is not in reach: in a
# shallow clone, or without .git.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

commit=${PREVIOUS:-$(<tests/upgrade/PREVIOUS)}
source_folder=$ROOT/target/previous/$commit
program=$source_folder/leasehold

if [[ ! -x $program ]]; then
    if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
        say "commit $commit is not here, which tests/upgrade/PREVIOUS names: \`git fetch --unshallow\` brings it"
        exit 2
    fi
    say "building the version before this one ($commit)"
    rm -rf "$source_folder"
    mkdir -p "$source_folder"
    # Without the times of the commit: what is built is told by them.
    git archive "$commit" | tar -xm -C "$source_folder"
    # It is built into the same folder, where the dependencies are compiled already. Under names of its own: to Cargo two copies of
    # one version are the same package, and would take each other's place.
    sed -i '/^name = "leasehold"$/{n;s/^version = "\(.*\)"$/version = "\1-previous.g'"${commit:0:12}"'"/}' \
        "$source_folder/Cargo.toml" "$source_folder/Cargo.lock"
    sed -i '/^\[\[bin\]\]$/{n;s/"leasehold"/"leasehold-previous"/}' "$source_folder/Cargo.toml"
    cargo build --locked --quiet --bin leasehold-previous \
        --manifest-path "$source_folder/Cargo.toml" --target-dir "$ROOT/target" >&2
    cp "$ROOT/target/debug/leasehold-previous" "$program"
fi
printf '%s\n' "$program"
