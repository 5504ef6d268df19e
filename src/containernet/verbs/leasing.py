"""Leases: what the DHCP service has got is written here; and waiting for it, renewing, giving back.

The rule of this file: the service asks servers, and only a verb writes what came of it: in the store and in the kernel
at once, many endpoints in one go. An endpoint that has left meanwhile gets nothing.
"""

from __future__ import annotations

from contextlib import suppress

from containernet.model.errors import Conflict, ContainerNetError, NotFound, Usage
from containernet.model.network import DHCP, RELEASED, Endpoint
from containernet.model.record import record, replace
from containernet.plan.intent import Intent, joined, without
from containernet.plan.leasing import with_lease
from containernet.verbs.attempt import attempt
from containernet.verbs.begin import ready
from containernet.verbs.containers import alive, known
from containernet.verbs.executor import carry_out
from containernet.verbs.leave import chosen, farewell
from containernet.verbs.part import need_network, of_compartments
from containernet.verbs.services import LONGEST_WAIT, need_service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from containernet.model.lease import Lease
    from containernet.verbs.host import Host

WAIT = 20  # seconds for a first address: servers look for it on the LAN for 3 of them, and may miss a question or two


@record
class Word:
    """The service's last word on an endpoint and an IP version."""

    endpoint: int
    version: int
    lease: Lease | None
    used: bool  # the address is to be on the interface
    released: bool = False  # somebody has given it back, so that none is wanted any more


# --- what the service has got ---


def written(host: Host, words: Iterable[Word]) -> dict[tuple[int, int], ContainerNetError]:
    """Write what the service has got; return what could not be, by endpoint and IP version."""
    ready(host)
    failed: dict[tuple[int, int], ContainerNetError] = {}
    ordered = sorted(words, key=_uses)  # what is given up may be another's at once
    fine = [one for one in ordered if not _refused(host, one, ordered, failed)]
    try:
        _write(host, fine)
    except ContainerNetError:
        for one in fine:
            _write_alone(host, one, failed)
    return failed


def _uses(word: Word) -> bool:
    return word.used


def _refused(host: Host, word: Word, words: Iterable[Word], failed: dict[tuple[int, int], ContainerNetError]) -> bool:
    """Tell whether an address cannot be used, because another endpoint of the network has it, and keeps it."""
    if word.lease is None or not word.used or not word.lease.address:
        return False
    endpoint = host.store.endpoint(number=word.endpoint)
    if endpoint is None:
        return False
    holder = host.store.holder(endpoint.network_id, word.lease.address)
    if holder is None or holder.id == endpoint.id or word.lease.address not in _kept(holder, words):
        return False
    sentence = f"{word.lease.address} was leased to {endpoint.name}, but {holder.name} has it."
    failed[word.endpoint, word.version] = Conflict("address-taken", sentence, "Is it in the server's range?")
    return True


def _kept(endpoint: Endpoint, words: Iterable[Word]) -> set[str]:
    """Return the addresses that an endpoint has after what is said of it."""
    for one in words:
        if one.endpoint == endpoint.id:
            endpoint = _after(endpoint, one)
    return {text.partition("/")[0] for text in endpoint.addresses}


def _write_alone(host: Host, word: Word, failed: dict[tuple[int, int], ContainerNetError]) -> None:
    """Write one; where the names that came along cannot be (a file in the way of resolv.conf), the address alone."""
    key = word.endpoint, word.version
    try:
        attempt(host, lambda: None if _refused(host, word, (), failed) else _write(host, [word]))
    except ContainerNetError as error:
        failed[key] = error
        if word.lease and (word.lease.dns or word.lease.search or word.lease.domain):
            plain = replace(word, lease=replace(word.lease, dns=(), domain="", search=()))
            with suppress(ContainerNetError):
                attempt(host, lambda: _write(host, [plain]))
                del failed[key]


def _write(host: Host, words: list[Word]) -> None:
    """Bring endpoints to what was said of them."""
    before = {one.endpoint: found for one in words if (found := host.store.endpoint(number=one.endpoint))}
    after = dict(before)
    for one in words:
        if one.endpoint in after:
            after[one.endpoint] = _after(after[one.endpoint], one)
    changed = [one for number, one in after.items() if one != before[number]]
    if not changed:
        return
    old = of_compartments(host.store, [one.compartment_id for one in changed])
    new = joined(old, Intent(endpoints=tuple(changed)))
    if all(_same_use(one, before[one.id]) for one in changed) and not host.dry:
        host.store.finish(0, old, new)  # more time, or a note: nothing changes in the kernel
    else:
        carry_out(host, "lease", old, new)


