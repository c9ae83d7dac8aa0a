#!/usr/bin/env bash
# Make a stand-in for the Dockerfile's base of Debian's packages, where no registry of images is in
# reach: base.sh NAME. Needs root, debootstrap and buildah.
set -euo pipefail
name=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$root" \
    "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >/dev/null
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/dev/* "$root"/etc/{hostname,resolv.conf}
touch "$root"/etc/{hosts,resolv.conf}
container=$(buildah from scratch)
buildah add --quiet "$container" "$root" / >/dev/null
buildah config --cmd python3 --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    "$container"
buildah commit --quiet --rm "$container" "$name" >/dev/null
