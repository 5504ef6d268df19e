"""The resolv.conf of containers: files in /etc/netns that stand for /etc/resolv.conf there (ip-netns(8)).

The rule of this file: a file is ours if its first line says so, and the only thing that is ever overwritten or deleted;
what was there before is moved aside, once, and moved back. Whatever is seen at a path is whole: files and directories
are made under another name first. Who is killed leaves traces that the next one finds by their names.
"""

from __future__ import annotations

import os
from stat import S_IMODE, S_ISREG

from containernet.kernel.door import ABSENT, EXISTS, KernelError
from containernet.model.names import is_name
from containernet.model.record import record
from containernet.plan import objects
from containernet.plan.objects import FORMER, Resolver
from containernet.plan.resolver import content, parsed

MODE = 0o644
LONGEST = 65_536  # characters that are looked at: ours has a few hundred
FRESH, HALF = ".resolv.conf.new-cnet", ".new-cnet"  # what ends a name in /etc/netns


@record
class Found:
    """What is at the path: something or not; the object, if it is ours; whether its directory was made for it."""

    there: bool
    ours: Resolver | None = None
    made: bool = False


def has(wanted: Resolver) -> bool:
    """Tell whether a file is there exactly so."""
    return _found(wanted.name).ours == wanted


def read() -> set[Resolver]:
    """Return all files of ours, and what is left of some, of any store."""
    try:
        entries = os.listdir(objects.ETC)
    except FileNotFoundError:
        return set()
    found: set[Resolver] = set()
    for name, traces in _names(entries).items():
        state = _found(name)
        if state.ours:
            found.add(state.ours)
        elif traces - {FORMER} or (traces and not state.there):
            found.add(_of(name))
    return found


def _names(entries: list[str]) -> dict[str, set[str]]:
    """Return the names of containers, each with the endings of what is beside its directory."""
    found: dict[str, set[str]] = {one: set() for one in entries if is_name(one)}
    for one in entries:
        end = next((end for end in (FORMER, FRESH, HALF) if one.startswith(".") and one.endswith(end)), "")
        name = one[1:].removesuffix(end)
        if end and is_name(name):
            found.setdefault(name, set()).add(end)
    return found


def _of(name: str) -> Resolver:
    return Resolver(name, (), (), 0)


def _found(name: str) -> Found:
    path = _of(name).path
    try:
        state = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return Found(False)
    if not S_ISREG(state.st_mode):
        return Found(True)
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        known = parsed(file.read(LONGEST))
    if known is None or known[0].name != name:
        return Found(True)
    one, made = known
    whole = S_IMODE(state.st_mode) == MODE and state.st_size < LONGEST
    return Found(True, one if whole else Resolver(name, (), (), one.mark), made)


def add(thing: Resolver) -> None:
    """Put a file where none of ours is."""
    _sweep(thing.name)
    found = _found(thing.name)
    if found.ours:
        raise KernelError(EXISTS, f"The file {thing.path} is there already, of store {found.ours.mark:08x}.")
    _put(thing, found)


def change(thing: Resolver) -> None:
    """Put a file in the place of one of ours, or of what is left of it."""
    traces = _sweep(thing.name)
    found = _found(thing.name)
    if not (found.there or traces or os.path.lexists(thing.former)):
        raise KernelError(ABSENT, f"There is no file {thing.path}.")
    if found.ours and found.ours.mark != thing.mark:
        raise KernelError(EXISTS, f"The file {thing.path} is of store {found.ours.mark:08x}, not ours.")
    _put(thing, found)


def remove(thing: Resolver) -> None:
    """Take a file of ours away; what was there before is there again."""
    traces = _sweep(thing.name)
    found = _found(thing.name)
    folder = os.path.dirname(thing.path)
    if found.there and (found.ours is None or found.ours.mark != thing.mark):
        if not traces:
            raise KernelError(ABSENT, f"There is no file of ours at {thing.path}.")
    elif os.path.lexists(thing.former):
        _directory(folder)
        os.rename(thing.former, thing.path)
    elif found.made and os.listdir(folder) == [os.path.basename(thing.path)]:
        os.rename(folder, _beside(thing.name, HALF))
        _sweep(thing.name)
    elif found.there:
        os.unlink(thing.path)
    elif not traces:
        raise KernelError(ABSENT, f"There is no file {thing.path}.")


def _beside(name: str, end: str) -> str:
    return f"{objects.ETC}/.{name}{end}"


def _sweep(name: str) -> bool:
    """Remove what was being made when somebody was killed; tell whether there was something."""
    fresh, half = _beside(name, FRESH), _beside(name, HALF)
    there = [path for path in (fresh, half) if os.path.lexists(path)]
    if fresh in there:
        os.unlink(fresh)
    if half in there:
        for one in os.listdir(half):
            os.unlink(f"{half}/{one}")
        os.rmdir(half)
    return bool(there)


def _put(thing: Resolver, found: Found) -> None:
    """Write a file; one of somebody else that is in its place is moved aside."""
    foreign = found.there and not found.ours
    if foreign and os.path.lexists(thing.former):
        raise KernelError(
            EXISTS, f"The file {thing.path} is somebody else's, and so is {thing.former}: both are left as they are.",
            "Remove one of them; 'cnet repair' then writes ours.",
        )  # fmt: skip
    folder = os.path.dirname(thing.path)
    try:
        if os.path.isdir(folder):
            _replace(thing, found.made, foreign)
        else:
            _with_directory(thing, folder)
    except OSError:
        _sweep(thing.name)
        raise


def _replace(thing: Resolver, made: bool, foreign: bool) -> None:
    fresh = _beside(thing.name, FRESH)
    _write(fresh, content(thing, made))
    if foreign:
        os.rename(thing.path, thing.former)
    try:
        os.rename(fresh, thing.path)
    except OSError:
        if foreign:
            os.rename(thing.former, thing.path)
        raise


def _with_directory(thing: Resolver, folder: str) -> None:
    """Make a file and its directory at once."""
    _directory(objects.ETC)
    half = _beside(thing.name, HALF)
    _directory(half)
    _write(f"{half}/{os.path.basename(thing.path)}", content(thing, made=True))
    os.rename(half, folder)


def _directory(path: str) -> None:
    """Make a directory that everybody may look into, if it is not there."""
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    os.chmod(path, 0o755)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
    with open(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, MODE)
        file.write(text)
