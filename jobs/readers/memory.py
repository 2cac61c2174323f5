"""Memory that a reading is done with: given back to the system, for the engine in the same process needs it next."""

from __future__ import annotations

import ctypes

import pyarrow as pa


def give_back() -> None:
    """Return what is free to the system; the allocators would keep it, and the more of it the longer a file was."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU C library alone
    if trim:
        trim(0)
