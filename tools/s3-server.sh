#!/usr/bin/env bash
# A real S3 server on this machine, for tests and for trying out a run: Ceph's object gateway over one monitor and one storage daemon that keeps everything in
# memory. Answers in about two seconds, on the loopback address only, and forgets everything when it stops.
#
#   tools/s3-server.sh up DIR PORT     starts it, and prints endpoint and accounts
#   tools/s3-server.sh down DIR        stops it
#
# Needs the Debian packages radosgw, ceph-mon, ceph-osd and ceph-common. Logs lie in DIR/log.
set -euo pipefail

readonly usage="usage: tools/s3-server.sh up DIR PORT | down DIR"

configuration() {
    # Small waits for a quorum of one, no authentication between its own parts, one copy of everything.
    cat <<CONF
[global]
fsid = $1
mon host = v1:127.0.0.1:$2
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
keyring = $dir/keyring
run dir = $dir/run
pid file = $dir/run/\$type.\$id.pid
admin socket = $dir/run/\$name.asok
log file = $dir/log/\$name.log
paxos propose interval = 0.02
paxos min wait = 0.01
mon allow pool size one = true
mon max pg per osd = 1000
mon warn on pool no redundancy = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
[mon.a]
host = localhost
mon data = $dir/mon
mon initial members = a
mon cluster log file = $dir/log/cluster.log
[osd.0]
host = localhost
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 8589934592
osd class update on start = false
osd crush update on start = false
osd op num shards = 2
osd op num threads per shard = 1
[client.rgw.0]
rgw frontends = beast endpoint=127.0.0.1:$3 tcp_nodelay=1
rgw data = $dir/rgw
rgw dns name = localhost
rgw enable usage log = false
rgw enable ops log = false
rgw crypt require ssl = false
CONF
}

# The monitor refuses some requests in its first moments.
patiently() {
    local try
    for try in 1 2 3 4 5 6 7 8 9 10; do
        timeout 20 "$@" >/dev/null 2>&1 && return
        sleep 0.3
    done
    echo "did not succeed in $try tries: $*" >&2
    return 1
}

account() {
    radosgw-admin user create --uid="$1" --display-name="$1" --access-key="$2" --secret="$3" >/dev/null 2>>"$dir/log/admin.log"
}

up() {
    local port=$1 monitor fsid osd
    monitor=$((port + 1))
    fsid=$(cat /proc/sys/kernel/random/uuid)
    osd=$(cat /proc/sys/kernel/random/uuid)
    rm -rf "$dir"
    mkdir -p "$dir"/{mon,osd,rgw,run,log}
    configuration "$fsid" "$monitor" "$port" >"$dir/ceph.conf"
    export CEPH_CONF=$dir/ceph.conf
    ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
    ceph-authtool "$dir/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
    monmaptool --create --clobber --fsid "$fsid" --addv a "[v1:127.0.0.1:$monitor]" "$dir/monmap" >/dev/null
    ceph-mon --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring"
    ceph-mon -i a
    patiently ceph osd new "$osd" 0
    ceph-osd -i 0 --mkfs --osd-uuid "$osd" --no-mon-config 2>>"$dir/log/mkfs.log"
    patiently ceph osd crush add osd.0 1.0 root=default host=localhost
    ceph-osd -i 0 >>"$dir/log/osd.log" 2>&1
    radosgw -n client.rgw.0
    wait_for "http://127.0.0.1:$port"
    account owner OWNERKEY ownersecret
    account reader READERKEY readersecret
    account other OTHERKEY othersecret
    echo "endpoint http://127.0.0.1:$port"
    echo "accounts OWNERKEY:ownersecret READERKEY:readersecret OTHERKEY:othersecret"
}

wait_for() {
    local try
    for try in $(seq 1 600); do
        (exec 3<>"/dev/tcp/127.0.0.1/${1##*:}") 2>/dev/null && return
        sleep 0.1
    done 2>/dev/null
    echo "the server did not answer at $1 within a minute: see $dir/log" >&2
    return 1
}

down() {
    local file pid
    for file in "$dir"/run/*.pid; do
        [ -e "$file" ] || continue
        pid=$(cat "$file")
        kill "$pid" 2>/dev/null || true
    done
    sleep 0.3
    for file in "$dir"/run/*.pid; do
        [ -e "$file" ] || continue
        kill -9 "$(cat "$file")" 2>/dev/null || true
    done
    rm -rf "$dir"
}

[ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }
dir=$(realpath -m "$2")
case "$1 $#" in
    "up 3")
        for needed in radosgw ceph-mon ceph-osd ceph radosgw-admin; do
            command -v "$needed" >/dev/null || { echo "$needed is missing: install the Debian packages radosgw, ceph-mon, ceph-osd and ceph-common" >&2; exit 3; }
        done
        up "${3%/}"
        ;;
    "down 2") down ;;
    *) echo "$usage" >&2; exit 2 ;;
esac
