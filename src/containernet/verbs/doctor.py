"""What keeps networks from working on this host, and what can be done.

The rule of this file: each check says one thing in one sentence, and what to do; what is ours is mended on a yes, what
is another's is only explained.
"""

from __future__ import annotations

from containernet.drivers.nat import FORWARD4, FORWARD6
from containernet.kernel.door import ABSENT, UNSUPPORTED, Chain, KernelError
from containernet.model.address import overlap
from containernet.model.errors import Taken
from containernet.model.network import DHCP, HOST, NAT, ROUTED
from containernet.model.record import replace
from containernet.model.views import Finding
from containernet.plan.objects import Sysctl, Table
from containernet.plan.operations import Add, Change, Operation
from containernet.plan.ruleset import TEXT
from containernet.store.door import WORLD
from containernet.verbs.attempt import explained
from containernet.verbs.begin import ready
from containernet.verbs.mend import assess, mend
from containernet.verbs.services import START, enabled
from containernet.verbs.show import interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from containernet.verbs.host import Host

OK, NOTE, WARNING, ERROR = "ok", "note", "warning", "error"
LIBRARY = "libnftables1"
OWNERS = {  # whose firewall it is -> what its owner provides for
    "docker": "It is Docker's: iptables -I DOCKER-USER -i '{0}+' -j ACCEPT, and the same with -o.",
    "ufw": "It is ufw's: ufw route allow in on LINK for each link {0}*, and the same with 'out on'.",
    "firewalld": "It is firewalld's: firewall-cmd --permanent --zone=trusted --add-interface=LINK for each link {0}*.",
}
ANYBODY = "Allow there what comes from and goes to links called {0}*."


def doctor(
    host: Host, *, fix: bool = False, confirm: Callable[[Finding], bool] | None = None, uplink: str = ""
) -> tuple[Finding, ...]:
    """Return what was found, of an uplink or of all; with ``fix`` what is ours is mended where ``confirm`` says yes."""
    if uplink:
        from containernet.verbs.outside import findings

        host.kernel.permit()
        return tuple(findings(host, uplink))
    found = list(_findings(host))
    if not fix:
        return tuple(found)
    agreed = [one for one in found if one.fixable and (confirm is None or confirm(one))]
    if any(one.code == "nftables-missing" for one in agreed):
        _install(host)
    if any(one.code != "nftables-missing" for one in agreed):
        ready(host)
        mend(host)
    if host.dry:
        return tuple(found)
    left = {(one.code, one.sentence) for one in _findings(host)}
    return tuple(replace(one, fixed=one in agreed and (one.code, one.sentence) not in left) for one in found)


def _install(host: Host) -> None:
    if host.plans is not None:
        host.plans.append(f"apt-get install {LIBRARY}")
    else:
        host.kernel.install(LIBRARY)


def _findings(host: Host) -> Iterator[Finding]:
    library = _library(host)
    yield library
    if library.severity != OK:
        return
    yield from _state(host)
    yield from _firewalls(host)
    yield from _overlaps(host)
    yield from _room(host)
    yield from _leasing(host)


def _leasing(host: Host) -> Iterator[Finding]:
    """Somebody keeps the leases of containers."""
    if not enabled(host) or host.services.running():
        return
    leased = sum(one.dynamic == DHCP for one in host.store.endpoints())
    sentence = "The DHCP client service is enabled, and the agent, which leases addresses, is not running."
    if leased:
        sentence = f"{sentence[:-1]}: {leased} endpoint{'s' if leased > 1 else ''} will lose theirs."
    yield Finding("dhcp-unattended", ERROR if leased else WARNING, sentence, START, False)


def _library(host: Host) -> Finding:
    """libnftables is there and the kernel takes our table."""
    try:
        host.kernel.missing([Table(host.mark, TEXT)])
    except KernelError as error:
        if error.reason != UNSUPPORTED:
            raise
        told = explained(error)
        return Finding(told.code, ERROR, told.sentence, told.hint, told.code == "nftables-missing")
    return Finding("nftables", OK, "nftables works here.", "", False)


