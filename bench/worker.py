"""What is done through the Python API, in a process of its own on a host of the benchmark.

The rule of this file: it prints one JSON object of lists of milliseconds. A veth pair like an endpoint's is deleted by
one message to the kernel, by turns with ``leave``: that is what leaving cannot be quicker than.
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from containernet import ContainerNet

NETWORK, LAN = "net1", "lan"
DELETE_LINK, REQUEST_ACK = 17, 5  # RTM_DELLINK; NLM_F_REQUEST | NLM_F_ACK
PAIR = """
link add floor0 type veth peer name eth0 netns floor
link set floor0 master floor up
"""
PAIR_INSIDE = """
link set eth0 up
address add 10.94.0.2/16 dev eth0
address add fd00:94::2/64 dev eth0 nodad
route add default via 10.94.0.1
route add default via fd00:94::1
"""
FLOOR = """
ip link add floor type bridge
ip address add 10.94.0.1/16 dev floor
ip address add fd00:94::1/64 dev floor nodad
ip link set floor up
ip netns add floor
"""


def timed(function: Callable[[], object]) -> float:
    """Return how many milliseconds a call takes."""
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1000


def fill(first: int, count: int, first_port: int, ports_each: int) -> dict[str, list[float]]:
    """Join many containers, each with as many ports as asked."""
    net = ContainerNet()
    numbers = range(first, first + count)
    return {"join": [timed(partial(join, net, number, first_port, ports_each)) for number in numbers]}


def join(net: ContainerNet, number: int, first_port: int, ports_each: int) -> None:
    """Join a container; its ports come after those of the container before it."""
    start = first_port + number * ports_each
    span = f"{start}-{start + ports_each - 1}:80-{79 + ports_each}" if ports_each > 1 else f"{start}:80"
    net.join(f"c{number}", NETWORK, publish=(span,))


def lease(first: int, count: int) -> dict[str, list[float]]:
    """Join many containers by DHCP, and wait for no address."""
    net = ContainerNet()
    names = [f"c{number}" for number in range(first, first + count)]
    return {"join": [timed(partial(net.join, name, LAN, ips=("dhcp",), no_wait=True)) for name in names]}


def rounds(count: int, container: str) -> dict[str, list[float]]:
    """Join and leave in this process, and delete a bare pair by turns; the first round does not count."""
    net = ContainerNet()
    subprocess.run(["sh", "-ec", FLOOR], check=True)
    seen: dict[str, list[float]] = {"join": [], "leave": [], "veth": []}
    for number in range(count + 1):
        seen["join"].append(timed(lambda: net.join(container, NETWORK, publish=("50000:80",))))
        pair()
        steps = {"leave": lambda: net.leave(container, NETWORK), "veth": delete_pair}
        for name in sorted(steps, reverse=number % 2 == 1):
            seen[name].append(timed(steps[name]))
    return {name: values[1:] for name, values in seen.items()}


def pair() -> None:
    """Make a veth pair like an endpoint's."""
    for namespace, lines in (((), PAIR), (("-n", "floor"), PAIR_INSIDE)):
        subprocess.run(["ip", *namespace, "-batch", "-"], input=lines, text=True, check=True)


def delete_pair() -> None:
    """Ask the kernel to delete it, and wait for its answer."""
    index = socket.if_nametoindex("floor0")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as link:
        link.send(struct.pack("=IHHIIBxHiII", 32, DELETE_LINK, REQUEST_ACK, 1, 0, 0, 0, index, 0, 0))
        error = struct.unpack_from("=i", link.recv(4096), 16)[0]
    if error:
        raise OSError(-error, "the pair was not deleted")


def main() -> None:
    """Do what the first word says."""
    verb, *rest = sys.argv[1:]
    if verb in ("fill", "lease"):
        print(json.dumps({"fill": fill, "lease": lease}[verb](*map(int, rest))))
    else:
        print(json.dumps(rounds(int(rest[0]), rest[1])))


if __name__ == "__main__":
    main()
