"""The one error of everything here that reads what came off the wire.

The rule of this file: whatever a packet holds, reading it gives a value or this; nothing else may leave a parser.
"""

from __future__ import annotations


class Malformed(ValueError):
    """The bytes are not what they claim to be; the sentence says why, for a log."""
