"""The command table: everything that can be typed, once.

The rule of this file: a command is one entry here and nowhere else. Both spellings, help, shell completion, the man
page and the reference are made from it. The keys of parameters are the keywords of the Python API's methods, and the
verb (a space becomes ``_``) is the method's name.
"""

from __future__ import annotations

from containernet.cli import params as p
from containernet.cli.grammar import ALWAYS, COMMAND, LIST, NUMBER, OFF, SWITCH, Command, Param
from containernet.model.record import replace

CREATE = Command(
    "create", "Create a network.",
    (
        Param("name", ("NETWORK",), ("Name", "NetworkName"), "The name of the network.", required=ALWAYS, position=True),
        Param("nat", ("--nat",), ("EnableNat",), "Put it behind a NAT.", SWITCH),
        Param("internal", ("--internal",), ("Internal",), "Give it no way out of this host.", SWITCH),
        Param("subnets", ("--subnet",), ("SubnetPrefix",), "A prefix for its containers. Default: the first free /24 of 192.168.0.0/16 and an IPv6 /64.", LIST, "CIDR"),
        Param("gateways", ("--gateway",), ("GatewayAddress",), "This host's address in a subnet. Default: the subnet's first.", LIST, "IP"),
        Param("uplink", ("--uplink",), ("Uplink", "NetworkAdapterName"), "The only interface its traffic may leave by. Default: whatever the host's routes say.", value="IFACE", complete="link"),
        Param("mode", ("--mode",), ("Mode",), "Without NAT, how its containers are on the uplink's own subnet: bridge, macvlan or routed. Default: bridge.", value="MODE", choices=("bridge", "macvlan", "routed")),
        Param("shim", ("--shim",), ("HostShim",), "Mode macvlan: let this host and its containers reach each other, by a macvlan of its own.", SWITCH),
        Param("confirm_within", ("--confirm",), ("ConfirmSeconds",), "Mode bridge: undo all unless 'cnet confirm' is said within so many seconds.", NUMBER, "SECONDS"),
        Param("yes", ("--yes",), (), "Mode bridge: do not even wait for the gateway to answer.", SWITCH),
        Param("external_address", ("--external-address",), ("ExternalIPAddress",), "The source address of what leaves. Default: the uplink's.", value="IP"),
        Param("mtu", ("--mtu",), ("Mtu",), "Its MTU. Default: the uplink's, followed as it changes.", NUMBER, "N"),
        Param("ipv6", ("--no-ipv6",), ("DisableIPv6",), "No IPv6: off in its containers too.", OFF),
        Param("labels", ("--label",), ("Label",), "A label to keep with it.", LIST, "KEY=VALUE"),
    ),
    "New-ContainerNetwork",
    "Its containers talk freely with each other. Behind NAT or internal, other networks do not reach them; else they are on the uplink's own subnet.",
    (
        ("cnet create net1 --nat", "containers that reach the outside, on a subnet picked for them"),
        ("cnet create db --internal --subnet 10.5.0.0/24", "containers that only talk with each other"),
        ("cnet create lan", "containers on the subnet of the host's uplink, as neighbours of everything there"),
        ("cnet create lan --confirm 60", "the same; all is as before unless 'cnet confirm lan' is said within a minute"),
    ),
    (
        ("vswitch", "Creating a vSwitch for the network"),
        ("forwarding", "Enabling IP forwarding between network and external adapter"),
        ("external", "Picking the NAT external IP address and prefix"),
        ("nat", "Configuring NAT"),
    ),
    True,
)  # fmt: skip

CONFIRM = Command(
    "confirm", "Confirm that this host can still be reached, so that a new network stays.",
    (replace(p.NETWORK, key="name", cmdlet=()),),
    about="For 'cnet create --confirm', which moves the host's addresses and undoes that unless this is said in time.",
    examples=(("cnet confirm lan", "said from where the host has to be reached"),),
)  # fmt: skip

