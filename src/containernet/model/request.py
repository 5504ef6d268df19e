"""What `create` is asked for, checked as far as it can be without looking at the host.

The rule of this file: bad input ends here, in one sentence and a hint; what leaves here is canonical.
"""

from __future__ import annotations

from containernet.model.address import canonical, contains, first, from_number, overlap, parse_prefix, split
from containernet.model.errors import Usage
from containernet.model.names import label, shown
from containernet.model.network import BRIDGE, INTERNAL, MACVLAN, NAT, TRANSPARENT

LOWEST_MTU, LOWEST_MTU6, HIGHEST_MTU = 68, 1280, 65535  # RFC 791, RFC 8200, and ETH_MAX_MTU
ABSURD = {  # prefixes that no network of containers can have, and why
    "0.0.0.0/8": "this host on this network (RFC 791)",
    "127.0.0.0/8": "loopback (RFC 1122)",
    "169.254.0.0/16": "link-local (RFC 3927)",
    "224.0.0.0/4": "multicast (RFC 5771)",
    "240.0.0.0/4": "reserved (RFC 1112)",
    "::/8": "reserved (RFC 4291)",
    "fe80::/10": "link-local (RFC 4291)",
    "ff00::/8": "multicast (RFC 4291)",
}
SMALLEST, LARGEST = {4: 30, 6: 126}, {4: 8, 6: 16}


def kind(nat: bool, internal: bool, mode: str = "") -> str:
    """Return the kind of network that is asked for."""
    if nat and internal:
        raise Usage("kind-both", "A network is behind NAT or internal, not both.", "Give --nat or --internal.")
    if mode and mode not in TRANSPARENT:
        raise Usage("mode-invalid", f"{shown(mode)} is no mode.", f"Modes: {', '.join(TRANSPARENT)}.")
    if mode and (nat or internal):
        said = "NAT" if nat else "--internal"
        raise Usage("kind-both", f"--mode is for networks without {said}.", "Leave one of them out.")
    return NAT if nat else INTERNAL if internal else mode or BRIDGE


def shim(kind: str, wanted: bool) -> None:
    """Refuse a shim where the host reaches its containers without one."""
    if wanted and kind != MACVLAN:
        sentence = "A shim is for a network of mode macvlan: else this host and its containers reach each other anyway."
        raise Usage("shim-nothing", sentence, "Leave --shim out, or give --mode macvlan.")


def without_subnets(subnets: tuple[str, ...], gateways: tuple[str, ...], external_address: str) -> None:
    """Refuse what a network on the uplink's own subnet cannot have."""
    if subnets or gateways or external_address:
        raise Usage(
            "kind-transparent", "A network without NAT has no subnet of its own: it is on the uplink's.",
            "Leave out --subnet, --gateway and --external-address; or give --nat (-EnableNat) or --internal.",
        )  # fmt: skip


def confirmation(kind: str, within: int, trust: bool) -> None:
    """Refuse to wait for a confirmation where nothing is to be confirmed."""
    if (within or trust) and kind != BRIDGE:
        raise Usage("confirm-nothing", "Only a network of mode bridge moves the host's addresses.", "Leave it out.")
    if within and trust:
        raise Usage("confirm-both", "--yes skips what --confirm waits for.", "Leave one of them out.")


def subnets(texts: tuple[str, ...], ipv6: bool) -> tuple[str, ...]:
    """Return the prefixes that are asked for, canonical."""
    found: list[str] = []
    for text in texts:
        prefix = _subnet(text)
        if ":" in prefix and not ipv6:
            raise Usage(
                "subnet-ipv6", f"{prefix} is IPv6, and --no-ipv6 says that there is none.", "Leave one of them out."
            )
        clash = next((other for other in found if overlap(prefix, other)), "")
        if clash:
            raise Usage("subnet-overlap", f"The subnets {clash} and {prefix} overlap.", "Give subnets that do not.")
        found.append(prefix)
    for version in (4, 6):
        if sum((":" in prefix) == (version == 6) for prefix in found) > 1:
            raise Usage(
                "subnet-many",
                f"A network has one IPv{version} subnet.",
                "Give a larger one, or create a second network.",
            )
    return tuple(found)


def _subnet(text: str) -> str:
    prefix = str(parse_prefix(text))
    version, length = (6 if ":" in prefix else 4), split(prefix)[1]
    if not LARGEST[version] <= length <= SMALLEST[version]:
        raise Usage(
            "subnet-size", f"{prefix} is no size for a network of containers.",
            f"IPv{version} subnets have a length from /{LARGEST[version]} to /{SMALLEST[version]}.",
        )  # fmt: skip
    why = next((why for absurd, why in ABSURD.items() if overlap(absurd, prefix)), "")
    if why:
        raise Usage(
            "subnet-reserved", f"{prefix} cannot be used: {why}.", "Take one of 10.0.0.0/8, 192.168.0.0/16 or fd00::/8."
        )
    return prefix


def gateways(texts: tuple[str, ...], prefixes: tuple[str, ...]) -> dict[str, str]:
    """Return the gateway of each subnet for which one is asked for."""
    found: dict[str, str] = {}
    for text in texts:
        address = canonical(text)
        prefix = next((prefix for prefix in prefixes if contains(prefix, address)), "")
        if not prefix:
            raise Usage(
                "gateway-outside", f"The gateway {address} is in none of the subnets.", "Give its subnet with --subnet."
            )
        if prefix in found:
            raise Usage("gateway-many", f"The subnet {prefix} has one gateway.", "Give one --gateway for each subnet.")
        if not usable_host(prefix, address):
            raise Usage("gateway-invalid", f"{address} cannot be an interface's address in {prefix}.", "Take another.")
        found[prefix] = address
    return found


def usable_host(prefix: str, address: str) -> bool:
    """Tell whether an interface may have an address: not the subnet's first, nor IPv4's broadcast address."""
    low = from_number(first(prefix), prefix)
    size = (128 if ":" in prefix else 32) - split(prefix)[1]
    high = "" if ":" in prefix else from_number(first(prefix) + (1 << size) - 1, prefix)
    return contains(prefix, address) and address not in (low, high)


def mtu(number: int, ipv6: bool) -> int:
    """Return an MTU in bytes, 0 for the uplink's."""
    lowest = LOWEST_MTU6 if ipv6 else LOWEST_MTU
    if number and not lowest <= number <= HIGHEST_MTU:
        why = " with IPv6 (RFC 8200)" if ipv6 else ""
        raise Usage("mtu-invalid", f"An MTU of {number} cannot be.", f"It is {lowest} to {HIGHEST_MTU}{why}.")
    return number


def labels(texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return labels as pairs, each key once."""
    pairs = [label(text) for text in texts]
    twice = next((key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1), "")
    if twice:
        raise Usage("label-twice", f"The label {shown(twice)} is given twice.", "Give each label once.")
    return tuple(pairs)
