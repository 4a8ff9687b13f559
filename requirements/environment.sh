# Makes .venv what a lock file says. Sourced by ./start and ./test; POSIX sh, needs Python 3.12 and nothing else.
#
#   ensure_environment runtime|dev     fast (one small process) when nothing is to do
#
# PYTHON=/path/to/python chooses the interpreter. The stamp inside .venv holds what it was made from; it is removed
# before anything is changed and written last, so an interrupted or failed attempt is made again.

venv=$root/.venv
stamp=$venv/.made-from
bootstrap_lock=$root/requirements/bootstrap.lock

# Compiled modules are half of the start-up time.
unset PYTHONDONTWRITEBYTECODE PYTHONHOME

say() { printf '%s\n' "$*" >&2; }

fingerprint() { # of everything one kind of .venv is made from; of pyproject.toml that is what precedes the tools' settings
    sums=$(cksum <"$root/requirements/$1.lock" && sed '/^\[dependency-groups\]/q' "$root/pyproject.toml" | cksum) || return 1
    printf '%s\n' "$1" "$root" "${PYTHON:-any}" "$sums"
}

is_current() { # the wanted kind, or development, which contains all of it
    [ -x "$venv/bin/python" ] && [ -f "$stamp" ] || return 1
    have=$(cat "$stamp")
    [ "$have" = "$(fingerprint "$1")" ] || [ "$have" = "$(fingerprint dev)" ]
}

is_usable() { # runs, is new enough, and can make environments
    "$1" -I -c 'import ensurepip, sqlite3, ssl, sys, venv; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_usable "$PYTHON" && command -v "$PYTHON" && return
        say "PYTHON=$PYTHON is no Python 3.12 or later with the venv module"
        return 1
    fi
    # Candidates are run, not believed: version managers put stand-ins on PATH that only print an error. The
    # versions every release is tested on come first.
    for candidate in python3.13 python3.12 python3.14 python3 python; do
        is_usable "$candidate" && command -v "$candidate" && return
    done
    for minor in 13 12 14 15 16 17 18 19; do
        for candidate in "${PYENV_ROOT:-${HOME:-/}/.pyenv}/versions/3.$minor".*/bin/python; do
            is_usable "$candidate" && printf '%s\n' "$candidate" && return
        done
    done
    say "Nomaflow needs Python 3.12 or later (with venv; on Debian: apt install python3-venv)."
    say "None was found on PATH or in pyenv. Install one, or name it: PYTHON=/path/to/python3.12 $0"
    return 1
}

can_be_updated() { # made for this folder with the wanted interpreter, which is still there
    [ -f "$stamp" ] && [ -x "$venv/bin/python" ] &&
        [ "$(sed -n 2,3p "$stamp")" = "$(printf '%s\n' "$root" "${PYTHON:-any}")" ]
}

make_environment() {
    wanted=$1
    if can_be_updated; then
        say "Updating $venv ..."
        if [ "$(sed -n 1p "$stamp")" = dev ]; then wanted=dev; fi # ./start leaves the tools of ./test in place
        rm -f "$stamp"
    else
        say "Setting up $venv: once, about a minute ..."
        python=$(find_python) || return 1
        rm -f "$stamp"
        "$python" -I -m venv --clear "$venv" || return 1
    fi
    fill_environment "$root/requirements/$wanted.lock" || return 1
    "$venv/bin/python" -I -m compileall -q "$root/src" >/dev/null || true
    fingerprint "$wanted" >"$stamp.new" && mv -f "$stamp.new" "$stamp"
}

fill_environment() {
    lock=$1
    quiet_pip="$venv/bin/python -I -m pip --quiet --disable-pip-version-check"
    if [ ! -x "$venv/bin/uv" ] || ! "$venv/bin/uv" --version >/dev/null 2>&1; then
        $quiet_pip install --require-hashes --no-deps -r "$bootstrap_lock" >/dev/null 2>&1 || true
    fi
    if with_uv "$lock"; then return 0; fi
    say "uv could not be used; installing with pip, which takes longer."
    $quiet_pip install --require-hashes --no-deps -r "$lock" &&
        $quiet_pip install --no-deps --no-build-isolation --editable "$root"
}

with_uv() {
    [ -x "$venv/bin/uv" ] || return 1
    # The certificates of the operating system, so that what works for pip behind a company's proxy works here.
    UV_PYTHON_DOWNLOADS=never UV_NATIVE_TLS=true UV_PYTHON=$venv/bin/python
    export UV_PYTHON_DOWNLOADS UV_NATIVE_TLS UV_PYTHON
    "$venv/bin/uv" --quiet pip sync --require-hashes --compile-bytecode "$1" &&
        "$venv/bin/uv" --quiet pip install --no-deps --no-build-isolation --editable "$root"
}

ensure_environment() {
    is_current "$1" && return 0
    (
        if command -v flock >/dev/null 2>&1; then
            flock 9
            is_current "$1" && exit 0
        fi
        make_environment "$1"
    ) 9>"$root/.venv.lock"
}
