"""The addresses of an endpoint on a network without NAT: given here, by DHCP, by routers, or by the container itself.

The rule of this file: such a network has no pool of ours, so nothing is picked; what is given has to be a neighbour's
address on the uplink's own subnet, or say so.
"""

from __future__ import annotations

from containernet.drivers.transparent import prefix_of
from containernet.model import identity
from containernet.model.address import canonical, contains, family, packed_mac, split, whole
from containernet.model.errors import Conflict, Usage
from containernet.model.names import host_name, shown
from containernet.model.network import DHCP, ROUTED, Endpoint, Network
from containernet.model.record import record
from containernet.model.request import usable_host
from containernet.plan.intent import Intent, joined
from containernet.plan.objects import GATEWAY4, GATEWAY6, LINK_LOCAL
from containernet.verbs.host import UUID
from containernet.verbs.leave import gone_with
from containernet.verbs.services import enabled, need_service
from containernet.verbs.transparent import need_awake
from containernet.verbs.uplink import gateways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host

NONE = "none"
MAC, DUID = "mac", "duid"
HINT = "Write it with the length of its prefix (192.0.2.7/24), or say dhcp or none."


def given(
    host: Host, network: Network, container: str, asked: tuple[str, ...]
) -> tuple[tuple[str, ...], str, tuple[str, ...], Intent]:
    """Return the addresses that are asked for, what gives more, where they lead, and what is freed for them."""
    need_awake(host, network)
    routed = network.kind == ROUTED
    words, addresses = _split(tuple(map(_whole, asked)) if routed else asked)
    dynamic = DHCP if DHCP in words or (not asked and enabled(host)) else ""
    if dynamic:
        need_service(host)
    if routed:
        return _routed(host, network, addresses, dynamic)
    if not asked and not dynamic:
        sentence = f"{container} gets no IPv4 address on {network.name}: the DHCP client service is off."
        host.report.note(f"{sentence} 'cnet service dhcp enable' switches it on; --ip gives an address.")
    stale = Intent()
    for address in addresses:
        stale = joined(stale, _free(host, network, split(address)[0]))
    return addresses, dynamic, _gateways(host, network, addresses), stale


def _routed(
    host: Host, network: Network, found: tuple[str, ...], dynamic: str
) -> tuple[tuple[str, ...], str, tuple[str, ...], Intent]:
    """Return the same on a routed network: addresses are put on whole, and lead to the host."""
    if not found and not dynamic:
        sentence = f"The host routes for {network.name}: no DHCP server or router is heard inside, so nothing is given."
        hint = "Give the container an address with --ip ADDRESS, or have one leased: cnet service dhcp enable."
        raise Usage("address-needed", sentence, hint)
    if not network.ipv6 and any(":" in text for text in found):
        raise Usage("address-ipv6", f"The network {network.name} has no IPv6.", "Give an IPv4 address.")
    addresses = tuple(dict.fromkeys(map(whole, found)))
    stale = Intent()
    for address in addresses:
        alone = split(address)[0]
        stale = joined(stale, _free(host, network, alone), _unclaimed(host, network, alone))
    return addresses, dynamic, _to_host(addresses, dynamic), stale


def _whole(text: str) -> str:
    """Return an address without a length with that of an address alone."""
    return text if "/" in text or text.lower() in (DHCP, NONE) else whole(text)


def _split(asked: tuple[str, ...]) -> tuple[set[str], tuple[str, ...]]:
    words = {text.lower() for text in asked if text.lower() in (DHCP, NONE)}
    addresses = tuple(dict.fromkeys(_checked(text) for text in asked if text.lower() not in words))
    four = any(family(text) == 4 for text in addresses)
    if len(words) > 1 or (NONE in words and addresses) or (DHCP in words and four):
        raise Usage("address-both", "These --ip contradict each other.", "Say dhcp, none, or the addresses.")
    return words, addresses


def _checked(text: str) -> str:
    host, slash, length = text.partition("/")
    address = canonical(host)
    most = 128 if ":" in address else 32
    if not slash or not (length.isascii() and length.isdigit() and 1 <= int(length) <= most):
        raise Usage("address-length", f"{shown(text)} does not say how long its prefix is.", HINT)
    whole = f"{address}/{int(length)}"
    if address.startswith(("127.", "0.")) or address in ("::", "::1") or _many(address):
        raise Usage("address-reserved", f"{address} is no interface's address.", "Take another.")
    if int(length) < most - 1 and not usable_host(whole, address):
        raise Usage("address-reserved", f"{address} is no interface's address in its prefix.", "Take another.")
    return whole


def _many(address: str) -> bool:
    """Tell whether an address is multicast or broadcast."""
    return address.startswith("ff") if ":" in address else int(address.partition(".")[0]) >= 224


def _free(host: Host, network: Network, address: str) -> Intent:
    """Refuse an address that the host or another endpoint has; return what is freed for it."""
    if host.kernel.has_address(address):
        raise Conflict("address-taken", f"{address} is this host's own address.", "Take another.")
    return _freed(host, network, address)


