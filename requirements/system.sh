#!/bin/sh
# What the tests need from the operating system: a Chromium at /usr/bin/chromium, and slapd, a directory server. Installs
# them where it may (as root on Debian or Ubuntu), otherwise says what to do. CHROMIUM=/path/to/chromium names another one.
set -eu
chromium=${CHROMIUM:-/usr/bin/chromium}
has_slapd() { command -v slapd >/dev/null 2>&1 || [ -x /usr/sbin/slapd ]; }
missing() {
    [ -x "$chromium" ] || printf '%s ' chromium fonts-liberation
    has_slapd || printf '%s ' slapd
}
[ -z "$(missing)" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing $(missing)for the tests ..." >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # A server that the package would start at boot is none of the tests' business.
    export RUNLEVEL=1
    # shellcheck disable=SC2046 # a list of names
    apt-get install -y -qq --no-install-recommends $(missing) >/dev/null
fi
has_slapd || echo "The tests of ldap_sync need slapd (apt-get install slapd) and root, or are skipped" >&2
[ -x "$chromium" ] && exit 0
echo "The tests of the page need Chromium: apt-get install chromium, or CHROMIUM=/path/to/chromium" >&2
exit 1
