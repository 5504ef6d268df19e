"""One agent at a time.

The rule of this file: a claim is a lock (flock(2)) on a file that names its holder; it ends with the process, however
that ends, and the file stays.
"""

from __future__ import annotations

import os
from fcntl import LOCK_EX, LOCK_NB, flock

from containernet.model.errors import Taken, Usage


class Claim:
    """A directory that is one agent's."""

    def __init__(self, directory: str, mode: int, name: str) -> None:
        """Claim a directory, made if need be, by a file in it; raise :class:`Taken` with the process that has it."""
        try:
            os.makedirs(directory, mode, exist_ok=True)
            self._descriptor = os.open(os.path.join(directory, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            sentence = f"The directory {directory} cannot be used: {error.strerror}."
            hint = "Give another: --state-dir, CNET_STATE_DIR or CNET_RUN_DIR."
            raise Usage("agent-dir-invalid", sentence, hint) from None
        try:
            flock(self._descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            sentence = f"An agent is at work on {directory} already: process {holder}."
            raise Taken("agent-running", sentence, "'cnet agent status' asks it; SIGTERM ends it.") from None
        os.pwrite(self._descriptor, f"{os.getpid():<12}\n".encode(), 0)

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
