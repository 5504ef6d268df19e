"""What the DHCP service has got, written in store and kernel: in one go, and whatever has become of an endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from containernet.kernel.door import OTHER, KernelError
from containernet.model.errors import Conflict, Taken
from containernet.model.network import DHCP, RELEASED, Endpoint
from containernet.model.record import replace
from containernet.plan.objects import Address, Route, Veth
from containernet.plan.operations import Add, Operation
from containernet.services.lessees import Lessees
from kit.leases import LanHost, got, lease, lost, prepared, write
from kit.memory import difference


@pytest.fixture
def host() -> Iterator[LanHost]:
    """A LAN: c1 and c2 have leases, c3 waits for one."""
    with prepared() as made:
        yield made


def has(host: LanHost, name: str) -> list[str]:
    """Return the addresses that a container has in the kernel, and its routes."""
    path = f"/run/netns/{name}"
    things = [one for one in host.kernel.objects.values() if getattr(one, "place", None) and one.place.path == path]  # type: ignore[attr-defined]
    found = [one.address for one in things if isinstance(one, Address)]
    return found + [f"{one.destination} {one.via}" for one in things if isinstance(one, Route)]


WAY = ["default4 198.51.100.2", "203.0.113.0/24 198.51.100.9"]


def test_a_lease_is_in_the_store_and_in_the_kernel(host: LanHost) -> None:
    one = host.endpoint("c1_lan")
    assert (one.addresses, one.gateways, one.leases) == (("198.51.100.21/24",), ("198.51.100.2",), (lease(21),))
    assert sorted(has(host, "c1")) == sorted(["198.51.100.21/24", *WAY])
    (link,) = [thing for thing in host.kernel.objects.values() if isinstance(thing, Veth) and thing.alias == "c1_lan"]
    assert link.mtu == 1400
    assert has(host, "c3") == []
    assert host.agreement() == []


def test_a_lease_is_taken_away(host: LanHost) -> None:
    assert write(host.net(), lost(1), lost(2, released=True)) == {}
    assert [has(host, name) for name in ("c1", "c2")] == [[], []]
    one, two = host.endpoint("c1_lan"), host.endpoint("c2_lan")
    assert (one.leases, one.addresses, one.gateways, one.dynamic) == ((), (), (), DHCP)
    assert (two.leases, two.addresses, two.gateways, two.dynamic) == ((), (), (), RELEASED)
    assert host.agreement() == []


def test_another_lease_takes_its_place(host: LanHost) -> None:
    other = replace(lease(99), address="203.0.113.99", routes=(), mtu=0)
    assert write(host.net(), got(1, other)) == {}
    assert has(host, "c1") == ["203.0.113.99/24"]
    assert host.agreement() == []


def test_a_lease_that_is_kept_and_not_used(host: LanHost) -> None:
    assert write(host.net(), got(1, used=False)) == {}
    assert has(host, "c1") == []
    assert host.endpoint("c1_lan").leases == (lease(21),)


def test_what_renews_a_lease_changes_nothing_in_the_kernel(host: LanHost, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Operation] = []
    monkeypatch.setattr(host.kernel, "do", done.append)
    before = host.kernel.state
    later = replace(lease(21), began=900.0, wall=2e9, t1=299.0, seconds=1200, server="198.51.100.3")
    assert write(host.net(), got(1, later)) == {}
    assert done == []
    assert difference(before, host.kernel.state) == []
    assert host.endpoint("c1_lan").leases == (later,)
    assert write(host.net(), got(1, later)) == {}, "said again"


@pytest.mark.parametrize("more", [{"mtu": 1300}, {"routes": ()}, {"dns": ("9.9.9.9",)}, {"prefix": 25}])
def test_what_comes_with_a_renewed_lease_is_followed(host: LanHost, more: dict[str, object]) -> None:
    assert write(host.net(), got(1, replace(lease(21), began=900.0, **more))) == {}
    assert host.agreement() == []
    assert host.endpoint("c1_lan").leases[0].began == 900.0


def test_many_are_written_in_one_go(host: LanHost) -> None:
    before = int(host.stored(lambda store: store.memo("sequence")))
    assert write(host.net(), got(1, lease(31)), got(2, lease(32)), got(3, lease(33))) == {}
    assert int(host.stored(lambda store: store.memo("sequence"))) == before + 1
    assert [host.endpoint(f"c{number}_lan").addresses[0][-5:-3] for number in (1, 2, 3)] == ["31", "32", "33"]
    assert host.agreement() == []


# --- what cannot be written ---


def test_an_address_that_another_endpoint_has(host: LanHost) -> None:
    failed = write(host.net(), got(3, lease(21)), got(2, lease(42)))
    (error,) = failed.values()
    assert list(failed) == [(3, 4)]
    assert isinstance(error, Conflict)
    assert "c1_lan has it" in error.sentence
    assert (has(host, "c3"), host.endpoint("c3_lan").leases) == ([], ())
    assert host.endpoint("c2_lan").addresses == ("198.51.100.42/24",)
    assert host.agreement() == []


def test_an_address_that_was_given_to_two_at_once(host: LanHost) -> None:
    failed = write(host.net(), got(2, lease(42)), got(3, lease(42)))
    assert [(key, error.code) for key, error in failed.items()] == [((3, 4), "address-taken")]
    assert host.endpoint("c2_lan").addresses == ("198.51.100.42/24",)
    assert host.endpoint("c3_lan").addresses == ()
    assert host.agreement() == []


@pytest.mark.parametrize("gives_up", [lost(1), got(1, lease(99)), got(1, used=False)])
def test_an_address_that_changes_hands(host: LanHost, gives_up: object) -> None:
    """Whoever is told first: the server has given it to the one because the other does not have it any more."""
    assert write(host.net(), got(3, lease(21)), gives_up) == {}  # type: ignore[arg-type]
    assert host.endpoint("c3_lan").addresses == ("198.51.100.21/24",)
    assert "198.51.100.21/24" not in host.endpoint("c1_lan").addresses
    assert host.agreement() == []


def test_two_addresses_that_change_hands(host: LanHost) -> None:
    assert write(host.net(), got(1, lease(22)), got(2, lease(21))) == {}
    assert [host.endpoint(f"c{number}_lan").addresses[0][-5:-3] for number in (1, 2)] == ["22", "21"]
    assert host.agreement() == []


def test_one_that_cannot_be_written_does_not_stop_the_others(host: LanHost, monkeypatch: pytest.MonkeyPatch) -> None:
    do = host.kernel.do

    def refusing(operation: Operation) -> None:
        if isinstance(operation, Add) and "198.51.100.42" in str(operation):
            raise KernelError(OTHER, "A test said so.")
        do(operation)

    monkeypatch.setattr(host.kernel, "do", refusing)
    failed = write(host.net(), got(1, lease(41)), got(2, lease(42)), got(3, lease(43)))
    assert [(key, error.code) for key, error in failed.items()] == [((2, 4), "kernel-other")]
    assert host.endpoint("c1_lan").addresses == ("198.51.100.41/24",)
    assert host.endpoint("c2_lan").addresses == ("198.51.100.22/24",), "as it was"
    assert host.endpoint("c3_lan").addresses == ("198.51.100.43/24",)
    assert host.agreement() == []


def test_a_container_that_has_vanished(host: LanHost) -> None:
    host.remove("c1")
    assert write(host.net(), got(1, lease(41)), got(2, lease(42))) == {}
    assert host.endpoint("c2_lan").addresses == ("198.51.100.42/24",)
    assert host.stored(lambda store: store.endpoint("c1_lan")) is None, "it was freed on the way"
    assert host.agreement() == []


def test_an_endpoint_that_has_left_meanwhile(host: LanHost) -> None:
    host.net().leave("c1", "lan")
    before = host.intent
    assert write(host.net(), got(1), lost(1), got(99)) == {}
    assert host.intent == before
    host.net().join("c1", "lan", ips=("none",))
    assert write(host.net(), got(1)) == {}, "its number is nobody else's"
    assert host.endpoint("c1_lan").leases == ()


def test_while_another_has_the_lock(host: LanHost, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(_: object) -> None:
        raise Taken("store-locked", "Another is at work.")

    monkeypatch.setattr("containernet.store.sqlite.Sqlite.lock", locked)
    with pytest.raises(Taken):
        write(host.net(), got(3))


def test_a_word_that_changes_nothing_is_no_commit(host: LanHost) -> None:
    before = host.stored(lambda store: store.memo("sequence"))
    assert write(host.net(), lost(3), got(1)) == {}
    assert host.stored(lambda store: store.memo("sequence")) == before


# --- who is to be leased for ---


def asked(host: LanHost) -> dict[str, tuple[bool, bool]]:
    """Return who is to be leased for: whether he has a lease, and uses it."""
    found = host.net().ask(Lessees().of)
    return {one.name: (one.lease is not None, one.configured) for one in found if one.version == 4}


def test_who_is_to_be_leased_for(host: LanHost) -> None:
    host.net().join("c4", "lan", ips=("none",))
    assert asked(host) == {"c1_lan": (True, True), "c2_lan": (True, True), "c3_lan": (False, False)}
    one = next(iter(host.net().ask(Lessees().of)))
    assert (one.key, one.interface, one.uplink, one.place.path) == ("1/4", "eth0", "up0", "/run/netns/c1")
    assert (one.setup.hostname, one.setup.mtu, one.setup.client_id[:1]) == ("c1", 1500, b"\xff")
    write(host.net(), lost(1), lost(2, released=True), got(3, used=False))
    assert asked(host) == {"c1_lan": (False, False), "c3_lan": (True, False)}


def test_nobody_is_leased_for_when_the_service_is_off(host: LanHost) -> None:
    for name in ("c1", "c2", "c3"):
        host.net().leave(name, "lan")
    host.net().service("dhcp", "disable")
    assert host.net().ask(Lessees().of) is None


# --- a restart of the host ---


def test_a_restart_of_the_host_keeps_leases_and_takes_their_addresses_off(host: LanHost) -> None:
    host.kernel.reboot()
    assert host.net().restore().waiting == ("c1_lan", "c2_lan", "c3_lan")
    one: Endpoint = host.endpoint("c1_lan")
    assert (one.leases, one.addresses, one.gateways) == ((lease(21),), (), ())
    assert asked(host) == {}, "they wait for their containers"
    host.container("c1", "c2")
    assert set(host.net().restore().restored) == {"c1_lan", "c2_lan"}
    assert has(host, "c1") == [], "no server has confirmed it"
    assert asked(host) == {"c1_lan": (True, False), "c2_lan": (True, False)}
    assert write(host.net(), got(1)) == {}
    assert sorted(has(host, "c1")) == sorted(["198.51.100.21/24", *WAY])
    assert host.agreement() == []


def test_what_is_got_for_who_waits_for_his_container_is_kept(host: LanHost) -> None:
    """Said by an agent that has not heard of it: then it is there when the container is."""
    host.kernel.reboot()
    host.net().restore()
    assert write(host.net(), lost(2)) == {}
    assert host.agreement() == []


def test_what_somebody_has_taken_away_is_put_back(host: LanHost) -> None:
    before = host.kernel.state
    gone = [key for key, one in host.kernel.objects.items() if isinstance(one, Address | Route) and one.place.path]
    for key in gone:
        del host.kernel.objects[key]
    assert len(host.net().status().drift) == len(gone)
    host.net().repair()
    assert difference(before, host.kernel.state) == []
