"""What a kernel door leaves behind: nothing, whatever happened and from however many threads.

The rule of this file: looked at from outside, in /proc and with ``ip``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from things import BRIDGE, MAC, TABLE, everything, make, veth
from worlds import Real, shell

from containernet.kernel.door import KernelError
from containernet.kernel.linux import Linux
from containernet.model.network import Place
from containernet.model.record import replace
from containernet.plan.objects import Address, Element, Up
from containernet.plan.operations import Add, Announce, Cut, Remove


def _descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def _threads_of(count: int) -> bool:
    """Tell whether the process comes back to that many threads (one that has ended takes a moment to go)."""
    deadline = time.monotonic() + 2
    while len(os.listdir("/proc/self/task")) > count:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def test_nothing_is_left_open(real: Real) -> None:
    place = real.namespace("c1")
    real.kernel.close()
    files, threads = _descriptors(), len(os.listdir("/proc/self/task"))
    kernel = Linux()
    make(kernel, everything(place))
    kernel.do(Announce(place, "eth0", MAC, ("10.7.0.2", "fd07::2")))
    kernel.do(Cut(4))
    kernel.missing(everything(place))
    kernel.read([place], [])
    kernel.surroundings(place)
    with pytest.raises(KernelError):
        kernel.do(Add(BRIDGE))
    with pytest.raises(KernelError):
        kernel.do(Add(replace(veth(place), name="ce-2", bridge="cn-2")))
    with pytest.raises(KernelError):
        kernel.do(Add(Up(Place(place.path, 5), "lo")))
    kernel.close()
    assert _descriptors() == files
    assert _threads_of(threads)
    real.remove_namespace(place)  # nothing keeps it alive: the pair dies with it
    assert not os.path.exists("/sys/class/net/ce-1")


def test_two_threads_with_a_kernel_each(real: Real) -> None:
    from threading import Thread

    make(real.kernel, [BRIDGE, TABLE])
    places = [real.namespace(f"c{number}") for number in range(4)]
    failures: list[BaseException] = []

    def work(number: int, place: Place) -> None:
        kernel = Linux()
        try:
            for _ in range(5):
                element = Element("any4", ("tcp", number + 1), ("10.7.0.2", 1))
                mine = [
                    veth(place, number),
                    Up(place, "eth0"),
                    Address(place, "eth0", f"10.7.0.{number + 2}/24"),
                    element,
                ]
                make(kernel, mine)
                assert kernel.missing([*mine, TABLE]) == []
                kernel.do(Remove(element))
                kernel.do(Remove(mine[0]))
        except BaseException as failure:
            failures.append(failure)
        finally:
            kernel.close()

    threads = [Thread(target=work, args=pair) for pair in enumerate(places)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_failed_veth_leaves_nothing(real: Real) -> None:
    place = real.namespace("c1")
    make(real.kernel, [BRIDGE])
    with pytest.raises(KernelError):
        real.kernel.do(Add(replace(veth(place), alias="x" * 300)))  # refused only by the second message
    assert real.kernel.read([place], []) == {BRIDGE}
    assert "eth0" not in shell("ip -n c1 -o link")


def test_the_hot_path_imports_little() -> None:
    code = f"import sys; sys.path[:0] = {sys.path!r}; import containernet.kernel.linux; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {
        "socket",
        "typing",
        "dataclasses",
        "enum",
        "re",
        "subprocess",
        "threading",
        "pathlib",
        "contextlib",
        "logging",
    }
    heavy |= {"json", "ctypes", "containernet.kernel.elements", "containernet.kernel.table"}
    assert not heavy & set(loaded)
