"""Switching services of the agent on and off, and asking how they are.

The rule of this file: a service is on or off by a setting, which the agent follows; no verb needs it to run, but for
what it alone can do.
"""

from __future__ import annotations

from containernet.model.errors import Conflict, NotFound, Usage
from containernet.model.names import shown
from containernet.model.network import DHCP
from containernet.model.views import ServiceStatus
from containernet.plan.intent import Intent
from containernet.store.door import SETTING
from containernet.verbs.services import START, enabled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.verbs.host import Host

REPAIR = "repair"
SERVICES = (DHCP, REPAIR)
ENABLE, DISABLE, RESTART, STATUS = "enable", "disable", "restart", "status"
ACTIONS = (ENABLE, DISABLE, RESTART, STATUS)
SHOWN = 5  # names in a sentence
NOT_RUNNING = "not-running"


def service(host: Host, name: str, action: str) -> ServiceStatus:
    """Do to a service what is asked for; return how it is then."""
    if name not in SERVICES:
        raise NotFound("service-not-found", f"There is no service {shown(name)}.", f"Services: {', '.join(SERVICES)}.")
    if action not in ACTIONS:
        raise Usage("service-action", f"{shown(action)} is nothing to do.", f"Say one of {', '.join(ACTIONS)}.")
    if action in (ENABLE, DISABLE):
        _switch(host, name, action == ENABLE)
    elif action == RESTART and host.plans is None:
        host.kernel.permit()
        host.services.restart(name)
    elif action == RESTART and host.plans is not None:
        host.plans.append(f"cnet service {name} {RESTART}")
    return _status(host, name, just=action in (ENABLE, DISABLE))


def _switch(host: Host, name: str, on: bool) -> None:
    """Write the setting."""
    if name == REPAIR:
        sentence = "The service repair is on whenever the agent runs."
        raise Usage("service-always-on", sentence, "'systemctl stop containernet-agent' ends the agent.")
    if not on:
        _unused(host)
    if host.plans is not None:
        host.plans.append(f"cnet service {name} {ENABLE if on else DISABLE}")
        return
    host.kernel.permit()
    host.store.lock()
    host.store.finish(0, Intent(), Intent(memos=((SETTING + name, "on" if on else "off"),)))


def _unused(host: Host) -> None:
    """Refuse while containers have their addresses from it."""
    using = [one.name for one in host.store.endpoints() if one.dynamic == DHCP]
    if using:
        more = ", …" if len(using) > SHOWN else ""
        sentence = f"Endpoints have their addresses from DHCP: {', '.join(using[:SHOWN])}{more}."
        raise Conflict("service-in-use", sentence, "Let them leave, or give their leases back: cnet release.")


def _status(host: Host, name: str, *, just: bool) -> ServiceStatus:
    on = name == REPAIR or enabled(host)
    try:
        state, sentence, figures = host.services.state(name)
    except NotFound:
        return ServiceStatus(name, on, NOT_RUNNING, f"The agent is not running. {START}" if on else "", ())
    if just:  # the agent follows in a moment
        return ServiceStatus(name, on, "ok" if on else "off", "", figures)
    return ServiceStatus(name, on, state, sentence, figures)
