"""A seeded walk over what a user, and others, can do to a host; what should come of each step is predicted.

The rule of this file: the model is a few lists of names and knows nothing of links, addresses and rules; a step is
drawn, its outcome predicted from the model, and only then done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from grounds import Ground

from kit.memory import HOST4
from kit.resident import Refused

NETWORKS = {"n1": {"nat": True}, "n2": {"nat": True, "external_address": HOST4}, "n3": {"nat": True, "ipv6": False}}
INTERNAL = {"inner": {"internal": True}}
ALL = NETWORKS | INTERNAL
CONTAINERS = ["c1", "c2", "c3", "c4"]
PORTS: dict[str, dict[str, Any]] = {
    "web": {"internal_port": 80, "external_port": 8080},
    "range": {"internal_port": 5000, "external_port": "5000-5003", "protocol": "udp", "external_address": HOST4},
    "some": {"internal_port": 443, "external_port": 8443, "remotes": ("10.1.0.0/16", "192.0.2.7/32")},
}


@dataclass
class Model:
    """What should be, by names."""

    networks: list[str] = field(default_factory=list)
    members: list[tuple[str, str, int]] = field(
        default_factory=list
    )  # container, network, priority; first joined first
    ports: dict[str, tuple[str, str]] = field(default_factory=dict)
    away: list[str] = field(default_factory=list)  # containers that are not back after a restart of the host
    stale: list[str] = field(default_factory=list)  # containers that have ended, or are others now, unseen by any verb

    def on(self, container: str, network: str) -> bool:
        """Tell whether a container is on a network."""
        return any(one[:2] == (container, network) for one in self.members)

    def forget(self, gone: Callable[[tuple[str, str, int]], bool]) -> None:
        """Take endpoints away with their ports."""
        self.members = [one for one in self.members if not gone(one)]
        self.ports = {key: where for key, where in self.ports.items() if self.on(*where)}

    @property
    def key(self) -> str:
        """What makes two worlds the same."""
        orders = [[(net, level) for name, net, level in self.members if name == container] for container in CONTAINERS]
        return repr((sorted(self.networks), orders, sorted(self.ports.items())))


def rebuilt(model: Model, ground: Ground) -> str:
    """Make what a model says by the shortest way; return the world's text."""
    for name in sorted(model.networks):
        ground.do("create", name, **ALL[name])
    for container, network, priority in model.members:
        ground.do("join", container, network, priority=priority)
    for key, (container, network) in sorted(model.ports.items()):
        ground.do("open", container, network, **PORTS[key])
    return ground.text(CONTAINERS)


