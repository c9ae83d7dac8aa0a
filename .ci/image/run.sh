#!/usr/bin/env bash
# Run the built image's files without a container engine: run.sh [NAME=VALUE...] -- [COMMAND...]
#
# As an orchestrator would with the strictest settings: the image's user and environment, a read-only
# root, a scratch folder at /tmp, no capability and no way to more rights. The network is this
# machine's. Without COMMAND it runs what the image does. Needs root, unshare and setpriv.
set -euo pipefail
work=$(cd "$(dirname "$0")/../../.image" && pwd)
of_config() {
    python3 -c "import json, sys; c = json.load(open(sys.argv[1])); print(*($1), sep='\n')" \
        "$work/config.json"
}
mapfile -t environment < <(of_config "c['Env']")
while [ $# -gt 0 ] && [ "$1" != -- ]; do environment+=("$1") && shift; done
[ $# -eq 0 ] || shift
if [ $# -eq 0 ]; then
    mapfile -t command < <(of_config "[*c['Entrypoint'], *c['Cmd']]")
    set -- "${command[@]}"
fi
IFS=: read -r user group < <(of_config "[c['User']]")
place=$(mktemp -d)
trap 'rmdir "$place"' EXIT

inside='
root=$1 place=$2 user=$3 group=$4 && shift 4
mount --bind "$root" "$place"
mount -o remount,bind,ro "$place"
mount -t tmpfs -o size=256m,mode=1777,nosuid,nodev tmpfs "$place/tmp"
mount -t proc proc "$place/proc"
mount -t tmpfs -o mode=755 tmpfs "$place/dev"
for device in null urandom; do
    touch "$place/dev/$device" && mount --bind "/dev/$device" "$place/dev/$device"
done
mount -o remount,ro "$place/dev"
exec chroot "$place" setpriv --reuid "$user" --regid "$group" --clear-groups --no-new-privs \
    --bounding-set=-all --inh-caps=-all env -i "$@"
'
unshare --mount --pid --fork --kill-child --propagation private \
    bash -euc "$inside" run "$work/root/" "$place" "$user" "$group" "${environment[@]}" "$@"