def _freed(host: Host, network: Network, address: str) -> Intent:
    """Refuse an address that an endpoint of a network has; return what is freed for it."""
    holder = host.store.holder(network.id, address)
    if holder is None:
        return Intent()
    freed = gone_with(host, holder)
    if not freed.endpoints:
        raise Conflict("address-taken", f"{address} is the address of {holder.name}.", "Take another.")
    return freed


def _gateways(host: Host, network: Network, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Return the uplink's own default gateways, as far as they are neighbours of the given addresses."""
    if not addresses:
        return ()
    held = host.kernel.uplink(network.bridge or network.uplink).held
    if not held and not host.kernel.exists(network.bridge):  # a dry run, or a bridge that is about to be made again
        held = host.kernel.uplink(network.uplink).held
    return tuple(one for one in gateways(held) if any(contains(whole, one) for whole in addresses))


@record
class Identity:
    """Who a DHCP server is told that an endpoint is, and what is to be remembered of this host for that."""

    hostname: str
    client_id: str
    memos: tuple[tuple[str, str], ...]


def identified(host: Host, network: Network, endpoint: Endpoint, hostname: str, kind: str) -> Identity:
    """Return who an endpoint is, the same whenever it is made again (RFC 4361)."""
    if kind not in ("", MAC, DUID):
        raise Usage("client-id-invalid", f"{shown(kind)} is no kind of client identifier.", f"Say {DUID} or {MAC}.")
    if kind == MAC:
        who = identity.from_mac(packed_mac(endpoint.mac))
        return Identity(hostname, who.hex(), ((UUID, host.uuid.hex()),))
    number = identity.iaid(network.name, endpoint.name)
    uuid = host.uuid
    while host.store.holder(network.id, client=identity.from_uuid(uuid, number).hex()):
        number = identity.following(number)
    return Identity(hostname, identity.from_uuid(uuid, number).hex(), ((UUID, uuid.hex()),))


def spoken(container: str, given: str) -> str:
    """Return the host name that a server is told: as given, else the container's, if it can be one."""
    if given:
        return host_name(given)
    if container.startswith("/proc/"):  # a process's: it ends in "net" whatever it is
        return ""
    try:
        return host_name(container.rpartition("/")[2])
    except Usage:
        return ""


def _unclaimed(host: Host, network: Network, address: str) -> Intent:
    """Refuse an address that is somebody's on the LAN, or another routed network's; return what is freed for it."""
    _routable(host, network, address)
    for other in host.store.networks():
        beside = other.kind == ROUTED and other.id != network.id
        if beside and (freed := _freed(host, other, address)).endpoints:
            return freed
    who = host.kernel.answers(network.uplink, address)
    if who and not _for_all(host, network, address, who):
        sentence = f"{address} is in use beyond {network.uplink}: {who} answers for it."
        raise Conflict("address-in-use", sentence, "Take another; or have that machine give it up, then try again.")
    return Intent()


def _routable(host: Host, network: Network, address: str) -> None:
    """Refuse an address that can be nobody's outside: of one link, of a subnet of ours, the LAN's broadcast address."""
    if address.startswith((LINK_LOCAL, "fe8", "fe9", "fea", "feb")):
        raise Usage("address-reserved", f"{address} is an address of one link: nobody routes it.", "Take another.")
    for other in host.store.networks():
        if not other.transparent and any(contains(one.prefix, address) for one in other.subnets):
            sentence = f"{address} is in the subnet of the network {other.name}."
            raise Conflict("address-taken", sentence, f"Take one of the subnet of {network.uplink}.")
    way = host.kernel.way_out(network.uplink)
    own = [one for one in (way.source4, way.source6) if one and _has_hosts(one)]
    if any(contains(one, address) and not usable_host(prefix_of(one), address) for one in own):
        raise Usage("address-reserved", f"{address} is no interface's address in its prefix.", "Take another.")


def _has_hosts(whole: str) -> bool:
    """Tell whether the prefix of an address has a first address that is no host's."""
    return split(whole)[1] < (127 if ":" in whole else 31)


def _for_all(host: Host, network: Network, address: str, who: str) -> bool:
    """Tell whether who answers is a router that answers for every address, as that of a cloud's switch does."""
    ways = gateways(host.kernel.uplink(network.uplink).held)
    near = [one for one in ways if (":" in one) == (":" in address) and one != address]
    return any(host.kernel.answers(network.uplink, one) == who for one in near)


def _to_host(addresses: tuple[str, ...], dynamic: str) -> tuple[str, ...]:
    """Return where the default routes of an endpoint with these addresses lead: to the host, by each IP version."""
    four, six = (any((":" in one) == version for one in addresses) for version in (False, True))
    return ((GATEWAY4,) if four or dynamic else ()) + ((GATEWAY6,) if six else ())
