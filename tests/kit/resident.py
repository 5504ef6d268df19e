"""The Python API in a process of its own on the host of a lab: one that lives on, or a child of it for each verb.

The rule of this file: the verbs are those of ContainerNet, unchanged; a child can be told to kill itself (SIGKILL) at
one of its calls of the kernel or the store, which is counted from outside of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from signal import SIGKILL
from typing import Any

import containernet
from containernet import ContainerNet
from containernet.kernel.linux import Linux
from containernet.model.errors import ContainerNetError
from containernet.model.record import plain
from containernet.store.sqlite import Sqlite

POINTS: tuple[tuple[type, str], ...] = ((Linux, "do"), (Linux, "take"), (Sqlite, "begin"), (Sqlite, "finish"))
LOADED = ("model", "plan", "drivers", "kernel", "store", "containers", "verbs")
BEFORE, AFTER = "before", "after"


class Refused(Exception):
    """An error of the verb, by its code."""


class Resident:
    """The asking side: a process on the host of a lab."""

    def __init__(self, enter: list[str], env: dict[str, str]) -> None:
        command = [*enter, sys.executable, "-W", "error", str(Path(__file__))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def __enter__(self) -> Resident:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(20)
        self._process.stdout.close()

    def do(self, verb: str, *args: Any, child: bool = False, at: int = 0, when: str = BEFORE, **options: Any) -> Any:
        """Do a verb, in a child if wished; return what it returns as plain data. Raises :class:`Refused`."""
        answer = self._ask(
            {"verb": verb, "args": args, "options": options, "child": child or at > 0, "at": at, "when": when}
        )
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["value"]

    def killed(self, verb: str, *args: Any, at: int, when: str, **options: Any) -> bool:
        """Do a verb that kills itself at its call number ``at``, before or after it; False if it came to its end."""
        return bool(self.do(verb, *args, at=at, when=when, **options) == "killed")

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the process on the host has ended: {self._process.wait(10)}"
        answer: dict[str, Any] = json.loads(line)
        assert "fault" not in answer, answer["fault"]
        return answer


# --- on the host -----------------------------------------------------------------------------------------------------


def serve() -> None:
    """Do what each line of input says, and answer it with a line."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    for module in walk_packages(containernet.__path__, "containernet."):
        if module.name.split(".")[1] in LOADED:  # before the first child, so that not each of them has to
            import_module(module.name)
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(in_a_child(question) if question["child"] else done(question)), flush=True)


def done(question: Any) -> dict[str, Any]:
    """Do a verb; return the answer."""
    from kit.leasing import lease

    try:
        verb = getattr(ContainerNet(), question["verb"], None) or partial(lease, ContainerNet())
        return {"value": plain(verb(*(tuple_of(one) for one in question["args"]), **_options(question)))}
    except ContainerNetError as error:
        return {"error": error.code}
    except Exception as error:
        return {"fault": repr(error)}


def _options(question: Any) -> dict[str, Any]:
    return {key: tuple_of(value) for key, value in question["options"].items()}


def tuple_of(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def in_a_child(question: Any) -> dict[str, Any]:
    """Do a verb in a child; return its answer, or that it has been killed."""
    reads, writes = os.pipe()
    pid = os.fork()
    if not pid:
        count_calls(question["at"], question["when"])
        os.write(writes, json.dumps(done(question)).encode())
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        text = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == -SIGKILL:
        return {"value": "killed"}
    answer: dict[str, Any] = json.loads(text or '{"fault": "a child said nothing"}')
    return answer


def count_calls(at: int, when: str) -> None:
    """Have this process end by SIGKILL at one of its calls."""
    count = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any) -> Any:
            nonlocal count
            count += 1
            here = count == at
            if here and when == BEFORE:
                os.kill(os.getpid(), SIGKILL)
            answer = call(*args)
            if here:
                os.kill(os.getpid(), SIGKILL)
            return answer

        return wrapper

    for kind, name in POINTS:
        setattr(kind, name, counted(getattr(kind, name)))


if __name__ == "__main__":
    serve()
