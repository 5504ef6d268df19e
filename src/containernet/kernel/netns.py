"""Going into network namespaces (network_namespaces(7), setns(2)).

The rule of this file: the thread that calls never changes its namespace. A worker thread, made for it, goes from place
to place; it holds one place at a time, and after ``leave`` nothing of ours keeps a namespace alive.
"""

from __future__ import annotations

import os
from _thread import allocate_lock, start_new_thread
from errno import EACCES, EPERM

from containernet.kernel.door import ABSENT, VANISHED, KernelError
from containernet.kernel.netlink import ROUTE, Netlink
from containernet.model.network import HOST, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

CLONE_NEWNET = 0x40000000


def setns(descriptor: int) -> None:
    """Bring this thread into the namespace behind a descriptor."""
    _libc("setns", descriptor, CLONE_NEWNET)


def unshare() -> None:
    """Bring this thread into a new, empty namespace, which lives as long as the thread."""
    _libc("unshare", CLONE_NEWNET)


def _libc(name: str, *arguments: int) -> None:
    """Call a function of the C library that takes numbers; Python has these two from 3.12.

    By the half of :mod:`ctypes` that is in C: the other half costs 2 ms of a command's 25, for types that are not
    needed.
    """
    if hasattr(os, name):
        getattr(os, name)(*arguments)
        return
    import _ctypes

    kind = type("Number", (_ctypes._SimpleCData,), {"_type_": "i"})
    flags = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
    function = type("Function", (_ctypes.CFuncPtr,), {"_flags_": flags, "_restype_": kind})
    library = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]
    if function(_ctypes.dlsym(library, name))(*arguments):
        number = _ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Worker:
    """A thread that runs one function after another, in whatever namespace the last one left it."""

    def __init__(self) -> None:
        self._order, self._answer = allocate_lock(), allocate_lock()
        self._order.acquire()
        self._answer.acquire()
        self._function: Callable[[], object] | None = None
        self._outcome: tuple[object, BaseException | None] = (None, None)
        self.lost = False  # an interrupt made the caller go away: the worker ends after what it does now
        start_new_thread(self._loop, ())

    def call(self, function: Callable[[], T]) -> T:
        """Return what ``function`` returns, or raise what it raises."""
        self._function = function
        self._hand_over()
        result, error = self._outcome
        self._outcome = (None, None)
        if error is not None:
            raise error
        return result  # type: ignore[return-value]

    def end(self) -> None:
        """End the thread."""
        self._function = None
        self._hand_over()

    def _hand_over(self) -> None:
        self._order.release()
        try:
            self._answer.acquire()
        except BaseException:
            self.lost = True
            raise

    def _loop(self) -> None:
        while not self.lost:
            self._order.acquire()
            function, self._function = self._function, None
            if function is None:
                break
            try:
                self._outcome = (function(), None)
            except BaseException as error:  # not lost: raised in the thread that called
                self._outcome = (None, error)
            del function
            self._answer.release()
        self._answer.release()


def in_new_namespace(function: Callable[[], T]) -> T:
    """Return what ``function`` returns in an empty namespace of its own."""
    worker = Worker()
    try:
        worker.call(unshare)
        return worker.call(function)
    finally:
        if not worker.lost:
            worker.end()


class Spaces:
    """Rtnetlink sockets and calls in places."""

    def __init__(self) -> None:
        self._host: Netlink | None = None
        self._worker: Worker | None = None
        self._inode = (0, 0)  # device and inode of the namespace that the worker is in
        self._cookie = 0
        self._route: Netlink | None = None

    def route(self, place: Place) -> Netlink:
        """Return the rtnetlink socket of a place; it is good until another place is asked for."""
        if place == HOST:
            if self._host is None:
                self._host = Netlink(ROUTE)
            return self._host
        os.close(self.open(place))
        assert self._route is not None
        return self._route

    def call(self, place: Place, function: Callable[[], T]) -> T:
        """Return what ``function`` returns when a thread in the place runs it."""
        if place == HOST:
            return function()
        os.close(self.open(place))
        assert self._worker is not None
        return self._worker.call(function)

    def open(self, place: Place) -> int:
        """Return a new descriptor of the place's namespace, seen to be the one that is meant; the worker is in it."""
        try:
            descriptor = os.open(place.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (EPERM, EACCES):
                raise
            raise KernelError(VANISHED, f"There is no network namespace at {place.path} any more.") from None
        try:
            self._enter(descriptor, place)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _enter(self, descriptor: int, place: Place) -> None:
        status = os.fstat(descriptor)
        inode = (status.st_dev, status.st_ino)
        if inode != self._inode:  # a namespace that we are in cannot give its inode number away
            self._go(descriptor, inode, place)
        if place.cookie and place.cookie != self._cookie:
            raise KernelError(VANISHED, f"Another network namespace stands at {place.path} now.")

    def _go(self, descriptor: int, inode: tuple[int, int], place: Place) -> None:
        if self._worker is None or self._worker.lost:
            self._worker = Worker()
        self._forget()

        def enter() -> Netlink:
            setns(descriptor)
            return Netlink(ROUTE)

        try:
            self._route = self._worker.call(enter)
        except OSError as error:
            if error.errno in (EPERM, EACCES):
                raise
            raise KernelError(VANISHED, f"{place.path} is not a network namespace.") from None
        self._inode, self._cookie = inode, self._route.cookie()

    def _forget(self) -> None:
        self._inode, self._cookie = (0, 0), 0
        if self._route is not None:
            self._route.close()
            self._route = None

    def identify(self, path: str) -> Place:
        """Return the place behind a path; ABSENT if there is no network namespace."""
        try:
            os.close(self.open(Place(path, 0)))
        except KernelError as error:
            raise KernelError(ABSENT, f"There is no network namespace at {path}.") from error
        return Place(path, self._cookie)

    def leave(self) -> None:
        """End the worker, so that no namespace is kept alive by us."""
        self._forget()
        if self._worker is not None and not self._worker.lost:
            self._worker.end()
        self._worker = None

    def close(self) -> None:
        """Let go of everything."""
        self.leave()
        if self._host is not None:
            self._host.close()
            self._host = None
