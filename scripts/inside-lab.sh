#!/usr/bin/env bash
# The first process of a private lab: gives it what belongs to a machine of its own, then becomes the command given.
# Started by scripts/lib.sh (in_private_namespaces), in new network, mount and process namespaces.
set -euo pipefail

[ "${CNET_LAB:-}" = 1 ] || { echo "start this through ./scripts/test or ./scripts/demo" >&2; exit 2; }
[ "$$" -eq 1 ] || { echo "this is not the first process of a namespace of its own" >&2; exit 2; }

mount -t sysfs sysfs /sys # shows the links of this namespace
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock
case "$(cd "$(dirname "$0")" && pwd)" in
  /var/lib/*) mkdir -p /var/lib/containernet && mount -t tmpfs -o mode=755 tmpfs /var/lib/containernet ;;
  *) mount -t tmpfs -o mode=755 tmpfs /var/lib ;; # so that not even an empty directory stays behind
esac
if [ ! -d /etc/netns ]; then # not made on the disk of this machine, but in a copy of /etc
  cp -a /etc /run/.etc
  mount --bind /run/.etc /etc
  mkdir /etc/netns
fi
mount -t tmpfs -o mode=755 tmpfs /etc/netns
ip link set lo up
exec "$@"
