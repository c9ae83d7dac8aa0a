#!/usr/bin/env bash
# Run the built image's files without a container engine: run.sh [NAME=VALUE...] -- [COMMAND...]
#
# As an orchestrator would with the strictest settings: the image's user and environment (with `/` as
# home, which engines give a user without a name), a read-only root, a scratch folder at /tmp, no
# capability and no way to more rights. The network is this machine's. Without COMMAND it runs what the
# image does. Needs root, unshare and setpriv. Environment:
#   TARGET     which image; by default `server`
#   MODELS     folder that is mounted where pulled models are; read-only if `:ro` follows
set -euo pipefail
built=$(cd "$(dirname "$0")/../../.image/${TARGET:-server}" && pwd)
of_config() {
    python3 -c "import json, sys; c = json.load(open(sys.argv[1])); print(*($1), sep='\n')" \
        "$built/config.json"
}
mapfile -t environment < <(of_config "['HOME=/', *c['Env']]")
while [ $# -gt 0 ] && [ "$1" != -- ]; do environment+=("$1") && shift; done
[ $# -eq 0 ] || shift
if [ $# -eq 0 ]; then
    mapfile -t command < <(of_config "[*c['Entrypoint'], *c['Cmd']]")
    set -- "${command[@]}"
fi
IFS=: read -r user group < <(of_config "[c['User']]")
# In a namespace of its own for each run, so that they may share it.
place=$built/place
mkdir -p "$place"

inside='
root=$1 place=$2 user=$3 group=$4 models=$5 && shift 5
mount --bind "$root" "$place"
mount -o remount,bind,ro "$place"
mount -t tmpfs -o size=256m,mode=1777,nosuid,nodev tmpfs "$place/tmp"
if [ -n "$models" ]; then
    mount --bind "${models%:ro}" "$place/var/lib/depesche/models"
    [ "$models" = "${models%:ro}" ] || mount -o remount,bind,ro "$place/var/lib/depesche/models"
fi
for name in hosts resolv.conf; do
    [ ! -e "$place/etc/$name" ] || mount --bind "/etc/$name" "$place/etc/$name"
done
mount -t proc proc "$place/proc"
mount -t tmpfs -o mode=755 tmpfs "$place/dev"
for device in null urandom; do
    touch "$place/dev/$device" && mount --bind "/dev/$device" "$place/dev/$device"
done
mount -o remount,ro "$place/dev"
exec chroot "$place" setpriv --reuid "$user" --regid "$group" --clear-groups --no-new-privs \
    --bounding-set=-all --inh-caps=-all --pdeathsig KILL env -i "$@"
'
exec unshare --mount --pid --fork --kill-child --propagation private \
    bash -euc "$inside" run "$built/root/" "$place" "$user" "$group" "${MODELS:-}" \
    "${environment[@]}" "$@"
