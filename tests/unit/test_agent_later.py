"""Answers of the agent that come later: in turn, bounded, to who is still there; and those who ask for them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_agent_kit import Hand, Quiet
from test_agent_protocol import VIEW, roster
from test_agent_socket import STATUS, error_of, said, served

from containernet.agent import client, protocol, server
from containernet.agent.client import Agent
from containernet.agent.main import Agent as Life
from containernet.agent.protocol import LONGEST, Later, Request
from containernet.agent.roster import Roster
from containernet.model.errors import ContainerNetError, Different, NotFound, Usage
from containernet.verbs.services import LONGEST_WAIT

LEASE = protocol.said(Request("lease", "web_lan", 7))


@pytest.fixture
def quiet() -> Quiet:
    return Quiet("dhcp")


def answering(service: Quiet) -> Callable[[bytes], Any]:
    """Answers like an agent with this service."""
    return roster(service).answer


async def waited(service: Quiet, how_many: int = 1) -> None:
    """Wait until so many have asked."""
    while len(service.replies) < how_many:
        await asyncio.sleep(0.001)


# --- the protocol ---


def test_an_answer_is_told_whenever_it_comes() -> None:
    for early in (True, False):
        told: list[bytes] = []
        later = Later()
        if early:
            later.say("done")
        later.then(told.append)
        if not early:
            assert told == []
            later.say("done")
        assert [protocol.result(line) for line in told] == ["done"]
        later = Later()
        later.say(NotFound("not-leased", "It has none.", "Join."))
        later.then(told.append)
        with pytest.raises(NotFound, match="It has none"):
            protocol.result(told[-1])


REQUESTS = {
    b'{"v":1,"do":"lease","name":"web_lan","wait":7}\n': Request("lease", "web_lan", 7),
    b'{"v":1,"do":"renew","name":"web_lan"}\n': Request("renew", "web_lan"),
    b'{"v":1,"do":"farewell","name":"a\\nb","wait":1}\n': Request("farewell", "a\nb", 1),
    b'{"v":1,"do":"leases"}\n': Request("leases"),
}


@pytest.mark.parametrize("line", REQUESTS)
def test_questions_for_a_service(line: bytes) -> None:
    assert protocol.request(line) == REQUESTS[line]
    assert protocol.said(REQUESTS[line]) == line


WRONG = [
    b'{"v":1,"do":"lease"}', b'{"v":1,"do":"leases","name":"x"}', b'{"v":1,"do":"lease","name":"x","wait":-1}',
    b'{"v":1,"do":"lease","name":"x","wait":601}', b'{"v":1,"do":"lease","name":"x","wait":1.5}',
    b'{"v":1,"do":"lease","name":"x","wait":"7"}', b'{"v":1,"do":"lease","name":"x","wait":true}',
    b'{"v":1,"do":"lease","name":"x","wait":null}', b'{"v":1,"do":"lease","name":"x","wait":1e999}',
]  # fmt: skip


@pytest.mark.parametrize("line", WRONG, ids=range(len(WRONG)))
def test_questions_that_cannot_be(line: bytes) -> None:
    with pytest.raises(Usage):
        protocol.request(line)


@given(st.sampled_from(sorted(protocol.NEEDS_NAME)), st.text(), st.integers(0, LONGEST_WAIT))
def test_what_is_said_is_understood(do: str, name: str, wait: int) -> None:
    asked = Request(do, name, wait)
    line = protocol.said(asked)
    assert line.count(b"\n") == 1
    if bool(name) == protocol.NEEDS_NAME[do] and len(line) <= LONGEST and not {"{", "["} & set(name):
        assert protocol.request(line) == asked


fields = st.sampled_from(["v", "do", "name", "wait", "x"])
plainly = st.none() | st.booleans() | st.floats() | st.integers() | st.text()


@given(st.dictionaries(fields, plainly | st.sampled_from([1, *protocol.NEEDS_NAME])))
def test_no_question_is_too_strange(value: Any) -> None:
    """Each is answered by one line: at once, by the service, or by a refusal."""
    made = roster(Quiet("one"))
    told: list[bytes] = []
    try:
        found = made.answer(json.dumps(value).encode())
    except ContainerNetError as error:
        found = protocol.refusal(error)
    if isinstance(found, Later):
        found.then(told.append)
        found.say("done")
    else:
        told.append(found)
    assert [line.count(b"\n") for line in told] == [1]


def test_questions_go_to_the_service_that_answers_them() -> None:
    one, two = Quiet("one"), Quiet("two")
    two.asks = ()
    made = Roster((two, one), VIEW)
    made.start(Hand())
    made.answer(LEASE)
    assert (one.told, two.told) == (["start", "lease web_lan 7"], ["start"])


# --- the socket ---


def test_answers_on_one_connection_come_in_turn(tmp_path: Path, quiet: Quiet) -> None:
    async def talk(path: str) -> None:
        asking = asyncio.create_task(said(path, LEASE, STATUS, protocol.said(Request("leases"))))
        await waited(quiet)
        others = await said(path, STATUS)
        assert protocol.result(others[0])["pid"] == 4711, "others are answered meanwhile"
        assert not asking.done()
        quiet.replies[0]("done")
        first, second, third = map(protocol.result, await asking)
        assert (first, second["pid"], third) == ("done", 4711, {"web_lan/4": "BOUND"})

    served(tmp_path, talk, answering(quiet))


def test_an_error_that_comes_later_ends_nothing(tmp_path: Path, quiet: Quiet) -> None:
    async def talk(path: str) -> None:
        asking = asyncio.create_task(said(path, LEASE, STATUS))
        await waited(quiet)
        quiet.replies[0](Different("dhcp-silent", "Nobody answers.", "Wait."))
        quiet.replies[0]("done")  # said twice: the first counts
        first, second = await asking
        assert error_of(first) == "dhcp-silent"
        assert protocol.result(second)["pid"] == 4711

    served(tmp_path, talk, answering(quiet))


def test_who_goes_away_while_he_waits_harms_nobody(tmp_path: Path, quiet: Quiet) -> None:
    async def talk(path: str) -> None:
        for number in range(1, 4):
            _, writer = await asyncio.open_unix_connection(path)
            writer.write(LEASE)
            await waited(quiet, number)
            writer.transport.abort()
        for reply in quiet.replies:
            reply("done")
        assert len(await said(path, STATUS)) == 1

    served(tmp_path, talk, answering(quiet))


def test_nobody_waits_for_ever(tmp_path: Path, quiet: Quiet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LONGEST_WAIT", 0.0)

    async def talk(path: str) -> None:
        assert await said(path, LEASE) == []
        quiet.replies[0]("done")
        assert len(await said(path, STATUS)) == 1

    served(tmp_path, talk, answering(quiet), patience=0.4)


def test_who_waits_is_waited_for_longer_than_who_is_silent(tmp_path: Path, quiet: Quiet) -> None:
    async def talk(path: str) -> None:
        asking = asyncio.create_task(said(path, LEASE))
        await waited(quiet)
        for _ in range(2):  # others are dropped one after another
            reader, writer = await asyncio.open_unix_connection(path)
            assert await reader.read() == b""
            writer.close()
        assert not asking.done()
        quiet.replies[0]("done")
        assert protocol.result((await asking)[0]) == "done"

    served(tmp_path, talk, answering(quiet), patience=0.3)


def test_many_who_wait_keep_nobody_from_asking(tmp_path: Path, quiet: Quiet) -> None:
    async def talk(path: str) -> None:
        many = []
        for number in range(3 * server.MOST):
            many.append(asyncio.create_task(said(path, LEASE)))
            await waited(quiet, number + 1)
        assert protocol.result((await said(path, STATUS))[0])["pid"] == 4711
        for reply in quiet.replies:
            reply("done")
        assert {protocol.result(lines[0]) for lines in await asyncio.gather(*many)} == {"done"}

    served(tmp_path, talk, answering(quiet))


def test_so_many_may_wait_and_no_more(tmp_path: Path, quiet: Quiet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENT", 2)

    async def talk(path: str) -> None:
        two = [asyncio.create_task(said(path, LEASE)) for _ in range(2)]
        await waited(quiet, 2)
        assert error_of((await said(path, LEASE))[0]) == "agent-busy"
        for reply in quiet.replies:
            reply("done")
        await asyncio.gather(*two)
        third = asyncio.create_task(said(path, LEASE))
        await waited(quiet, 4)
        quiet.replies[3]("done")
        assert protocol.result((await third)[0]) == "done"

    served(tmp_path, talk, answering(quiet))


# --- asking ---


class Ending(Quiet):
    """A service that tells who waits that it ends."""

    def stop(self) -> None:
        super().stop()
        for reply in self.replies:
            reply(Different("service-stopped", "It was stopped.", "Ask again."))


class Still:
    """A watch that has nothing to say."""

    def __init__(self) -> None:
        self._ends = os.pipe()

    def fileno(self) -> int:
        return self._ends[0]

    def news(self) -> set[str]:
        return set()

    def close(self) -> None:
        for end in self._ends:
            os.close(end)


def lived(service: Quiet, ask: Callable[[Agent], object]) -> object:
    """Live an agent's life, end it when somebody has asked; return what the asker was answered."""
    found: list[object] = []

    def asking() -> None:
        try:
            found.append(ask(Agent("/s")))
        except ContainerNetError as error:
            found.append(error)

    async def live() -> None:
        life = Life("/s", (service,))
        task = asyncio.create_task(life.live(Still))
        while not os.path.exists(os.path.join(client.run_dir(), client.SOCKET)):
            await asyncio.sleep(0.001)
        thread = Thread(target=asking)
        thread.start()
        await waited(service)
        life._end.set()
        await task
        await asyncio.to_thread(thread.join, 10)

    asyncio.run(asyncio.wait_for(live(), 20))
    return found[0]


