"""The stages by name, in the order in which they run.

The rule of this folder: a stage makes its hosts, measures, prints tables, states its goals, leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.report import Report
from bench.settings import Settings
from bench.stages import connections, dhcp, growth, join, leave, ports, python, repair, startup, transparent

STAGES: dict[str, Callable[[Settings, Report], None]] = {
    "join": join.stage,
    "growth": growth.stage,
    "python": python.stage,
    "leave": leave.stage,
    "ports": ports.stage,
    "connections": connections.stage,
    "repair": repair.stage,
    "startup": startup.stage,
    "transparent": transparent.stage,
    "dhcp": dhcp.stage,
}