def _after(endpoint: Endpoint, word: Word) -> Endpoint:
    now = with_lease(endpoint, word.version, word.lease, used=word.used)
    return replace(now, dynamic=RELEASED) if word.released and endpoint.dynamic == DHCP else now


def _same_use(one: Endpoint, other: Endpoint) -> bool:
    """Tell whether the kernel would look the same: nothing but the times of the leases differs."""
    return (one.addresses, one.gateways, _used(one)) == (other.addresses, other.gateways, _used(other))


def _used(endpoint: Endpoint) -> list[tuple[object, ...]]:
    return [(one.address, one.routes, one.mtu, one.dns, one.domain, one.search) for one in endpoint.leases]


# --- what people ask for ---


def patient(wait: int) -> None:
    """Raise :class:`Usage` unless one may wait for so many seconds; 0: as usual."""
    if not 0 <= wait <= LONGEST_WAIT:
        hint = f"Say whole seconds, {LONGEST_WAIT} at most; --no-wait joins without waiting."
        raise Usage("wait-invalid", f"Nobody waits for {wait} seconds.", hint)


def with_address(host: Host, endpoint: Endpoint, part: Intent, wait: int) -> tuple[Endpoint, Intent]:
    """Return an endpoint that has just joined when it has its address; without one, it leaves again."""
    try:
        now = _awaited(host, endpoint, wait or WAIT)
    except BaseException:
        attempt(host, lambda: _undone(host, endpoint))
        raise
    return now, joined(part, Intent(endpoints=(now,)))


def _undone(host: Host, endpoint: Endpoint) -> None:
    now = host.store.endpoint(number=endpoint.id)
    if now is not None:
        farewell(host, [now])
        before = of_compartments(host.store, [now.compartment_id])
        carry_out(host, "leave", before, without(before, [now]))


def _awaited(host: Host, endpoint: Endpoint, wait: int) -> Endpoint:
    """Return an endpoint when it has its address; nobody is kept from writing meanwhile."""
    host.store.unlock()
    host.report.wait(f"Waiting for an address from DHCP on {endpoint.network}, {wait} seconds at most.")
    host.services.lease(endpoint.name, wait)
    return host.store.endpoint(number=endpoint.id) or endpoint


def renew(host: Host, container: str, network: str, *, endpoint: str = "", wait: int = 0) -> Endpoint:
    """Have a lease renewed, or asked for again after it was given back; return the endpoint."""
    patient(wait)
    host.kernel.permit()
    one = _leasing(host, container, network, endpoint, (DHCP, RELEASED))
    need_service(host)
    if host.plans is not None:
        host.plans.append(f"cnet renew {container} {network}")
        return one
    if one.dynamic == RELEASED:
        host.store.lock()
        host.store.finish(0, Intent(endpoints=(one,)), Intent(endpoints=(replace(one, dynamic=DHCP),)))
        return _awaited(host, one, wait or WAIT)
    host.services.renew(one.name, wait or WAIT)
    return host.store.endpoint(number=one.id) or one


def releasable(host: Host, container: str, network: str, *, endpoint: str = "") -> Endpoint:
    """Return the endpoint whose lease is to be given back."""
    host.kernel.permit()
    one = _leasing(host, container, network, endpoint, (DHCP,))
    need_service(host)
    return one


def release(host: Host, one: Endpoint) -> None:
    """Give a lease back; the endpoint stays, without the address, until it is renewed."""
    if host.dry:
        _write(host, [Word(one.id, 4, None, used=False, released=True)])
    else:
        host.services.release(one.name)


def _leasing(host: Host, container: str, network: str, name: str, states: tuple[str, ...]) -> Endpoint:
    net = need_network(host.store, network)
    compartment = known(host, container)
    one = chosen(host, compartment, net, name)
    if one.dynamic not in states:
        sentence = f"The endpoint {one.name} has no address from DHCP."
        raise NotFound("not-leased", sentence, "'cnet join --ip dhcp' asks for one, and so does 'cnet renew'.")
    if not alive(host, compartment):
        sentence = f"The container {container} has ended."
        raise NotFound("container-vanished", sentence, "Its lease is renewed when it is back.")
    return one
