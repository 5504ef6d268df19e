"""The DHCPv6 client of every compartment (RFC 8415): a pure machine for each, in the engine of ``dhcp4``.

The rule of this folder: as in ``dhcp4``, ``machine`` decides and never touches a socket or a clock; ``client`` has the
sockets and decides nothing.
"""
