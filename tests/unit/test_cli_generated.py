"""What is made from the command table: help, completion, the man page, the reference, the files of an installation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli_kit import Console, on_stub  # noqa: F401

from containernet.cli import complete, manual, reference, share, table
from containernet.cli.grammar import COMMAND

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "share/commands/cnet"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands as an installation makes them: under their names, with this Python, on the PATH."""
    text = (
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT / 'src')!r})\n"
        + SCRIPT.read_text().partition("\n")[2]
    )
    for name in ("cnet", *table.CMDLETS):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


@pytest.mark.parametrize("verb", list(table.BY_VERB))
def test_help_on_every_verb_names_all_it_takes(cnet: Console, verb: str) -> None:
    said = cnet(*verb.split(), "--help")
    assert said.status == 0 and table.BY_VERB[verb].summary in said.out
    for param in table.BY_VERB[verb].params:
        assert all(name in said.out for name in param.verb)
    assert max(map(len, said.out.splitlines())) <= 100
    assert cnet("help", *verb.split()[:1]).out.find(said.out) >= 0
    assert cnet(*verb.split(), "-?").out == said.out


@pytest.mark.parametrize("cmdlet", table.CMDLETS)
def test_help_on_every_cmdlet_names_all_it_takes(cnet: Console, cmdlet: str) -> None:
    said = cnet(cmdlet, "-?")
    command = table.BY_CMDLET[cmdlet.lower()]
    assert said.status == 0 and all(f"-{p.cmdlet[0]}" in said.out for p in command.params if p.cmdlet)
    assert max(map(len, said.out.splitlines())) <= 100
    assert cnet("help", cmdlet.upper()).out == said.out == cnet(cmdlet, "--help").out


def test_the_overview_names_every_command(cnet: Console) -> None:
    out = cnet("help").out
    assert all(f"\n  {command.verb} " in out for command in table.COMMANDS)
    assert all(cmdlet in out for cmdlet in table.CMDLETS)
    assert cnet().out == cnet("--help").out == cnet("-h").out == out


def test_version(cnet: Console) -> None:
    from containernet import __version__

    assert cnet("--version").out == cnet("get", "--version").out == f"cnet {__version__}\n"


def test_no_two_parameters_of_a_command_share_a_name() -> None:
    for command in table.COMMANDS:
        for names in (
            [n for p in command.params for n in p.verb],
            [n.lower() for p in command.params for n in p.cmdlet],
        ):
            assert len(names) == len(set(names)), command.verb
        assert all(p.kind != COMMAND for p in command.params[:-1])