def _state(host: Host) -> Iterator[Finding]:
    """The world is as it should be."""
    if host.store.memo(WORLD) not in ("", host.kernel.world()):
        yield Finding(
            "restarted",
            WARNING,
            "The host has restarted since, and its networks are not back yet.",
            "Run 'cnet restore'.",
            True,
        )
        return
    for one in interrupted(host):
        yield Finding(
            "interrupted",
            WARNING,
            f"'{one.verb}' of {one.who} was interrupted.",
            "The next command that changes something undoes it.",
            True,
        )
    try:
        found = assess(host)
    except Taken as taken:
        yield Finding(taken.code, ERROR, taken.sentence, taken.hint, False)
        return
    for endpoint in found.freed:
        sentence = f"The container {endpoint.container} has vanished, and still has the endpoint {endpoint.name}."
        yield Finding("vanished", WARNING, sentence, "Its addresses and ports can be freed.", True)
    for endpoint in found.waiting:
        yield Finding(
            "waiting",
            NOTE,
            f"The endpoint {endpoint.name} waits for its container.",
            "'cnet restore' joins it when that is back.",
            False,
        )
    yield from _drift(host, list(found.operations))
    if not found.operations:
        yield Finding(
            "as-it-should-be", OK, "Networks, endpoints and ports are in the kernel as they should be.", "", False
        )


def _drift(host: Host, steps: list[Operation]) -> Iterator[Finding]:
    rest = []
    for step in steps:
        match step:
            case Change(_, Sysctl(place, key)) if place == HOST and key in (FORWARD4, FORWARD6):
                version = "IPv4" if key == FORWARD4 else "IPv6"
                whose = "networks behind NAT and routed ones"
                sentence = f"{version} forwarding is off: {whose} do not reach the outside."
                yield Finding("forwarding-off", ERROR, sentence, f"Switch it on: sysctl -w {key}=1.", True)
            case Add(Table()) | Change(_, Table()):
                sentence = "Our nftables table is not as it should be: no translation, no open ports, no isolation."
                yield Finding("table-missing", ERROR, sentence, "It can be loaded again.", True)
            case _:
                rest.append(step)
    if rest:
        lines = host.brief(rest)
        more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
        sentence = f"The kernel is not as the networks say; it would take: {lines[0] if lines else rest[0]}{more}."
        yield Finding("drift", ERROR, sentence, "'cnet status' shows all of it.", True)


def _firewalls(host: Host) -> Iterator[Finding]:
    """Nobody else drops what our networks forward: an accept of ours is not final (nft(8), base chains)."""
    kinds = {one.kind for one in host.store.networks()} & {NAT, ROUTED}
    names = tuple(name for kind, name in ((NAT, "cn-"), (ROUTED, "ce-")) if kind in kinds)
    if not kinds:
        return
    found = [_foreign(chain, names) for chain in host.kernel.chains() if chain.drops or chain.owner == "legacy"]
    yield from found
    if not found:
        yield Finding("firewalls", OK, "No other firewall drops forwarded packets by default.", "", False)


def _foreign(chain: Chain, names: tuple[str, ...]) -> Finding:
    """Return what is to be said of a chain; ``names`` are how the links are called that it has to let through."""
    where = f"table {chain.family} {chain.table}, chain {chain.name}"
    if chain.owner == "legacy":
        sentence = f"Legacy iptables has rules too ({where}), and the kernel does not tell us what they drop."
        return Finding("firewall-legacy", NOTE, sentence, "Look yourself: iptables-legacy -S FORWARD.", False)
    sentence = f"Another firewall drops what it does not know among forwarded packets: {where}."
    hint = " ".join(OWNERS.get(chain.owner, ANYBODY).format(name) for name in names)
    return Finding("firewall-drops", WARNING, sentence, hint, False)


def _overlaps(host: Host) -> Iterator[Finding]:
    """No route leads a part of our subnets elsewhere."""
    routes = host.kernel.surroundings(HOST).routes
    for network in host.store.networks():
        for subnet in () if network.transparent else network.subnets:
            for route in routes:
                if route != subnet.prefix and overlap(route, subnet.prefix):
                    clash = f"overlaps {subnet.prefix} of the network {network.name}"
                    sentence = f"The route {route} {clash}: one of them is cut off."
                    yield Finding(
                        "route-overlap",
                        WARNING,
                        sentence,
                        "Create the network anew with another --subnet, or move the route (a VPN's?).",
                        False,
                    )


def _room(host: Host) -> Iterator[Finding]:
    """The kernel's neighbour table holds all containers (arp(7), gc_thresh3)."""
    endpoints = len(host.store.endpoints())
    for version in ("ipv4", "ipv6"):
        key = f"net/{version}/neigh/default/gc_thresh3"
        try:
            most = int(host.kernel.setting(HOST, key))
        except KernelError as error:
            if error.reason != ABSENT:
                raise
            continue
        if endpoints > most * 3 // 4:
            sentence = f"The kernel keeps at most {most} {version} neighbours, and there are {endpoints} endpoints."
            yield Finding("neighbours", WARNING, sentence, f"Raise it: sysctl -w {key}={most * 4}.", False)