DESTROY = Command(
    "destroy", "Take a network away.",
    (replace(p.NETWORK, key="name", cmdlet=("Name", "NetworkName")), p.FORCE),
    "Remove-ContainerNetwork",
    "Refused while containers are joined to it, unless forced: then they leave first.",
    (("cnet destroy net1", "the bridge, its NAT and its subnet are free again"),),
    (("nat", "Removing NAT"), ("vswitch", "Removing the vSwitch of the network")),
    True,
)  # fmt: skip

GET = Command(
    "get", "Show networks, the containers on them and their endpoints.",
    (replace(p.optional(p.NETWORK), key="name", cmdlet=("Name", "NetworkName")),),
    "Get-ContainerNetwork",
    examples=(("cnet get", "all networks, one a line"), ("cnet get net1", "one network with its endpoints")),
)  # fmt: skip

JOIN = Command(
    "join", "Join a container to a network.",
    (
        p.CONTAINER, p.NETWORK,
        Param("ips", ("--ip",), ("IPAddress", "StaticIPAddress"), "An address to give it. Default: the next free one. Without NAT: ADDRESS/LENGTH, dhcp or none.", LIST, "IP"),
        Param("mac", ("--mac",), ("MacAddress", "StaticMacAddress"), "The MAC address of its interface.", value="MAC"),
        Param("interface", ("--interface",), ("InterfaceName",), "The name of its interface. Default: the first free of eth0, eth1 and so on.", value="NAME"),
        p.PUBLISH, p.PRIORITY,
        Param("hostname", ("--hostname",), ("HostName",), "Without NAT: the host name that a DHCP server is told. Default: the container's name.", value="NAME"),
        Param("client_id", ("--client-id",), ("ClientId",), "Without NAT: who a DHCP server is told that it is: duid (RFC 4361) or mac. Default: duid.", value="KIND", choices=("duid", "mac")),
        p.WAIT,
        Param("no_wait", ("--no-wait",), ("NoWait",), "Do not wait for an address from DHCP: it comes when it comes.", SWITCH),
    ),
    "Join-ContainerNetwork",
    "A container may join many networks, and the same network many times: each time it gets another endpoint.",
    (
        ("cnet join web net1", "the container 'web' gets an interface, an address and a default route"),
        ("cnet join web net1 --ip 192.168.1.20 -p 8080:80", "with this address, and its port 80 open as 8080"),
        ("cnet join pid:4711 net1", "the container that process 4711 runs in"),
        ("cnet join web lan --ip 10.91.68.20/24", "on a network without NAT, with this address of the uplink's subnet"),
        ("cnet join web lan --ip dhcp", "the same, with an address that the LAN's DHCP server gives"),
    ),
    (
        ("compartment", "Configuring compartment"),
        ("endpoint", "Creating endpoint"),
        ("routes", "Setting default routes"),
    ),
    True,
)  # fmt: skip

LEAVE = Command(
    "leave", "Take a container off a network.",
    (p.CONTAINER, p.NETWORK, p.ENDPOINT),
    "Leave-ContainerNetwork",
    "Its ports on that network are closed, and their connections cut.",
    (("cnet leave web net1", "the undoing of 'cnet join web net1'"),),
    (("routes", "Removing default routes"), ("endpoint", "Removing endpoint")),
    True,
)  # fmt: skip

OPEN = Command(
    "open", "Open a port of a container to the outside.",
    (
        p.CONTAINER, p.NETWORK, p.PROTOCOL, p.EXTERNAL_PORT,
        Param("internal_port", ("--internal-port",), ("InternalPort",), "The port, or range, that the container listens on.", value="PORT[-PORT]", required=ALWAYS),
        p.EXTERNAL_ADDRESS,
        Param("remotes", ("--remote",), ("RemoteExternalIPAddressPrefix",), "Who may use it. Default: everybody.", LIST, "CIDR"),
        p.ENDPOINT,
    ),
    "Open-ContainerPort",
    "The container may be running: the port is open at once. The client's address is kept.",
    (
        ("cnet open web net1 --external-port 8080 --internal-port 80", "port 8080 of this host leads to port 80 of 'web'"),
        ("cnet open dns net1 --protocol udp --internal-port 53 --remote 10.0.0.0/8", "a free port, for 10.0.0.0/8 only"),
    ),
    (),
    True,
)  # fmt: skip

