"""Do what a request asks: call the Python API, print the result in the request's spelling.

The rule of this file: no knowledge of any one verb but the few that are not "call, then print" (run, exec, doctor,
the command line's own). The API's method is the verb; what was not given is not passed, so its defaults hold.
"""

from __future__ import annotations

import sys

from containernet.cli.grammar import Request, default
from containernet.cli.output import as_json, emit, planned
from containernet.cli.progress import Progress, Stages
from containernet.model.errors import Missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from containernet.bootstrap import ContainerNet


def perform(request: Request) -> int:
    """Do ``request`` and return the exit status."""
    if request.help or request.command.local:
        from containernet.cli import local

        emit(local.answer(request))
        return 0
    if request.confirm:
        from containernet.cli import ask

        if not ask.confirmed(request):
            return 0
    progress = reporter(request)
    try:
        return _performed(request, opened(request, progress), progress)
    except BaseException:
        progress.fail()
        raise


def opened(request: Request, progress: Progress | None = None) -> ContainerNet:
    """Return the Python API for ``request``."""
    from containernet.bootstrap import ContainerNet

    return ContainerNet(request.state_dir, dry_run=request.dry_run, report=progress)


def reporter(request: Request) -> Progress:
    """Return what the verb reports to: a cmdlet prints its stages, unless it only plans or speaks JSON."""
    if not request.cmdlet or request.dry_run or request.json:
        return Progress(request)
    return Stages(request, request.command.stages)


def _performed(request: Request, net: ContainerNet, progress: Progress) -> int:
    if request.command.verb == "doctor":
        from containernet.cli import doctor

        return doctor.examine(net, request)
    if request.cmdlet:
        from containernet.cli import ports

        ports.hold_to_range(net, request)
    result = call(net, request, progress)
    if request.dry_run and (request.command.changes or request.command.verb == "exec"):
        emit(planned(net, request))
        return 0
    progress.succeed()
    if request.command.verb in ("run", "exec", "agent"):
        return int(result)
    emit(rendered(result, request))
    return 0


def call(net: ContainerNet, request: Request, progress: Progress) -> Any:
    """Call the API's method; where the host lacks something, a person is offered to mend that first."""
    method = getattr(net, request.command.verb.replace(" ", "_"))
    given = arguments(request)
    try:
        return method(**given)
    except Missing as missing:
        from containernet.cli import doctor

        progress.fail()
        if not doctor.offered(missing, net, request):
            raise
    return method(**given)


def arguments(request: Request) -> dict[str, Any]:
    """Return the keywords for the API: what was given, and nothing else."""
    fallback = {param.key: default(param) for param in request.command.params}
    return {key: value for key, value in request.values.items() if value != fallback[key]}


def rendered(result: Any, request: Request) -> str:
    """Return the result as the request wants it printed; say on standard error if it is an empty list."""
    verb = request.command.verb
    if request.json:
        from containernet.model.record import plain

        return as_json(plain(_named(result, request)))
    if request.cmdlet:
        from containernet.cli import cmdlets as spelling
    else:
        from containernet.cli import verbs as spelling  # type: ignore[no-redef]
    if result == () and verb in spelling.EMPTY:
        print(spelling.EMPTY[verb], file=sys.stderr)
    if verb == "config set":
        result = (request.values["key"], request.values["value"])
    return spelling.PRINT[_form(request)](result)


def _form(request: Request) -> str:
    """Return how the result is printed: what is asked about one thing is told whole."""
    verb, values = request.command.verb, request.values
    if verb == "get" and values["name"]:
        return "get NETWORK"
    return "endpoint NETWORK" if verb == "endpoint" and values["network"] else verb


def _named(result: Any, request: Request) -> Any:
    """Return settings as objects with names: the API gives texts and rows."""
    verb, values = request.command.verb, request.values
    if verb == "config list":
        return [dict(zip(("key", "value", "default", "help"), row, strict=True)) for row in result]
    if verb.startswith("config "):
        return {"key": values["key"], "value": values.get("value", result)}
    return result[0] if verb == "get" and values["name"] else result
