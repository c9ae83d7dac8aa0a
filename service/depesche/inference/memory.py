"""Keeping the process small: glibc's allocator holds on to what inference has freed.

Its default grows a heap for each thread, raises the size from which memory is given back at once
with every large block that is freed, and so ends some 200 MB above what is in use (mallopt(3)).
Elsewhere than on glibc these functions do nothing.
"""

import ctypes
from functools import cache

__all__ = ["limit_heaps", "release_free_memory"]

# From <malloc.h>.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_ARENAS = 2
# Blocks from this size are mapped, and unmapped when freed. Most of a decoding step's tensors are
# smaller; mapping those too made decoding a third slower.
_MAPPED_BYTES = 4 * 1024 * 1024


@cache
def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None


def limit_heaps() -> None:
    """Hold the allocator to two heaps and to mapping large blocks; call before loading models."""
    if library := _glibc():
        library.mallopt(_M_ARENA_MAX, _ARENAS)
        library.mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)


def release_free_memory() -> None:
    """Give free pages back to the system; takes some milliseconds."""
    if library := _glibc():
        library.malloc_trim(0)
