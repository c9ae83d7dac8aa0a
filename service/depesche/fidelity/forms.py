"""Short ways to write tables of word forms."""

from decimal import Decimal

__all__ = ["inflect", "values"]


def inflect(stem: str, endings: str) -> list[str]:
    """Write `stem` with each of the space-separated `endings`; "-" is no ending."""
    return [stem + ending.strip("-") for ending in endings.split()]


def values(lines: str) -> dict[str, Decimal]:
    """Read lines of a value and the forms that mean it."""
    rows = (line.split() for line in lines.strip().splitlines())
    return {form: Decimal(value) for value, *forms in rows for form in forms}
