"""How the agent is talked to: lines of JSON on one socket of this host.

The rule of this file: pure, lines in and lines out; whatever a line holds, it is answered by one line. Version 1:

* A request is one line of UTF-8, at most ``LONGEST`` bytes with its newline: a flat JSON object of ``v`` (the version,
  a number), ``do`` (what is asked) and, where that needs it, ``name`` (of a service). No field is given twice, none
  is unknown, nothing is nested.
* ``do`` is one of ``status`` (the agent and its services), ``services`` (these alone), ``service-start``,
  ``service-stop`` and ``service-restart`` (which answer with the service as it is then), or a question for a service.
  Those of ``dhcp``: ``leases`` (what it is at, by endpoint and IP version), ``lease`` and ``renew`` (of the endpoint
  ``name``; answered when it has its address, an error after ``wait`` seconds), ``release``, and ``farewell`` (of the
  endpoints ``name``, one a line, that are about to go; ``wait`` 1: the store is to be read again first).
* An answer is one line: ``{"v": 1, "ok": …}`` or ``{"v": 1, "error": {"code", "kind", "sentence", "hint"}}``, with the
  codes of all our errors. Requests on one connection are answered in turn.
* A line that is too long, no JSON, or of another version is answered by an error, and the connection ends; so it does
  if no whole line comes for some seconds.
"""

from __future__ import annotations

import json

from containernet.model import errors
from containernet.model.errors import Bug, ContainerNetError, NotFound, Usage
from containernet.model.names import shown
from containernet.model.record import plain, record
from containernet.verbs.services import LONGEST_WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

VERSION = 1
LONGEST = 64 << 10
STATUS, SERVICES = "status", "services"
START, STOP, RESTART = "service-start", "service-stop", "service-restart"
LEASES, LEASE, RENEW, RELEASE, FAREWELL = "leases", "lease", "renew", "release", "farewell"
NEEDS_NAME = {
    STATUS: False, SERVICES: False, START: True, STOP: True, RESTART: True,
    LEASES: False, LEASE: True, RENEW: True, RELEASE: True, FAREWELL: True,
}  # fmt: skip
KINDS = {one.kind: one for one in vars(errors).values() if isinstance(one, type) and hasattr(one, "kind")}


@record
class Request:
    """One request."""

    do: str
    name: str = ""
    wait: int = 0  # seconds


@record
class ServiceView:
    """One service of the agent. Public: what programs read."""

    name: str
    state: str  # "ok", "failing", "held-back" or "stopped"
    sentence: str  # what there is to say about that; "" if nothing
    figures: dict[str, int]


@record
class AgentView:
    """The agent. Public: what ``ContainerNet.agent_status`` returns and ``cnet agent status --json`` prints."""

    version: str
    pid: int
    state_dir: str
    started: int  # seconds since 1970
    services: tuple[ServiceView, ...]


class Later:
    """An answer that is not there yet."""

    def __init__(self) -> None:
        self._said = b""
        self._then: Callable[[bytes], None] | None = None

    def say(self, found: object) -> None:
        """Give the answer: a result or an error."""
        self._said = refusal(found) if isinstance(found, ContainerNetError) else answer(found)
        if self._then is not None:
            self._then(self._said)

    def then(self, call: Callable[[bytes], None]) -> None:
        """Have something called with the answer, now if it is there already."""
        self._then = call
        if self._said:
            call(self._said)


class Broken(Usage):
    """What came is not of this protocol: nothing more is to be expected of whoever sent it."""


def request(line: bytes) -> Request:
    """Return the request in a line; raise :class:`Broken`, or :class:`Usage` if it can be understood and not done."""
    fields = _fields(line)
    if type(fields.get("v")) is not int or fields["v"] != VERSION:
        raise Broken("agent-version", f"This agent speaks version {VERSION} of its protocol only.", "Say v: 1.")
    do, name = fields.get("do"), fields.get("name", "")
    if not isinstance(do, str) or do not in NEEDS_NAME:
        known = ", ".join(NEEDS_NAME)
        raise Usage("agent-request", f"The agent does not know the request {shown(str(do))}.", f"It knows {known}.")
    wait = fields.get("wait", 0)
    named = isinstance(name, str) and bool(name) == NEEDS_NAME[do]
    waits = type(wait) is int and 0 <= wait <= LONGEST_WAIT
    if not named or not waits or fields.keys() - {"v", "do", "name", "wait"}:
        raise Usage("agent-request", f"The fields of the request {do} are wrong.", "See 'agent/protocol.py'.")
    return Request(do, str(name), int(wait))


def _fields(line: bytes) -> dict[str, Any]:
    """Return the fields of a line. Nothing nested is even parsed."""
    flat = line.count(b"{") == 1 and b"[" not in line and len(line) <= LONGEST
    try:
        found = json.loads(line.decode(), object_pairs_hook=_once) if flat else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Broken("agent-request", "That is no request: one flat JSON object on a line.", 'Say {"v": 1, "do": …}.')
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found


def said(asked: Request) -> bytes:
    """Return a request as a line."""
    more = {key: value for key, value in (("name", asked.name), ("wait", asked.wait)) if value}
    return _line({"v": VERSION, "do": asked.do, **more})


def answer(result: object) -> bytes:
    """Return an answer as a line."""
    return _line({"v": VERSION, "ok": plain(result)})


def refusal(error: ContainerNetError) -> bytes:
    """Return an error as a line."""
    told = {"code": error.code, "kind": error.kind, "sentence": error.sentence, "hint": error.hint}
    return _line({"v": VERSION, "error": told})


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def result(line: bytes) -> Any:
    """Return what an answer says, as plain values; raise the error that it says."""
    try:
        found = json.loads(line)
        if "error" not in found:
            return found["ok"]
        told = found["error"]
        error = KINDS.get(told["kind"], ContainerNetError)(told["code"], told["sentence"], told["hint"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Bug(
            "agent-answer", "The agent's answer makes no sense.", "Is it of another version? Restart it."
        ) from None
    raise error


def view(found: Any) -> AgentView:
    """Return the answer to ``status`` as a view."""
    try:
        services = tuple(ServiceView(**one) for one in found.pop("services"))
        return AgentView(**found, services=services)
    except (TypeError, KeyError, AttributeError):
        raise Bug(
            "agent-answer", "The agent's answer makes no sense.", "Is it of another version? Restart it."
        ) from None


def no_service(name: str) -> NotFound:
    """Return the error for a service that there is not."""
    return NotFound("service-not-found", f"The agent has no service {shown(name)}.", "'cnet agent status' shows them.")


def of_another(found: AgentView, state_dir: str) -> NotFound:
    """Return the error for an agent that works on another state directory."""
    sentence = f"The agent that runs, process {found.pid}, is for {found.state_dir}, not for {state_dir}."
    return NotFound("agent-not-running", sentence, "Say --state-dir, or start one with a CNET_RUN_DIR of its own.")
