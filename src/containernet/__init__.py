"""ContainerNet: a network for any Linux container.

``from containernet import ContainerNet`` is the whole public door; importing the package itself loads nothing else.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.bootstrap import ContainerNet as ContainerNet

__version__ = "0.1.0"
__all__ = ["ContainerNet", "__version__"]


def __getattr__(name: str) -> object:
    if name == "ContainerNet":
        from containernet.bootstrap import ContainerNet

        return ContainerNet
    raise AttributeError(f"module 'containernet' has no attribute {name!r}")
