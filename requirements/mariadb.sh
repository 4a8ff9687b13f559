#!/bin/sh
# Programs of the operating system that only tests need: a MariaDB server. Does nothing where one is installed, and
# installs it from Debian's packages for root. Elsewhere the tests that need it are skipped (with CI=true they fail).
set -eu

if command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ]; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    printf '%s\n' "No MariaDB server: install mariadb-server-core, or the tests that need one are skipped." >&2
    exit 0
fi
install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mariadb-server-core; }
# The server's program without its service: nothing starts at boot. Package lists may be absent or old.
{ install || { apt-get update -qq && install; }; } >/dev/null 2>&1 ||
    printf '%s\n' "mariadb-server-core could not be installed: the tests that need it are skipped." >&2
