"""What is to be known of a link of the host before containers are put on the outside by it.

The rule of this file: it only reads: rtnetlink, /sys/class/net and the settings under /proc/sys/net.
"""

from __future__ import annotations

import os

from containernet.kernel import held, links, managers, sysctl
from containernet.kernel.door import ABSENT, KernelError, Present, Uplink
from containernet.kernel.links import Found
from containernet.kernel.netlink import Netlink, attributes, number
from containernet.kernel.routes import FAMILIES, GETADDR, dump, routes
from containernet.model.address import unpacked

ETHERNET, LOOPBACK = 1, 772  # ARPHRD_*
UNUSABLE = 0x08 | 0x40  # IFA_F_DADFAILED, TENTATIVE
FOUR = (
    "rp_filter", "arp_ignore", "arp_announce", "arp_filter", "accept_local", "promote_secondaries", "log_martians",
    "accept_redirects", "secure_redirects", "send_redirects", "accept_source_route", "proxy_arp", "src_valid_mark",
)  # fmt: skip
SIX = (
    "disable_ipv6", "accept_ra", "autoconf", "accept_ra_defrtr", "accept_ra_pinfo", "accept_ra_rt_info_max_plen",
    "accept_redirects", "use_tempaddr", "keep_addr_on_down", "router_solicitations",
)  # fmt: skip


def read(socket: Netlink, name: str) -> Uplink:
    """Return all of a link."""
    found = links.find(socket, name)
    if found is None:
        raise KernelError(ABSENT, f"There is no link {name}.")
    master = links.find(socket, index=found.master) if found.master else None
    kind = int(_file(name, "type") or 0)
    return Uplink(
        name, found.kind, found.mac, found.mtu, found.up, found.carrier, kind == ETHERNET, kind == LOOPBACK,
        os.path.exists(f"/sys/class/net/{name}/phy80211"), master.name if master else "",
        managers.manager(name, found.index), held.held(socket, name, found.index, found.mac),
        held.odd(socket, name, found.index), tuple(_settings(name).items()),
    )  # fmt: skip


def _file(name: str, key: str) -> str:
    try:
        with open(f"/sys/class/net/{name}/{key}") as file:
            return file.read().strip()
    except OSError:
        return ""


def _settings(name: str) -> dict[str, str]:
    """Return the settings of a link that a new link would not have."""
    keys = [f"ipv4/{key}" for key in FOUR] + [f"ipv6/{key}" for key in SIX]
    own = sysctl.read_many([_path(key, name) for key in keys])
    usual = sysctl.read_many([_path(key, "default") for key in keys])
    return {
        key: own[_path(key, name)]
        for key in keys
        if _path(key, name) in own and own[_path(key, name)] != usual.get(_path(key, "default"))
    }


def _path(key: str, name: str) -> str:
    version, _, rest = key.partition("/")
    return f"net/{version}/conf/{name}/{rest}"


def present(socket: Netlink, name: str) -> Present:
    """Return what an interface has now."""
    found = links.find(socket, name)
    if found is None:
        raise KernelError(ABSENT, f"There is no link {name}.")
    ways = [one for one in routes(socket) if one.oif == found.index and one.destination.startswith("default")]
    gateways = dict.fromkeys(one.via for one in sorted(ways, key=lambda one: one.metric) if one.via)
    return Present(tuple(_addresses(socket, found)), tuple(gateways), found.mtu)


def _addresses(socket: Netlink, link: Found) -> list[str]:
    usable = []
    for family in FAMILIES:
        for body in dump(socket, GETADDR, held.IFADDR.pack(family, 0, 0, 0, link.index)):
            _, length, flags, scope, index = held.IFADDR.unpack_from(body)
            has = attributes(body, 8)
            flags = number(has.get(held.FLAGS, bytes((flags,))))
            if index == link.index and scope == 0 and not (family == 10 and flags & UNUSABLE):
                usable.append(f"{unpacked(has.get(held.LOCAL) or has[held.ADDRESS])}/{length}")
    return usable
