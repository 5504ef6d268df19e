"""The parameters that several commands share, and the ones that all commands have.

The rule of this file: a parameter that means the same everywhere is written here once. The names of cmdlet parameters
are those of the 2015 document and of the Windows cmdlets that followed it.
"""

from __future__ import annotations

from containernet.cli.grammar import ALWAYS, LIST, NEVER, NUMBER, SWITCH, Param
from containernet.model.record import replace


def optional(param: Param) -> Param:
    """Return the same parameter, not required."""
    return replace(param, required=NEVER)


def unless(param: Param, key: str) -> Param:
    """Return the same parameter, required unless the parameter ``key`` is given."""
    return replace(param, required=key)


NETWORK = Param(
    "network", ("NETWORK",), ("NetworkName", "Network"), "The network.",
    required=ALWAYS, complete="network", position=True,
)  # fmt: skip
CONTAINER = Param(
    "container", ("CONTAINER",), ("ContainerName", "Container"),
    "The container: a network namespace's name, pid:N for a process, or the path of a namespace.",
    required=ALWAYS, complete="container", position=True,
)  # fmt: skip
ENDPOINT = Param(
    "endpoint", ("--endpoint",), ("EndpointName",),
    "Which endpoint, if the container has joined the network more than once.",
    value="NAME", complete="endpoint",
)  # fmt: skip
PROTOCOL = Param(
    "protocol", ("--protocol",), ("Protocol",), "The protocol: tcp, udp or sctp. Default: tcp.",
    value="PROTOCOL", choices=("tcp", "udp", "sctp"),
)  # fmt: skip
EXTERNAL_PORT = Param(
    "external_port", ("--external-port",), ("ExternalPort",),
    "The port, or range of ports, that others connect to. Default: a free one is picked.",
    value="PORT[-PORT]",
)  # fmt: skip
EXTERNAL_ADDRESS = Param(
    "external_address", ("--external-address",), ("ExternalIPAddress",),
    "The address of this host that the port is opened on. Default: all of them.",
    value="IP",
)  # fmt: skip
WAIT = Param(
    "wait", ("--wait",), ("WaitSeconds",), "How long to wait for an address from DHCP. Default: 20 seconds.",
    NUMBER, "SECONDS",
)  # fmt: skip
PUBLISH = Param(
    "publish", ("-p", "--publish"), ("Publish",),
    "A port to open at once: [EXT-IP:]EXT[-EXT]:INT[-INT][/tcp|udp|sctp].",
    LIST, "MAPPING",
)  # fmt: skip
FORCE = Param("force", ("--force",), ("Force",), "Take it away although containers are joined to it.", SWITCH)

JSON = Param("json", ("--json",), ("Json",), "Print the result (and errors) as JSON.", SWITCH)
DRY_RUN = Param(
    "dry_run", ("--dry-run",), ("WhatIf",),
    "Change nothing: print the plan, as the ip, nft and sysctl lines a person would type.",
    SWITCH,
)  # fmt: skip
VERBOSE = Param(
    "verbose", ("-v", "--verbose"), ("Verbose",), "Print each operation on the kernel as it is done.", SWITCH
)
CONFIRM = Param("confirm", (), ("Confirm",), "Ask before doing it.", SWITCH)
STATE_DIR = Param(
    "state_dir", ("--state-dir",), ("StateDir",),
    "Where ContainerNet keeps its state. Default: $CNET_STATE_DIR, else /var/lib/containernet.",
    value="DIRECTORY", complete="directory",
)  # fmt: skip
HELP = Param("help", ("-h", "--help"), ("?",), "Print this help.", SWITCH)
VERSION = Param("version", ("--version",), (), "Print the version.", SWITCH)

COMMON = (JSON, DRY_RUN, VERBOSE, CONFIRM, STATE_DIR, HELP)
PRIORITY = Param(
    "priority", ("--priority",), ("Priority",),
    "Who gets the container's default route: the highest priority, then the first joined.",
    NUMBER, "N",
)  # fmt: skip
