"""Words to standard output: results, plans, JSON.

The rule of this file: what is written is written whole and now, or it is said that it could not be.
"""

from __future__ import annotations

import os
import sys

from containernet.cli.grammar import Request
from containernet.model.errors import ContainerNetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.bootstrap import ContainerNet


def planned(net: ContainerNet, request: Request) -> str:
    """Return the plan of a dry run as text."""
    if request.json:
        return as_json({"plan": list(net.plans)})
    lines = [f"{line}\n" for line in net.plans]
    if request.cmdlet:
        lines.insert(0, f'What if: Performing the operation "{request.name}" on target "{target(request)}".\n')
    return "".join(lines)


def target(request: Request) -> str:
    """Return what a request is about, in a few words: ``Container1, cnet1``."""
    words = [str(request.values[p.key]) for p in request.command.params if p.position and request.values.get(p.key)]
    return ", ".join(words) or f"static mapping {request.values.get('id', '')}".strip()


def as_json(value: object) -> str:
    """Return ``value`` as JSON text."""
    import json

    return json.dumps(value, indent=2) + "\n"


def emit(text: str) -> None:
    """Write ``text`` on standard output, all of it, now."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        swallow()
        sentence = f"The result could not be written to standard output: {error.strerror}."
        raise ContainerNetError("output-failed", sentence, "The command itself was done.") from None


def swallow() -> None:
    """Let what is still to be written on standard output go nowhere, so that Python does not complain at its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return
