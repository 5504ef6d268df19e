"""Who reaches what, and as whom: one table of real packets, compared line by line.

Each line of the table is ``from -> to protocol family: answer``. The answer is whose address the server saw, or ``no``.
The same with bridge-nf-call 0 and 1: the one difference is stated in :func:`expected`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from kit.lab import HOST4, HOST6, LAN4, LAN6, Lab
from kit.space import BRIEF, PATIENT, Space, said

PUBLISHED, INSIDE, UNPUBLISHED, BOUND = 50000, 80, 81, 50001


@dataclass
class Place:
    """A lab with two networks: c1 (published) and c2 on one, c3 on the other."""

    lab: Lab
    spaces: dict[str, Space]
    names: dict[str, str]  # address -> whose it is
    c1: dict[str, str]  # family -> address of c1

    def who(self, address: str, asking: str) -> str:
        """Return whose address a server saw, in the words of the table."""
        name = self.names.get(address, address)
        return "its own" if name == asking else f"the {name}'s"


def bare(addresses: list[str]) -> dict[str, str]:
    return {"6" if ":" in text else "4": text.partition("/")[0] for text in addresses}


@pytest.fixture(params=[0, 1], ids=["bridge-nf-call=0", "bridge-nf-call=1"])
def place(request: pytest.FixtureRequest, make_lab: Callable[..., Lab]) -> Place:
    lab = make_lab(bridge_nf=request.param)
    spaces = {"host": lab.host, "outside": lab.lan, **{name: lab.container(name) for name in ("c1", "c2", "c3")}}
    names = {HOST4: "host", HOST6: "host", LAN4: "outside", LAN6: "outside"}
    for network, members in (("n1", ("c1", "c2")), ("n2", ("c3",))):
        made = lab.json("create", network, "--nat")
        names.update(dict.fromkeys(made["gateways"], "gateway"))
        for member in members:
            names.update(dict.fromkeys(bare(lab.json("join", member, network)["addresses"]).values(), member))
    c1 = {("6" if ":" in address else "4"): address for address, name in names.items() if name == "c1"}
    for proto in ("tcp", "udp"):
        opened = ["open", "c1", "n1", "--protocol", proto, "--internal-port", str(INSIDE)]
        lab.cnet(*opened, "--external-port", str(PUBLISHED))
        lab.cnet(*opened, "--external-port", str(BOUND), "--external-address", HOST4)
    spaces["c1"].serve(INSIDE)
    spaces["c1"].serve(UNPUBLISHED)
    spaces["outside"].serve(7)
    return Place(lab, spaces, names, c1)


def rows(place: Place) -> list[tuple[str, str, dict[str, str], int]]:
    """Return who asks, what, at which addresses and port."""
    host = {"4": HOST4, "6": HOST6}
    gateway = {("6" if ":" in a else "4"): a for a, name in place.names.items() if name == "gateway"}
    askers = ("outside", "host", "c3", "c2", "c1")
    table = [(asker, "published port", host, PUBLISHED) for asker in askers]
    table += [(asker, "port published at one address", {"4": HOST4}, BOUND) for asker in askers]
    table += [(asker, "published port at a gateway", gateway, PUBLISHED) for asker in askers[1:]]
    table += [(asker, "port nobody published", host, 50099) for asker in askers]
    table += [(asker, "c1 itself, the inner port", place.c1, INSIDE) for asker in askers]
    table += [(asker, "c1 itself, unpublished", place.c1, UNPUBLISHED) for asker in askers]
    table += [(asker, "outside", {"4": LAN4, "6": LAN6}, 7) for asker in ("host", "c1", "c2", "c3")]
    return table


def expected(place: Place) -> dict[tuple[str, str], str]:
    """Return the answer for each (from, to): whose address the server sees, or ``no``."""
    # True hairpin between neighbours must be masqueraded, unless the bridge itself passes packets through netfilter.
    neighbour = "its own" if place.lab.bridge_nf else "the gateway's"
    published = {"outside": "its own", "host": "its own", "c3": "its own", "c2": neighbour, "c1": "the gateway's"}
    answers = {(asker, "published port"): answer for asker, answer in published.items()}
    answers |= {(asker, "port published at one address"): answer for asker, answer in published.items()}
    answers |= {
        (asker, "published port at a gateway"): answer for asker, answer in published.items() if asker != "outside"
    }
    answers[("host", "published port at a gateway")] = "the gateway's"
    answers |= {(asker, "port nobody published"): "no" for asker in published}
    inside = {"outside": "no", "host": "the gateway's", "c3": "no", "c2": "its own", "c1": "its own"}
    for what in ("c1 itself, the inner port", "c1 itself, unpublished"):
        answers |= {(asker, what): answer for asker, answer in inside.items()}
    answers |= {(asker, "outside"): "the host's" for asker in ("c1", "c2", "c3")} | {("host", "outside"): "its own"}
    return answers


def measured(place: Place) -> tuple[list[str], list[str]]:
    """Ask all at once; return the table as it is and as it should be."""
    wanted, asked = expected(place), []
    for asker, what, addresses, port in rows(place):
        want = wanted[(asker, what)]
        for family, address in addresses.items():
            for proto in ("tcp", "udp"):
                timeout = BRIEF if want == "no" else PATIENT
                number = place.spaces[asker].peer.send(
                    "probe", proto=proto, address=address, port=port, timeout=timeout
                )
                asked.append((asker, f"{asker:8} -> {what:30} {proto} v{family}: ", number, want))
    seen = []
    for asker, line, number, _ in asked:
        words = said(place.spaces[asker].peer.wait(number)).split()
        seen.append(line + (place.who(words[1], asker) if len(words) == 2 else "no"))
    return seen, [line + want for _, line, _, want in asked]


def test_the_whole_table(place: Place) -> None:
    place.lab.lan.sh("ip route add 192.168.0.0/16 via " + HOST4)  # a neighbour that knows the way in, uninvited
    place.lab.lan.sh(f"ip -6 route add {place.c1['6']}/48 via {HOST6} || ip -6 route add fc00::/7 via {HOST6}")
    seen, wanted = measured(place)
    print("\n".join(seen))
    wrong = [
        f"{is_}   (should be: {should.rpartition(': ')[2]})"
        for is_, should in zip(seen, wanted, strict=True)
        if is_ != should
    ]
    assert not wrong, "\n".join(wrong)


def test_pings(place: Place) -> None:
    lab, spaces = place.lab, place.spaces
    gateways = [address for address, name in place.names.items() if name == "gateway"]
    for name in ("c1", "c2"):
        for address in (*[g for g in gateways if g.startswith("192.168.1.")], LAN4, LAN6, HOST4, HOST6):
            assert spaces[name].ping(address), f"{name} cannot ping {address}"
    assert spaces["c2"].ping(place.c1["4"])
    assert spaces["c2"].ping(place.c1["6"])
    assert not spaces["c3"].ping(place.c1["4"], timeout=BRIEF)
    assert not spaces["c3"].ping(place.c1["6"], timeout=BRIEF)
    assert lab.host.ping(place.c1["4"])
    assert lab.host.ping(place.c1["6"])


def test_after_close_and_leave_nothing_is_reached(place: Place) -> None:
    """The same table's first line turns to no, so the lines above were our doing."""
    lab = place.lab
    for proto in ("tcp", "udp"):
        assert lab.lan.probe(HOST4, PUBLISHED, proto).startswith("c1 ")
        lab.cnet("close", "c1", "n1", "--protocol", proto, "--external-port", str(PUBLISHED))
        assert lab.lan.probe(HOST4, PUBLISHED, proto, timeout=BRIEF) in ("refused", "timeout")
        assert lab.lan.probe(HOST6, PUBLISHED, proto, timeout=BRIEF) in ("refused", "timeout")
        assert lab.lan.probe(HOST4, BOUND, proto).startswith("c1 ")
    lab.cnet("leave", "c1", "n1")
    assert lab.lan.probe(HOST4, BOUND, "tcp", timeout=BRIEF) in ("refused", "timeout")
    assert not place.spaces["c2"].ping(place.c1["4"], timeout=BRIEF)
