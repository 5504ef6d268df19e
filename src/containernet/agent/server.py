"""The agent's one socket: who may talk to it, for how long, and how much (unix(7)).

The rule of this file: a client can cost little, whatever it does: so many at a time, a line of so many bytes, so many
seconds of silence; an error of ours in an answer ends that client's connection and nothing else. Who waits for an
answer that comes later keeps nobody else from asking.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress

from containernet.agent.client import SOCKET, holder, peer
from containernet.agent.protocol import LONGEST, Broken, Later, refusal
from containernet.model.errors import Bug, ContainerNetError, NotPermitted, Taken, Usage
from containernet.verbs.services import LONGEST_WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 32  # clients at a time that talk
PATIENT = 512  # that wait for an answer: all containers of a host may join by DHCP at once
PATIENCE = 10.0  # seconds for a whole line to come, or for an answer to be taken


class Server:
    """Answers lines."""

    def __init__(self, directory: str, answer: Callable[[bytes], bytes | Later], *, patience: float = PATIENCE) -> None:
        self.path = os.path.join(directory, SOCKET)
        self._answer, self._patience = answer, patience
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._waiting = 0  # of those who wait for an answer

    async def open(self) -> None:
        """Listen; the socket of an agent that was killed is replaced."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._bind(listening)
            self._server = await asyncio.start_unix_server(self._client, sock=listening, limit=LONGEST)
        except BaseException:
            listening.close()
            raise

    def _bind(self, listening: socket.socket) -> None:
        mask = os.umask(0o177)  # the socket is root's alone from its first moment
        try:
            if os.path.lexists(self.path):
                self._replace()
            listening.bind(self.path)
        except OSError as error:
            sentence = f"The socket {self.path} cannot be made: {error.strerror or error}."
            raise Usage("run-dir-invalid", sentence, "Set CNET_RUN_DIR to a directory that can be used.") from None
        finally:
            os.umask(mask)

    def _replace(self) -> None:
        if pid := holder(self.path):
            raise Taken("agent-running", f"Process {pid} listens on {self.path}.", "'cnet agent status' asks it.")
        os.unlink(self.path)

    def close(self) -> None:
        """Take the socket away and end every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
            with suppress(FileNotFoundError):  # from Python 3.13 on, asyncio has done it
                os.unlink(self.path)
        for one in list(self._writers):
            one.transport.abort()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            async with asyncio.timeout(None) as bound:
                while await self._exchange(reader, writer, bound):
                    pass
            writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._writers.discard(writer)

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bound: asyncio.Timeout
    ) -> bool:
        """Answer one line; tell whether another may follow."""
        bound.reschedule(asyncio.get_running_loop().time() + self._patience)
        try:
            self._permit(writer)
            said, more = await self._said(await reader.readuntil(b"\n"), bound)
        except asyncio.LimitOverrunError:
            said, more = refusal(Broken("agent-request", f"A line has at most {LONGEST} bytes.", "Say less.")), False
        except ContainerNetError as error:
            said, more = refusal(error), False
        bound.reschedule(asyncio.get_running_loop().time() + self._patience)
        writer.write(said)
        await writer.drain()
        return more

    def _permit(self, writer: asyncio.StreamWriter) -> None:
        """Raise unless the client is root, and one of not too many."""
        if peer(writer.get_extra_info("socket"))[1] not in (0, os.geteuid()):
            raise NotPermitted("agent-not-permitted", "Only root may ask the agent.", "Run it as root.")
        if len(self._writers) - self._waiting > MOST:
            raise Taken("agent-busy", f"{MOST} others are talking to the agent.", "Try again.")

    async def _said(self, line: bytes, bound: asyncio.Timeout) -> tuple[bytes, bool]:
        """Return the answer to a line, and whether another may follow."""
        try:
            said = self._answer(line)
            return await self._come(said, bound) if isinstance(said, Later) else said, True
        except Broken as error:
            return refusal(error), False
        except ContainerNetError as error:
            return refusal(error), True
        except Exception as error:
            return refusal(Bug("bug", f"This is a bug in the agent: {type(error).__name__}: {error}")), False

    async def _come(self, later: Later, bound: asyncio.Timeout) -> bytes:
        """Wait for an answer."""
        if self._waiting >= PATIENT:
            raise Taken("agent-busy", f"{PATIENT} others are waiting for the agent.", "Try again.")
        loop = asyncio.get_running_loop()
        bound.reschedule(loop.time() + LONGEST_WAIT + self._patience)
        future: asyncio.Future[bytes] = loop.create_future()
        later.then(lambda said: None if future.done() else future.set_result(said))
        self._waiting += 1
        try:
            return await future
        finally:
            self._waiting -= 1
