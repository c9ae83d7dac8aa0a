#!/usr/bin/env bash
# Build the image and lay its files open for the tests: build.sh [TARGET [OPTION...]], by default
# `server`, with more options for the build.
#
# Takes docker, podman or buildah, whichever works here. Environment:
#   TAG        name of the image; by default depesche:VERSION
#   BASE       base image instead of the Dockerfile's; `debian` makes a stand-in of Debian's packages
#   PIP_CONF   pip.conf for a registry of your own, given as a secret that doesn't stay in the image
#   CA         authorities in PEM that pip trusts, likewise; by default what PIP_CERT names
#
# Leaves .image/TARGET/root (the files), and beside it config.json, history.json and sbom.cdx.json.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${1:-server}
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' service/depesche/__init__.py)
suffix=$([ "$target" = server ] || echo "-$target")
tag=${TAG:-depesche$suffix:$version}
built=.image/$target
mkdir -p "$built"

tool=
for each in docker podman buildah; do
    # The stand-in for the base is buildah's alone.
    [ "${BASE:-}" != debian ] || [ "$each" = buildah ] || continue
    if "$each" info >/dev/null 2>&1; then tool=$each && break; fi
done
[ -n "$tool" ] || { echo "docker, podman or buildah is needed" >&2; exit 2; }

arguments=(--target "$target" --tag "$tag" --build-arg "VERSION=$version")
arguments+=(--build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)")
if [ "$tool" = buildah ]; then
    # Root in a container of its own may lack the right to make namespaces.
    export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
    arguments+=(--format docker --layers)
    [ -e /etc/containers/policy.json ] || {
        echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$built/policy.json"
        arguments+=(--signature-policy "$PWD/$built/policy.json")
    }
fi
if [ "${BASE:-}" = debian ]; then
    BASE=localhost/depesche-base:bookworm
    buildah inspect --type image "$BASE" >/dev/null 2>&1 || .ci/image/base.sh "$BASE"
    arguments+=(--pull-never)
fi
[ -z "${BASE:-}" ] || arguments+=(--build-arg "BASE=$BASE")
CA=${CA:-${PIP_CERT:-}}
if [ -n "$CA" ]; then
    arguments+=(--secret "id=ca,src=$CA")
    [ -n "${PIP_CONF:-}" ] || {
        PIP_CONF=$built/pip.conf
        printf '[global]\ncert = /run/secrets/ca\n' >"$PIP_CONF"
    }
fi
[ -z "${PIP_CONF:-}" ] || arguments+=(--secret "id=pip,src=$PIP_CONF")

DOCKER_BUILDKIT=1 "$tool" build "${arguments[@]}" "${@:2}" .

rm -rf "$built/root"
if [ "$tool" = buildah ]; then
    container=depesche-$target-laid-open
    buildah rm "$container" >/dev/null 2>&1 || true
    buildah from --pull-never --name "$container" "$tag" >/dev/null
    ln -s "$(buildah mount "$container")" "$built/root"
    buildah inspect --type image "$tag" >"$built/inspect.json"
    for part in config history; do
        python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["OCIv1"][sys.argv[1]]))' \
            "$part" <"$built/inspect.json" >"$built/$part.json"
    done
else
    container=$("$tool" create "$tag")
    mkdir "$built/root"
    "$tool" export "$container" | tar -x -C "$built/root"
    "$tool" rm "$container" >/dev/null
    "$tool" image inspect --format '{{json .Config}}' "$tag" >"$built/config.json"
    "$tool" history --no-trunc --format '{{json .}}' "$tag" >"$built/history.json"
fi
cp "$built/root/opt/depesche/sbom.cdx.json" "$built/sbom.cdx.json"
echo "$tag: $(du -xsh "$built/root/" | cut -f1)"
