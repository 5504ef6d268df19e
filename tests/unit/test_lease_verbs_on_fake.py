"""Verbs around leases on a kernel in memory: join, renew, release, leases, service; refused, planned, done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from containernet.model.errors import Conflict, ContainerNetError, Different, Missing, NotFound, Usage
from containernet.model.network import DHCP, RELEASED
from containernet.model.record import replace
from containernet.plan.intent import Intent
from kit.leases import LanHost, got, lease, lost, prepared, write
from kit.memory import difference


@pytest.fixture
def host() -> Iterator[LanHost]:
    """A LAN: c1 and c2 have leases, c3 waits for one, c4 has joined nothing."""
    with prepared() as made:
        yield made


def as_before(host: LanHost) -> Callable[[], None]:
    """Return what sees that store and kernel are exactly as they are now."""
    kernel, intent = host.kernel.state, host.intent

    def look() -> None:
        assert difference(kernel, host.kernel.state) == []
        assert host.intent == intent
        assert host.agreement() == []

    return look


# --- join ---


def test_joined_when_the_address_is_there(host: LanHost) -> None:
    view = host.net().join("c4", "lan", ips=("dhcp",))
    assert host.agent.asked[-1] == "lease c4_lan 20"
    assert view.addresses == ("198.51.100.24/24",)
    assert (view.gateways, view.default_route, view.mtu) == (("198.51.100.2",), True, 1400)
    assert (view.dns, [one.state for one in view.leases]) == (("198.51.100.2",), ["BOUND"])
    assert host.agreement() == []


def test_the_service_is_on_so_dhcp_need_not_be_said_and_one_may_wait_as_one_likes(host: LanHost) -> None:
    host.net().join("c4", "lan", wait=600)
    assert host.agent.asked[-1] == "lease c4_lan 600"
    host.net().join("c4", "lan", no_wait=True)
    host.net().join("c4", "lan", ips=("198.51.100.77/24",))
    assert len(host.agent.asked) == 1


@pytest.mark.parametrize("error", [Different("dhcp-silent", "Nobody answers."), KeyboardInterrupt()])
def test_a_join_that_gets_no_address_leaves_everything_as_it_was(
    host: LanHost, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = as_before(host)

    def silent(*_: object) -> None:
        assert host.stored(lambda store: store.endpoint("c4_lan")) is not None
        raise error

    monkeypatch.setattr(host.agent, "lease", silent)
    with pytest.raises(type(error)):
        host.net().join("c4", "lan", ips=("dhcp",), wait=1)
    look()


def test_nobody_is_kept_from_writing_while_a_join_waits(host: LanHost, monkeypatch: pytest.MonkeyPatch) -> None:
    def lease_of(name: str, _: int) -> None:
        write(host.net(), got(1, lease(41)))
        host.net().leave("c2", "lan")
        write(host.net(), got(host.endpoint(name).id, lease(44)))

    monkeypatch.setattr(host.agent, "lease", lease_of)
    assert host.net().join("c4", "lan").addresses == ("198.51.100.44/24",)
    assert host.agreement() == []


def test_a_join_whose_endpoint_is_taken_away_while_it_waits(host: LanHost, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        host.net().leave("c4", "lan")
        raise NotFound("not-leased", "It is to have no address.")

    look = as_before(host)
    monkeypatch.setattr(host.agent, "lease", gone)
    with pytest.raises(NotFound):
        host.net().join("c4", "lan")
    look()


def test_killed_while_it_waits_it_has_joined_and_is_leased_for(host: LanHost, monkeypatch: pytest.MonkeyPatch) -> None:
    host.net().join("c4", "lan", no_wait=True)
    assert host.endpoint("c4_lan").dynamic == DHCP
    assert host.agreement() == []
    assert write(host.net(), got(4)) == {}
    assert host.net().endpoint("c4")[0].addresses == ("198.51.100.24/24",)


def test_the_same_container_says_the_same_of_itself_again(host: LanHost) -> None:
    host.net().join("c4", "lan", hostname="shop-1")
    first = host.endpoint("c4_lan")
    host.net().leave("c4", "lan")
    host.net().join("c4", "lan")
    again = host.endpoint("c4_lan")
    assert (first.client_id, first.hostname, again.hostname) == (again.client_id, "shop-1", "c4")
    assert first.client_id[10:] == "0004" + "ab" * 16
    host.net().join("c4", "lan")
    other = host.endpoint("c4_lan_2")
    assert other.client_id != again.client_id
    view = host.net().join("c4", "lan", client_id="mac")
    assert host.endpoint("c4_lan_3").client_id == "01" + view.mac.replace(":", "")


def test_two_of_one_number_are_told_apart(host: LanHost) -> None:
    """The IAID is a sum of names: two names may have one."""
    taken = host.endpoint("c1_lan")
    host.net().join("c4", "lan", no_wait=True)
    wanted = host.endpoint("c4_lan").client_id
    host.net().leave("c4", "lan")
    other = replace(taken, client_id=wanted)
    host.stored(lambda store: store.finish(0, Intent(endpoints=(taken,)), Intent(endpoints=(other,))))
    host.net().join("c4", "lan", no_wait=True)
    assert int(host.endpoint("c4_lan").client_id[2:10], 16) == int(wanted[2:10], 16) + 1


# --- renew and release ---


def test_renewed(host: LanHost) -> None:
    before = host.kernel.state
    view = host.net().renew("c1", "lan", wait=7)
    assert host.agent.asked == ["renew c1_lan 7"]
    assert host.endpoint("c1_lan").leases[0].began == 2.0
    assert view.addresses == ("198.51.100.21/24",)
    assert difference(before, host.kernel.state) == []


def test_given_back_and_asked_for_again(host: LanHost) -> None:
    told = host.net().release("c1", "lan")
    assert (told.name, told.addresses) == ("c1_lan", ("198.51.100.21/24",))
    assert host.endpoint("c1_lan").dynamic == RELEASED
    assert host.net().endpoint("c1")[0].addresses == ()
    assert [one.state for one in host.net().leases("c1")] == ["RELEASED"]
    with pytest.raises(NotFound) as error:
        host.net().release("c1", "lan")
    assert error.value.code == "not-leased"
    view = host.net().renew("c1", "lan")
    assert host.agent.asked == ["release c1_lan", "lease c1_lan 20"]
    assert view.addresses == ("198.51.100.21/24",)
    assert host.endpoint("c1_lan").dynamic == DHCP
    assert host.agreement() == []


def test_asked_for_again_in_vain_it_goes_on_being_asked_for(host: LanHost) -> None:
    host.net().release("c1", "lan")
    host.agent.silent = True
    with pytest.raises(Different):
        host.net().renew("c1", "lan", wait=1)
    assert host.endpoint("c1_lan").dynamic == DHCP
    assert host.agreement() == []


def test_one_of_several_endpoints_is_named(host: LanHost) -> None:
    host.net().join("c1", "lan", no_wait=True)
    for verb in (host.net().renew, host.net().release):
        with pytest.raises(Conflict) as error:
            verb("c1", "lan")
        assert error.value.code == "endpoint-ambiguous"
    host.net().renew("c1", "lan", endpoint="c1_lan_2")
    assert host.agent.asked == ["renew c1_lan_2 20"]


def test_who_leaves_gives_back_what_he_has_and_is_told_who_does_not(host: LanHost) -> None:
    net = host.net()
    net.leave("c3", "lan")
    assert host.agent.asked == [], "it had none"
    net.leave("c1", "lan")
    assert host.agent.asked == ["farewell c1_lan"]
    host.agent.down = True
    notes: list[str] = []
    report = type(net._report)()
    report.note = notes.append  # type: ignore[method-assign]
    host.net(report=report).destroy("lan", force=True)
    assert notes == ["Nobody gives back the lease of c2_lan: the DHCP service does not run."]
    assert host.stored(lambda store: store.everything()).endpoints == ()


# --- leases ---


def test_leases_as_they_are(host: LanHost) -> None:
    host.net().join("c4", "lan", ips=("none",))
    write(host.net(), got(2, lease(22, seconds=0xFFFFFFFF)))
    one, two, three = host.net().leases()
    assert (one.endpoint, one.container, one.network, one.interface) == ("c1_lan", "c1", "lan", "eth0")
    assert (one.state, one.address, one.server, one.gateways) == (
        "BOUND", "198.51.100.21/24", "198.51.100.2", ("198.51.100.2",),
    )  # fmt: skip
    assert (one.obtained, one.renews, one.expires, one.mtu) == (10**9, 10**9 + 300, 10**9 + 600, 1400)
    assert (two.renews, two.expires) == (0, 0), "it does not end"
    assert (three.endpoint, three.state, three.address) == ("c3_lan", "UNATTENDED", "")
    assert host.net().leases("c1", "lan") == host.net().leases("c1") == (one,)
    assert host.net().leases("c4") == ()
    host.agent.down = True
    assert [view.state for view in host.net().leases()] == ["EXPIRED", "UNATTENDED", "UNATTENDED"]


# --- the service ---


def test_switched_off_when_nobody_has_an_address_from_it(host: LanHost) -> None:
    net = host.net()
    with pytest.raises(Conflict) as error:
        net.service("dhcp", "disable")
    assert error.value.code == "service-in-use"
    assert "c1_lan, c2_lan, c3_lan" in error.value.sentence
    write(net, lost(1, released=True), lost(2, released=True), lost(3, released=True))
    assert net.service("dhcp", "disable").enabled is False
    with pytest.raises(Missing) as missing:
        net.renew("c1", "lan")
    assert missing.value.code == "dhcp-disabled"
    assert net.join("c4", "lan").addresses == ()
    assert host.endpoint("c4_lan").dynamic == ""
    assert (net.service("dhcp", "enable").state, net.service("dhcp", "disable").state) == ("ok", "off")


def test_how_a_service_is(host: LanHost) -> None:
    net = host.net()
    status = net.service("dhcp", "status")
    assert (status.name, status.enabled, status.state, status.figures) == ("dhcp", True, "ok", (("leased", 1),))
    net.service("dhcp", "restart")
    assert host.agent.asked == ["restart dhcp"]
    assert net.service("repair", "status").enabled is True
    host.agent.down = True
    status = net.service("dhcp", "enable")
    assert (status.state, "not running" in status.sentence) == ("not-running", True)


# --- refused ---

REFUSED: tuple[tuple[type[ContainerNetError], str, Callable[[Any], Any]], ...] = (
    (Usage, "wait-invalid", lambda net: net.join("c4", "lan", wait=601)),
    (Usage, "wait-invalid", lambda net: net.join("c4", "lan", wait=-1)),
    (Usage, "wait-invalid", lambda net: net.renew("c1", "lan", wait=10**6)),
    (Usage, "client-id-invalid", lambda net: net.join("c4", "lan", client_id="uuid")),
    (Usage, "hostname-invalid", lambda net: net.join("c4", "lan", hostname="a b")),
    (Usage, "hostname-invalid", lambda net: net.join("c4", "lan", hostname="web-")),
    (Usage, "address-both", lambda net: net.join("c4", "lan", ips=("dhcp", "none"))),
    (Usage, "address-both", lambda net: net.join("c4", "lan", ips=("dhcp", "198.51.100.77/24"))),
    (Conflict, "address-taken", lambda net: net.join("c4", "lan", ips=("198.51.100.21/24",))),
    (NotFound, "network-not-found", lambda net: net.renew("c1", "wan")),
    (NotFound, "container-not-found", lambda net: net.release("c9", "lan")),
    (NotFound, "not-joined", lambda net: net.release("c4", "lan")),
    (NotFound, "endpoint-not-found", lambda net: net.renew("c1", "lan", endpoint="x")),
    (NotFound, "not-joined", lambda net: net.leases("c4")),
    (NotFound, "service-not-found", lambda net: net.service("dns", "enable")),
    (Usage, "service-action", lambda net: net.service("dhcp", "kill")),
    (Usage, "service-always-on", lambda net: net.service("repair", "disable")),
    (Usage, "service-always-on", lambda net: net.service("repair", "enable")),
)


@pytest.mark.parametrize(("kind", "code", "verb"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_is_refused_changes_nothing(
    host: LanHost, kind: type[ContainerNetError], code: str, verb: Callable[[Any], Any]
) -> None:
    look = as_before(host)
    with pytest.raises(kind) as error:
        verb(host.net())
    assert error.value.code == code
    assert error.value.hint
    assert host.agent.asked == []
    look()


@pytest.mark.parametrize("verb", ["renew", "release"])
def test_a_container_that_has_ended_or_waits_or_has_no_lease(host: LanHost, verb: str) -> None:
    host.net().join("c4", "lan", ips=("none",))
    with pytest.raises(NotFound, match="no address from DHCP"):
        getattr(host.net(), verb)("c4", "lan")
    host.remove("c1")
    with pytest.raises(NotFound, match="has ended"):
        getattr(host.net(), verb)("c1", "lan")
    host.kernel.reboot()
    host.net().restore()
    with pytest.raises(NotFound, match="has ended"):
        getattr(host.net(), verb)("c2", "lan")


@pytest.mark.parametrize("verb", ["renew", "release", "join"])
def test_an_agent_that_does_not_run(host: LanHost, verb: str) -> None:
    host.agent.down = True
    look = as_before(host)
    with pytest.raises(Missing) as error:
        getattr(host.net(), verb)("c1", "lan")
    assert error.value.code == "agent-not-running"
    look()


# --- planned ---

PLANS: tuple[tuple[Callable[[Any], Any], str], ...] = (
    (lambda net: net.join("c4", "lan", ips=("dhcp",)), "ip link add ce-4"),
    (lambda net: net.renew("c1", "lan"), "cnet renew c1 lan"),
    (lambda net: net.release("c1", "lan"), "ip -n c1 address delete 198.51.100.21/24 dev eth0"),
    (lambda net: net.leave("c1", "lan"), "ip link delete ce-1"),
    (lambda net: net.service("dhcp", "restart"), "cnet service dhcp restart"),
    (lambda net: net.service("dhcp", "enable"), "cnet service dhcp enable"),
)


@pytest.mark.parametrize(("verb", "line"), PLANS, ids=[row[1] for row in PLANS])
def test_a_dry_run_prints_a_plan_and_changes_nothing(host: LanHost, verb: Callable[[Any], Any], line: str) -> None:
    look = as_before(host)
    host.agent.down = "join" in line
    net = host.net(dry_run=True)
    verb(net)
    assert [one for one in net.plans if one.startswith(line)], net.plans
    assert host.agent.asked == []
    look()


def test_a_dry_run_of_what_has_nothing_to_give_back(host: LanHost) -> None:
    look = as_before(host)
    net = host.net(dry_run=True)
    net.release("c3", "lan")
    assert net.plans == []
    look()
