"""Tables of plain text."""

from collections.abc import Sequence

__all__ = ["aligned"]


def aligned(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> str:
    """Write rows as a table whose columns are as wide as they must be.

    Args:
        rows: the cells of each, as many in all.
        numbers: whether all columns but the first are numbers, which stand at the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if numbers and place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip() + "\n")
    return "".join(lines)
