"""A network namespace of the lab: run a command in it, or ask the peer process that lives in it.

The rule of this file: every command and every question has a bound, and says what happened when it was not met.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

PEER = Path(__file__).with_name("peer.py")
PATIENT = 5.0  # seconds for what must come
BRIEF = 0.8  # seconds for what must not come


class Peer:
    """The asking side of ``peer.py``."""

    def __init__(self, enter: list[str]) -> None:
        command = [*enter, sys.executable, "-I", str(PEER)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answers: dict[int, dict[str, Any]] = {}
        self._news = threading.Condition()
        self._last = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            answer = json.loads(line)
            with self._news:
                self._answers[answer.pop("id")] = answer
                self._news.notify_all()

    def send(self, do: str, **what: Any) -> int:
        """Ask without waiting; return the number of the question."""
        assert self.process.stdin
        self._last += 1
        self.process.stdin.write(json.dumps({"id": self._last, "do": do, **what}) + "\n")
        self.process.stdin.flush()
        return self._last

    def wait(self, number: int, timeout: float = 30.0) -> dict[str, Any]:
        """Return the answer to a question."""
        with self._news:
            if not self._news.wait_for(lambda: number in self._answers, timeout):
                raise AssertionError(f"the peer did not answer in {timeout} s (exit status {self.process.poll()})")
            answer = self._answers.pop(number)
        assert "fault" not in answer, answer["fault"]
        return answer

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """Ask and wait."""
        return self.wait(self.send(do, **what), float(what.get("timeout", 0)) + 20.0)

    def close(self) -> None:
        """End the process and wait for it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self._reader.join(5)
        self.process.stdout.close()


class Space:
    """A namespace by name, entered by a command prefix."""

    def __init__(self, name: str, enter: list[str]) -> None:
        self.name = name
        self.enter = enter
        self._peer: Peer | None = None

    # --- commands ---

    def result(
        self, *argv: str, timeout: float = 30.0, env: dict[str, str] | None = None, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and return what came of it."""
        command = [*self.enter, *argv]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, env=env, input=text, check=False
        )

    def run(
        self,
        *argv: str,
        expect: int = 0,
        timeout: float = 30.0,
        env: dict[str, str] | None = None,
        text: str | None = None,
    ) -> str:
        """Run a command that must end with the expected status; return what it printed."""
        done = self.result(*argv, timeout=timeout, env=env, text=text)
        assert done.returncode == expect, (
            f"{self.name}: {' '.join(argv)}: status {done.returncode}, not {expect}\n{done.stdout}{done.stderr}"
        )
        return done.stdout

    def sh(self, script: str, expect: int = 0) -> str:
        """Run a few lines of shell."""
        return self.run("sh", "-ec", script, expect=expect)

    def json(self, *argv: str) -> Any:
        """Run a command that prints JSON."""
        return json.loads(self.run(*argv) or "[]")

    def sysctl(self, key: str, value: str | None = None) -> str:
        """Read or set a kernel setting, in the path form."""
        return self.sh(f"cat /proc/sys/{key}" if value is None else f"echo {value} > /proc/sys/{key}").strip()

    # --- traffic ---

    @property
    def pid(self) -> int:
        """The process id of the peer, 0 if there is none."""
        return self._peer.process.pid if self._peer else 0

    @property
    def peer(self) -> Peer:
        """The peer process of this namespace, started at the first need."""
        if self._peer is None:
            self._peer = Peer(self.enter)
        return self._peer

    def serve(
        self, port: int, *, protos: str = "tcp udp", families: str = "4 6", name: str = "", address: str = ""
    ) -> None:
        """Serve on a port; when this returns, it is open."""
        asked = [
            self.peer.send(
                "listen", proto=proto, family=int(family), port=port, name=name or self.name, address=address
            )
            for proto in protos.split()
            for family in families.split()
        ]
        for number in asked:
            self.peer.wait(number)

    def probe(self, address: str, port: int, proto: str = "tcp", timeout: float = PATIENT, **more: Any) -> str:
        """Return ``SERVER CLIENT-ADDRESS``, or one word of what went wrong."""
        return said(self.peer.ask("probe", proto=proto, address=address, port=port, timeout=timeout, **more))

    def flow(self, key: str, proto: str, address: str, port: int, timeout: float = PATIENT, **more: Any) -> str:
        """Begin a flow; return who answers."""
        return said(self.peer.ask("flow", key=key, proto=proto, address=address, port=port, timeout=timeout, **more))

    def talk(self, key: str, say: str, timeout: float = PATIENT) -> bool:
        """Tell whether a flow still carries words both ways."""
        return say in str(self.peer.ask("talk", key=key, say=say, timeout=timeout).get("answer", ""))

    def ping(self, address: str, timeout: float = PATIENT, **more: Any) -> bool:
        """Tell whether an address answers."""
        return bool(self.peer.ask("ping", address=address, timeout=timeout, **more).get("answer") == "pong")

    def sniff(self, interface: str, key: str = "wire") -> None:
        """Begin to keep the frames of a link."""
        self.peer.ask("sniff", key=key, interface=interface)

    def sniffed(self, timeout: float = PATIENT, key: str = "wire", **want: Any) -> dict[str, Any] | None:
        """Return the first frame since :meth:`sniff` that has all that is wanted, waiting for it."""
        frame: dict[str, Any] | None = self.peer.ask("sniffed", key=key, want=want, timeout=timeout)["frame"]
        return frame

    def close(self) -> None:
        """End the peer process, if there is one."""
        if self._peer is not None:
            self._peer.close()
            self._peer = None


def said(answer: dict[str, Any]) -> str:
    """Return ``SERVER CLIENT-ADDRESS`` of a greeting, or the word for an error."""
    return " ".join(str(answer["answer"]).split()[:2]) if "answer" in answer else str(answer["error"])


def eventually(check: Any, timeout: float = PATIENT) -> Any:
    """Return the first true answer of ``check``, asked again until a bound; the last answer if there is none."""
    end = time.monotonic() + timeout
    while not (answer := check()) and time.monotonic() < end:
        time.sleep(0.02)
    return answer
