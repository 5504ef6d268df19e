from __future__ import annotations

import os
import signal
import sys
import time

from kit.lab import Lab
from kit.space import eventually

N = int(os.environ.get("N", "300"))


def rss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        t = f.read().split("\n")
    return t[1].split()[1:], t[2].split()[1:]


def cpu(pid):
    with open(f"/proc/{pid}/stat") as f:
        p = f.read().rpartition(")")[2].split()
    return (int(p[11]) + int(p[12])) / 100


def test_try(lab: Lab) -> None:
    lab.cnet("create", "n1", "--nat")
    lab.cnet("create", "n2", "--nat")
    agent = lab.start("agent")
    try:
        eventually(lambda: lab.result("agent", "status").returncode == 0)
        print("idle", rss(agent.pid))
        lab.host.sh("\n".join(f"ip netns add c{i}" for i in range(N)))
        b = time.monotonic()
        lab.host.sh(
            f"set -e; export PYTHONPATH={lab.env['PYTHONPATH']}; "
            + "\n".join(f"{sys.executable} -m containernet join c{i} n1 >/dev/null" for i in range(N))
        )
        print(
            "joins with agent",
            time.monotonic() - b,
            "cpu of agent",
            cpu(agent.pid),
            lab.json("agent", "status")["services"],
        )
        time.sleep(3)
        print(lab.json("agent", "status")["services"], rss(agent.pid), "cpu", cpu(agent.pid))
        code = "import time;from containernet import ContainerNet as C;n=C();n.status();b=time.monotonic();n.status();print('status',time.monotonic()-b);b=time.monotonic();n._ask(lambda h: frozenset(one.path for one in h.store.everything().compartments));print('paths',time.monotonic()-b);b=time.monotonic();n.repair();print('repair',time.monotonic()-b)"
        print(lab.host.run(sys.executable, "-c", code, env=lab.env))
        for hand in (
            "nft flush ruleset",
            "ip link del ce-7",
            "ip -n c7 route del default",
            "ip link set cn-1 down",
            "ip netns del c9",
            "ip link del cn-1",
        ):
            before = lab.json("agent", "status")["services"][0]["figures"]["mended"]
            c0 = cpu(agent.pid)
            b = time.monotonic()
            lab.host.sh(hand)
            x = time.monotonic()
            eventually(lambda: lab.json("agent", "status")["services"][0]["figures"]["mended"] != before, 30)
            print(hand, "hand took", x - b, "mended", time.monotonic() - x)
            time.sleep(4)
            print("cpu", cpu(agent.pid) - c0)
        print(lab.json("status")["drift"])
        print(rss(agent.pid))
        c0 = cpu(agent.pid)
        s0 = lab.json("agent", "status")["services"]
        time.sleep(10)
        print("idle cpu in 10 s", cpu(agent.pid) - c0, s0 == lab.json("agent", "status")["services"])
    finally:
        agent.send_signal(signal.SIGTERM)
        out = agent.communicate(timeout=20)
        print(agent.returncode, out[1][-1500:])