def test_every_file_under_share_is_what_the_table_makes() -> None:
    made = share.files()
    assert {name for name in made if not (ROOT / "share" / name).is_file()} == set()
    stale = [name for name, text in made.items() if (ROOT / "share" / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run: cnet __share share"
    kept = {str(path.relative_to(ROOT / "share")) for path in (ROOT / "share").rglob("*") if path.is_file()}
    assert {name for name in kept if not name.startswith(("commands/", "systemd/"))} == set(made)


def test_every_command_of_the_table_is_installed() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    for name in ("cnet", *table.CMDLETS):
        assert (ROOT / "share/commands" / name).resolve() == SCRIPT
        assert f'"share/commands/{name}"' in text


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_the_man_page_has_no_mistake() -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-b", "-Tutf8", "-P-cbou"], input=manual.page(), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    words = " ".join(done.stdout.replace("\u2010", "-").replace("\u2212", "-").split())
    assert all(f"cnet {command.verb}" in words for command in table.COMMANDS)
    assert "cnet join CONTAINER NETWORK [--ip IP]..." in words


def test_the_reference_has_every_command_and_parameter() -> None:
    text = reference.reference_markdown()
    for command in table.COMMANDS:
        assert f"### cnet {command.verb}\n" in text
        assert all(name in text for param in command.params for name in (*param.verb, *(f"-{n}" for n in param.cmdlet)))


def names(*words: str) -> list[str]:
    """The candidates, without what they are about."""
    return [name for name, _ in complete.candidates(list(words))]


COMPLETED = [
    (("cnet", "jo"), ["join"]),
    (("cnet", "re"), ["renew", "release", "repair", "restore"]),
    (("cnet", "conf"), ["confirm", "config"]),
    (("cnet", "config", ""), ["get", "set", "list"]),
    (("cnet", "join", ""), ["Container1"]),
    (("cnet", "join", "Container1", ""), ["cnet1", "db"]),
    (("cnet", "join", "--ip", "1", "Container1", "c"), ["cnet1"]),
    (("cnet", "--json", "get", ""), ["cnet1", "db"]),
    (("cnet", "open", "a", "b", "--protocol", ""), ["tcp", "udp", "sctp"]),
    (("cnet", "open", "a", "b", "--in"), ["--internal-port"]),
    (("cnet", "close", "--id", ""), ["1"]),
    (("cnet", "leave", "a", "b", "--endpoint", ""), ["Container1_cnet1"]),
    (("cnet", "config", "get", ""), ["port-range"]),
    (("cnet", "completion", ""), ["bash", "zsh", "fish"]),
    (("cnet", "--state-dir", "x", "de"), ["destroy"]),
    (("cnet", "--st"), ["--state-dir"]),
    (("cnet", "get", "--state-dir", ""), [":directories"]),
    (("cnet", "exec", "c", "--", ""), [":files"]),
    (("cnet", "exec", "c", ""), [":files"]),
    (("cnet", "exec", "c", "--", "ls", "-"), [":files"]),
    (("cnet", "get", "--", ""), ["cnet1", "db"]),
    (("cnet", "run", "--network", ""), ["cnet1", "db"]),
    (("/usr/bin/Join-ContainerNetwork", "Container1", ""), ["cnet1", "db"]),
    (("Join-ContainerNetwork", "-Int"), ["-InterfaceName"]),
    (("cnet", "Open-ContainerPort", "-Protocol", "u"), ["udp"]),
    (("cnet", "nosuch", ""), []),
    (("cnet",), []),
]


@pytest.mark.parametrize(("words", "expected"), COMPLETED, ids=[" ".join(words) for words, _ in COMPLETED])
def test_completion_offers(
    cnet: Console, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], expected: list[str]
) -> None:
    monkeypatch.setattr(complete, "NAMESPACES", "/nowhere")
    assert names(*words) == expected


def test_completion_offers_namespaces_to_join(cnet: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "web").touch()
    monkeypatch.setattr(complete, "NAMESPACES", str(tmp_path))
    assert names("cnet", "join", "") == ["web", "Container1"]


def test_completion_is_silent_when_something_is_wrong(cnet: Console) -> None:
    cnet.net.results["get"] = RuntimeError("boom")
    said = cnet("__complete", "cnet", "get", "")
    assert (said.status, said.out, said.err) == (0, "", "")


def test_an_option_is_offered_once_unless_it_may_be_repeated(cnet: Console) -> None:
    assert names("cnet", "join", "a", "b", "--mac", "x", "--ma") == []
    assert names("cnet", "join", "a", "b", "--ip", "x", "--ip") == ["--ip"]


SHELLS = {
    "bash": (
        'source <(cnet completion bash); COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=($COMP_LINE); '
        '[[ $COMP_LINE == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); _cnet; printf "%s\\n" "${{COMPREPLY[@]}}"; '
        "complete -p Join-ContainerNetwork >/dev/null"
    ),
    "fish": 'cnet completion fish | source; complete -C "{line}" | string split -f1 \\t',
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cnet jo", ["join"]),
        ("cnet open a b --protocol ", ["tcp", "udp", "sctp"]),
        ("Join-ContainerNetwork -Int", ["-InterfaceName"]),
    ],
)
def test_the_shell_itself_completes(
    installed: Path, tmp_path: Path, shell: str, line: str, expected: list[str]
) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    flags = ["--norc", "--noprofile"] if shell == "bash" else ["--no-config"]
    done = subprocess.run(
        [shell, *flags, "-c", SHELLS[shell].format(line=line)],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert (sorted(done.stdout.split()), done.stderr) == (sorted(expected), "")


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_completes(installed: Path, tmp_path: Path) -> None:
    script = (
        "autoload -Uz compinit && compinit -u; source <(cnet completion zsh); "
        '_describe() { print -l -- "${(@P)3}" | cut -d: -f1 }; words=(cnet open a b --protocol ""); CURRENT=6; '
        "_cnet; [[ ${_comps[Join-ContainerNetwork]} == _cnet ]]"
    )
    done = subprocess.run(
        ["zsh", "-f", "-c", script], capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["tcp", "udp", "sctp"], "")


def test_the_command_says_its_version(installed: Path) -> None:
    done = subprocess.run(["cnet", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("cnet 0.")


@pytest.mark.parametrize(
    ("redirect", "status"),
    [("| true; echo ${PIPESTATUS[0]}", {"141"}), (">/dev/full; echo $?", {"1"}), (">&-; echo $?", {"0"})],
)
def test_a_standard_output_that_does_not_take_it_leaves_no_traceback(
    installed: Path, redirect: str, status: set[str]
) -> None:
    done = subprocess.run(["bash", "-c", f"(sleep 0.1; cnet help join) {redirect}"], capture_output=True, text=True)
    assert done.stdout.strip() in status
    assert "Traceback" not in done.stderr and "ignored" not in done.stderr


HEAVY = {
    "argparse",
    "re",
    "json",
    "typing",
    "dataclasses",
    "shutil",
    "logging",
    "subprocess",
    "pathlib",
    "textwrap",
    "socket",
    "enum",
    "gettext",
    "locale",
}


@pytest.mark.parametrize(
    "line", ["join c n", "leave c n", "open c n --internal-port 1", "close --id 1", "Join-ContainerNetwork c n"]
)
def test_the_path_of_the_frequent_verbs_is_lean(line: str) -> None:
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT / 'src')!r}]\n"
        "class Net:\n"
        "    def __init__(self, *a, **k): pass\n"
        "    def __getattr__(self, name): raise KeyboardInterrupt\n"
        "sys.modules['containernet.bootstrap'] = type(sys)('b'); sys.modules['containernet.bootstrap'].ContainerNet = Net\n"
        "from containernet.cli.main import main\n"
        f"status = main({line.split()!r}); import containernet.cli.verbs, containernet.cli.cmdlets\n"
        "print(status, *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    status, *loaded = done.stdout.split()
    assert (status, HEAVY & set(loaded)) == ("130", set())


def test_reading_a_command_line_is_quick() -> None:
    from containernet.cli import options

    began = time.perf_counter()
    for _ in range(200):
        options.read(table.JOIN, ["c", "n", "--ip", "1.2.3.4", "-p", "80:80"])
    assert (time.perf_counter() - began) / 200 < 0.002
