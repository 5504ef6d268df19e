"""What a client of DHCPv6 is told at first; the effects that it has are those of ``dhcp4.words``.

The rule of this file: frozen values only.
"""

from __future__ import annotations

from containernet.model.record import record
from containernet.services.dhcp4.probe import OFF


@record
class Setup6:
    """Who a client is, and what it shall ask for."""

    mac: bytes
    duid: bytes  # the host's
    iaid: int  # the interface's, on this host
    hostname: str = ""  # told to the server, which may put it into its DNS
    stateful: bool = True  # ask for an address; else only for what comes along with one (section 18.2.6)
    probe: str = OFF  # how an address is looked for on the link before its use (RFC 4862, section 5.4)
    rapid: bool = True  # take an address with two messages instead of four where a server gives it so (section 5.1)
