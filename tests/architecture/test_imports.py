"""Who may import whom, how large a file may be, and what no file may name.

The rule of this file: read the source with ``ast``, never import it, so that a forbidden import at any depth is seen.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "containernet"
LONGEST = 400  # lines of one file

DOORS = ("containernet.kernel.door", "containernet.store.door", "containernet.containers.door")
BASE = ("containernet.model", "containernet.plan")
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "model": ("containernet.model",),
    "plan": BASE,
    "drivers": (*BASE, "containernet.drivers"),
    "kernel": (*BASE, "containernet.kernel"),
    "store": (*BASE, "containernet.store"),
    "containers": (*BASE, "containernet.containers", "containernet.kernel.door"),
    "verbs": (*BASE, "containernet.drivers", "containernet.verbs", *DOORS),
    "services": (*BASE, "containernet.drivers", "containernet.verbs", "containernet.services", *DOORS),
    "agent": (*BASE, "containernet.verbs", "containernet.services", "containernet.agent", "containernet.bootstrap"),
    "cli": (*BASE, "containernet.verbs", "containernet.cli", "containernet.bootstrap"),
    "plugins": (*BASE, "containernet.verbs", "containernet.plugins", "containernet.bootstrap"),
    "this_host": (*BASE, "containernet.verbs", "containernet.agent"),
    "bootstrap": ("containernet",),  # the only one that names real adapters
    "bootstrap_agent": ("containernet",),  # and its half for the agent
    "__main__": ("containernet.cli", "containernet.model"),
    "__init__": ("containernet.bootstrap",),
}
PURE = ("model", "plan", "drivers")
IMPURE = frozenset(
    [
        "asyncio",
        "ctypes",
        "fcntl",
        "http",
        "io",
        "multiprocessing",
        "netlink",
        "os",
        "pathlib",
        "platform",
        "pty",
        "pyroute2",
        "random",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "socketserver",
        "sqlite3",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
        "_thread",
    ]
)
ADDRESS_TEXT = frozenset(f"_socket.{name}" for name in ("AF_INET", "AF_INET6", "inet_ntop", "inet_pton"))
HOT_PATH_IS_STDLIB = ("model", "plan", "drivers", "kernel", "store", "containers", "verbs", "cli", "bootstrap")


def modules() -> dict[str, Path]:
    """Return every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ["containernet", *path.relative_to(PACKAGE).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)] = path
    return found


def part_of(module: str) -> str:
    """Return the folder (or the single file) at the top of the package that a module belongs to."""
    return module.split(".")[1]


def type_only(node: ast.If) -> bool:
    """Tell whether an ``if`` is one for type checkers."""
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(path: Path, *, run_time: bool = False) -> Iterator[tuple[int, str]]:
    """Yield each import as (line, dotted name), those inside functions too; ``from a import b`` yields a.b."""
    hidden: set[int] = set()
    tree = ast.parse(path.read_text(), str(path))
    if run_time:
        tests = [node for node in ast.walk(tree) if isinstance(node, ast.If) and type_only(node)]
        hidden = {id(inner) for node in tests for child in node.body for inner in ast.walk(child)}
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(one + ".") for one in allowed)


def test_every_part_of_the_package_is_in_the_table() -> None:
    strangers = sorted({part_of(name) for name in modules()} - set(MAY_IMPORT))
    assert not strangers, f"not in the import table: {strangers}"


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_follow_the_table(part: str) -> None:
    wrong = []
    for name, path in modules().items():
        if part_of(name) == part:
            for line, imported in imports(path):
                assert not imported.startswith("."), f"{path}:{line}: write imports in full"
                ours = imported.split(".")[0] == "containernet" and imported != "containernet.__version__"
                if ours and not within(imported, MAY_IMPORT[part]):
                    wrong.append(f"{path.relative_to(ROOT)}:{line}: {imported}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("part", PURE)
def test_what_decides_does_nothing(part: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {imported}"
        for name, path in modules().items()
        if part_of(name) == part
        for line, imported in imports(path)
        if imported.split(".")[0] in IMPURE
    ]
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.func.id}()"
        for name, path in modules().items()
        if part_of(name) == part
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("open", "print", "input", "exec", "eval", "__import__")
    ]
    wrong += [  # of the C module behind socket, only the two functions that turn addresses into text and back
        f"{path.relative_to(ROOT)}:{line}: {imported}"
        for name, path in modules().items()
        if part_of(name) == part
        for line, imported in imports(path)
        if imported.startswith("_socket") and imported not in ADDRESS_TEXT
    ]
    assert not wrong + calls, "\n".join(wrong + calls)


def test_the_base_install_needs_the_standard_library_only() -> None:
    import sys

    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {imported}"
        for name, path in modules().items()
        if part_of(name) in HOT_PATH_IS_STDLIB
        for line, imported in imports(path)
        if (top := imported.split(".")[0]) not in sys.stdlib_module_names and top != "containernet"
    ]
    assert not wrong, "\n".join(wrong)


def graph() -> dict[str, set[str]]:
    """Return which module imports which at run time."""
    known = modules()
    edges: dict[str, set[str]] = {name: set() for name in known}
    for name, path in known.items():
        for _, imported in imports(path, run_time=True):
            target = imported if imported in known else imported.rpartition(".")[0]
            if target in known and target != name:
                edges[name].add(target)
    return edges


def cycle(edges: dict[str, set[str]]) -> list[str]:
    """Return one cycle, or nothing."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        found = next((loop for target in sorted(edges[name]) if (loop := visit(target, [*path, name]))), [])
        done.add(name)
        return found

    return next((loop for name in edges if (loop := visit(name, []))), [])


def test_no_import_goes_round() -> None:
    assert not (loop := cycle(graph())), " -> ".join(loop)


def test_this_test_can_see_a_cycle() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def committed() -> list[Path]:
    """Return every file that git knows or would take."""
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
        names = [name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # a checkout without git
        skip = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
        names = [
            str(p.relative_to(ROOT))
            for p in ROOT.rglob("*")
            if p.is_file() and not skip & set(p.relative_to(ROOT).parts)
        ]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_files_are_of_a_size_to_read() -> None:
    files = [path for path in committed() if path.suffix == ".py"]
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    assert not (large := {name: lines for name, lines in sizes.items() if lines > LONGEST}), large


def test_every_file_says_what_it_is() -> None:
    files = [path for path in committed() if path.suffix == ".py" and path.read_text().strip()]
    silent = [str(path.relative_to(ROOT)) for path in files if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent, silent


# Spelt in pieces, so that this file does not name them itself.
MACHINE = re.compile(
    "|".join(
        [
            "/" + "work/",
            "shared" + "/",
            "/root/\\." + "pyenv",
            "/tmp/" + "venv",
            "/tmp/" + "API",
            "pypi" + "\\.org",
            "artifact" + "ory",
            "index" + "-url",
            "proxy\\." + "golang",
        ]
    )
)


def test_nothing_names_the_machine_it_was_written_on() -> None:
    wrong = []
    for path in committed():
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        wrong += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(lines, 1)
            if MACHINE.search(line)
        ]
    assert not wrong, "\n".join(wrong)
