"""`cnet doctor`, and the offer to run it when a host lacks something.

The rule of this file: nothing is mended without a yes: typed, or given beforehand by --yes.
"""

from __future__ import annotations

import sys

from containernet.cli import ask
from containernet.cli.grammar import Request
from containernet.cli.output import as_json, emit, planned
from containernet.cli.text import COLOURS, DIM, GREEN, painted
from containernet.model.record import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from containernet.bootstrap import ContainerNet
    from containernet.model.errors import Missing
    from containernet.model.views import Finding

NOBODY = "cnet: Nothing was mended: there is no terminal to ask on.\n  Say --yes to mend without asking."


def examine(net: ContainerNet, request: Request) -> int:
    """Print the findings, mended or not, and return 1 if an error is left."""
    findings = _findings(net, request)
    emit(as_json(plain(findings)) if request.json else report(findings))
    if request.dry_run and not request.json:
        emit(planned(net, request))
    return 1 if any(finding.severity == "error" and not finding.fixed for finding in findings) else 0


def _findings(net: ContainerNet, request: Request) -> tuple[Finding, ...]:
    fix, answered = request.values.get("fix", False), request.values.get("yes", False) or request.dry_run
    if fix and not answered and not ask.somebody():
        print(NOBODY, file=sys.stderr)
        fix = False
    if uplink := request.values.get("uplink", ""):
        return net.doctor(uplink=uplink)
    return net.doctor(fix=fix, confirm=_consent(answered) if fix else None)


def _consent(answered: bool) -> Callable[[Finding], bool]:
    if answered:
        return lambda _: True
    return lambda finding: ask.yes(f"{finding.sentence}\n  {finding.hint}\nMend this?")


def report(findings: tuple[Finding, ...]) -> str:
    """Return the findings as text: severity, sentence, and what to do about it."""
    if not findings:
        return "Nothing to complain about.\n"
    return "".join(map(_line, findings))


def _line(finding: Finding) -> str:
    word, colour = ("mended", GREEN) if finding.fixed else (finding.severity, COLOURS.get(finding.severity, ""))
    todo = "" if finding.fixed or finding.severity == "ok" else finding.hint
    if todo and finding.fixable:
        todo += " 'cnet doctor --fix' does it."
    return f"{painted(word.ljust(8), colour)} {finding.sentence}\n" + (f"{'':9}{painted(todo, DIM)}\n" if todo else "")


def offered(missing: Missing, net: ContainerNet, request: Request) -> bool:
    """Offer to mend what ``create`` found missing; return whether that was accepted and done."""
    mendable = request.command.verb == "create" and missing.code.endswith("-missing")
    if not mendable or request.json or request.dry_run or not ask.somebody():
        return False
    print(f"cnet: {missing.sentence}\n  {missing.hint}", file=sys.stderr)
    if not ask.yes("Run 'cnet doctor --fix' now?"):
        return False
    findings = net.doctor(fix=True, confirm=_consent(False))
    print(report(findings), end="", file=sys.stderr)
    return any(finding.fixed for finding in findings)
