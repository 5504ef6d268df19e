"""What an administrator would write: a shell script with one line for each step.

The rule of this file: eight calls of ip and one of nft to join, no state, no checks, no addresses handed out.
"""

from __future__ import annotations

from bench.peers.peer import Peer, Ports
from bench.process import run
from bench.settings import Settings

NETWORK = """
ip link add br0 type bridge
ip address add 10.88.255.254/16 dev br0
ip link set br0 up
nft -f - <<END
table ip nat {
  map ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
  chain pre { type nat hook prerouting priority -100; fib daddr type local dnat to meta l4proto . th dport map @ports; }
  chain out { type nat hook output priority -100; fib daddr type local dnat to meta l4proto . th dport map @ports; }
  chain post { type nat hook postrouting priority 100; ip saddr 10.88.0.0/16 ip daddr != 10.88.0.0/16 masquerade; }
}
END
"""
JOIN = """
set -e
container=$1 address=$2
ip link add v-$container type veth peer name p-$container
ip link set p-$container netns $container
ip link set v-$container master br0
ip link set v-$container up
ip -n $container link set p-$container name eth0
ip -n $container address add $address/16 dev eth0
ip -n $container link set eth0 up
ip -n $container route add default via 10.88.255.254
nft -f -
"""
LEAVE = """
set -e
container=$1
ip link delete v-$container
nft -f -
"""


class Shell(Peer):
    """ip and nft; IPv4."""

    title = "shell script"

    @classmethod
    def version(cls, chosen: Settings) -> str:  # noqa: ARG003
        return f"{run('ip', '-V').strip()}, {run('nft', '--version').strip()}"

    def start(self) -> None:
        with self.host:
            run("sh", "-ec", NETWORK)

    def join(self, number: int, ports: Ports) -> None:
        address = f"10.88.{number // 250}.{number % 250 + 2}"
        elements = ", ".join(f"tcp . {outer} : {address} . {inner}" for outer, inner in ports)
        added = f"add element ip nat ports {{ {elements} }}\n"
        run("sh", "-c", JOIN, "join", f"c{number}", address, text=added)

    def leave(self, number: int, ports: Ports) -> None:
        keys = ", ".join(f"tcp . {outer}" for outer, _ in ports)
        run("sh", "-c", LEAVE, "leave", f"c{number}", text=f"delete element ip nat ports {{ {keys} }}\n")
