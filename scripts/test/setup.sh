#!/usr/bin/env bash
# Installs what the tests need beside the npm packages: a Chromium and a Firefox for the browser tests, PostgreSQL
# (its programs; tests start servers of their own) for those that compare with the real thing.
# Does nothing where all are there already.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Ubuntu's chromium-browser and firefox are stubs that only say to install a snap: each is asked to run.
runs_one_of() {
  local name
  for name in "$@"; do
    if command -v "$name" >/dev/null && "$name" --version >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

has_chromium() {
  [ -n "${CHROMIUM_PATH:-}" ] && [ -x "$CHROMIUM_PATH" ] && return 0
  runs_one_of chromium chromium-browser google-chrome google-chrome-stable chrome && return 0
  [ -d "/Applications/Chromium.app" ] || [ -d "/Applications/Google Chrome.app" ] && return 0
  local bundled
  bundled="$(node -e 'process.stdout.write(require("playwright-core").chromium.executablePath() ?? "")')"
  [ -n "$bundled" ] && [ -x "$bundled" ]
}

# Chromium without a window: the browser tests take about 60 % of the time with it. Debian has it as a package.
wants_headless_shell() {
  command -v apt-cache >/dev/null && ! command -v chromium-headless-shell >/dev/null &&
    apt-cache show chromium-headless-shell >/dev/null 2>&1
}

has_firefox() {
  [ -n "${FIREFOX_PATH:-}" ] && [ -x "$FIREFOX_PATH" ] && return 0
  runs_one_of firefox-esr firefox && return 0
  [ -d "/Applications/Firefox.app" ] && return 0
  [ -x .cache/firefox ]
}

# Ubuntu has Firefox as a snap alone, which containers cannot run. The link leads to the executable.
download_firefox() {
  npx --no-install playwright-core install-deps firefox || return
  local executable
  executable="$(npx --no-install browsers install firefox@esr --path .cache/browsers --format '{{path}}' | tail -n 1)" || return
  [ -x "$executable" ] && ln -sf "$executable" .cache/firefox
}

has_postgres() {
  command -v postgres >/dev/null && return 0
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && return 0
  compgen -G '/opt/homebrew/opt/postgresql*/bin/postgres' >/dev/null && return 0
  compgen -G '/usr/local/opt/postgresql*/bin/postgres' >/dev/null
}

# The extension by which `supabase db lint` checks functions, where Debian has it for the PostgreSQL that tests use: the newest.
plpgsql_check_package() {
  local versions=(/usr/lib/postgresql/*/bin/postgres) newest
  command -v apt-cache >/dev/null && [ -e "${versions[0]}" ] || return 0
  newest="$(printf '%s\n' "${versions[@]}" | sed 's#^/usr/lib/postgresql/##; s#/.*##' | sort | tail -n 1)"
  [ -e "/usr/share/postgresql/$newest/extension/plpgsql_check.control" ] || echo "postgresql-$newest-plpgsql-check"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

missing=()
has_chromium || missing+=(chromium)
has_firefox || missing+=(firefox-esr)
has_postgres || missing+=(postgresql)
! wants_headless_shell || missing+=(chromium-headless-shell)

if [ "${#missing[@]}" -eq 0 ] && [ -z "$(plpgsql_check_package)" ]; then
  echo 'Chromium, Firefox and PostgreSQL are installed.'
  exit 0
fi

echo "Installing: ${missing[*]}"
if command -v apt-get >/dev/null; then
  as_root apt-get update
  for package in "${missing[@]}"; do
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" || true
  done
  check="$(plpgsql_check_package)"
  [ -z "$check" ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$check" || true
  # Where the distribution has no browser of its own, the tool that drives it downloads one.
  has_chromium || npx --no-install playwright-core install --with-deps chromium
  has_firefox || download_firefox || true
elif command -v brew >/dev/null; then
  for package in "${missing[@]}"; do
    case "$package" in
      chromium) npx --no-install playwright-core install chromium ;;
      firefox-esr) brew install --cask firefox ;;
      postgresql) brew install postgresql@17 ;;
    esac
  done
else
  echo "Please install ${missing[*]} by your system's own means, then run the tests." >&2
  echo 'Browsers outside the PATH are found through CHROMIUM_PATH and FIREFOX_PATH.' >&2
  exit 1
fi

has_chromium || { echo 'There is still no Chromium.' >&2; exit 1; }
has_firefox || { echo 'There is still no Firefox. One outside the PATH is found through FIREFOX_PATH.' >&2; exit 1; }
has_postgres || { echo 'There is still no PostgreSQL.' >&2; exit 1; }
echo 'Chromium, Firefox and PostgreSQL are installed.'
