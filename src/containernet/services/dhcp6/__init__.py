"""The DHCPv6 client of every compartment (RFC 8415): a pure machine for each, in the engine of DHCPv4.

The rule of this folder: ``machine`` decides and never touches a socket or a clock; ``client`` has the socket and
decides nothing. Effects and hands are those of ``dhcp4``; what is the same there is used from there.
"""
