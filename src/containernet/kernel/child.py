"""A process inside a compartment: `cnet run` and `cnet exec`.

The rule of this file: between fork and exec the child only makes system calls; it waits for the word, so that its
namespace can be given a network first. What the command has started ends with it: we are its subreaper (prctl(2)).
Like ip-netns(8), it sees its own namespace's links under /sys, and the files of its folder in /etc/netns in /etc.
"""

from __future__ import annotations

import ctypes
import os
import signal
from errno import ECHILD, ENOENT

from containernet.model.errors import NotFound
from containernet.plan.objects import ETC

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_BIND, MS_REC, MS_SLAVE = 0x1000, 0x4000, 0x80000
MNT_DETACH = 2
PR_SET_CHILD_SUBREAPER = 36
PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
LEFT_TO_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT)  # the terminal sends these to both of us
NOT_RUN = 127  # a shell's status for a command that is not there


class Process:
    """See :class:`containernet.kernel.door.Child`."""

    def __init__(self, command: tuple[str, ...], path: str, name: str) -> None:
        self._command = command
        self._files = f"{ETC}/{name}" if name else ""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._own = not path  # the namespace is made for the command, and nothing in it outlives it
        if self._own:
            self._call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._space = 0
        self._held = -1  # our own hold on its namespace, for what is to be done there when its command has ended
        self._status: int | None = None
        namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if path else -1
        ready, self._ready = os.pipe()
        self._word, word = os.pipe()[::-1]
        self._failed, failed = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(ready)
            os.close(self._word)
            os.close(self._failed)
            self._child(namespace, word, failed)
        for descriptor in (self._ready, word, failed, *([namespace] if path else [])):
            os.close(descriptor)
        self._begun(ready)

    @property
    def path(self) -> str:
        """The path of its network namespace."""
        return f"/proc/{self.pid}/ns/net"

    @property
    def lasting_path(self) -> str:
        """A path of its namespace that leads there until :meth:`close`, whether the command has ended or not."""
        return f"/proc/{os.getpid()}/fd/{self._held}" if self._held >= 0 else self.path

    def close(self) -> None:
        """Let go of the namespace."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def _call(self, name: str, *arguments: object) -> None:
        if getattr(self._libc, name)(*arguments):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    # --- in the child ---

    def _child(self, namespace: int, word: int, failed: int) -> None:
        try:
            self._enter(namespace)
            os.write(self._ready, b"1")
            os.close(self._ready)
            if os.read(word, 1) == b"1":  # nothing comes if our starter has died
                self._cover()  # not before: its resolv.conf comes with its network
                for number in (*PASSED_ON, *LEFT_TO_THE_TERMINAL, signal.SIGPIPE):
                    signal.signal(number, signal.SIG_DFL)
                os.execvp(self._command[0], self._command)
        except OSError as error:
            os.write(failed, str(error.errno or ENOENT).encode())
        finally:
            os._exit(NOT_RUN)

    def _enter(self, namespace: int) -> None:
        if namespace < 0:
            self._call("unshare", CLONE_NEWNET)
        else:
            self._call("setns", namespace, CLONE_NEWNET)
        self._call("unshare", CLONE_NEWNS)
        self._call("mount", b"none", b"/", None, MS_REC | MS_SLAVE, None)
        self._libc.umount2(b"/sys", MNT_DETACH)
        self._libc.mount(b"sysfs", b"/sys", b"sysfs", 0, None)  # where /sys cannot be mounted, it stays as it was

    def _cover(self) -> None:
        """Have the files of its folder stand for those of the same name in /etc; one that has no such is left out."""
        try:
            names = os.listdir(self._files) if self._files else []
        except OSError:
            return
        for one in names:
            self._libc.mount(os.fsencode(f"{self._files}/{one}"), os.fsencode(f"/etc/{one}"), b"none", MS_BIND, None)

    # --- in the parent ---

    def _begun(self, ready: int) -> None:
        """Wait until the child is in its namespace."""
        try:
            if os.read(ready, 1) == b"1":
                self._space = os.stat(self.path).st_ino
                self._held = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC) if self._own else -1
                return
        finally:
            os.close(ready)
        number = int(os.read(self._failed, 16) or b"1")
        self.end()
        raise OSError(number, os.strerror(number))

    def go(self) -> None:
        """Let it become the command."""
        os.write(self._word, b"1")
        os.close(self._word)
        self._word = -1
        said = os.read(self._failed, 16)
        os.close(self._failed)
        self._failed = -1
        if said:
            self.wait()
            why = os.strerror(int(said))
            raise NotFound(
                "command-not-found",
                f"The command {self._command[0]!r} cannot be run: {why}.",
                "Check its name and path.",
            )

    def wait(self) -> int:
        """Wait for its end, passing signals on."""
        kept = {number: signal.getsignal(number) for number in (*PASSED_ON, *LEFT_TO_THE_TERMINAL)}
        try:
            for number in PASSED_ON:
                signal.signal(number, lambda sent, _: self._send(sent))
            for number in LEFT_TO_THE_TERMINAL:
                signal.signal(number, signal.SIG_IGN)
        except ValueError:  # not in the main thread: signals are its caller's business
            kept = {}
        try:
            return self._reaped()
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    def _reaped(self) -> int:
        if self._status is None:
            _, raw = os.waitpid(self.pid, 0)
            code = os.waitstatus_to_exitcode(raw)
            self._status = code if code >= 0 else 128 - code
        return self._status

    def _send(self, number: int) -> None:
        if self._status is None:
            os.kill(self.pid, number)

    def end(self) -> None:
        """End it and all that it has started and left behind."""
        for descriptor in (self._word, self._failed):
            if descriptor >= 0:
                os.close(descriptor)
        self._word = self._failed = -1
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._reaped()
        if self._own:
            self._sweep()

    def _sweep(self) -> None:
        """Kill the orphans of the command: they are our children now."""
        while orphans := _children(self._space):
            for pid in orphans:
                os.kill(pid, signal.SIGKILL)
                try:
                    os.waitpid(pid, 0)
                except OSError as error:
                    if error.errno != ECHILD:
                        raise
                    return


def _children(space: int) -> list[int]:
    """Return the children of this process that are in a network namespace (proc(5), /proc/pid/task/tid/children)."""
    found: list[int] = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children") as line:
                found += map(int, line.read().split())
        except OSError:
            continue
    return [pid for pid in found if _space_of(pid) == space]


def _space_of(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    except OSError:
        return 0