CLOSE = Command(
    "close", "Close a port.",
    (
        p.unless(p.CONTAINER, "id"), p.unless(p.NETWORK, "id"), p.PROTOCOL,
        p.unless(replace(p.EXTERNAL_PORT, help="The port, or range of ports, as it was opened."), "id"),
        replace(p.EXTERNAL_ADDRESS, help="The address it was opened on."),
        Param("id", ("--id",), ("StaticMappingID", "Id"), "The number of the mapping, instead of all the others.", NUMBER, "N", complete="mapping"),
    ),
    "Close-ContainerPort",
    "Connections that use it are cut.",
    (
        ("cnet close web net1 --external-port 8080", "as it was opened"),
        ("cnet close --id 3", "the mapping that 'cnet ports' shows as 3"),
    ),
    (),
    True,
)  # fmt: skip

ENDPOINT = Command(
    "endpoint", "Show the endpoints of containers and their addresses.",
    (p.optional(p.CONTAINER), p.optional(p.NETWORK)), "Get-ContainerEndpoint",
)  # fmt: skip
PORTS = Command("ports", "Show open ports.", (p.optional(p.CONTAINER), p.optional(p.NETWORK)))

RUN = Command(
    "run", "Run a command in a new container, joined to networks, gone when the command ends.",
    (
        Param("networks", ("--network",), (), "A network to join.", LIST, "NETWORK", ALWAYS, complete="network"),
        Param("name", ("--name",), (), "The name of the container. Default: one is made.", value="NAME"),
        p.PUBLISH,
        Param("command", ("COMMAND",), (), "The command and its arguments.", COMMAND, required=ALWAYS, complete="command"),
    ),
    examples=(("cnet run --network net1 -p 8000:8000 -- python3 -m http.server", "a web server with an address of its own"),),
    changes=True,
)  # fmt: skip
EXEC = Command(
    "exec", "Run a command inside a container's compartment.",
    (p.CONTAINER, Param("command", ("COMMAND",), (), "The command and its arguments.", COMMAND, required=ALWAYS, complete="command")),
    examples=(("cnet exec web -- ip address", "the addresses as 'web' sees them"),),
)  # fmt: skip

STATUS = Command("status", "Show how the host stands.")
REPAIR = Command("repair", "Make the host be as the networks say, after somebody changed it.", changes=True)
RESTORE = Command(
    "restore", "Make networks again after the host restarted, and join the containers that are back.", changes=True
)
DOCTOR = Command(
    "doctor", "Look for what keeps networks from working, and explain it.",
    (
        Param("fix", ("--fix",), (), "Mend what is ours to mend, asking first.", SWITCH),
        Param("yes", ("--yes",), (), "With --fix: do not ask.", SWITCH),
        Param("uplink", ("--uplink",), (), "Ask what this interface is good for: foreign MAC addresses, DHCP, IPv6.", value="IFACE", complete="link"),
    ),
    changes=True,
)  # fmt: skip

AGENT = Command(
    "agent", "Run the host agent: what somebody changes is mended at once.",
    about="In the foreground, until it is told to end; systemd runs it as containernet-agent. Nothing else needs it.",
    examples=(("systemctl enable --now containernet-agent", "from now on, and after every restart of the host"),),
    changes=True,
)  # fmt: skip
AGENT_STATUS = Command("agent status", "Ask the host agent how it and its services are.")

