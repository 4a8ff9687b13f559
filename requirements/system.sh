#!/bin/sh
# What the tests need from the operating system: a Chromium at /usr/bin/chromium. Installs it where it may (as root on
# Debian or Ubuntu), otherwise says what to do. CHROMIUM=/path/to/chromium names another one.
set -eu
chromium=${CHROMIUM:-/usr/bin/chromium}
[ -x "$chromium" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the tests of the page ..." >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends chromium fonts-liberation >/dev/null
    [ -x "$chromium" ] && exit 0
fi
echo "The tests of the page need Chromium: apt-get install chromium, or CHROMIUM=/path/to/chromium" >&2
exit 1
