"""The agent's socket with all kinds of clients, the one claim on a directory, and what systemd is told."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from test_agent_kit import Hand, Quiet

from containernet.agent import client, protocol, server, systemd
from containernet.agent.claim import Claim
from containernet.agent.protocol import LONGEST, AgentView, Request, ServiceView
from containernet.agent.roster import Roster
from containernet.agent.server import Server
from containernet.model.errors import Different, NotFound, Taken, Usage
from containernet.model.record import plain

VIEW = AgentView("0.1.0", 4711, "/s", 1, (ServiceView("repair", "ok", "", {"passes": 3}),))


def answering() -> Callable[[bytes], bytes]:
    """Answers like an agent with one service."""
    made = Roster((Quiet("one"),), VIEW)
    made.start(Hand())
    return made.answer


def served(tmp_path: Path, talk: Callable[[str], Awaitable[None]], answer: Any = None, patience: float = 5.0) -> None:
    """Run a server and a talk with it."""

    async def run() -> None:
        made = Server(str(tmp_path), answer or answering(), patience=patience)
        await made.open()
        try:
            async with asyncio.timeout(20):
                await talk(made.path)
        finally:
            made.close()
        assert not os.path.exists(made.path)

    asyncio.run(run())


async def said(path: str, *lines: bytes, end: bool = False) -> list[bytes]:
    """Say lines; return what is answered until the other end closes, or as many lines as were said."""
    reader, writer = await asyncio.open_unix_connection(path, limit=1 << 20)
    try:
        for line in lines:
            writer.write(line)
        if end:
            writer.write_eof()
        found = []
        while len(found) < len(lines) and (line := await reader.readline()):
            found.append(line)
        return found
    except ConnectionError:
        return []
    finally:
        writer.close()


def error_of(line: bytes) -> str:
    return str(json.loads(line)["error"]["code"])


STATUS = protocol.said(Request("status"))


def test_the_socket_is_roots_alone(tmp_path: Path) -> None:
    async def talk(path: str) -> None:
        assert os.stat(path).st_mode & 0o777 == 0o600

    served(tmp_path, talk)


def test_many_requests_on_one_connection_are_answered_in_turn(tmp_path: Path) -> None:
    async def talk(path: str) -> None:
        found = await said(path, STATUS, b'{"v":1,"do":"nothing"}\n', STATUS)
        assert [json.loads(line).get("ok") is not None for line in found] == [True, False, True]

    served(tmp_path, talk)


@pytest.mark.parametrize(
    "line", [b"hello\n", b"[" * 100 + b"\n", b'{"v":9,"do":"status"}\n', b"x" * (2 * LONGEST) + b"\n"]
)
def test_who_does_not_speak_the_protocol_is_told_so_once(tmp_path: Path, line: bytes) -> None:
    async def talk(path: str) -> None:
        found = await said(path, line, STATUS)
        assert len(found) <= 1
        assert all(error_of(one) in ("agent-request", "agent-version") for one in found)
        assert len(await said(path, STATUS)) == 1, "others are answered"

    served(tmp_path, talk)


def test_half_a_line_is_no_request(tmp_path: Path) -> None:
    async def talk(path: str) -> None:
        assert await said(path, STATUS[:-1], end=True) == []

    served(tmp_path, talk)


def test_who_is_silent_or_slow_is_dropped(tmp_path: Path) -> None:
    async def talk(path: str) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        assert await reader.read() == b""
        writer.close()
        reader, writer = await asyncio.open_unix_connection(path)
        try:
            while not reader.at_eof():  # one byte after another: the whole line has its time, not each byte
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        writer.close()

    served(tmp_path, talk, patience=0.2)


def test_who_does_not_listen_is_dropped(tmp_path: Path) -> None:
    async def talk(path: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
            deaf.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(deaf, path)
            with pytest.raises(ConnectionError):
                await loop.sock_sendall(deaf, STATUS * 1_000_000)

    served(tmp_path, talk, patience=0.3)


def test_only_so_many_are_heard_at_a_time(tmp_path: Path) -> None:
    async def talk(path: str) -> None:
        others = [await asyncio.open_unix_connection(path) for _ in range(server.MOST)]
        for reader, writer in others:  # each is there for sure when it has an answer
            writer.write(STATUS)
            await reader.readline()
        found = await said(path, STATUS)
        assert [error_of(line) for line in found] == ["agent-busy"]
        others[0][1].close()
        while error_of_or_ok(await said(path, STATUS)) != "ok":
            await asyncio.sleep(0.01)
        for _, writer in others:
            writer.close()

    served(tmp_path, talk)


def error_of_or_ok(found: list[bytes]) -> str:
    return "ok" if found and "ok" in json.loads(found[0]) else "busy"


def test_a_bug_ends_the_connection_and_nothing_else(tmp_path: Path) -> None:
    faults = iter([RuntimeError("boom")])

    def answer(_: bytes) -> bytes:
        for fault in faults:
            raise fault
        return b"{}\n"

    async def talk(path: str) -> None:
        assert [error_of(line) for line in await said(path, STATUS, STATUS)] == ["bug"]
        assert await said(path, STATUS) == [b"{}\n"]

    served(tmp_path, talk, answer)


def test_who_is_not_root_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "peer", lambda _: (1, os.geteuid() + 1000))

    async def talk(path: str) -> None:
        assert [error_of(line) for line in await said(path, STATUS)] == ["agent-not-permitted"]

    served(tmp_path, talk)


def test_the_socket_of_a_dead_agent_is_replaced_and_of_a_living_one_is_not(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "agent.sock"))

    async def talk(path: str) -> None:
        with pytest.raises(Taken, match=f"Process {os.getpid()} listens"):
            await Server(str(tmp_path), lambda _: b"").open()
        assert len(await said(path, STATUS)) == 1

    served(tmp_path, talk)


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="cannot be made"):
        asyncio.run(Server(str(tmp_path / "not-there"), lambda _: b"").open())
    with pytest.raises(Usage, match="too long"):
        asyncio.run(Server("/" + "x" * 200, lambda _: b"").open())


# --- asking ---


def test_an_agent_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNET_RUN_DIR", str(tmp_path))
    with pytest.raises(NotFound, match="not running") as caught:
        client.ask(Request("status"))
    assert "systemctl start" in caught.value.hint
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "agent.sock"))
    with pytest.raises(NotFound, match="not running"):
        client.ask(Request("status"))
    monkeypatch.setenv("CNET_RUN_DIR", str(tmp_path / ("x" * 200)))
    with pytest.raises(Usage, match="too long"):
        client.ask(Request("status"))


def test_an_agent_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNET_RUN_DIR", str(tmp_path))
    monkeypatch.setattr(client, "PATIENCE", 0.1)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "agent.sock"))
        deaf.listen()
        with pytest.raises(Different, match="does not answer"):
            client.ask(Request("status"))
        assert client.holder(str(tmp_path / "agent.sock")) == os.getpid()


def test_an_agent_for_another_state_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(client, "ask", lambda _: plain(VIEW))
    assert client.status("/s/../s/") == VIEW
    with pytest.raises(NotFound, match="process 4711, is for /s, not for"):
        client.status(str(tmp_path))


def test_one_claim_at_a_time(tmp_path: Path) -> None:
    with Claim(str(tmp_path / "new"), 0o700, "agent-lock"):
        assert os.stat(tmp_path / "new").st_mode & 0o777 == 0o700
        with pytest.raises(Taken, match=f"already: process {os.getpid()}"):
            Claim(str(tmp_path / "new"), 0o700, "agent-lock")
    with Claim(str(tmp_path / "new"), 0o700, "agent-lock"):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(Usage, match="cannot be used"):
        Claim(str(tmp_path / "file"), 0o700, "agent-lock")


# --- systemd ---


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool) -> None:
    name = f"cnet-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}" if abstract else str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}" if abstract else str(tmp_path / "notify"))
        systemd.notify("READY=1", "STATUS=repair: ok")
        assert manager.recv(100) == b"READY=1\nSTATUS=repair: ok"


@pytest.mark.parametrize("path", ["", "relative", "/nowhere/at/all", "/" + "x" * 300])
def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    systemd.notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [("", "", 0.0), ("60000000", "", 60.0), ("60000000", "me", 60.0), ("60000000", "4194305", 0.0), ("x", "", 0.0)],
)
def test_the_watchdog_is_fed_if_it_means_us(
    monkeypatch: pytest.MonkeyPatch, usec: str, pid: str, seconds: float
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "me" else pid)
    assert systemd.watchdog() == seconds


def test_the_log_has_priorities_unless_a_person_reads_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd.log(5, "mended")
    assert capsys.readouterr().err == "<5>mended\n"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    systemd.log(5, "mended")
    assert capsys.readouterr().err == "mended\n"
