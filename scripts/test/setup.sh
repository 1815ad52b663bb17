#!/usr/bin/env bash
# Installs what the tests need beside the npm packages: a Chromium for the browser tests, PostgreSQL
# (its programs; tests start servers of their own) for those that compare with the real thing.
# Does nothing where both are there already.
set -euo pipefail
cd "$(dirname "$0")/../.."

has_chromium() {
  [ -n "${CHROMIUM_PATH:-}" ] && [ -x "$CHROMIUM_PATH" ] && return 0
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
    # Ubuntu's chromium-browser is a stub that only says to install a snap: ask it to run.
    if command -v "$name" >/dev/null && "$name" --version >/dev/null 2>&1; then return 0; fi
  done
  [ -d "/Applications/Chromium.app" ] || [ -d "/Applications/Google Chrome.app" ] && return 0
  local bundled
  bundled="$(node -e 'process.stdout.write(require("playwright-core").chromium.executablePath() ?? "")')"
  [ -n "$bundled" ] && [ -x "$bundled" ]
}

has_postgres() {
  command -v postgres >/dev/null && return 0
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && return 0
  compgen -G '/opt/homebrew/opt/postgresql*/bin/postgres' >/dev/null && return 0
  compgen -G '/usr/local/opt/postgresql*/bin/postgres' >/dev/null
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

missing=()
has_chromium || missing+=(chromium)
has_postgres || missing+=(postgresql)

if [ "${#missing[@]}" -eq 0 ]; then
  echo 'Chromium and PostgreSQL are installed.'
  exit 0
fi

echo "Installing: ${missing[*]}"
if command -v apt-get >/dev/null; then
  as_root apt-get update
  for package in "${missing[@]}"; do
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" || true
  done
  # Where the distribution has no Chromium of its own, Playwright downloads one.
  has_chromium || npx --no-install playwright-core install --with-deps chromium
elif command -v brew >/dev/null; then
  for package in "${missing[@]}"; do
    case "$package" in
      chromium) npx --no-install playwright-core install chromium ;;
      postgresql) brew install postgresql@17 ;;
    esac
  done
else
  echo "Please install ${missing[*]} by your system's own means, then run the tests." >&2
  echo 'A Chromium outside the PATH is found through CHROMIUM_PATH.' >&2
  exit 1
fi

has_chromium || { echo 'There is still no Chromium.' >&2; exit 1; }
has_postgres || { echo 'There is still no PostgreSQL.' >&2; exit 1; }
echo 'Chromium and PostgreSQL are installed.'
