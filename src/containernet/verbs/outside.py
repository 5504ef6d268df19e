"""What an uplink is good for: which networks without NAT can be on it, and what the outside would have to allow.

The rule of this file: it asks, and says what was heard; nothing is changed.
"""

from __future__ import annotations

from containernet.kernel.door import ABSENT, KernelError, Probe, Uplink
from containernet.model.errors import ContainerNetError, NotFound
from containernet.model.names import link_name, shown
from containernet.model.network import TRANSPARENT
from containernet.model.views import Finding
from containernet.verbs.uplink import fit, gateways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from containernet.verbs.host import Host

OK, NOTE, WARNING = "ok", "note", "warning"
ALLOW = (
    "Take --mode routed, which needs this host's only, or put the network behind --nat. Or let them through: on"
    " Hyper-V, Set-VmNetworkAdapter VMNAME -MacAddressSpoofing On; on VMware, promiscuous mode and forged transmits; on"
    " a switch, more MAC addresses on the port."
)


def findings(host: Host, name: str) -> Iterator[Finding]:
    """Yield what is found about an uplink."""
    link = _link(host, name)
    yield from _modes(host, link)
    ways = gateways(link.held)
    four = next((one for one in ways if ":" not in one), "")
    if not (link.ethernet and link.up and not link.wireless):
        return
    heard = host.kernel.probe(link.name, four)
    yield _foreign(host, link, four, heard)
    yield _leasing(link, heard)
    yield _advertising(link, heard)


def _link(host: Host, name: str) -> Uplink:
    """Return a link; of a port of a bridge, the bridge."""
    try:
        link = host.kernel.uplink(link_name(name))
        return host.kernel.uplink(link.master) if link.master else link
    except KernelError as error:
        if error.reason != ABSENT:
            raise
        raise NotFound(
            "uplink-not-found", f"This host has no link {shown(name)}.", "'ip link' shows its links."
        ) from None


def _modes(host: Host, link: Uplink) -> Iterator[Finding]:
    for kind in TRANSPARENT:
        try:
            fit(host, link, kind)
        except ContainerNetError as error:
            yield Finding(error.code, NOTE, f"Mode {kind} does not fit: {error.sentence}", error.hint, False)
        else:
            yield Finding(f"mode-{kind}", OK, f"Mode {kind} fits {link.name}.", "", False)


def _foreign(host: Host, link: Uplink, gateway: str, heard: Probe) -> Finding:
    if heard.passes or heard.dhcp:  # a router advertises unasked: that says nothing of what gets out
        return Finding("foreign-macs", OK, f"MAC addresses of containers get through {link.name}.", "", False)
    if not gateway or not host.kernel.answers(link.name, gateway):
        sentence = f"Nobody beyond {link.name} answers even this host, so it cannot be told what would get through."
        return Finding("foreign-macs", NOTE, sentence, "Look again when the uplink has a gateway.", False)
    sentence = f"The gateway {gateway} answers this host, but no other MAC address on {link.name}."
    return Finding("one-mac", WARNING, sentence, ALLOW, False)


def _leasing(link: Uplink, heard: Probe) -> Finding:
    if heard.dhcp:
        sentence = f"The DHCP server {heard.dhcp} offers addresses to containers on {link.name}."
        return Finding("dhcp-server", OK, sentence, "", False)
    sentence = f"No DHCP server answers a container on {link.name}."
    return Finding("dhcp-none", NOTE, sentence, "Give addresses with --ip ADDRESS/LENGTH.", False)


def _advertising(link: Uplink, heard: Probe) -> Finding:
    if heard.router:
        sentence = f"The router {heard.router} advertises IPv6 on {link.name}."
        return Finding("router", OK, sentence, "", False)
    sentence = f"No router advertises IPv6 on {link.name}: containers get no IPv6 address by themselves."
    return Finding("router-none", NOTE, sentence, "Give one with --ip ADDRESS/LENGTH if it is needed.", False)
