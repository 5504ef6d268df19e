"""`cnet run` on a network with DHCP: what the command's namespace has leased is given back while it is still there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from containernet.model.errors import Different
from containernet.model.network import Place
from kit.leases import LanHost, prepared

PATH, HELD = "/proc/7/ns/net", "/proc/1/fd/9"


class Child:
    """A command that ends at once; its namespace is held by who has started it."""

    path, lasting_path = PATH, HELD

    def __init__(self, host: LanHost) -> None:
        self._host = host
        self.done: list[str] = []
        place = host.kernel.add_namespace(PATH)
        host.kernel._namespaces[HELD] = Place(HELD, place.cookie)

    def go(self) -> None:
        self.done.append("go")

    def wait(self) -> int:
        return 3

    def end(self) -> None:
        self.done.append("end")
        del self._host.kernel._namespaces[PATH]

    def close(self) -> None:
        self.done.append("close")
        self._host.kernel._namespaces[PATH] = self._host.kernel._namespaces.pop(HELD)
        self._host.kernel.remove_namespace(PATH)


@pytest.fixture
def host() -> Iterator[LanHost]:
    with prepared() as made:
        yield made


@pytest.fixture
def child(host: LanHost, monkeypatch: pytest.MonkeyPatch) -> Child:
    made = Child(host)
    monkeypatch.setattr(host.kernel, "start", lambda *_: made, raising=False)
    return made


def heard(host: LanHost, child: Child, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what is noted of the farewell: where the namespace is to be found, and whether it is held."""
    found: list[Any] = []
    farewell = host.agent.farewell

    def noted(endpoints: Iterable[str], *, moved: bool) -> bool:
        path = host.stored(lambda store: store.compartment("job")).path
        found.append((path, child.done[-1], host.kernel.identify(path).cookie > 0))
        return farewell(endpoints, moved=moved)

    monkeypatch.setattr(host.agent, "farewell", noted)
    return found


def test_a_command_gives_its_lease_back(host: LanHost, child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    found = heard(host, child, monkeypatch)
    assert host.net().run(("lan",), ("true",), name="job") == 3
    assert host.agent.asked == ["lease job_lan 20", "farewell job_lan moved"]
    assert found == [(HELD, "end", True)]
    assert child.done == ["go", "end", "close"]
    assert host.stored(lambda store: store.compartment("job")) is None
    assert len(host.stored(lambda store: store.endpoints())) == 3
    assert host.agreement() == []


def test_a_command_whose_network_gives_no_address_is_not_run(host: LanHost, child: Child) -> None:
    host.agent.silent = True
    with pytest.raises(Different):
        host.net().run(("lan",), ("true",), name="job")
    assert child.done == ["end", "close"]
    assert host.stored(lambda store: store.compartment("job")) is None
    assert host.agreement() == []


def test_a_command_on_two_networks(host: LanHost, child: Child) -> None:
    host.net().create("n1", nat=True)
    assert host.net().run(("n1", "lan"), ("true",), name="job", publish=("8080:80",)) == 3
    assert host.agent.asked == ["lease job_lan 20", "farewell job_lan moved"]
    assert host.net().ports() == ()
    assert host.agreement() == []
    assert child.done[-1] == "close"


def test_without_a_lease_nobody_is_told(host: LanHost, child: Child) -> None:
    host.net().create("n1", nat=True)
    assert host.net().run(("n1",), ("true",), name="job") == 3
    assert host.agent.asked == []
    assert host.agreement() == []
    assert child.done == ["go", "end", "close"]