@pytest.fixture
def own_run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNET_RUN_DIR", str(tmp_path))


@pytest.mark.usefixtures("own_run_dir")
def test_an_agent_that_ends_tells_who_waits() -> None:
    error = lived(Ending("dhcp"), lambda agent: agent.lease("web_lan", 5))
    assert isinstance(error, Different)
    assert error.code == "service-stopped"


@pytest.mark.usefixtures("own_run_dir")
def test_an_agent_that_dies_is_noticed_by_who_waits() -> None:
    error = lived(Quiet("dhcp"), lambda agent: agent.renew("web_lan", 5))
    assert isinstance(error, Different)
    assert error.code == "agent-silent"
    assert lived(Quiet("dhcp"), lambda agent: agent.farewell(["web_lan"], moved=True)) is False


class Asked:
    """Plays the agent's end; notes what is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
        self.requests: list[Request] = []
        self._answer = answer
        monkeypatch.setattr(client, "ask", self._ask)

    def _ask(self, asked: Request) -> Any:
        self.requests.append(asked)
        if asked.do == "status":
            return json.loads(protocol.answer(VIEW))["ok"]
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, {"web_lan/4": "BOUND"})
    agent = Agent("/s")
    agent.lease("web_lan", 7)
    agent.renew("web_lan", 8)
    agent.release("web_lan")
    assert agent.farewell(["web_lan", "db_lan"], moved=True) is True
    assert agent.states() == {"web_lan/4": "BOUND"}
    agent.restart("dhcp")
    assert [one for one in asked.requests if one.do != "status"] == [
        Request("lease", "web_lan", 7), Request("renew", "web_lan", 8), Request("release", "web_lan", 15),
        Request("farewell", "web_lan\ndb_lan", 1), Request("leases"), Request("service-restart", "dhcp"),
    ]  # fmt: skip
    assert agent.state("repair") == ("ok", "", (("passes", 3),))
    with pytest.raises(NotFound):
        agent.state("dns")


def test_an_agent_of_another_state_directory_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, "done")
    agent = Agent("/other")
    assert agent.running() is False
    with pytest.raises(NotFound):
        agent.lease("web_lan", 7)
    assert agent.farewell(["web_lan"], moved=False) is False
    assert agent.states() == {}
    assert {one.do for one in asked.requests} == {"status"}


def test_a_service_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    Asked(monkeypatch, Different("dhcp-silent", "Nobody answers."))
    agent = Agent("/s")
    with pytest.raises(Different):
        agent.lease("web_lan", 7)
    assert (agent.farewell(["web_lan"], moved=False), agent.states()) == (False, {})


@pytest.mark.parametrize("name", ["web_lan", "\x07\x08" * 60, "💥" * 50, "x" * 4000], ids=range(4))
def test_a_network_full_of_endpoints_says_farewell_in_requests_that_are_not_too_long(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    asked = Asked(monkeypatch, "done")
    names = [f"{number}{name}" for number in range(1000)]
    assert Agent("/s").farewell(names, moved=False) is True
    parts = [one for one in asked.requests if one.do == "farewell"]
    assert [line for one in parts for line in one.name.split("\n")] == names
    assert all(len(protocol.said(one)) <= LONGEST for one in parts)
