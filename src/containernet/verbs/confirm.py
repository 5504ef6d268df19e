"""Confirm a network that waits for it.

The rule of this file: it only gives the word; who waits for it does the rest. No store is opened: whoever waits for the
word has its lock.
"""

from __future__ import annotations

from containernet.kernel.door import KernelError
from containernet.model.errors import NotFound
from containernet.model.names import network_name
from containernet.verbs.attempt import explained
from containernet.verbs.watch import word_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from containernet.kernel.door import Kernel


def confirm(kernels: Callable[[], Kernel], state_dir: str, name: str, *, dry: bool) -> str:
    """Give the word that `create` waits for; return the network's name."""
    name = network_name(name)
    if not dry and not _said(kernels(), word_for(state_dir, name)):
        sentence = f"Nothing waits for {name} to be confirmed."
        raise NotFound("confirm-nothing", sentence, "It is there already, or was undone: 'cnet get' tells.")
    return name


def _said(kernel: Kernel, word: str) -> bool:
    try:
        return kernel.confirm(word)
    except KernelError as error:
        raise explained(error) from error
    finally:
        kernel.close()
