"""The same verbs from Python, in a process of its own on the host: typed objects, typed errors, several threads."""

from __future__ import annotations

import sys

from kit.lab import HOST4, LAN4, Lab

WALK = """
from containernet import ContainerNet
from containernet.model.errors import Conflict, NotFound, Usage
net = ContainerNet()
made = net.create("n1", nat=True, labels=("a=b",))
assert (made.name, made.subnets[0], made.labels) == ("n1", "192.168.1.0/24", (("a", "b"),)), made
joined = net.join("c1", "n1", publish=("50000:80",))
assert (joined.name, joined.addresses[0], joined.ports[0].external_first) == ("c1_n1", "192.168.1.2/24", 50000), joined
for error, verb in ((Conflict, lambda: net.create("n1", nat=True)), (NotFound, lambda: net.join("nobody", "n1")),
                    (Usage, lambda: net.create("a b", nat=True)), (Conflict, lambda: net.destroy("n1"))):
    try:
        verb()
    except error as caught:
        assert caught.code and caught.sentence and caught.hint, caught
    else:
        raise SystemExit(f"no {error}")
"""
THREADS = """
from concurrent.futures import ThreadPoolExecutor
from containernet import ContainerNet
net = ContainerNet()
net.create("n1", nat=True)
with ThreadPoolExecutor(8) as pool:
    views = list(pool.map(lambda number: net.join(f"c{number}", "n1"), range(16)))
    assert len({view.addresses[0] for view in views}) == 16
    list(pool.map(lambda number: net.leave(f"c{number}", "n1"), range(16)))
assert net.endpoint() == ()
"""
FORKS = """
import os
from containernet import ContainerNet
net = ContainerNet()
net.create("n1", nat=True)
pid = os.fork()
net.join("c1" if pid else "c2", "n1")
if not pid:
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert len(net.endpoint()) == 2
"""


def python(lab: Lab, script: str) -> str:
    """Run a script on the host."""
    return lab.host.run(sys.executable, "-W", "error", "-c", script, env=lab.env, timeout=60)


def test_a_walk(lab: Lab) -> None:
    c1 = lab.container("c1")
    python(lab, WALK)
    c1.serve(80, protos="tcp", families="4")
    assert lab.lan.probe(HOST4, 50000) == f"c1 {LAN4}"


def test_from_threads(lab: Lab) -> None:
    for number in range(16):
        lab.container(f"c{number}")
    python(lab, THREADS)
    assert "link ce-" not in lab.world()


def test_after_a_fork(lab: Lab) -> None:
    lab.container("c1")
    lab.container("c2")
    python(lab, FORKS)


def test_no_descriptor_keeps_a_namespace_alive(lab: Lab) -> None:
    """A long-lived caller that has joined a container must not keep it from dying."""
    lab.container("c1")
    script = (
        "import os, subprocess\nfrom containernet import ContainerNet\n"
        "net = ContainerNet()\nnet.create('n1', nat=True)\n"
        "net.join('c1', 'n1')\nsubprocess.run(['ip', 'netns', 'del', 'c1'], check=True)\n"
        "import time\nend = time.monotonic() + 10\n"
        "while any(n.startswith('ce-') for n in os.listdir('/sys/class/net')):\n"
        "    assert time.monotonic() < end, 'the veth of a dead container lives on'\n    time.sleep(0.02)\n"
    )
    python(lab, script)


def test_importing_it_is_cheap(lab: Lab) -> None:
    """What a cold start may load: a guard against a heavy import slipping in."""
    heavy = {
        "asyncio",
        "dataclasses",
        "inspect",
        "typing",
        "logging",
        "subprocess",
        "email",
        "http",
        "json",
        "ipaddress",
    }
    loaded = python(
        lab,
        "import sys; base = set(sys.modules)\nfrom containernet import ContainerNet\nprint(*{*sys.modules} - base)",
    )
    assert not heavy & set(loaded.split())
