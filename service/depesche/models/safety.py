"""What a file must be called and hold before a model may be made of it."""

import re

__all__ = ["HEAD_BYTES", "head_fault", "name_fault"]

HEAD_BYTES = 512
"""Bytes of a file's beginning that `head_fault` asks for; a shorter file is passed whole."""

# A part of a path begins with a letter, digit or underscore: none is absolute, hidden or "..".
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_LONGEST_NAME = 200
_SUFFIXES = (
    *(".bin", ".json", ".md", ".model", ".npz", ".safetensors"),
    *(".spm", ".tiktoken", ".txt", ".vocab", ".yaml", ".yml"),
)
# Such files of PyTorch are pickles even where their content has yet to be seen.
_PICKLED = re.compile(r"(.*/)?(pytorch_model|training_args|optimizer|scheduler)[^/]*\.bin")

_IS_PICKLE = (
    "is a pickle or an archive, which could run code when loaded; take .safetensors or .npz"
)

_PICKLE = re.compile(rb"\x80[\x01-\x0f]")
_ZIP = b"PK"
_ZIP_ENTRY = b"PK\x03\x04"
_ZIP_NAME = 30  # where an entry's name begins; its length stands four bytes before
# CTranslate2 begins with its format's version, a small 32-bit number.
_CTRANSLATE2 = re.compile(rb"[\x01-\x1f]\0\0\0")


def name_fault(name: str) -> str | None:
    """Tell why a file must not be taken by its name, relative to the model's folder.

    Returns:
        What goes after the name in an error, or None where the name stays within the folder and is
        that of a safe format.
    """
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        return "isn't a name within the model's folder"
    if _PICKLED.fullmatch(name.lower()):
        return _IS_PICKLE
    if not name.lower().endswith(_SUFFIXES):
        return f"isn't of a known safe format; known are {' '.join(_SUFFIXES)}"
    return None


def head_fault(name: str, head: bytes) -> str | None:
    """Tell why a file must not be taken by its first `HEAD_BYTES`, whatever its name.

    Returns:
        What goes after the name in an error, or None where the file is neither a pickle nor an
        archive other than NumPy's, and a `.bin` is CTranslate2's.
    """
    if _PICKLE.match(head) or (head.startswith(_ZIP) and not _is_npz(name, head)):
        return _IS_PICKLE
    if name.lower().endswith(".bin") and not _CTRANSLATE2.match(head):
        return "isn't weights of CTranslate2, as a .bin must be"
    return None


def _is_npz(name: str, head: bytes) -> bool:
    length = int.from_bytes(head[_ZIP_NAME - 4 : _ZIP_NAME - 2], "little")
    entry = head[_ZIP_NAME : _ZIP_NAME + length]
    is_entry = head.startswith(_ZIP_ENTRY) and entry.endswith(b".npy")
    return is_entry and name.lower().endswith(".npz")
