"""Our one nftables table: chains that never change, sets and maps whose elements are all that does.

The rule of this file: a packet's way costs the same whatever exists. Every decision is one look into a set or a map; no
chain belongs to a network or a container, and no rule is ever added or deleted.

Kernel: 5.8 or later (``iifname`` in postrouting, concatenations with intervals); the rest of ContainerNet needs 5.14.
"""

from __future__ import annotations

PORT = ("inet_proto", "inet_service")
TO4, TO6 = ("ipv4_addr", "inet_service"), ("ipv6_addr", "inet_service")

# name -> (types of the key, types of the data; none: a set); "/interval": the field is a prefix
SETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "any4": (PORT, TO4),  # ports open on every address of the host, and where they lead
    "any6": (PORT, TO6),
    "at4": (("ipv4_addr", *PORT), TO4),  # ports open on one address of the host
    "at6": (("ipv6_addr", *PORT), TO6),
    "limited": (PORT, ()),  # ports of any4 and any6 that not everybody may use, and who may
    "allowed4": ((*PORT, "ipv4_addr/interval"), ()),
    "allowed6": ((*PORT, "ipv6_addr/interval"), ()),
    "limited_at4": (("ipv4_addr", *PORT), ()),  # the same for at4 and at6
    "limited_at6": (("ipv6_addr", *PORT), ()),
    "allowed_at4": (("ipv4_addr", *PORT, "ipv4_addr/interval"), ()),
    "allowed_at6": (("ipv6_addr", *PORT, "ipv6_addr/interval"), ()),
    "bridges": (("ifname",), ()),  # the bridges of all our networks
    "pairs": (("ifname", "ifname"), ()),  # which bridge may reach which
    "outward": (("ifname",), ()),  # networks behind NAT that may leave by any link
    "uplinks": (("ifname", "ifname"), ()),  # networks behind NAT that may leave by one link
    "closed": (("ifname",), ()),  # internal networks: they reach nobody else, published ports included
    "snat4": (("ifname",), ("ipv4_addr",)),  # networks behind NAT with a given source address
    "snat6": (("ifname",), ("ipv6_addr",)),
    "self4": (("ipv4_addr", "ipv4_addr"), ()),  # each endpoint's address twice: who reaches itself
    "self6": (("ipv6_addr", "ipv6_addr"), ()),
}


def _declared(name: str) -> str:
    key, data = SETS[name]
    types = " . ".join(kind.removesuffix("/interval") for kind in key)
    flags = " flags interval;" if any(kind.endswith("/interval") for kind in key) else ""
    leads = f" : {' . '.join(data)}" if data else ""
    return f"  {'map' if data else 'set'} {name} {{ type {types}{leads};{flags} }}"


# Long lines are one rule each.
_CHAINS = """
  chain publish {
    fib daddr type != local return
    ip daddr 127.0.0.0/8 return
    ip6 daddr ::1 return
    ip daddr . meta l4proto . th dport @limited_at4 ip daddr . meta l4proto . th dport . ip saddr != @allowed_at4 return
    ip6 daddr . meta l4proto . th dport @limited_at6 ip6 daddr . meta l4proto . th dport . ip6 saddr != @allowed_at6 return
    dnat ip to ip daddr . meta l4proto . th dport map @at4
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @at6
    meta l4proto . th dport @limited meta nfproto ipv4 meta l4proto . th dport . ip saddr != @allowed4 return
    meta l4proto . th dport @limited meta nfproto ipv6 meta l4proto . th dport . ip6 saddr != @allowed6 return
    dnat ip to meta l4proto . th dport map @any4
    dnat ip6 to meta l4proto . th dport map @any6
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    meta l4proto { tcp, udp, sctp } jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    meta l4proto { tcp, udp, sctp } jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ct status dnat iifname . oifname @pairs masquerade
    ct status dnat ip saddr . ip daddr @self4 masquerade
    ct status dnat ip6 saddr . ip6 daddr @self6 masquerade
    oifname @bridges return
    snat ip to iifname map @snat4
    snat ip6 to iifname map @snat6
    iifname @outward masquerade
    iifname . oifname @uplinks masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname != @bridges oifname != @bridges return
    ct state established,related accept
    ct state invalid drop
    iifname @bridges ip daddr { 168.63.129.16, 169.254.169.254 } drop
    iifname @bridges ip6 daddr fd00:ec2::254 drop
    iifname . oifname @pairs accept
    iifname @closed drop
    ct status dnat accept
    oifname @bridges drop
    iifname @outward accept
    iifname . oifname @uplinks accept
    drop
  }
"""  # noqa: E501

TEXT = "table inet containernet {\n" + "\n".join(map(_declared, SETS)) + _CHAINS + "}"
