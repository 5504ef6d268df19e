"""What a DHCPv6 client is told at first; its effects are those of ``dhcp4/words.py``.

The rule of this file: frozen values only.
"""

from __future__ import annotations

from containernet.model.record import record
from containernet.services.dhcp4.probe import FAST


@record
class Setup6:
    """Who a client is, and what it wants."""

    mac: bytes
    duid: bytes  # RFC 6355: the host's, the same for all its clients
    iaid: int  # the client's own
    hostname: str = ""
    stateful: bool = True  # an address; else only what comes along with one (the router's O flag without M)
    probe: str = FAST  # how an address is looked for on the link before its use (RFC 4862)
