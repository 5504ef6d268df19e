"""doctor, the offer of the first create, the progress bar and colour: what a terminal changes."""

from __future__ import annotations

import io
import json
import sys

import pytest
from test_cli_kit import FINDINGS, NETWORK, Console, on_stub  # noqa: F401

from containernet.cli.text import table
from containernet.model.errors import Conflict, Missing
from containernet.model.record import replace

FIXED = (replace(FINDINGS[0], fixed=True), FINDINGS[1])
LACK = Missing("nftables-missing", "nftables is not installed.", "Run 'cnet doctor --fix'.")


class Terminal(io.StringIO):
    """Standard input that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch):
    """Let a person sit at the terminal and type."""

    def sit(text: str) -> None:
        monkeypatch.setattr("sys.stdin", Terminal(text))
        monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: True)
        monkeypatch.setenv("NO_COLOR", "1")

    return sit


def test_doctor_prints_findings_and_fails_while_an_error_is_left(cnet: Console) -> None:
    said = cnet("doctor")
    assert said.status == 1 and said.out == (
        "error    nftables is not installed.\n"
        "         Install the package nftables. 'cnet doctor --fix' does it.\n"
        "ok       IP forwarding is on.\n"
    )
    assert cnet.net.calls == [("doctor", {"fix": False, "confirm": None})]


def test_doctor_mends_without_asking_if_told(cnet: Console) -> None:
    cnet.net.results["doctor"] = FIXED
    said = cnet("doctor", "--fix", "--yes")
    assert said.status == 0 and said.out.startswith("mended   nftables is not installed.\nok ")
    assert cnet.net.calls[0][1]["confirm"](FINDINGS[0]) is True


def test_doctor_does_not_mend_when_nobody_can_be_asked(cnet: Console) -> None:
    said = cnet("doctor", "--fix")
    assert said.status == 1 and "Nothing was mended" in said.err
    assert cnet.net.calls[0][1]["fix"] is False


@pytest.mark.parametrize(("answer", "consent"), [("y\n", True), ("\n", False), ("", False), ("no\n", False)])
def test_doctor_asks(cnet: Console, typed, answer: str, consent: bool) -> None:
    typed(answer)
    cnet("doctor", "--fix")
    assert cnet.net.calls[0][1]["confirm"](FINDINGS[0]) is consent
    assert "nftables is not installed." in cnet.capsys.readouterr().err


def test_doctor_json(cnet: Console) -> None:
    assert json.loads(cnet("doctor", "--json").out)[0]["code"] == "nftables-missing"


def test_the_first_create_offers_to_mend_and_goes_on(cnet: Console, typed) -> None:
    typed("y\ny\n")
    cnet.net.results |= {"create": [LACK, NETWORK], "doctor": FIXED}
    said = cnet("create", "n", "--nat")
    assert said.status == 0 and said.out.startswith("cnet1: ")
    assert [name for name, _ in cnet.net.calls] == ["create", "doctor", "create"]
    assert "Run 'cnet doctor --fix' now? [y/N]" in said.err


@pytest.mark.parametrize("line", ["create n --nat --json", "create n --dry-run", "join c n"])
def test_no_offer_to_programs_plans_and_other_verbs(cnet: Console, typed, line: str) -> None:
    typed("y\n")
    cnet.net.results |= {"create": LACK, "join": LACK}
    assert cnet(*line.split()).status == 6
    assert len(cnet.net.calls) == 1


def test_no_offer_without_a_terminal_or_for_what_nobody_can_mend(cnet: Console, typed) -> None:
    cnet.net.results["create"] = LACK
    said = cnet("create", "n", "--nat")
    assert (said.status, said.err) == (6, "cnet: nftables is not installed.\n  Run 'cnet doctor --fix'.\n")
    typed("y\n")
    cnet.net.results["create"] = Missing("disk-full", "The disk is full.", "Make room.")
    assert cnet("create", "n", "--nat").status == 6 and len(cnet.net.calls) == 2


def test_the_bar_is_drawn_on_a_terminal_only(cnet: Console, typed) -> None:
    cnet("restore")
    cnet.net.report.count("endpoints", 1, 2)
    assert cnet.capsys.readouterr().err == ""
    typed("")
    cnet.net.report.count("endpoints", 1, 2)
    cnet.net.report.note("Look.")
    cnet.net.report.count("endpoints", 2, 2)
    drawn = cnet.capsys.readouterr().err
    assert "\rendpoints [" + "#" * 15 + "." * 15 + "] 1/2\033[K" in drawn
    assert "\r\033[Kcnet: note: Look.\n" in drawn and drawn.endswith("\r\033[K")


@pytest.mark.parametrize(
    ("term", "no_color", "colour"), [("xterm", "", True), ("dumb", "", False), ("xterm", "1", False), ("", "", False)]
)
def test_colour_is_for_terminals_that_want_it(monkeypatch, term: str, no_color: str, colour: bool) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr("sys.stdout", Terminal())
    text = table(("NAME", "STATE"), [("a", "gone")])
    assert ("\033[" in text) == colour
    assert "\033[31mgone\033[0m\n" in text or not colour


def test_columns_align_whatever_is_in_them() -> None:
    text = table(("A", "LONGER", "N"), [("aaaa", "", 1), ("b", "cc", 1000)], right=("N",))
    assert text == "A     LONGER     N\naaaa  -          1\nb     cc      1000\n"


def test_standard_output_that_is_full_or_gone_is_told(cnet: Console, monkeypatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    class Pipe(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("sys.stdout", Full())
    said = cnet("get")
    assert said.status == 1 and "could not be written to standard output: No space left on device." in said.err
    monkeypatch.setattr("sys.stdout", Pipe())
    said = cnet("get")
    assert (said.status, said.err) == (141, "")


def test_a_stage_that_failed_is_over(cnet: Console) -> None:
    cnet.net.results["create"], cnet.net.stages = Conflict("exists", "There is one.", ""), ("vswitch",)
    said = cnet("New-ContainerNetwork", "n", "-EnableNat")
    assert said.out == "Creating a vSwitch for the network...failed.\n"
    assert said.err == "New-ContainerNetwork : There is one.\n"
