"""The files under share/ that an installation puts where shells and `man` look: all made from the command table.

The rule of this file: `cnet __share share` writes them, a test holds that they are what the table gives.
"""

from __future__ import annotations

from containernet.cli import manual, shells
from containernet.cli.table import CMDLETS

BASH, ZSH, FISH, MAN = "bash-completion/completions", "zsh/site-functions", "fish/vendor_completions.d", "man/man1"


def files() -> dict[str, str]:
    """Return the path under share/ and the text of every file."""
    made = {f"{MAN}/cnet.1": manual.page(), f"{ZSH}/_cnet": shells.script("zsh")}
    made |= {f"{MAN}/{name}.1": ".so man1/cnet.1\n" for name in CMDLETS}
    for name in ("cnet", *CMDLETS):  # these two shells look a script up by the name of the command
        made[f"{BASH}/{name}"] = shells.script("bash")
        made[f"{FISH}/{name}.fish"] = shells.script("fish")
    return made


def write(directory: str) -> None:
    """Write them all below ``directory``."""
    from pathlib import Path

    for name, text in files().items():
        path = Path(directory, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
