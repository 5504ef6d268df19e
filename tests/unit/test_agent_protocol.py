"""How the agent is talked to: the pure protocol, hostile lines too, and what is answered about services."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_agent_kit import Hand, Quiet

from containernet.agent import protocol
from containernet.agent.protocol import LONGEST, AgentView, Broken, Request, ServiceView
from containernet.agent.roster import Roster
from containernet.model.errors import Bug, Conflict, ContainerNetError, NotFound, Usage
from containernet.model.record import plain

VIEW = AgentView("0.1.0", 4711, "/s", 1, (ServiceView("repair", "ok", "", {"passes": 3}),))

UNDERSTOOD = {
    b'{"v":1,"do":"status"}\n': Request("status"),
    b'  {"v": 1, "do": "services"}\r\n': Request("services"),
    b'{"do":"service-stop","name":"repair","v":1}': Request("service-stop", "repair"),
    b'{"v":1,"do":"\\u0073tatus"}': Request("status"),
}


@pytest.mark.parametrize("line", UNDERSTOOD)
def test_a_request_is_understood(line: bytes) -> None:
    assert protocol.request(line) == UNDERSTOOD[line]


@pytest.mark.parametrize("asked", UNDERSTOOD.values())
def test_what_is_said_is_understood(asked: Request) -> None:
    assert protocol.request(protocol.said(asked)) == asked


BROKEN = [
    b"", b"\n", b"status\n", b"[]\n", b"{}\n", b"null\n", b"1\n", b'"status"\n', b"{", b"}" * 9, b"\0" * 9,
    b"\xff\xfe{}",    b'{"v":1,"do":"status"}{"v":1,"do":"status"}', b'{"v":1,"do":"status"', b'{"v":1,"do":"status",}',
    b'{"v":1,"do":{"v":1}}', b'{"v":1,"do":["status"]}', b'{"v":1,"v":1,"do":"status"}', b'{"v":2,"do":"status"}',
    b'{"v":"1","do":"status"}', b'{"v":true,"do":"status"}', b'{"v":1.0,"do":"status"}', b'{"do":"status"}',
    b'{"v":' + b"9" * 60000 + b',"do":"status"}', b'{"v":1e999,"do":"status"}', b'{"v":NaN,"do":"status"}',
    b"[" * 60000, b'{"v":' * 10000 + b"1" + b"}" * 10000, b'{"v":' + b"[" * 30000 + b"]" * 30000 + b"}",
    '{"v":1,"do":"status"}'.encode("utf-16"), b'{"v":1,"do":"stat\x00us"}', b'{"v":1,"do":"' + b"x" * LONGEST + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("line", BROKEN, ids=range(len(BROKEN)))
def test_what_is_not_of_the_protocol_is_broken(line: bytes) -> None:
    with pytest.raises(Broken) as caught:
        protocol.request(line)
    assert caught.value.exit_status == 2
    assert len(caught.value.sentence) < 200


WRONG = [
    b'{"v":1,"do":"destroy"}', b'{"v":1,"do":1}', b'{"v":1}', b'{"v":1,"do":null}', b'{"v":1,"do":"status","name":"x"}',
    b'{"v":1,"do":"service-stop"}', b'{"v":1,"do":"service-stop","name":""}', b'{"v":1,"do":"service-stop","name":7}',
    b'{"v":1,"do":"status","more":1}', b'{"v":1,"do":"service-stop","name":"x","more":1}', b'{"v":1,"do":"\\ud800"}',
    b'{"v":1,"do":"' + b"x" * 5000 + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("line", WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_done_is_refused_and_no_more(line: bytes) -> None:
    with pytest.raises(Usage) as caught:
        protocol.request(line)
    assert not isinstance(caught.value, Broken)
    assert len(caught.value.sentence) < 200


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_no_line_is_too_strange(line: bytes) -> None:
    try:
        protocol.request(line)
    except ContainerNetError as error:
        protocol.refusal(error)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_json_is_too_strange(value: Any) -> None:
    with pytest.raises(ContainerNetError):
        protocol.request(json.dumps(value).encode())
    with pytest.raises(ContainerNetError):
        protocol.result(json.dumps(value).encode())
    with pytest.raises(ContainerNetError):
        protocol.view(value)


def test_an_answer_comes_back_as_it_was() -> None:
    assert protocol.view(protocol.result(protocol.answer(VIEW))) == VIEW
    for error in (NotFound("a", "b", "c"), Conflict("d", "e"), Bug("f", "g")):
        with pytest.raises(type(error)) as caught:
            protocol.result(protocol.refusal(error))
        assert (caught.value.code, caught.value.sentence, caught.value.hint) == (error.code, error.sentence, error.hint)


# --- the services by name ---


def roster(*services: Quiet) -> Roster:
    made = Roster(services, VIEW)
    made.start(Hand())
    return made


def test_services_are_started_stopped_and_told() -> None:
    one, two = Quiet("one"), Quiet("two")
    made = roster(one, two)
    made.changed()
    made.look()
    for do in ("service-stop", "service-start", "service-restart"):
        state = protocol.result(made.answer(protocol.said(Request(do, "two"))))
        assert state["name"] == "two"
        assert state["state"] == ("stopped" if do == "service-stop" else "ok")
    assert one.told == ["start", "changed", "look"]
    assert two.told == ["start", "changed", "look", "stop", "start", "stop", "start"]
    made.stop()
    assert one.told[-1] == two.told[-1] == "stop"


def test_status_and_services_tell_all() -> None:
    made = roster(Quiet("one"))
    told = protocol.result(made.answer(protocol.said(Request("status"))))
    assert told == {
        **plain(VIEW),
        "services": [{"name": "one", "state": "ok", "sentence": "", "figures": {"passes": 3}}],
    }
    assert protocol.result(made.answer(protocol.said(Request("services")))) == told["services"]
    assert made.sentence() == "one: ok"


def test_a_service_that_there_is_not() -> None:
    with pytest.raises(NotFound, match="no service 'three'"):
        roster().answer(protocol.said(Request("service-stop", "three")))
