# Common parts of the scripts here; sourced by them, never run. Bash.
# Says what it does on stderr, installs only what is missing, and is quick the second time.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
export PATH="$PATH:/usr/sbin:/sbin" # a Debian user's PATH lacks them

say() { printf '%s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  hint: %s\n' "$@" >&2
  exit 1
}

as_root() { # run a command as root
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root" "run it as root, or install sudo"
  fi
}

# --- packages of the system ---

WANTED=() # packages that turned out to be missing

want_command() { # COMMAND PACKAGE
  command -v "$1" >/dev/null || WANTED+=("$2")
}

want_library() { # LIBRARY PACKAGE
  ldconfig -p | grep -F "$1" >/dev/null || WANTED+=("$2")
}

need_packages() { # what the tool itself needs; then more as COMMAND:PACKAGE
  WANTED=()
  want_command nft nftables
  want_library libnftables.so.1 libnftables1
  want_command ip iproute2
  want_command unshare util-linux
  python3 -c 'import venv, ensurepip' 2>/dev/null || WANTED+=(python3-venv)
  local more
  for more in "$@"; do want_command "${more%%:*}" "${more##*:}"; done
  [ ${#WANTED[@]} -eq 0 ] || install_packages "${WANTED[@]}"
}

install_packages() {
  command -v apt-get >/dev/null || die "these packages are missing: $*" "install them with this system's package manager"
  say "Installing packages: $*"
  local guard=/usr/sbin/policy-rc.d made=no log status=0
  log=$(mktemp)
  if [ ! -e "$guard" ]; then # no daemon starts because of us
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$guard" >/dev/null
    as_root chmod 755 "$guard"
    made=yes
  fi
  apt_install "$@" >"$log" 2>&1 || { as_root apt-get update >>"$log" 2>&1 && apt_install "$@" >>"$log" 2>&1; } || status=$?
  [ $made = no ] || as_root rm -f "$guard"
  if [ $status -ne 0 ]; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "the packages could not be installed: $*"
  fi
  rm -f "$log"
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# --- the local Python environment ---

need_python() { # [EXTRA]: the checkout, installed editable into .venv, with an extra of pyproject.toml
  local extra=${1:-} stamp want
  stamp=$VENV/.stamp-${extra:-base}
  want=$(python3 -c 'import sys; print(sys.version, sys.base_prefix)'; sha256sum "$ROOT/pyproject.toml" "$ROOT/share/commands/cnet"; echo "$ROOT")
  if [ ! -x "$VENV/bin/python" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
      die "$(python3 --version) is too old: 3.11 or later is needed" "put a newer python3 first in PATH"
    say "Making the Python environment .venv"
    python3 -m venv --clear "$VENV"
    local log="$VENV/install.log"
    "$VENV/bin/python" -m pip install --disable-pip-version-check -q -e "$ROOT${extra:+[$extra]}" >"$log" 2>&1 ||
      { tail -n 20 "$log" >&2; die "the Python packages could not be installed"; }
    "$VENV/bin/python" -m compileall -q "$ROOT/src" >/dev/null || true
    if [ "$extra" = dev ]; then printf '%s' "$want" >"$VENV/.stamp-base"; fi # dev holds all that base does
    printf '%s' "$want" >"$stamp"
  fi
}

# --- a private machine ---

can_unshare() {
  as_root unshare --net --mount --propagation private true 2>/dev/null
}

in_private_namespaces() { # COMMAND...: run it where nothing it does to the network can be seen, and nothing survives it
  can_unshare || die "this machine does not let us make namespaces" \
    "in a container, start that with --privileged; otherwise use a virtual machine"
  as_root unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc \
    env CNET_LAB=1 PATH="$PATH" bash "$ROOT/scripts/inside-lab.sh" "$@"
}