LEASES = Command(
    "leases", "Show the addresses that containers have from DHCP, and till when.",
    (p.optional(p.CONTAINER), p.optional(p.NETWORK)),
)  # fmt: skip
RENEW = Command(
    "renew", "Renew a container's lease now, or lease an address again that was given back.",
    (p.CONTAINER, p.NETWORK, p.ENDPOINT, p.WAIT), changes=True,
)  # fmt: skip
RELEASE = Command(
    "release", "Give a container's lease back; it stays joined, without the address.",
    (p.CONTAINER, p.NETWORK, p.ENDPOINT), changes=True,
)  # fmt: skip
SERVICE = Command(
    "service", "Switch a service of the agent on or off, start it anew, or ask how it is.",
    (
        Param("name", ("SERVICE",), (), "The service: dhcp or repair.", required=ALWAYS, choices=("dhcp", "repair")),
        Param("action", ("ACTION",), (), "What to do: enable, disable, restart or status.", required=ALWAYS, choices=("enable", "disable", "restart", "status")),
    ),
    about="The DHCP client service, which leases addresses for containers on networks without NAT, is off until it is enabled.",
    examples=(
        ("cnet service dhcp enable", "from now on the agent leases addresses"),
        ("cnet service dhcp status", "whether it does"),
    ),
    changes=True,
)  # fmt: skip

KEY = Param("key", ("KEY",), (), "The setting: 'cnet config list' shows them.", required=ALWAYS, complete="key")
SETTING = Param("value", ("VALUE",), (), "Its new value.", required=ALWAYS)
CONFIG = (
    Command("config get", "Print a setting.", (KEY,)),
    Command("config set", "Change a setting.", (KEY, SETTING), changes=True),
    Command("config list", "Show all settings, their defaults and what they are for."),
)
SHELLS = ("bash", "zsh", "fish")
COMPLETION = Command(
    "completion", "Print the completion script of a shell.",
    (Param("shell", ("SHELL",), (), "The shell: bash, zsh or fish.", required=ALWAYS, choices=SHELLS),),
    examples=(("source <(cnet completion bash)", "completion in this shell"),),
    local=True,
)  # fmt: skip
MAN = Command("man", "Print the man page (roff).", examples=(("cnet man | man -l -", "read it"),), local=True)
HELP = Command(
    "help", "Print help.",
    (Param("topic", ("VERB",), (), "The command to explain.", complete="verb"),), local=True,
)  # fmt: skip

NETWORKS = (CREATE, CONFIRM, DESTROY, GET)
CONTAINERS = (JOIN, LEAVE, ENDPOINT, RUN, EXEC)
HOST = (STATUS, DOCTOR, REPAIR, RESTORE, AGENT, AGENT_STATUS, SERVICE, *CONFIG)
GROUPS = (
    ("Networks", NETWORKS),
    ("Containers", CONTAINERS),
    ("Ports", (OPEN, CLOSE, PORTS)),
    ("Leases", (LEASES, RENEW, RELEASE)),
    ("This host", HOST),
    ("Help", (HELP, MAN, COMPLETION)),
)
COMMANDS = tuple(command for _, group in GROUPS for command in group)
BY_VERB = {command.verb: command for command in COMMANDS}
BY_CMDLET = {command.cmdlet.lower(): command for command in COMMANDS if command.cmdlet}
CMDLETS = tuple(command.cmdlet for command in BY_CMDLET.values())

PORT_RANGE = "port-range"  # the setting that cmdlets hold external ports to
SYNONYMS = {  # what people type who come from elsewhere
    "new": "create", "add": "create", "mk": "create", "rm": "destroy", "remove": "destroy", "delete": "destroy", "del": "destroy",
    "ls": "get", "list": "get", "show": "get", "inspect": "get", "connect": "join", "attach": "join", "disconnect": "leave",
    "detach": "leave", "publish": "open", "expose": "open", "unpublish": "close", "ps": "endpoint", "endpoints": "endpoint",
    "port": "ports", "enter": "exec", "sh": "exec", "info": "status", "reload": "repair", "reset": "repair", "check": "doctor",
}  # fmt: skip
