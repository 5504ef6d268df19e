"""Installing what the host lacks, by its own package manager (apt-get(8)).

The rule of this file: only packages named in the code, only when a person said yes, and no shell.
"""

from __future__ import annotations

import os
import subprocess

from containernet.kernel.door import OTHER, KernelError

KNOWN = ("libnftables1", "nftables")


def install(package: str) -> None:
    """Install one of the packages that we know."""
    if package not in KNOWN:
        raise KernelError(OTHER, f"{package!r} is no package of ours.")
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", package]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        raise KernelError(OTHER, f"apt-get cannot be run: {error.strerror}.", f"Install {package} by hand.") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
        raise KernelError(OTHER, f"apt-get could not install {package}: {last[0]}", f"Install {package} by hand.")
