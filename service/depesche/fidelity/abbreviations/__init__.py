"""Abbreviations, and organisations and countries in Khmer, with the English that stands for them.

Each `<language>.tsv` holds one entry a line: the source's form, a tab, then the English forms that
may stand for it, split by `|`, the one to propose first. A form that ends in `*` accepts any
ending. Lines that begin with `#` are comments.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from depesche.types import Language

__all__ = ["expansions"]


@cache
def expansions(language: Language) -> Mapping[str, tuple[str, ...]]:
    """Map each known form of `language` to the English forms that may stand for it."""
    file = resources.files(__name__) / f"{language}.tsv"
    if not file.is_file():
        return MappingProxyType({})
    rows = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    pairs = (row.split("\t") for row in rows)
    return MappingProxyType({source: tuple(forms.split("|")) for source, forms in pairs})