class Walker:
    """One walk."""

    def __init__(self, seed: int, ground: Ground, *, hands: float = 0.25) -> None:
        self.chance, self.ground, self.hands = Random(seed), ground, hands
        self.model = Model()
        self.said: list[str] = []
        self.texts: dict[str, str] = {}
        self._damaged = False
        for name in CONTAINERS:
            ground.container(name)

    # --- a step ---

    def step(self) -> None:
        """Do one thing, or let others do something and go on as if nothing were; then all must be well."""
        if self.model.away and self.chance.random() < 0.5:
            self._come_back()
        elif self.chance.random() < self.hands:
            self._foreign_hand()
            self._damaged = True
        if self.chance.random() < 0.75:
            self._verb()
        self.ground.do("repair")
        self._damaged = False
        self.model.stale = []
        self._all_is_well()

    def _all_is_well(self) -> None:
        """The store is as the model, the kernel as the store, and the same intents are the same world as before."""
        status = self.ground.do("status")
        assert status["drift"] == [], self.story
        assert self.ground.unfinished() == [], self.story
        views, model = self.ground.do("get"), self.model
        found = [(one["container"], one["network"], one["priority"]) for view in views for one in view["endpoints"]]
        assert sorted(found) == sorted(model.members), self.story
        assert sorted(view["name"] for view in views) == sorted(model.networks), self.story
        ports = {(one["container"], one["network"], one["external_first"]) for one in self.ground.do("ports")}
        first = {key: int(str(port["external_port"]).split("-")[0]) for key, port in PORTS.items()}
        assert ports == {(*where, first[key]) for key, where in model.ports.items()}, self.story
        if not model.away:
            text = self.ground.text(CONTAINERS)
            assert self.texts.setdefault(model.key, text) == text, self.story

    @property
    def story(self) -> str:
        """What has been done so far."""
        return "\n".join(self.said)

    def _try(self, expected: str, verb: str, *args: Any, **options: Any) -> bool:
        """Do a verb; it is refused as predicted, and then nothing has changed, or it is done."""
        self.said.append(f"{verb} {args} {options} -> {expected or 'done'}")
        before = self._looks() if expected and not self._damaged else None
        try:
            self.ground.do(verb, *args, **options)
            code = ""
        except Refused as refused:
            code = str(refused)
        assert code == expected, self.story
        assert before is None or before == self._looks(), self.story
        return not code

    def _looks(self) -> tuple[Any, str]:
        return self.ground.do("get"), self.ground.text([name for name in CONTAINERS if name not in self.model.away])

    # --- verbs ---

    def _verb(self) -> None:
        verbs = (
            [self._join] * 4 + [self._open] * 3 + [self._create, self._leave, self._leave, self._close, self._destroy]
        )
        self.chance.choice(verbs)()

    def _somebody(self) -> str:
        """Return a container that a verb may be about, "" for none."""
        able = [name for name in CONTAINERS if name not in self.model.stale + self.model.away]
        return self.chance.choice(able) if able else ""

    def _create(self) -> None:
        name = self.chance.choice(list(ALL))
        if self._try("network-exists" if name in self.model.networks else "", "create", name, **ALL[name]):
            self.model.networks.append(name)

    def _destroy(self) -> None:
        name, force = self.chance.choice(list(ALL)), self.chance.random() < 0.5
        used = any(one[1] == name for one in self.model.members)
        missing = "network-not-found" if name not in self.model.networks else ""
        if self._try(missing or ("network-in-use" if used and not force else ""), "destroy", name, force=force):
            self.model.networks.remove(name)
            self.model.forget(lambda one: one[1] == name)

    def _join(self) -> None:
        name = self.chance.choice([one for one in CONTAINERS if one not in self.model.away] or [""])
        network, priority = self.chance.choice(list(ALL)), self.chance.choice([0, 0, 5])
        if network not in self.model.networks and self.chance.random() < 0.8:
            self._try("", "create", network, **ALL[network])
            self.model.networks.append(network)
        if not name or self.model.on(name, network):
            return
        missing = "network-not-found" if network not in self.model.networks else ""
        if self._try(missing, "join", name, network, priority=priority):
            self.model.members.append((name, network, priority))

    def _leave(self) -> None:
        name, network = self._somewhere()
        if name and self._try(self._not_on(name, network), "leave", name, network):
            self.model.forget(lambda one: one[:2] == (name, network))

    def _open(self) -> None:
        (name, network), key = self._somewhere(), self.chance.choice(list(PORTS))
        if not name:
            return
        expected = self._not_on(name, network) or ("network-internal" if network in INTERNAL else "")
        expected = expected or ("port-mapped" if key in self.model.ports else "")
        if self._try(expected, "open", name, network, **PORTS[key]):
            self.model.ports[key] = (name, network)

    def _close(self) -> None:
        key = self.chance.choice(list(PORTS))
        name, network = self.model.ports.get(key, self._somewhere())
        if not name or name in self.model.stale + self.model.away:
            return
        expected = self._not_on(name, network)
        expected = expected or ("" if self.model.ports.get(key) == (name, network) else "mapping-not-found")
        opened = {option: value for option, value in PORTS[key].items() if option not in ("internal_port", "remotes")}
        if expected == "not-joined" and any(one[0] == name for one in self.model.members):
            expected = "mapping-not-found"  # it looks for the port, not for the endpoint
        if self._try(expected, "close", name, network, **opened):
            del self.model.ports[key]

    def _somewhere(self) -> tuple[str, str]:
        """Return a container and a network, mostly one that it is on; ("", ...) if there is none to be had."""
        able = [one[:2] for one in self.model.members if one[0] not in self.model.stale + self.model.away]
        if able and self.chance.random() < 0.75:
            return self.chance.choice(able)
        return self._somebody(), self.chance.choice(list(ALL))

    def _not_on(self, name: str, network: str) -> str:
        if network not in self.model.networks:
            return "network-not-found"
        return "" if self.model.on(name, network) else "not-joined"

    # --- foreign hands ---

    def _foreign_hand(self) -> None:
        hands = [
            self._flush,
            self._delete,
            self._delete,
            self._restart_container,
            self._restart_container,
            self._reboot,
        ]
        self.chance.choice(hands)()

    def _flush(self) -> None:
        self.said.append("flush ruleset")
        self.ground.flush()

    def _delete(self) -> None:
        views = self.ground.do("get")
        links = [view["bridge"] for view in views]
        links += [one["host_link"] for view in views for one in view["endpoints"] if one["state"] == "active"]
        if links:
            link = self.chance.choice(links)
            self.said.append(f"delete {link}")
            self.ground.delete(link)

    def _restart_container(self) -> None:
        name = self._somewhere()[0]
        if name:
            self.said.append(f"restart container {name}")
            self.ground.container(name)
            self.model.forget(lambda one: one[0] == name)
            self.model.stale.append(name)

    def _reboot(self) -> None:
        self.said.append("reboot")
        self.ground.reboot()
        self.model.away, self.model.stale = list(CONTAINERS), []
        for name in self.chance.sample(CONTAINERS, self.chance.randint(0, 4)):
            self._back(name)

    def _come_back(self) -> None:
        for name in list(self.model.away):
            self._back(name)

    def _back(self, name: str) -> None:
        self.said.append(f"container {name} is back")
        self.ground.container(name)
        self.model.away.remove(name)

    def end(self) -> str:
        """Have all containers back and all mended; return the world's text."""
        self._come_back()
        self.ground.do("repair")
        self._all_is_well()
        return self.ground.text(CONTAINERS)
