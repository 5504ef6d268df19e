"""The names of the files of a state directory, and the version of the schema that this code writes."""

from __future__ import annotations

FILE = "state.db"
COPY = "state-copy.db"
LOG = "state-log"
BALLAST = "ballast"
LOCK = "lock"
VERSION = 2
