"""Settings.

The rule of this file: a setting has a default and a check; one that is set to its default is as if never set.
"""

from __future__ import annotations

from containernet.model.address import parse_prefix
from containernet.model.errors import NotFound, Usage
from containernet.model.names import shown
from containernet.model.ports import port_range
from containernet.plan.intent import Intent
from containernet.store.door import SETTING
from containernet.verbs.host import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host


def get(host: Host, key: str) -> str:
    """Return a setting's value."""
    return host.setting(_known(key))


def listed(host: Host) -> tuple[tuple[str, str, str, str], ...]:
    """Return (key, value, default, what it is for) of every setting."""
    return tuple((key, host.setting(key), default, purpose) for key, (default, purpose) in SETTINGS.items())


def change(host: Host, key: str, value: str) -> None:
    """Change a setting."""
    memo = ((SETTING + _known(key), CHECKS[key](value)),)
    if host.plans is not None:
        return
    host.kernel.permit()
    host.store.lock()
    host.store.finish(0, Intent(), Intent(memos=memo))


def _known(key: str) -> str:
    if key not in SETTINGS:
        raise NotFound("setting-not-found", f"There is no setting {shown(key)}.", f"Settings: {', '.join(SETTINGS)}.")
    return key


def _ports(value: str) -> str:
    first, last = port_range(value)
    return f"{first}-{last}"


def _pool(value: str) -> str:
    prefix = parse_prefix(value)
    if prefix.version != 4 or not 8 <= prefix.prefixlen <= 24:
        raise Usage(
            "pool-invalid", f"{shown(value)} is no pool of IPv4 subnets.", "Give an IPv4 prefix of length /8 to /24."
        )
    return str(prefix)


CHECKS = {"port-range": _ports, "subnet-pool": _pool}
