"""The door to libnftables (libnftables(3)): nftables' own language in, one transaction out.

The rule of this file: it runs text and returns what the library says; only a table's definition goes this way, never
an element. The library is called with Python's lock held (``PyDLL``): no two threads are inside it at once.
"""

from __future__ import annotations

from ctypes import PyDLL, c_char_p, c_int, c_uint32, c_void_p
from errno import EEXIST, ENOENT, EPERM

from containernet.kernel.door import UNSUPPORTED, KernelError
from containernet.kernel.netlink import Refused

_SAID = (("File exists", EEXIST), ("No such file", ENOENT), ("Operation not permitted", EPERM))


def _library() -> PyDLL:
    try:
        library = PyDLL("libnftables.so.1")
    except OSError:
        raise KernelError(UNSUPPORTED, "libnftables is missing.", "Install it: apt install libnftables1.") from None
    library.nft_ctx_new.argtypes, library.nft_ctx_new.restype = [c_uint32], c_void_p
    for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error", "nft_ctx_free"):
        getattr(library, name).argtypes = [c_void_p]
    library.nft_run_cmd_from_buffer.argtypes, library.nft_run_cmd_from_buffer.restype = [c_void_p, c_char_p], c_int
    library.nft_ctx_get_error_buffer.argtypes, library.nft_ctx_get_error_buffer.restype = [c_void_p], c_char_p
    return library


def run(text: str) -> None:
    """Run commands as one transaction, in the network namespace of this thread."""
    library = _library()
    context = library.nft_ctx_new(0)
    try:
        library.nft_ctx_buffer_output(context)
        library.nft_ctx_buffer_error(context)
        if library.nft_run_cmd_from_buffer(context, text.encode()):
            said = (library.nft_ctx_get_error_buffer(context) or b"").decode(errors="replace")
            raise _refused(said)
    finally:
        library.nft_ctx_free(context)


def _refused(said: str) -> Refused:
    first = next((line.strip() for line in said.splitlines() if "Error" in line), said.strip())
    return Refused(next((number for words, number in _SAID if words in said), 22), f"nft: {first}")
