"""Many addresses from one DHCP server: one agent against as many udhcpc; what that takes and what stays of it.

The rule of this file: the same bridge, LAN and server for all, made anew each round; the clock runs from the start of
what leases until every container has an address, for us until 'cnet leases' says so besides. Before that counts, the
addresses are all different, and the first and the last of them are used.
"""

from __future__ import annotations

import json
import os
import signal
import time

from bench.cost import cost, during, memory, quiet
from bench.figures import Samples, alternating, digits, times
from bench.host import settle
from bench.peers.dhcp import Careful, Dhclient, Leasing, Others, Ours, Udhcpc, missing
from bench.process import Failed
from bench.report import Report, say
from bench.settings import Settings

OURS, BUSYBOX, ISC = Ours.title, Udhcpc.title, Dhclient.title
PATIENCE = 180.0  # seconds for a crowd
GLANCE = 0.01  # seconds between two looks at an interface that has no address yet
IDLE_LIMIT, SHARE = 40, 0.1  # megabytes; of dhclient's memory
ASLEEP = 0.001  # of a processor; and wakes a second
NOTE = (
    "From the start: of the agent's process, which reads the store, looks at all endpoints (`repair`), leases, probes "
    "each address on the link three times in 0.6 s (RFC 5227), writes addresses and leases to the disk and reads them "
    "back; of the first udhcpc, all started one after the other without waiting, no probe (-a600: one), a script of "
    "two `ip` calls. Until: every interface has its address, and for the agent `cnet leases` shows it, that command's "
    "time included."
)
MEMORY_NOTE = "PSS: what is shared is counted once. All are bound and idle; of the others, no script runs."


def stage(chosen: Settings, report: Report) -> None:
    """Measure, print, state the goals."""
    if absent := missing():
        raise Failed(f"these cannot be had here: {', '.join(absent)}")
    took, held = Samples(), Samples()
    for kind in alternating(chosen.crowds, (Ours, Udhcpc, Careful)):
        one(chosen, kind, took, held)
    one(chosen, Dhclient, took, held)
    printed(report, chosen, took, held)
    idle(report, chosen)


def one(chosen: Settings, kind: type[Leasing], took: Samples, held: Samples) -> None:
    """Lease for one crowd; keep how long that took, and the memory that it has then."""
    say(f"{kind.title}: {chosen.endpoints} containers")
    crowd = kind(chosen, chosen.endpoints)
    try:
        crowd.serve()
        took.add(kind.title, leased(crowd))
        settled(crowd)
        held.add(kind.title, memory(process.pid for process in crowd.processes))
    finally:
        crowd.close()
        settle(PATIENCE)


def leased(crowd: Leasing) -> float:
    """Begin to lease; return the milliseconds until all have their addresses, and try those."""
    began = time.perf_counter()
    crowd.start()
    found = addresses(crowd)
    written(crowd)
    ended = time.perf_counter()
    if len(set(found)) != crowd.count:
        raise Failed(f"{crowd.title}: {crowd.count - len(set(found))} addresses were given twice")
    for space in (crowd.spaces()[0], crowd.spaces()[-1]):
        used(crowd, space)
    return (ended - began) * 1000


def used(crowd: Leasing, space: str) -> None:
    """See that a container talks to the outside: soon, because a script puts the route on after the address."""
    end = time.monotonic() + 5
    while not crowd.host.reaches(space):
        if time.monotonic() > end:
            raise Failed(f"{crowd.title}: a leased address cannot be used")


def addresses(crowd: Leasing) -> list[str]:
    """Return the addresses of all containers when each has one."""
    found, end = [], time.monotonic() + PATIENCE
    for space in crowd.spaces():
        while not (address := crowd.host.address(space)):
            if time.monotonic() > end or crowd.ended():
                raise Failed(f"{crowd.title}: only {len(found)} of {crowd.count} addresses were leased")
            time.sleep(GLANCE)
        found.append(address)
    return found


def written(crowd: Leasing) -> None:
    """Wait until the store has all leases, if there is a store."""
    if isinstance(crowd, Ours):
        with crowd.host:
            while sum(bool(lease["address"]) for lease in json.loads(crowd.cnet("leases", "--json"))) < crowd.count:
                pass


def settled(crowd: Leasing) -> None:
    """Wait until there is nothing left to do."""
    if isinstance(crowd, Others):
        time.sleep(2)  # the last scripts end
    for process in crowd.processes if isinstance(crowd, Ours) else ():
        quiet(process.pid)


def printed(report: Report, chosen: Settings, took: Samples, held: Samples) -> None:
    """Print the times and the memory, state the goals."""
    many = chosen.endpoints
    rows = [
        (name, took.shown(name), times(took.ratio(OURS, name)), held.shown(name), times(held.ratio(OURS, name)))
        for name in took.of
    ]
    head = (f"{many} addresses from dnsmasq", "ms", "ours", "memory, MB", "ours")
    report.table("Leasing by DHCP", head, rows, f"{NOTE}\n\n{MEMORY_NOTE}")
    ratio = took.ratio(OURS, BUSYBOX)
    report.goal(f"{many} addresses leased, no slower than {many} udhcpc", times(ratio), ratio <= 1)
    share = held.ratio(OURS, ISC)
    report.goal(f"memory with {many} leases, at most {SHARE} of {many} dhclient", times(share), share <= SHARE)
    share = held.ratio(OURS, BUSYBOX)
    report.goal(f"memory with {many} leases, no more than {many} udhcpc", times(share), share <= 1)


def idle(report: Report, chosen: Settings) -> None:
    """Look at an agent with twice as many leases that has nothing to do."""
    many = 2 * chosen.endpoints
    say(f"an idle agent with {many} leases")
    crowd = Ours(chosen, chosen.endpoints)
    try:
        crowd.serve()
        leased(crowd)
        crowd.more(many)
        addresses(crowd)
        written(crowd)
        figures = watched(crowd.processes[0].pid, chosen.idle)
    finally:
        crowd.close()
        settle(PATIENCE)
    held, used, wakes, look = figures
    rows = [
        ("memory, MB", digits(held)),
        (f"processor time in {chosen.idle:.0f} s, ms", digits(used * 1000)),
        (f"wakes in {chosen.idle:.0f} s", digits(wakes)),
        ("processor time of one look at everything, as every minute, ms", digits(look * 1000)),
    ]
    report.table(f"An idle agent with {many:,} leases", ("figure", "seen"), rows)
    report.goal(f"idle agent with {many:,} leases, less than {IDLE_LIMIT} MB", f"{held:.1f} MB", held < IDLE_LIMIT)
    share = used / chosen.idle
    calm = share <= ASLEEP and wakes <= chosen.idle
    report.goal("idle agent, no polling: 0.1 % of a processor, a wake a second", f"{share:.2%}, {wakes}", calm)


def watched(agent: int, seconds: float) -> tuple[float, float, int, float]:
    """Return an agent's memory, what it uses while it has nothing to do, and what one look at everything takes."""
    quiet(agent)
    look = looked(agent)
    held, used = memory([agent]), during(agent, seconds)
    return held, used.cpu, used.wakes, look


def looked(agent: int) -> float:
    """Return the processor time of the look at everything that SIGHUP asks for."""
    before = cost(agent)
    os.kill(agent, signal.SIGHUP)
    quiet(agent)
    return cost(agent).cpu - before.cpu
