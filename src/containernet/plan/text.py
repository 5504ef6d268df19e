"""Operations as the lines that a person would type: ip(8), nft(8), sysctl(8), conntrack(8), arping(8).

The rule of this file: what is printed does the same, line by line, on a host without ContainerNet. Pure.
"""

from __future__ import annotations

from containernet.model.network import HOST, Place
from containernet.plan import moving
from containernet.plan.objects import (
    LINK_LOCAL,
    MAIN,
    PREFIXES,
    ROUTE_PROTOCOL,
    TABLE,
    Address,
    Beside,
    Bridge,
    Element,
    Macvlan,
    Neighbour,
    Object,
    Plain,
    Port,
    Resolver,
    Route,
    Rule,
    Sysctl,
    Table,
    Up,
    Veth,
)
from containernet.plan.operations import Add, Announce, Change, Cut, Elements, Operation, Remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

NAMED = "/run/netns/"
LONG = 400  # characters of a line in a summary


def lines(operations: Iterable[Operation]) -> list[str]:
    """Return the lines of operations, one text each line but for the table's definition, which is one of many lines."""
    return [line for operation in operations for line in text(operation)]


def text(operation: Operation) -> list[str]:
    """Return the lines of one operation; none if it is done by another."""
    match operation:
        case Add(thing):
            return _beside("add", thing) if isinstance(thing, Beside) else _add(thing)
        case Remove(thing):
            return _beside("delete", thing) if isinstance(thing, Beside) else _remove(thing)
        case Change():
            return _change(operation.before, operation.after)
        case Elements():
            return [*_batches("delete", operation.remove), *_batches("add", operation.add)]
        case Cut():
            return [_cut(operation)]
        case Announce():
            return [_announce(operation, address.partition("/")[0]) for address in operation.addresses]


def brief(operation: Operation) -> list[str]:
    """Return the same, the table's definition and long lists of elements cut to one short line."""
    return [_shortened(line) for line in text(operation)]


def _shortened(line: str) -> str:
    if "\n" in line:
        return f"nft -f -  # the table inet {TABLE}"
    return line if len(line) <= LONG else line[: LONG - 80].rpartition(",")[0] + ", …"


def _ip(place: Place) -> str:
    if place == HOST:
        return "ip"
    if place.path.startswith(NAMED):
        return f"ip -n {place.path.removeprefix(NAMED)}"
    return f"nsenter --net={place.path} ip"


def _inside(place: Place, command: str) -> str:
    if place == HOST:
        return command
    if place.path.startswith(NAMED):
        return f"ip netns exec {place.path.removeprefix(NAMED)} {command}"
    return f"nsenter --net={place.path} {command}"


def _add(one: Plain) -> list[str]:
    match one:
        case Table():
            head = f'create table inet {TABLE} {{ comment "containernet store {one.mark:08x}"; }}'
            return [f"nft -f - <<'END'\n{head}\n{one.text}\nEND"]
        case Bridge():
            made = f"ip link add {one.name} address {one.mac} group {one.group} type bridge {_manner(one)}"
            return [made, f"ip link set {one.name} mtu {one.mtu} up alias '{one.alias}'"]
        case Veth():
            return _add_veth(one)
        case Up():
            return [f"{_ip(one.place)} link set {one.link} up"]
        case Address():
            return [f"{_ip(one.place)} address add {one.address} dev {one.link}" + _manner_of(one.address)]
        case Route():
            return [f"{_ip(one.place)}{_six(one)} route add {_route(one)}"]
        case Rule():
            return [f"{_ip(one.place)}{' -6' if ':' in one.source else ''} rule add {_rule(one)}"]
        case Sysctl():
            return [_inside(one.place, f"sysctl -w {one.key}={one.value}")]
        case Element():
            return _batches("add", (one,))


def _manner_of(address: str) -> str:
    if ":" in address:
        return " nodad"
    return " scope link" if address.startswith(LINK_LOCAL) else " broadcast +"


def _add_veth(one: Veth) -> list[str]:
    where = one.place.path.removeprefix(NAMED)
    pair = f"ip link add {one.name} mtu {one.mtu} group {one.group} type veth"
    return [
        f"{pair} peer name {one.peer} address {one.mac} mtu {one.mtu} netns {where}",
        *_set_veth(one, ""),
    ]


def _set_veth(one: Veth, mtu: str) -> list[str]:
    """Return the lines that make the host's end a port of its bridge, if it has one."""
    master = f" master {one.bridge}" if one.bridge else ""
    lines = [f"ip link set {one.name}{master}{mtu} up alias '{one.alias}'"]
    return [*lines, f"bridge link set dev {one.name} hairpin {_on(one.hairpin)}"] if one.bridge else lines


def _manner(bridge: Bridge) -> str:
    """Return how a bridge works."""
    plain = " forward_delay 0 mcast_snooping 0 nf_call_iptables 0 nf_call_ip6tables 0 nf_call_arptables 0"
    return "stp_state 0" + (plain if bridge.plain else "")


def _on(state: bool) -> str:
    return "on" if state else "off"


def _beside(verb: str, one: Beside) -> list[str]:
    """Return the lines that add or delete what few networks have."""
    match one:
        case Macvlan():
            return _add_macvlan(one) if verb == "add" else [f"{_ip(one.place)} link delete {one.name}"]
        case Neighbour():
            return [_neighbour(verb, one)]
        case Port():
            return [f"ip link set {one.link} {f'master {one.bridge}' if verb == 'add' else 'nomaster'}"]
        case Resolver():
            return _resolver(verb, one)
    return [moving.line(verb, one)]


