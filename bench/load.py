"""Makes TCP connections, or accepts them: the slower twin of load.c, for a machine without a compiler.

The rule of this file: the words and what is printed are those of load.c.

    load serve PORT                               prints "ready" when it listens
    load connect ADDRESS PORT COUNT IN_FLIGHT     prints connections a second, and how many failed
"""

from __future__ import annotations

import errno
import selectors
import socket
import struct
import sys
import time

RESET = struct.pack("ii", 1, 0)  # close with a reset: no port lingers
GIVE_UP = 30.0  # seconds


def serve(port: int) -> None:
    """Accept and reset, for ever."""
    with socket.create_server(("0.0.0.0", port), backlog=4096) as listener:
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.close()


def begin(address: tuple[str, int]) -> socket.socket | None:
    """Begin a connection; None if it is refused at once."""
    made = socket.socket()
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    if made.connect_ex(address) in (0, errno.EINPROGRESS):
        return made
    made.close()
    return None


def connect(address: tuple[str, int], count: int, in_flight: int) -> tuple[float, int]:
    """Make connections; return how many a second, and how many failed."""
    waiting, begun, failed, ended = selectors.EpollSelector(), 0, 0, 0
    start = time.perf_counter()
    while ended < count and time.perf_counter() - start < GIVE_UP:
        while begun < count and begun - ended < in_flight:
            begun += 1
            if made := begin(address):
                waiting.register(made, selectors.EVENT_WRITE)
            else:
                failed, ended = failed + 1, ended + 1
        for key, _ in waiting.select(1):
            failed, ended = failed + finish(waiting, key), ended + 1
    return (ended - failed) / (time.perf_counter() - start), failed + count - ended


def finish(waiting: selectors.EpollSelector, key: selectors.SelectorKey) -> int:
    """End a connection; return 1 if it was never made."""
    made = key.fileobj
    assert isinstance(made, socket.socket)
    error = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    waiting.unregister(made)
    made.close()
    return int(error not in (0, errno.ECONNRESET))


def main() -> None:
    """Do what the first word says."""
    verb, *rest = sys.argv[1:]
    if verb == "serve":
        serve(int(rest[0]))
    rate, failed = connect((rest[0], int(rest[1])), int(rest[2]), int(rest[3]))
    print(f"{rate:.0f} {failed}")


if __name__ == "__main__":
    main()
