"""A process inside one namespace of the lab that serves, probes, pings and listens to the wire as a test asks.

The rule of this file: the standard library only, nothing of the project. It runs as ``python -I peer.py``, reads one
JSON request a line and answers each, perhaps out of order, with one JSON line. Everything it waits for has a bound.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
RESEND = 0.25  # seconds between two datagrams of one question
SO_BINDTODEVICE = 25
_flows: dict[str, socket.socket] = {}
_kept: list[socket.socket] = []
_sniffers: dict[str, Sniffer] = {}


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def word(error: OSError) -> str:
    """Return one word for what a socket said."""
    if isinstance(error, TimeoutError):
        return "timeout"
    names = {111: "refused", 113: "unreachable", 101: "no-route", 104: "reset", 1: "forbidden", 13: "forbidden"}
    return names.get(error.errno or 0, str(error))


# --- serving ---------------------------------------------------------------------------------------------------------


def listen(proto: str, family: int, port: int, name: str, address: str = "") -> dict[str, Any]:
    """Serve: tell each client this server's name and the client's address, then echo what it says."""
    sock = socket.socket(FAMILIES[family], KINDS[proto])
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == 6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((address, port))
    if proto == "tcp":
        sock.listen(64)
    _kept.append(sock)
    threading.Thread(target=_accept if proto == "tcp" else _answer, args=(sock, name), daemon=True).start()
    return {}


def _accept(sock: socket.socket, name: str) -> None:
    while True:
        try:
            client, where = sock.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, f"{name} {where[0]} {where[1]}"), daemon=True).start()


def _serve(client: socket.socket, greeting: str) -> None:
    try:
        client.sendall(greeting.encode() + b"\n")
        while data := client.recv(4096):
            client.sendall(data)
    except OSError:
        pass
    finally:
        client.close()


def _answer(sock: socket.socket, name: str) -> None:
    while True:
        try:
            data, where = sock.recvfrom(65535)
            if sock.fileno() < 0 or not where:
                return
            sock.sendto(f"{name} {where[0]} {where[1]} {data.decode()}".encode(), where)
        except OSError:
            if sock.fileno() < 0:
                return


def unlisten() -> dict[str, Any]:
    """Stop serving."""
    for sock in _kept:
        with suppress(OSError):  # a datagram socket is not connected, and is woken all the same
            sock.shutdown(socket.SHUT_RDWR)  # wakes who waits in it, which would keep it open
        sock.close()
    _kept.clear()
    return {}


# --- asking ----------------------------------------------------------------------------------------------------------


def _client(proto: str, address: str, port: int, timeout: float, source: str, source_port: int) -> socket.socket:
    sock = socket.socket(family_of(address), KINDS[proto])
    sock.settimeout(timeout)
    if source or source_port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((source, source_port))
    sock.connect((address, port))
    return sock


def _greeted(sock: socket.socket, say: str, timeout: float) -> str:
    if sock.type == socket.SOCK_STREAM:
        return sock.recv(4096).decode().strip()
    return _echo(sock, say, timeout)


def _echo(sock: socket.socket, say: str, timeout: float) -> str:
    """Say something and return the answer to it; datagrams are said again now and then."""
    end = time.monotonic() + timeout
    while True:
        sock.send(say.encode())
        left = end - time.monotonic()
        patience = min(RESEND, left) if sock.type == socket.SOCK_DGRAM else left
        while select.select([sock], [], [], max(0.0, patience))[0]:
            answer = sock.recv(4096).decode().strip()
            if say in answer or sock.type == socket.SOCK_STREAM:
                return answer
        if time.monotonic() >= end:
            raise TimeoutError


def probe(
    proto: str, address: str, port: int, timeout: float, source: str = "", source_port: int = 0
) -> dict[str, Any]:
    """Ask a server who it is and whom it saw."""
    try:
        with _client(proto, address, port, timeout, source, source_port) as sock:
            return {"answer": _greeted(sock, "hello", timeout)}
    except OSError as error:
        return {"error": word(error)}


def flow(
    key: str, proto: str, address: str, port: int, timeout: float, source: str = "", source_port: int = 0
) -> dict[str, Any]:
    """Begin a flow that later calls of :func:`talk` go on with."""
    try:
        sock = _flows[key] = _client(proto, address, port, timeout, source, source_port)
        return {"answer": _greeted(sock, "hello", timeout)}
    except OSError as error:
        return {"error": word(error)}


def talk(key: str, say: str, timeout: float) -> dict[str, Any]:
    """Say something over a flow, and return the answer."""
    sock = _flows[key]
    try:
        sock.settimeout(timeout)
        answer = _echo(sock, say, timeout)
        return {"answer": answer} if answer else {"error": "closed"}
    except OSError as error:
        return {"error": word(error)}


def ping(
    address: str, timeout: float, size: int = 56, whole: bool = False, source: str = "", interface: str = ""
) -> dict[str, Any]:
    """Send one echo request; ``whole`` forbids fragments on the way and here."""
    six = ":" in address
    with socket.socket(family_of(address), socket.SOCK_RAW, 58 if six else 1) as sock:
        if interface:
            sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, interface.encode())
        if whole:
            sock.setsockopt(41 if six else 0, 23 if six else 10, 2)  # IP(V6)_MTU_DISCOVER, IP_PMTUDISC_DO
        if source:
            sock.bind((source, 0))
        mark = os.urandom(8)
        request = _echo_request(128 if six else 8, mark + bytes(size - len(mark)), six)
        try:
            sock.connect((address, 0))
            end = time.monotonic() + timeout
            while (left := end - time.monotonic()) > 0:
                sock.send(request)
                step = time.monotonic() + min(left, 2 * RESEND)
                while (wait := step - time.monotonic()) > 0 and select.select([sock], [], [], wait)[0]:
                    raw = sock.recv(65535)
                    body = raw if six else raw[(raw[0] & 15) * 4 :]
                    if body[0] == (129 if six else 0) and mark in body:
                        return {"answer": "pong"}
            return {"error": "timeout"}
        except OSError as error:
            return {"error": word(error)}


def _echo_request(kind: int, payload: bytes, six: bool) -> bytes:
    raw = struct.pack("!BBHHH", kind, 0, 0, os.getpid() & 0xFFFF, 1) + payload
    if six:  # the kernel fills the checksum of ICMPv6
        return raw
    padded = raw + b"\0" * (len(raw) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    total = (total & 0xFFFF) + (total >> 16)
    return raw[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + raw[4:]


# --- listening to the wire -------------------------------------------------------------------------------------------


class Sniffer:
    """Frames that pass a link, as small dictionaries, kept from the moment of its making."""

    def __init__(self, interface: str) -> None:
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.bind((interface, 3))  # ETH_P_ALL
        self.frames: list[dict[str, Any]] = []

    def until(self, want: dict[str, Any], timeout: float) -> dict[str, Any] | None:
        """Return the first frame kept or coming that has all that is wanted."""
        end = time.monotonic() + timeout
        seen = 0
        while True:
            for frame in self.frames[seen:]:
                if all(frame.get(key) == value for key, value in want.items()):
                    return frame
            seen = len(self.frames)
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                return None
            raw, where = self.sock.recvfrom(65535)
            self.frames.append({**decode(raw), "outgoing": where[2] == 4})


def _mac(raw: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in raw)


def decode(raw: bytes) -> dict[str, Any]:
    """Return what a test may want to know of a frame."""
    frame: dict[str, Any] = {"destination": _mac(raw[:6]), "source": _mac(raw[6:12])}
    kind, body = int.from_bytes(raw[12:14], "big"), raw[14:]
    if kind == 0x0806 and len(body) >= 28:
        frame.update(what="arp", op=int.from_bytes(body[6:8], "big"), sender_mac=_mac(body[8:14]))
        frame.update(sender=socket.inet_ntoa(body[14:18]), target=socket.inet_ntoa(body[24:28]))
    elif kind == 0x0800 and len(body) >= 20:
        rest = body[(body[0] & 15) * 4 :]
        frame.update(
            what="ipv4", protocol=body[9], src=socket.inet_ntoa(body[12:16]), dst=socket.inet_ntoa(body[16:20])
        )
        if body[9] in (6, 17):
            frame.update(sport=int.from_bytes(rest[:2], "big"), dport=int.from_bytes(rest[2:4], "big"))
    elif kind == 0x86DD and len(body) >= 40:
        six = socket.AF_INET6
        frame.update(
            what="ipv6", protocol=body[6], src=socket.inet_ntop(six, body[8:24]), dst=socket.inet_ntop(six, body[24:40])
        )
        if body[6] == 58 and len(body) >= 64 and body[40] in (135, 136):
            frame.update(what="na" if body[40] == 136 else "ns", target=socket.inet_ntop(six, body[48:64]))
    return frame


def sniff(key: str, interface: str) -> dict[str, Any]:
    """Begin to keep the frames of a link."""
    _sniffers[key] = Sniffer(interface)
    return {}


def sniffed(key: str, want: dict[str, Any], timeout: float) -> dict[str, Any]:
    """Return the first frame that fits, or none."""
    return {"frame": _sniffers[key].until(want, timeout)}


def sources(key: str) -> dict[str, Any]:
    """Return the MAC addresses that frames have come from."""
    return {"sources": sorted({one["source"] for one in _sniffers[key].frames if not one["outgoing"]})}


# --- the loop --------------------------------------------------------------------------------------------------------

OPERATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    function.__name__: function for function in (listen, unlisten, probe, flow, talk, ping, sniff, sniffed, sources)
}
_out = threading.Lock()


def _work(request: dict[str, Any]) -> None:
    number = request.pop("id")
    try:
        answer = OPERATIONS[request.pop("do")](**request)
    except Exception as error:  # the asking side raises it
        answer = {"fault": f"{type(error).__name__}: {error}"}
    with _out:
        print(json.dumps({"id": number, **answer}), flush=True)


def main() -> None:
    """Answer requests until the asking side goes away."""
    for line in sys.stdin:
        threading.Thread(target=_work, args=(json.loads(line),), daemon=True).start()
    os._exit(0)


if __name__ == "__main__":
    main()