def _neighbour(verb: str, one: Neighbour) -> str:
    if verb == "delete":
        return f"{_ip(one.place)} neigh delete {'' if one.mac else 'proxy '}{one.address} dev {one.link}"
    if not one.mac:
        return f"{_ip(one.place)} neigh add proxy {one.address} dev {one.link} protocol {ROUTE_PROTOCOL}"
    made = f"{_ip(one.place)} neigh replace {one.address} lladdr {one.mac} dev {one.link}"
    return f"{made} nud permanent protocol {ROUTE_PROTOCOL}"


def _add_macvlan(one: Macvlan) -> list[str]:
    where = f" netns {one.place.path.removeprefix(NAMED)}" if one.place != HOST else ""
    made = f"ip link add link {one.parent} name {one.name} address {one.mac} mtu {one.mtu} group {one.group}"
    alias = f"{_ip(one.place)} link set {one.name} alias '{one.alias}'"
    return [f"{made}{where} type macvlan mode bridge", alias]


def _resolver(verb: str, one: Resolver) -> list[str]:
    from containernet.plan import resolver

    if verb == "change":
        return [resolver.written(one)]
    return resolver.added(one) if verb == "add" else resolver.removed(one)


def _six(route: Route) -> str:
    return " -6" if ":" in route.destination or route.destination == "default6" else ""


def _route(one: Route) -> str:
    where = "default" if one.destination.startswith("default") else one.destination
    via = f" via {one.via}" if one.via else ""
    table = f" table {one.table}" if one.table != MAIN else ""
    scope = " scope global" if one.place == HOST and not one.via and ":" not in where else ""
    source = f" src {one.source}" if one.source else ""
    return f"{where}{via} dev {one.link} proto {ROUTE_PROTOCOL}{scope}{source}{table}"


def _rule(one: Rule) -> str:
    return f"from {one.source} lookup {one.table} priority {one.priority} protocol {ROUTE_PROTOCOL}"


def _remove(one: Plain) -> list[str]:
    match one:
        case Table():
            return [f"nft delete table inet {TABLE}"]
        case Bridge() | Veth():
            return [f"ip link delete {one.name}"]
        case Up():
            return [f"{_ip(one.place)} link set {one.link} down"]
        case Address():
            return [f"{_ip(one.place)} address delete {one.address} dev {one.link}"]
        case Route():
            return [f"{_ip(one.place)}{_six(one)} route delete {_route(one)}"]
        case Rule():
            return [f"{_ip(one.place)}{' -6' if ':' in one.source else ''} rule delete {_rule(one)}"]
        case Sysctl():
            return []  # it goes with its link; the host's stay
        case Element():
            return _batches("delete", (one,))


def _change(before: Object, after: Object) -> list[str]:
    match after:
        case Bridge():
            return [
                f"ip link set {after.name} address {after.mac} mtu {after.mtu} group {after.group} up"
                f" alias '{after.alias}' type bridge {_manner(after)}"
            ]
        case Veth():
            return [
                *_set_veth(after, f" mtu {after.mtu}"),
                f"{_ip(after.place)} link set {after.peer} address {after.mac} mtu {after.mtu}",
            ]
        case Macvlan():
            return [
                f"{_ip(after.place)} link set {after.name} address {after.mac} mtu {after.mtu} alias '{after.alias}'"
            ]
        case Resolver():
            return _resolver("change", after)
        case Table():
            return [f"nft -f - <<'END'\nflush table inet {TABLE}\n{after.text}\nEND"]
        case Sysctl():
            return _add(after)
        case _:
            return [*text(Remove(before)), *text(Add(after))]


def _batches(verb: str, elements: tuple[Element, ...]) -> list[str]:
    by_set: dict[str, list[str]] = {}
    for one in elements:
        leads = f" : {' . '.join(map(str, one.data))}" if one.data and verb == "add" else ""
        by_set.setdefault(one.set, []).append(" . ".join(map(_field, one.key)) + leads)
    return [f"nft {verb} element inet {TABLE} {name} '{{ {', '.join(keys)} }}'" for name, keys in by_set.items()]


def _field(value: str | int) -> str:
    return f'"{value}"' if isinstance(value, str) and value.startswith(PREFIXES) else str(value)


def _cut(one: Cut) -> str:
    words = ["conntrack -D", f"-f {'ipv6' if one.family == 6 else 'ipv4'}"]
    words += [f"-p {one.protocol}"] if one.protocol else []
    words += [
        f"{option} {value}"
        for option, value in (("-s", one.source), ("-d", one.destination), ("-r", one.answers))
        if value
    ]
    first, last = one.ports
    host = "  # those to this host itself" if one.local else ""
    if first == last:
        words.append(f"--orig-port-dst {first}")
    elif (first, last) != (0, 65535):
        words.append(f"--orig-port-dst {first}  # and so on to {last}")
    return " ".join(words) + host


def _announce(one: Announce, address: str) -> str:
    if ":" in address:
        return _inside(one.place, f"ndsend {address} {one.link}")
    if one.place == HOST:  # an address that is not this host's own
        return f"arpsend -U -i {address} -c 1 {one.link}"
    return _inside(one.place, f"arping -U -c 1 -I {one.link} {address}")
