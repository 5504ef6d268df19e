"""The printed world: everything of ours in the kernel, as one sorted text that two moments can be compared by.

The rule of this file: read with the tools that a person would use (``ip``, ``nft``, ``sysctl``), never with our own
code, and leave out what no one chooses (interface numbers, counters, handles, random link-local addresses).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.space import Space

OURS = ("cn-", "ce-")
GLOBAL_SETTINGS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv6/conf/default/forwarding")
LINK_SETTINGS = (
    "net/ipv4/conf/{}/rp_filter",
    "net/ipv4/conf/{}/forwarding",
    "net/ipv4/conf/{}/route_localnet",
    "net/ipv4/conf/{}/arp_ignore",
    "net/ipv4/conf/{}/send_redirects",
    "net/ipv4/conf/{}/accept_redirects",
    "net/ipv6/conf/{}/accept_ra",
    "net/ipv6/conf/{}/disable_ipv6",
    "net/ipv6/conf/{}/forwarding",
    "net/ipv6/conf/{}/accept_redirects",
    "net/ipv6/conf/{}/autoconf",
)


def printed(host: Space, *, containers: bool = True) -> str:
    """Return everything of ours on a host, and all of its containers."""
    lines = links(host, OURS) + table(host) + settings(host, OURS, GLOBAL_SETTINGS)
    lines += [line for line in routes(host) if any(mark in line for mark in ("cn-", "ce-", "proto 199"))]
    lines += files(host)
    if containers:
        for name in sorted(host.sh("ls /run/netns").split()):
            if host.result("ip", "netns", "exec", name, "true").returncode:
                lines.append(f"{name}: no namespace")
                continue
            lines += [f"{name}: {line}" for line in container(host, name)]
    return "\n".join(lines) + "\n"


def files(host: Space) -> list[str]:
    """Return the files of containers that stand for those of /etc, and what is beside them."""
    found = "find /etc/netns -mindepth 1 -printf '%P %y %l\\n' -type f -exec sed 's/^/  /' '{}' ';'"
    return [f"etc {line}" for line in host.sh(found).splitlines()]


def container(host: Space, name: str) -> list[str]:
    """Return all that is in a container."""
    from kit.space import Space

    inside = Space(name, [*host.enter, "ip", "netns", "exec", name])
    return links(inside, ()) + settings(inside, ("eth",), ()) + routes(inside) + rules(inside)


def links(space: Space, prefixes: tuple[str, ...]) -> list[str]:
    """Return the links with these prefixes (none: all), what they are and their addresses."""
    lines = []
    for link in space.json("ip", "-d", "-j", "address", "show"):
        if not prefixes or link["ifname"].startswith(prefixes):
            lines.append(_link(link))
            lines += [f"address {link['ifname']} {text}" for text in _addresses(link)]
    return sorted(lines)


def _link(link: dict[str, Any]) -> str:
    info = link.get("linkinfo", {})
    up = "up" if "UP" in link["flags"] else "down"
    parts = [f"link {link['ifname']} {info.get('info_kind', '')} {up} mtu {link['mtu']} group {link.get('group', '')}"]
    if not link["ifname"].startswith("ce-"):  # the MAC of the host's end is the kernel's own choice
        parts.append(f"mac {link['address']}")
    parts += [f"{key} {link[key]}" for key in ("master", "ifalias") if key in link]
    bridge, port = info.get("info_data", {}), info.get("info_slave_data", {})
    parts += [f"{key} {bridge[key]}" for key in ("stp_state", "mcast_snooping", "vlan_filtering") if key in bridge]
    parts += [f"{key} {port[key]}" for key in ("hairpin", "isolated", "locked", "learning", "flood") if key in port]
    return " ".join(parts)


def _addresses(link: dict[str, Any]) -> list[str]:
    return sorted(f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a.get("scope") != "link")


def routes(space: Space) -> list[str]:
    """Return the routes of all tables, without those that the kernel keeps by itself for addresses."""
    kernels = ("local ", "broadcast ", "multicast ", "anycast ", "fe80::")
    return sorted(
        f"route {family} {' '.join(word for word in line.split() if word != 'linkdown')}"  # told late, of itself
        for family in ("-4", "-6")
        for line in space.run("ip", family, "route", "show", "table", "all").splitlines()
        if not line.startswith(kernels) and " dev lo" not in line
    )


def rules(space: Space) -> list[str]:
    """Return the routing rules that are not the kernel's own three."""
    own = ("lookup local", "lookup main", "lookup default")
    text = [(family, line) for family in ("-4", "-6") for line in space.run("ip", family, "rule").splitlines()]
    return sorted(
        f"rule {family} {' '.join(line.split())}"
        for family, line in text
        if "from all" not in line or not line.strip().endswith(own)
    )


def table(host: Space) -> list[str]:
    """Return our nftables table: its chains in their order, its sets and their elements sorted."""
    done = host.result("nft", "-s", "-j", "list", "table", "inet", "containernet")
    if done.returncode:
        return ["table none"]
    chains, sets = [], []
    for entry in json.loads(done.stdout)["nftables"]:
        ((kind, body),) = entry.items()
        if kind in ("chain", "rule"):
            chains.append(f"{kind} {json.dumps(_stripped(body), sort_keys=True)}")
        elif kind in ("set", "map"):
            elements = body.pop("elem", [])
            sets.append(f"{kind} {body['name']} {json.dumps(_stripped(body), sort_keys=True)}")
            sets += [f"{kind} {body['name']} element {json.dumps(element)}" for element in elements]
    return [f"table {line}" for line in (*chains, *sorted(sets))]


def _stripped(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in ("handle", "index")}


def settings(space: Space, prefixes: tuple[str, ...], always: tuple[str, ...]) -> list[str]:
    """Return the kernel settings that networks depend on, those of links with these prefixes among them."""
    names = space.sh("ls /proc/sys/net/ipv4/conf").split()
    keys = [*always, *(key.format(name) for name in names if name.startswith(prefixes) for key in LINK_SETTINGS)]
    text = (
        space.sh("cd /proc/sys; for key in " + " ".join(keys) + '; do echo "sysctl $key $(cat $key 2>/dev/null)"; done')
        if keys
        else ""
    )
    return sorted(text.splitlines())
