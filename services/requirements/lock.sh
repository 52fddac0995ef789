#!/bin/sh
# Compiles the hashed requirement files from the groups of pyproject.toml: first all tools together, then each service
# within those versions, so that what was tested is what runs. No file holds an address of a registry.
set -eu
cd "$(dirname "$0")/../.."
command -v uv >/dev/null 2>&1 || { echo 'lock: uv is missing. Type: pip install uv' >&2; exit 1; }
folder=services/requirements
compile() {  # $1: group, the rest: further options
    group=$1; shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --group "$group" "$@" -o "$folder/$group.txt" >/dev/null
}
compile dev
for group in run catalogue resolver downloader sync gateway demo; do compile "$group" -c "$folder/dev.txt"; done
compile node
compile oracle
