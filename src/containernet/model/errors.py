"""What can go wrong, sorted by who must act.

The rule of this file: every error that leaves ContainerNet is one of these classes, and carries a stable code for
programs, one sentence for people, one hint that says what to do, and the exit status of the command.
"""

from __future__ import annotations


class ContainerNetError(Exception):
    """The base of all errors raised on purpose.

    ``code`` is a stable, hyphenated word; ``hint`` one sentence (may be empty); ``exit_status`` the command's.
    """

    exit_status = 1
    kind = "error"

    def __init__(self, code: str, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.hint = hint


class Usage(ContainerNetError, ValueError):
    """You asked wrongly: the request can never work as it stands."""

    exit_status = 2
    kind = "usage"


class NotFound(ContainerNetError, LookupError):
    """What you named does not exist."""

    exit_status = 3
    kind = "not-found"


class Conflict(ContainerNetError):
    """It conflicts with what exists: remove that first, or ask for something else."""

    exit_status = 4
    kind = "conflict"


class NotPermitted(ContainerNetError, PermissionError):
    """You may not: run as root, or with the capabilities that the hint names."""

    exit_status = 5
    kind = "not-permitted"


class Missing(ContainerNetError):
    """Something is missing on this host: a package, a kernel feature, space on the disk."""

    exit_status = 6
    kind = "missing"


class Taken(ContainerNetError):
    """Somebody else has it now: another process, another program's link or table, the lock."""

    exit_status = 7
    kind = "taken"


class Different(ContainerNetError):
    """We did it, read it back, and the kernel says something else."""

    exit_status = 8
    kind = "different"


class Bug(ContainerNetError):
    """Our own fault: please report it."""

    exit_status = 70
    kind = "bug"
