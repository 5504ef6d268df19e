"""The DHCPv4 client of every compartment (RFC 2131): a pure machine for each, one process with sockets for all.

The rule of this folder: ``machine`` decides and never touches a socket or a clock; ``engine`` has the sockets and the
clock and decides nothing. What a lease changes outside is done by the hands (``engine.Hands``) that the caller gives.
"""
