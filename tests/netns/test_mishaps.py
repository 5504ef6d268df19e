"""A host that is not as it should be: no rights, no space, no library, a damaged store, a full bridge."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kit.lab import LAN4, Lab
from kit.setup import joined, opened, refused

CHANGES = ("create n2 --nat", "join c2 n1", "leave c1 n1", "open c1 n1 --internal-port 80", "destroy n1 --force")
NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all{0} --ambient-caps=-all{0}".format(
    ",+dac_read_search"  # may read the checkout, wherever that lies, and nothing else
)
POWERLESS = "setpriv --bounding-set=-all --inh-caps=-all"
FILL = """
cd /var/lib/containernet
dd if=/dev/zero of=filler bs=4k 2>/dev/null || true
dd if=/dev/zero of=filler2 bs=64 2>/dev/null || true
"""


@pytest.fixture
def ready(lab: Lab) -> Lab:
    """A lab with a container on a network, a port of it, and a container that has not joined."""
    joined(lab)
    opened(lab, 50000, 80)
    lab.container("c2")
    return lab


@pytest.mark.parametrize("who", [NOBODY, POWERLESS], ids=["nobody", "root without capabilities"])
def test_without_the_rights(ready: Lab, who: str) -> None:
    before = ready.world()
    for change in CHANGES:
        words = ready.command(*change.split())[len(ready.host.enter) :]
        done = ready.host.result(*who.split(), *words, env=ready.env)
        assert done.returncode == 5, (change, done.returncode, done.stderr)
        assert "Traceback" not in done.stderr
        assert "root" in done.stderr or "CAP_" in done.stderr
    assert ready.world() == before
    assert [view["name"] for view in ready.json("endpoint")] == ["c1_n1"]
    assert [network["name"] for network in ready.json("get")] == ["n1"]


def test_a_full_disk(lab: Lab) -> None:
    lab.host.sh("mount -t tmpfs -o size=1m tmpfs /var/lib/containernet")
    joined(lab)
    lab.container("c2")
    opened(lab, 50000, 80)
    lab.host.sh(FILL)
    said = refused(lab, "create", "n2", "--nat", status=6)
    assert "space" in said or "full" in said
    refused(lab, "join", "c2", "n1", status=6)
    assert [view["name"] for view in lab.json("endpoint")] == ["c1_n1"]
    lab.cnet("leave", "c1", "n1")  # leave works all the same
    assert lab.json("endpoint") == []
    assert lab.json("ports") == []
    lab.host.sh("rm /var/lib/containernet/filler*")
    joined(lab, "c2")


def files(lab: Lab) -> list[Path]:
    """Return every file of the state directory."""
    return [path for path in (lab.directory / "state").rglob("*") if path.is_file()]


def database(lab: Lab) -> Path:
    """Return the file of the store: of all SQLite files, the one with the shortest name."""
    found = [path for path in files(lab) if path.read_bytes()[:15] == b"SQLite format 3"]
    assert found, f"no SQLite file among {files(lab)}"
    return min(found, key=lambda path: len(str(path)))


def damaged(raw: bytes, how: str) -> bytes:
    """Return the bytes of a file as some accident leaves them."""
    return {
        "header": b"\xff" * 100 + raw[100:],
        "truncated": raw[: len(raw) // 1024 * 512 + 100],
        "empty": b"",
        "garbage": b"not a database at all\n" * 500,
        "middle": raw[:4096] + b"\xa5" * (len(raw) - 4096),
    }[how]


@pytest.mark.parametrize("how", ["header", "truncated", "empty", "garbage", "middle"])
def test_a_damaged_store_is_put_aside_and_rebuilt(ready: Lab, how: str) -> None:
    """Said aloud, kept for inspection, rebuilt from the kernel's marks: running containers do not notice."""
    c1 = ready.inside("c1")
    path = database(ready)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for extra in ("-wal", "-shm"):
        path.with_name(path.name + extra).unlink(missing_ok=True)
    raw = damaged(path.read_bytes(), how)
    path.write_bytes(raw)
    done = ready.result("repair")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    if raw:
        assert done.stderr.strip(), "said nothing of it"
        assert [other for other in files(ready) if other.read_bytes() == raw], "the damaged file was not kept"
    assert c1.ping(LAN4)
    assert c1.ping("192.168.1.1")
    assert [network["name"] for network in ready.json("get")] == ["n1"]
    assert [(view["container"], view["network"]) for view in ready.json("endpoint")] == [("c1", "n1")]
    assert [port["external_first"] for port in ready.json("ports")] == [50000]
    ready.cnet("join", "c2", "n1")
    ready.cnet("leave", "c1", "n1")
    ready.cnet("leave", "c2", "n1")
    ready.cnet("destroy", "n1")
    assert "link cn-" not in ready.world()
    assert "link ce-" not in ready.world()


def test_a_store_of_a_later_version_is_left_untouched(ready: Lab) -> None:
    path = database(ready)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9999")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = path.read_bytes()
    for command in ("create n2 --nat", "leave c1 n1", "repair", "get"):
        said = refused(ready, *command.split())
        assert "version" in said or "newer" in said
    assert path.read_bytes() == before


def test_a_state_directory_that_cannot_be(lab: Lab) -> None:
    lab.host.sh("echo > /run/afile")
    for where in ("/run/afile", "/proc/nowhere", "/sys/nowhere"):
        refused(lab, "create", "n1", "--nat", "--state-dir", where)


def test_a_read_only_state_directory(ready: Lab) -> None:
    ready.host.sh("mount -o remount,bind,ro /var/lib/containernet")
    for command in ("create n2 --nat", "join c2 n1"):
        refused(ready, *command.split())


def test_a_host_without_nftables(ready: Lab) -> None:
    """The library cannot be loaded: said with the package's name, before anything is touched."""
    found = ready.host.sh("readlink -f $(ldconfig -p | sed -n 's/.*libnftables.so.1 .*=> //p' | head -n1)").strip()
    ready.host.sh(f"echo > /run/nothing; mount --bind /run/nothing {found}")
    done = ready.result("create", "n2", "--nat")
    ready.host.sh(f"umount {found}")
    assert done.returncode == 6, done.stderr
    assert "libnftables1" in done.stderr
    assert [network["name"] for network in ready.json("get")] == ["n1"]
    assert "cn-2" not in ready.world()


def test_a_full_bridge(ready: Lab) -> None:
    """A bridge has 1,023 ports; strangers' veths fill ours here, because only the number counts."""
    bridge = ready.json("create", "wide", "--nat", "--subnet", "10.20.0.0/16")["bridge"]
    lines = []
    for number in range(512):
        lines += [f"link add fa{number} type veth peer name fb{number}"]
        lines += [f"link set fa{number} master {bridge}", f"link set fb{number} master {bridge}"]
    ready.host.run("ip", "-batch", "-", text="\n".join(lines[:-1]) + "\n", timeout=60)
    said = refused(ready, "join", "c2", "wide")
    assert "1,023" in said or "1023" in said
