#!/bin/sh
# Makes this machine ready for Kinodom and starts it: programs, Python packages, the front end. What is right already
# is left alone, so a second start costs nothing. Called by `make`.
#
#   sh house/run.sh run|demo|status     the house
#   sh house/run.sh front-end           only prepare, and build the scripts and styles
#   sh house/run.sh dev                 only prepare, with the tools and programs of the tests
set -eu
unset PYTHONPATH PYTHONHOME || true
cd "$(dirname "$0")/.."
command=${1:-run}
venv=${KINODOM_VENV:-.venv}

say() { printf '%s\n' "kinodom: $*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
PATH=$PATH:/usr/sbin:/sbin

is_good_python() {  # 3.11 or newer, able to make a virtual environment with pip in it
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for name in python3 python3.13 python3.12 python3.11 python3.14; do
        if have "$name" && is_good_python "$name"; then python=$name; return 0; fi
    done
    return 1
}

missing_packages() {  # Debian names of what is not there
    find_python || printf 'python3 python3-venv '
    have nginx || printf 'nginx '
    have redis-server || printf 'redis-server '
    { have ffmpeg && have ffprobe; } || printf 'ffmpeg '
    if [ "$command" = dev ]; then
        have chromium || printf 'chromium '
        have redis-cli || printf 'redis-tools '
        have strace || printf 'strace '
    fi
}

install_programs() {
    packages=$(missing_packages)
    [ -n "$packages" ] || return 0
    if [ "$(id -u)" != 0 ] || ! have apt-get; then
        if find_python || ! have python3; then :; else
            say "Kinodom needs Python 3.11 or newer with its venv module; this machine has $(python3 --version 2>&1)."
        fi
        fail "some programs are missing. Type: sudo apt-get install -y $packages"
    fi
    say "installing $packages"
    # Debian starts services when it installs them; Kinodom runs its own, so for this moment they are told not to.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT INT TERM
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
    else
        policy=
    fi
    apt_log=$(mktemp)
    # shellcheck disable=SC2086  # a list of names
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } \
        >"$apt_log" 2>&1; then
        tail -n 5 "$apt_log" >&2
        fail "the packages could not be installed. Type: apt-get install -y $packages"
    fi
    rm -f "$apt_log"
    if [ -n "$policy" ]; then rm -f "$policy"; trap - EXIT INT TERM; fi
    find_python || fail "Kinodom needs Python 3.11 or newer with its venv module, and there is none on this machine."
}

sum_of() {  # one sum over the names and contents of files
    for file in "$@"; do if [ -f "$file" ]; then printf '%s\n' "$file"; fi; done | LC_ALL=C sort | xargs cksum | cksum
}

own_packages='services/common services/catalogue services/resolver services/downloader services/sync services/gateway demo house'

install_python_packages() {  # $1: run or dev; the larger set holds the smaller
    requirements=services/requirements/$1.txt
    [ -f "$requirements" ] || requirements=services/requirements/dev.txt
    projects=
    for package in $own_packages; do projects="$projects $package/pyproject.toml"; done
    # shellcheck disable=SC2086  # lists of names
    sum=$(sum_of services/requirements/*.txt $projects)
    for set in $([ "$1" = run ] && echo "run dev" || echo dev); do
        if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.kinodom-$set" 2>/dev/null)" = "$sum" ]; then return 0; fi
    done
    say "preparing Python in $venv (once, about half a minute)"
    if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        rm -rf "$venv"
        "$python" -m venv "$venv"
    fi
    rm -f "$venv"/.kinodom-*
    pip="$venv/bin/python -m pip --disable-pip-version-check --quiet --no-input"
    $pip install --require-hashes -r "$requirements" || fail "the Python packages could not be installed; try again when the network is back."
    editable=
    for package in $own_packages; do editable="$editable -e $package"; done
    # shellcheck disable=SC2086  # lists of names
    $pip install --no-deps --no-build-isolation --no-index $editable
    printf '%s\n' "$sum" >"$venv/.kinodom-$1"
}

find_node() {  # puts a Node of version 20 or newer on the path
    is_good_node() { [ "$(node -p 'parseInt(process.versions.node)' 2>/dev/null || echo 0)" -ge 20 ]; }
    if have node && have npm && is_good_node; then return 0; fi
    if [ ! -x "$venv/bin/node" ]; then
        say "fetching Node for the front end (once)"
        "$venv/bin/python" -m pip --disable-pip-version-check --quiet --no-input install --require-hashes \
            -r services/requirements/node.txt || fail "Node 20 or newer is missing. Type: sudo apt-get install -y nodejs npm"
    fi
    PATH=$(cd "$venv/bin" && pwd):$PATH
    is_good_node || fail "Node 20 or newer is needed to build the front end."
}

build_front_end() {
    source=services/gateway/frontend
    built=services/gateway/src/kinodom_gateway/static/dist
    [ -f "$source/build.mjs" ] || return 0
    # shellcheck disable=SC2046  # file names of this repository hold no spaces
    sum=$(sum_of $(find "$source" services/gateway/src/kinodom_gateway/translations services/gateway/src/kinodom_gateway/locale \
        -name node_modules -prune -o -type f -print 2>/dev/null))
    if [ "$(cat "$built/.sources" 2>/dev/null)" = "$sum" ] && [ -f "$built/manifest.json" ]; then return 0; fi
    find_node
    say "building the front end"
    target=$(pwd)/$built
    (
        cd "$source"
        # esbuild works without its install script; nothing else is allowed to run one.
        npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
        mkdir -p "$target"
        node build.mjs "$target"
    ) >&2 || fail "the front end could not be built."
    printf '%s\n' "$sum" >"$built/.sources"
}

install_programs
[ -n "${python:-}" ] || find_python
if [ "$command" = dev ]; then
    install_python_packages dev
    build_front_end
    exit 0
fi
install_python_packages run
build_front_end
[ "$command" != front-end ] || exit 0
exec "$venv/bin/python" -m kinodom_house "$command"
