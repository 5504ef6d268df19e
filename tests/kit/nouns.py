"""Networks, compartments, endpoints and ports in short, and small intents drawn by chance.

The rule of this file: a noun's number decides all that is not given, so that the same number is the same thing in two
intents.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some

from containernet.model.lease import Lease
from containernet.model.network import INTERNAL, NAT, Compartment, Endpoint, Network, PortMapping, Subnet
from containernet.plan.intent import Intent

MARK = 0x636E0001
REPEATABLE = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HOST4 = "198.51.100.1"


def network(number: int = 1, **more: Any) -> Network:
    """Return a network with a subnet of each IP version."""
    four, six = Subnet(f"10.{number}.0.0/24", f"10.{number}.0.1"), Subnet(f"fd00:{number}::/64", f"fd00:{number}::1")
    subnets = (four, six) if more.get("ipv6", True) else (four,)
    given = {"id": number, "name": f"n{number}", "kind": NAT, "subnets": subnets, "mtu": 1500, **more}
    return Network(**given)


def compartment(number: int = 2, **more: Any) -> Compartment:
    """Return the compartment of a container ``c<number>``."""
    name = f"c{number}"
    given = {"id": number, "container": name, "path": f"/run/netns/{name}", "cookie": 1000 + number, **more}
    return Compartment(**given)


def endpoint(number: int = 1, net: Network | None = None, place: Compartment | None = None, **more: Any) -> Endpoint:
    """Return an endpoint; its number is the last of its addresses."""
    net, place = net or network(), place or compartment()
    addresses = [f"10.{net.id}.0.{number + 1}/24", f"fd00:{net.id}::{number + 1:x}/64"][: len(net.subnets)]
    given = {
        "id": number, "name": f"{place.container}_{net.name}_{number}", "network_id": net.id, "network": net.name,
        "compartment_id": place.id, "container": place.container, "interface": f"eth{number}",
        "mac": f"02:00:00:00:00:{number:02x}", "addresses": tuple(addresses), **more,
    }  # fmt: skip
    return Endpoint(**given)


def lease(**more: Any) -> Lease:
    """Return a lease that came with two DNS servers and two domains."""
    given = {
        "address": "10.1.0.9", "prefix": 24, "server": "10.1.0.1", "client_id": "ff", "began": 7.0, "seconds": 600,
        "t1": 300.0, "t2": 525.0, "dns": ("192.0.2.53", "2001:db8::53"), "search": ("a.example", "b.example"), **more,
    }  # fmt: skip
    return Lease(**given)


def mapping(number: int = 1, to: Endpoint | None = None, **more: Any) -> PortMapping:
    """Return a mapping of a TCP port ``8000 + number`` to port 80."""
    port = 8000 + number
    given = {
        "id": number, "endpoint_id": (to or endpoint()).id, "protocol": "tcp", "external_address": "",
        "external_first": port, "external_last": port, "internal_first": 80, **more,
    }  # fmt: skip
    return PortMapping(**given)


def small(*, kinds: tuple[str, ...] = (NAT, INTERNAL)) -> Intent:
    """Return two networks (one internal), two containers (one on both), three ports."""
    one, two = network(1), network(2, kind=kinds[-1])
    here, there = compartment(2, loopback=True), compartment(3)
    ends = (endpoint(1, one, here), endpoint(2, two, here), endpoint(3, one, there))
    ports = (
        mapping(1, ends[0]),
        mapping(2, ends[2], protocol="udp", external_last=8005, external_address=HOST4),
        mapping(9, ends[2], remotes=("10.9.0.0/16", "fd09::/32")),
    )
    return Intent((one, two), (here, there), ends, ports)


# --- by chance -------------------------------------------------------------------------------------------------------


@some.composite
def networks(draw: Any, number: int) -> Network:
    """Draw a network; what cannot change while it lives is decided by its number."""
    outward = {"kind": INTERNAL} if number == 3 else {"external_address": HOST4 if number == 2 else ""}
    return network(number, mtu=draw(some.sampled_from([1400, 1500])), ipv6=number != 2, **outward)


@some.composite
def intents(draw: Any) -> Intent:
    """Draw up to three networks, three containers, two endpoints for each pair of them, and some ports."""
    nets = [draw(networks(number)) for number in draw(some.sets(some.integers(1, 3)))]
    places = [compartment(number, loopback=number == 2, routed="4" if number == 4 else "") for number in (2, 3, 4)]
    pairs = [(net, place) for net in nets for place in places]
    chosen = draw(some.lists(some.sampled_from(range(2 * len(pairs))), unique=True, max_size=6)) if pairs else []
    ends = []
    for index in sorted(chosen):
        net, place = pairs[index // 2]
        number = 2 * (3 * net.id + place.id) + index % 2
        leases = draw(some.sampled_from([(), (), (lease(),), (lease(dns=("192.0.2.54",), domain="example.org"),)]))
        ends.append(endpoint(number, net, place, priority=draw(some.sampled_from([0, 0, 7])), leases=leases))
    ports = [draw(mappings(number, ends)) for number in draw(some.sets(some.integers(1, 4)))] if ends else []
    held = {one.compartment_id for one in ends}
    return Intent(tuple(nets), tuple(one for one in places if one.id in held), tuple(ends), tuple(ports))


@some.composite
def mappings(draw: Any, number: int, ends: list[Endpoint]) -> PortMapping:
    """Draw a mapping; two of them never share an external port, and one that is otherwise has another number."""
    first = 8000 + 10 * number
    end, more = draw(some.sampled_from(ends)), draw(some.sampled_from([0, 3]))
    protocol, address = draw(some.sampled_from(["tcp", "udp"])), draw(some.sampled_from(["", HOST4]))
    remotes = draw(some.sampled_from([(), ("10.9.0.0/16",), ("10.9.0.0/16", "fd09::/32")]))
    kind = [protocol == "tcp", bool(address), more > 0, len(remotes) > 0, len(remotes) > 1]
    return mapping(
        int("".join(map(str, [number, end.id + 100, *map(int, kind)]))), end, external_first=first,
        external_last=first + more, protocol=protocol, external_address=address, remotes=remotes,
    )  # fmt: skip
