#!/usr/bin/env bash
# A real EVM on this machine, for tests and for trying out a run: Anvil, one process without peers. Answers in a fraction of a second, on the loopback address only.
#
#   tools/chain-node.sh install DIR                       fetches Anvil from npm into DIR, and prints the path of the program
#   tools/chain-node.sh up DIR PORT [OPTION...]           starts it with its state in DIR, and prints its address; options go to Anvil (--block-time 1, --no-mining)
#                                                         its state is written every 5 seconds (--state-interval): what is newer than that is lost when it is killed
#   tools/chain-node.sh down DIR                          stops it, its state kept
#
# The program is CAIRN_ANVIL, or anvil on the PATH, or what install has put into DIR.
set -euo pipefail

readonly usage="usage: tools/chain-node.sh install DIR | up DIR PORT [OPTION...] | down DIR"
readonly version=1.7.1

package() {
    case "$(uname -s) $(uname -m)" in
        "Linux x86_64") echo "@foundry-rs/anvil-linux-amd64" ;;
        "Linux aarch64") echo "@foundry-rs/anvil-linux-arm64" ;;
        "Darwin arm64") echo "@foundry-rs/anvil-darwin-arm64" ;;
        "Darwin x86_64") echo "@foundry-rs/anvil-darwin-amd64" ;;
        *) echo "there is no Anvil for $(uname -s) on $(uname -m)" >&2; exit 3 ;;
    esac
}

program() {
    if [ -n "${CAIRN_ANVIL:-}" ]; then
        echo "$CAIRN_ANVIL"
    elif command -v anvil >/dev/null 2>&1; then
        command -v anvil
    elif [ -x "$dir/node_modules/$(package)/bin/anvil" ]; then
        echo "$dir/node_modules/$(package)/bin/anvil"
    else
        echo "Anvil is not here: install it with tools/chain-node.sh install DIR (needs npm), or name the program in CAIRN_ANVIL" >&2
        exit 3
    fi
}

install() {
    command -v npm >/dev/null || { echo "npm is missing: install Node.js, or name an Anvil in CAIRN_ANVIL" >&2; exit 3; }
    mkdir -p "$dir"
    [ -e "$dir/package.json" ] || echo '{"private": true}' >"$dir/package.json"
    npm install --prefix "$dir" --ignore-scripts --no-audit --no-fund --no-save "$(package)@$version" >"$dir/npm.log" 2>&1 || { cat "$dir/npm.log" >&2; exit 3; }
    echo "$dir/node_modules/$(package)/bin/anvil"
}

up() {
    local port=$1 anvil try
    shift
    anvil=$(program)
    mkdir -p "$dir"
    if [ -e "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null; then
        echo "a chain runs in $dir already" >&2
        exit 3
    fi
    case " $* " in *" --state-interval "*) ;; *) set -- --state-interval 5 "$@" ;; esac
    nohup "$anvil" --port "$port" --quiet --state "$dir/state.json" "$@" >"$dir/log" 2>&1 </dev/null &
    echo $! >"$dir/pid"
    for try in $(seq 1 200); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && { echo "address http://127.0.0.1:$port"; return; }
        kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
        sleep 0.05
    done 2>/dev/null
    echo "the chain did not answer: $(tail -3 "$dir/log")" >&2
    return 1
}

down() {
    local pid try
    [ -e "$dir/pid" ] || return 0
    pid=$(cat "$dir/pid")
    kill -INT "$pid" 2>/dev/null || true
    for try in $(seq 1 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -9 "$pid" 2>/dev/null || true
    rm -f "$dir/pid"
}

[ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }
command=$1
dir=$(realpath -m "$2")
shift 2
case "$command" in
    install) install ;;
    up) [ $# -ge 1 ] || { echo "$usage" >&2; exit 2; }; up "$@" ;;
    down) down ;;
    *) echo "$usage" >&2; exit 2 ;;
esac
