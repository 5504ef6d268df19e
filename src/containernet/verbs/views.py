"""What the verbs give back: intent and facts as views.

The rule of this file: it reads; a view's cost is that of what it shows.
"""

from __future__ import annotations

from containernet.drivers.endpoint import default_of
from containernet.drivers.network import bridge_mac
from containernet.kernel.door import ABSENT, VANISHED, KernelError
from containernet.model.address import contains, family
from containernet.model.network import MACVLAN, NAT, Compartment, Endpoint, Network, PortMapping
from containernet.model.record import replace
from containernet.model.views import ACTIVE, GONE, WAITING, EndpointView, NetworkView, PortView
from containernet.store.door import WORLD
from containernet.verbs.containers import alive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.kernel.door import WayOut
    from containernet.plan.intent import Intent
    from containernet.verbs.host import Host

NAT_NAME = "ContainerNat"
FEW = 4  # endpoints that are looked at singly; of more, the host's links are listed once


class Views:
    """Makes views of one host at one moment; what it has looked up it keeps."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._ways: dict[str, WayOut] = {}
        self._networks: dict[int, Network] = {}
        self._compartments: dict[int, Compartment] = {}
        self._siblings: dict[int, tuple[Endpoint, ...]] = {}
        self._mappings: dict[int, list[PortMapping]] | None = None
        self._links: set[str] | None = None
        self._states: dict[str, str] | None = None  # what the DHCP service is at
        self._restarted = host.store.memo(WORLD) not in ("", host.kernel.world())

    def load(self) -> Intent:
        """Read everything at once, for views of many, and return it."""
        every = self._host.store.everything()
        self.know(every)
        if len(every.endpoints) > FEW:
            self._links = self._host.kernel.link_names()
        return every

    def know(self, every: Intent) -> None:
        """Take a part of what should be as known; in it are all endpoints and ports of the compartments in it."""
        self._networks = {one.id: one for one in every.networks}
        self._compartments = {one.id: one for one in every.compartments}
        siblings: dict[int, list[Endpoint]] = {}
        for endpoint in every.endpoints:
            siblings.setdefault(endpoint.compartment_id, []).append(endpoint)
        self._siblings = {number: tuple(ones) for number, ones in siblings.items()}
        self._mappings = {}
        for mapping in every.mappings:
            self._mappings.setdefault(mapping.endpoint_id, []).append(mapping)

    # --- look-ups ---

    def _network(self, number: int) -> Network:
        if number not in self._networks:
            self._networks[number] = self._host.store.network_of(number)
        return self._networks[number]

    def _compartment(self, number: int) -> Compartment:
        if number not in self._compartments:
            found = self._host.store.compartment(number=number)
            assert found is not None  # a foreign key says so
            self._compartments[number] = found
        return self._compartments[number]

    def _siblings_of(self, endpoint: Endpoint) -> list[Endpoint]:
        number = endpoint.compartment_id
        if number not in self._siblings:
            self._siblings[number] = self._host.store.endpoints(compartment=number)
        return [one for one in self._siblings[number] if one.id != endpoint.id] + [endpoint]

    def _mappings_of(self, endpoint: Endpoint) -> list[PortMapping]:
        if self._mappings is None:
            return list(self._host.store.mappings(endpoint.id))
        return self._mappings.get(endpoint.id, [])

    def _way(self, uplink: str) -> WayOut:
        if uplink not in self._ways:
            self._ways[uplink] = self._host.kernel.way_out(uplink)
        return self._ways[uplink]

    def _state(self, endpoint: Endpoint) -> str:
        compartment = self._compartment(endpoint.compartment_id)
        if not compartment.cookie or self._restarted:
            return WAITING if compartment.lasting else GONE
        if self._links is not None and endpoint.link in self._links:
            return ACTIVE
        return ACTIVE if alive(self._host, compartment) else GONE

    # --- views ---

    def endpoint(self, endpoint: Endpoint, *, state: str = "") -> EndpointView:
        """Return the view of an endpoint; ``state`` if it is known."""
        network, compartment = self._network(endpoint.network_id), self._compartment(endpoint.compartment_id)
        siblings = self._siblings_of(endpoint)
        networks = {one.network_id: self._network(one.network_id) for one in siblings}
        version = 4 if any(family(text) == 4 for text in endpoint.addresses) else 6
        leader = default_of(siblings, networks, version) if str(version) not in compartment.routed else None
        state = state or self._state(endpoint)
        own = [text.partition("/")[0] for text in endpoint.addresses]
        ports = self.ports_of(endpoint, state=state)
        inside = () if network.transparent else network.subnets  # else the host's neighbours' as much as its own
        gateways = tuple(one.gateway for one in inside if any(contains(one.prefix, text) for text in own))
        default_route = leader is not None and leader.id == endpoint.id
        view = EndpointView(
            endpoint.name, endpoint.container, compartment.id, endpoint.network, endpoint.interface, endpoint.mac,
            endpoint.addresses, gateways or endpoint.gateways, default_route, network.mtu, endpoint.priority,
            "" if network.kind == MACVLAN else endpoint.link, compartment.path, state, ports, endpoint.created,
        )  # fmt: skip
        if endpoint.leases or endpoint.dynamic:
            view = self._with_leases(view, endpoint)
        return self._as_it_is(view, compartment) if network.transparent and state == ACTIVE else view

    def ports_of(self, endpoint: Endpoint, *, state: str = "") -> tuple[PortView, ...]:
        """Return the views of an endpoint's port mappings; ``state`` is the endpoint's if it is known."""
        mappings = self._mappings_of(endpoint)
        active = bool(mappings) and (state or self._state(endpoint)) == ACTIVE
        return tuple(self.port(one, endpoint, active=active) for one in mappings)

    def _with_leases(self, view: EndpointView, endpoint: Endpoint) -> EndpointView:
        from containernet.verbs.leases import of

        if self._states is None:
            self._states = self._host.services.states()
        leases = tuple(of(endpoint, self._states))
        told = endpoint.leases
        dns = dict.fromkeys(text for one in told for text in one.dns)
        search = dict.fromkeys(text for one in told for text in one.search or (one.domain,) if text)
        return replace(view, leases=leases, dns=tuple(dns), search=tuple(search))

    def _as_it_is(self, view: EndpointView, compartment: Compartment) -> EndpointView:
        """Return a view with what the interface has now: routers and DHCP give it addresses too."""
        try:
            now = self._host.kernel.present(compartment.place, view.interface)
        except KernelError as error:
            if error.reason not in (ABSENT, VANISHED):
                raise
            return view
        default = bool(now.gateways) or view.default_route
        return replace(view, addresses=now.addresses, gateways=now.gateways, default_route=default, mtu=now.mtu)

    def port(self, mapping: PortMapping, endpoint: Endpoint, *, active: bool | None = None) -> PortView:
        """Return the view of a port mapping; ``active`` if it is known."""
        network = self._network(endpoint.network_id)
        if active is None:
            active = self._state(endpoint) == ACTIVE
        address = mapping.external_address
        version = family(address) if address else 4
        own = [text.partition("/")[0] for text in endpoint.addresses]
        inside = next((text for text in own if family(text) == version), own[0])
        return PortView(
            mapping.id, NAT_NAME, mapping.protocol, address, address or self._shown(network), mapping.external_first,
            mapping.external_last, inside, mapping.internal_first, mapping.internal_last, mapping.remotes,
            endpoint.container, endpoint.network, endpoint.name, active,
        )  # fmt: skip

    def _shown(self, network: Network) -> str:
        """Return the address that others would use for a port that is open on all of them."""
        way = self._way(network.uplink)
        return (way.source4 or way.source6).partition("/")[0]

    def network(self, network: Network, endpoints: tuple[EndpointView, ...]) -> NetworkView:
        """Return the view of a network with these endpoints."""
        self._networks[network.id] = network
        way = self._way(network.uplink) if network.kind == NAT else None
        source = self._source(network, way) if way else ""
        subnets = () if network.transparent else network.subnets
        return NetworkView(
            name=network.name, id=network.id, kind=network.kind,
            subnets=tuple(one.prefix for one in subnets), gateways=tuple(one.gateway for one in subnets),
            uplink=(network.uplink or way.link) if way else network.uplink, external_address=source.partition("/")[0],
            external_prefix=source, mtu=network.mtu, ipv6=network.ipv6, bridge=network.bridge,
            mac=self._mac(network), labels=network.labels, endpoints=endpoints,
            created=network.created,
        )  # fmt: skip

    def _mac(self, network: Network) -> str:
        return network.mac if network.transparent else bridge_mac(network, self._host.mark)

    @staticmethod
    def _source(network: Network, way: WayOut) -> str:
        """Return the address that leaves, with its prefix length where that is known."""
        given = network.external_address
        if not given:
            return way.source4
        return next((one for one in (way.source4, way.source6) if one.partition("/")[0] == given), given)


def of(host: Host, part: Intent) -> Views:
    """Return what makes views of a part of what should be, whether it is in the store or not."""
    views = Views(host)
    views.know(part)
    return views
