#!/usr/bin/env bash
# Installs Chromium, which tests drive, unless there is one that runs. CI runs it. For systems without apt: install a
# Chromium by hand, and set CHROMIUM_PATH if it has another name.
set -euo pipefail

LOCKED_WITHIN_S=300

fail() {
  echo "install-chromium: $*" >&2
  exit 1
}

# Where Chromium comes as a snap, the program of its package only asks for the snap.
runs() { timeout 60 "$1" --version > /dev/null 2>&1; }

if [ -n "${CHROMIUM_PATH:-}" ]; then
  runs "$CHROMIUM_PATH" || fail "CHROMIUM_PATH is no Chromium that runs: $CHROMIUM_PATH"
  exit 0
fi
for name in chromium chromium-browser google-chrome; do
  if runs "$name"; then exit 0; fi
done

by_hand="install a Chromium by hand and set CHROMIUM_PATH"
command -v apt-get > /dev/null || fail "no Chromium runs here, and there is no apt-get: $by_hand"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2> /dev/null || fail "no Chromium runs, and apt-get needs root or a sudo without a password: $by_hand"
  as_root=(sudo -n)
fi

# apt_get SECONDS ARGUMENTS...: waits while another program holds the lock.
apt_get() {
  local within=$1 said
  shift
  until said=$("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C timeout "$within" apt-get "$@" 2>&1); do
    if [[ $said != *[Ll]ock* ]] || ((SECONDS >= LOCKED_WITHIN_S)); then
      echo "$said" >&2
      return 1
    fi
    sleep 5
  done
}

# One source that fails must not keep the others from having Chromium.
apt_get 120 update -qq || echo "install-chromium: apt-get update failed; going on with what is known" >&2
apt_get 480 install -y -qq --no-install-recommends chromium || fail "apt-get cannot install chromium: $by_hand"
runs chromium || fail "the chromium of apt does not run, as where it only stands for a snap: $by_hand"
command -v chromium
