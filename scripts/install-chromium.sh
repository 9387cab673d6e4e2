#!/usr/bin/env bash
# Installs Chromium, which tests drive, unless there is one. CI runs it. For systems without apt: install a Chromium by
# hand, and set CHROMIUM_PATH if it has another name.
set -euo pipefail

for name in "${CHROMIUM_PATH:-chromium}" chromium-browser google-chrome; do
  if command -v "$name" > /dev/null; then exit 0; fi
done
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
"${as_root[@]}" timeout 120 apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive timeout 480 \
  apt-get install -y -qq --no-install-recommends chromium > /dev/null
command -v chromium
