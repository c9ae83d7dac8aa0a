"""Pairs the figures of a sentence with those of its translation."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from depesche.fidelity.figure import Figure, Key, Meaning, Weight
from depesche.fidelity.figure_reader import Reading

__all__ = ["pairs", "unmatched"]


def unmatched(source: Reading, target: Reading) -> tuple[list[Figure], list[Figure]]:
    """Find the figures of `source` that `target` lacks, and those that only `target` has.

    Figures are paired whole first, then by their parts, as "24 to 26 November" states two dates in
    one language that another writes out. Each figure counts once.
    """
    missing, invented = _pair_whole(source.figures, target.figures)
    missing, invented = _pair_parts(missing, invented, source.mentions, target.mentions)
    return _weigh(missing, invented), _weigh(invented, missing)


def pairs(source: Reading, target: Reading) -> Iterator[tuple[Figure, Figure]]:
    """Find the figures of `source` and `target` that agree with each other and no others."""
    here, there = _holders(source.figures), _holders(target.figures)
    for index, figure in enumerate(source.figures):
        partners = _partners(figure, there)
        if len(partners) == 1:
            other = target.figures[partners.pop()]
            if _partners(other, here) == {index}:
                yield figure, other


def _holders(figures: Sequence[Figure]) -> dict[Key, list[int]]:
    """List which figures state a key; the first two tell whether it is one alone."""
    holders: defaultdict[Key, list[int]] = defaultdict(list)
    for index, figure in enumerate(figures):
        for key in figure.meaning.keys:
            if len(holders[key]) < 2:  # noqa: PLR2004 -- two are ambiguous already
                holders[key].append(index)
    return dict(holders)


def _partners(figure: Figure, holders: dict[Key, list[int]]) -> set[int]:
    return {index for key in figure.meaning.keys for index in holders.get(key, ())}


def _weigh(over: Sequence[Figure], other: Sequence[Figure]) -> list[Figure]:
    """Keep what is an error given what is over on the other side."""
    errors = {figure.weight for figure in other if figure.weight is not Weight.SOFT} | {Weight.FIRM}
    return [figure for figure in over if figure.weight in errors]


def _pair_whole(
    sources: Sequence[Figure], targets: Sequence[Figure]
) -> tuple[list[Figure], list[Figure]]:
    stock = _Stock(figure.meaning for figure in targets)
    missing = [figure for figure in _firm_first(sources) if stock.take(figure.meaning) is None]
    return _in_order(missing), [targets[index] for index in stock.left()]


def _pair_parts(
    sources: Sequence[Figure],
    targets: Sequence[Figure],
    source_mentions: frozenset[Key],
    target_mentions: frozenset[Key],
) -> tuple[list[Figure], list[Figure]]:
    """Pair what is over, a part with a whole or a part; units named anywhere count as said."""
    wholes = len(targets)
    parts = [(owner, part) for owner, figure in enumerate(targets) for part in figure.parts]
    stock = _Stock([figure.meaning for figure in targets] + [part for _, part in parts])
    missing = []
    for figure in _firm_first(sources):
        if stock.take(figure.meaning) is not None or _is_said(figure, target_mentions):
            continue
        taken = [stock.take(part) for part in figure.parts if not part.keys & target_mentions]
        if not figure.parts or None in taken:
            missing.append(figure)
    left = stock.left()
    unsaid = {
        parts[index - wholes][0]
        for index in left
        if index >= wholes and not parts[index - wholes][1].keys & source_mentions
    }
    over = [
        index
        for index in left
        if index < wholes
        and (
            index in unsaid
            or not (targets[index].parts or _is_said(targets[index], source_mentions))
        )
    ]
    return _in_order(missing), [targets[index] for index in over]


def _is_said(figure: Figure, mentions: frozenset[Key]) -> bool:
    """Tell whether the other text names all that the figure states, as a month may be."""
    return bool(figure.meaning.keys & mentions)


def _firm_first(figures: Sequence[Figure]) -> list[Figure]:
    """Let firm figures choose first, so that a "two" of idiom takes no 2 that a digit needs."""
    return sorted(figures, key=lambda figure: figure.weight is not Weight.FIRM)


def _in_order(figures: Sequence[Figure]) -> list[Figure]:
    return sorted(figures, key=lambda figure: figure.span.start)


class _Stock:
    """Meanings, each of which can be taken once by one that agrees with it."""

    def __init__(self, meanings: Iterable[Meaning]) -> None:
        self._free: list[bool] = []
        self._stating: defaultdict[Key, list[int]] = defaultdict(list)
        self._hinting: defaultdict[Key, list[int]] = defaultdict(list)
        for index, meaning in enumerate(meanings):
            self._free.append(True)
            for key in meaning.keys:
                self._stating[key].append(index)
            for key in meaning.hints:
                self._hinting[key].append(index)
        for holders in (*self._stating.values(), *self._hinting.values()):
            holders.reverse()

    def take(self, meaning: Meaning) -> int | None:
        """Take the first free one that agrees with `meaning`, stated before hinted."""
        pairs = (
            (meaning.keys, self._stating),
            (meaning.keys, self._hinting),
            (meaning.hints, self._stating),
        )
        for keys, holders in pairs:
            found = [i for key in keys if (i := self._first(holders.get(key, []))) is not None]
            if found:
                self._free[min(found)] = False
                return min(found)
        return None

    def left(self) -> list[int]:
        """Tell which are still free."""
        return [index for index, free in enumerate(self._free) if free]

    def _first(self, holders: list[int]) -> int | None:
        while holders and not self._free[holders[-1]]:
            holders.pop()
        return holders[-1] if holders else None
