"""Names that people give, checked before they become a path, a link, a key or nft text.

The rule of this file: nothing that a person or a runtime typed goes further down than here unchecked.
"""

from __future__ import annotations

from containernet.model.errors import Usage

LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = frozenset("0123456789")
_LABEL = LETTERS | DIGITS | frozenset("-")
INSIDE = LETTERS | DIGITS | frozenset("_.-")
LONGEST = 63  # a DNS label (RFC 1035, 2.3.4): names become host names
LONGEST_LINK = 15  # IFNAMSIZ - 1 (linux/if.h)
FOLDERS = ("/run/netns", "/var/run/netns")  # of the namespaces that have a name (ip-netns(8))


def network_name(text: str) -> str:
    """Return ``text`` if it can name a network; raise :class:`Usage` if not."""
    return _name("network", text)


def container_name(text: str) -> str:
    """Return ``text`` if it can name a container that is neither a pid nor a path; raise :class:`Usage` if not."""
    return _name("container", text)


def _name(what: str, text: str) -> str:
    if not text:
        raise Usage("name-invalid", f"The name of the {what} is empty.", _NAME_HINT)
    if len(text) > LONGEST:
        raise Usage(
            "name-invalid", f"The {what} name {shown(text)} has {len(text)} characters, {LONGEST} at most.", _NAME_HINT
        )
    if text[0] not in LETTERS | DIGITS or not INSIDE.issuperset(text):
        raise Usage("name-invalid", f"{shown(text)} cannot be the name of a {what}.", _NAME_HINT)
    return text


_NAME_HINT = "Names have 1 to 63 letters, digits, '-', '_' or '.', and begin with a letter or a digit."


def is_name(text: str) -> bool:
    """Tell whether ``text`` can name a network or a container."""
    return 0 < len(text) <= LONGEST and text[0] in LETTERS | DIGITS and INSIDE.issuperset(text)


def namespace_name(path: str) -> str:
    """Return the name of the named namespace at a path, "" if it has none, or one that cannot name a container."""
    folder, _, name = path.rpartition("/")
    return name if folder in FOLDERS and is_name(name) else ""


def link_name(text: str) -> str:
    """Return ``text`` if it can name an interface inside a container (Linux: dev_valid_name)."""
    if (
        not 0 < len(text) <= LONGEST_LINK
        or not INSIDE.issuperset(text)
        or text[0] not in LETTERS | DIGITS
        or text == "lo"
    ):
        raise Usage(
            "interface-invalid",
            f"{shown(text)} cannot be the name of an interface.",
            "They have 1 to 15 letters, digits, '-', '_' or '.', begin with a letter or a digit, and are not 'lo'.",
        )
    return text


def host_name(text: str) -> str:
    """Return ``text`` if a DHCP server may be told that it is a host's name (RFC 1123, 2.1)."""
    labels = text.split(".")
    if len(text) > 253 or not all(
        0 < len(one) <= LONGEST and _LABEL.issuperset(one) and "-" not in (one[0], one[-1]) for one in labels
    ):
        hint = "Host names have letters, digits and '-', and dots between their parts of 63 characters at most."
        raise Usage("hostname-invalid", f"{shown(text)} is not the name of a host.", hint)
    return text


def mac_address(text: str) -> str:
    """Return a unicast MAC address in the form ``02:00:00:00:00:01``; raise :class:`Usage` if it is none."""
    parts = text.lower().replace("-", ":").split(":")
    try:
        octets = [int(part, 16) for part in parts if len(part) == 2 and "+" not in part and "_" not in part]
    except ValueError:
        octets = []
    if len(octets) != 6 or len(parts) != 6 or octets[0] & 1 or not any(octets):
        raise Usage(
            "mac-invalid",
            f"{shown(text)} is not the MAC address of one interface.",
            "Write it as 02:00:00:00:00:01; the first byte is even.",
        )
    return ":".join(f"{octet:02x}" for octet in octets)


def label(text: str) -> tuple[str, str]:
    """Return ``KEY=VALUE`` as a pair; raise :class:`Usage` if it has no key or is not printable."""
    key, equals, value = text.partition("=")
    if not key or not equals or not text.isprintable() or len(text) > 1024:
        raise Usage(
            "label-invalid",
            f"{shown(text)} is not a label.",
            "Write labels as KEY=VALUE, printable, at most 1,024 characters.",
        )
    return key, value


def shown(text: str) -> str:
    """Return ``text`` as it may be printed: quoted, control characters escaped, cut when it is long."""
    safe = ascii(text)
    return safe if len(safe) <= 80 else safe[:76] + "..." + safe[0]
