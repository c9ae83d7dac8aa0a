"""Pairs the figures of a sentence with those of its translation."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from depesche.fidelity.figure import Figure, Key, Weight
from depesche.fidelity.figure_reader import Reading

__all__ = ["unmatched"]


def unmatched(source: Reading, target: Reading) -> tuple[list[Figure], list[Figure]]:
    """Find the figures of `source` that `target` lacks, and those that only `target` has.

    Figures are paired whole first, then by their parts, as "24 to 26 November" states two dates in
    one language that another writes out. Each figure counts once.
    """
    missing, invented = _pair_whole(source.figures, target.figures)
    missing, invented = _pair_parts(missing, invented, source.mentions, target.mentions)
    return _weigh(missing, invented), _weigh(invented, missing)


def _weigh(over: Sequence[Figure], other: Sequence[Figure]) -> list[Figure]:
    """Keep what is an error given what is over on the other side."""
    names = any(figure.weight is Weight.NAME for figure in other)
    errors = (Weight.FIRM, Weight.NAME) if names else (Weight.FIRM,)
    return [figure for figure in over if figure.weight in errors]


def _pair_whole(
    sources: Sequence[Figure], targets: Sequence[Figure]
) -> tuple[list[Figure], list[Figure]]:
    stock = _Stock(figure.keys for figure in targets)
    # Firm figures choose first, so that a "two" of idiom doesn't take the 2 that a digit needs.
    order = sorted(range(len(sources)), key=lambda index: sources[index].weight is Weight.SOFT)
    missing = [index for index in order if stock.take(sources[index].keys) is None]
    return [sources[index] for index in sorted(missing)], [targets[i] for i in stock.left()]


def _pair_parts(
    sources: Sequence[Figure],
    targets: Sequence[Figure],
    source_mentions: frozenset[Key],
    target_mentions: frozenset[Key],
) -> tuple[list[Figure], list[Figure]]:
    owners = [(owner, part) for owner, figure in enumerate(targets) for part in _parts(figure)]
    stock = _Stock(part for _, part in owners)
    missing = []
    for figure in sorted(sources, key=lambda figure: figure.weight is Weight.SOFT):
        wanted = [part for part in _parts(figure) if not part & target_mentions]
        taken = [stock.take(part) for part in wanted]
        if None in taken:
            missing.append(figure)
    over = {owners[index][0] for index in stock.left() if not owners[index][1] & source_mentions}
    missing.sort(key=lambda figure: figure.span.start)
    return missing, [targets[owner] for owner in sorted(over)]


def _parts(figure: Figure) -> Sequence[frozenset[Key]]:
    return figure.parts or (figure.keys,)


class _Stock:
    """Sets of keys, each of which can be taken once by any of its keys."""

    def __init__(self, sets: Iterable[frozenset[Key]]) -> None:
        self._free: list[bool] = []
        self._holders: defaultdict[Key, list[int]] = defaultdict(list)
        for index, keys in enumerate(sets):
            self._free.append(True)
            for key in keys:
                self._holders[key].append(index)
        for holders in self._holders.values():
            holders.reverse()

    def take(self, keys: frozenset[Key]) -> int | None:
        """Take the first free set that shares a key with `keys`, and tell its index."""
        found = [index for key in keys if (index := self._first(key)) is not None]
        if not found:
            return None
        self._free[min(found)] = False
        return min(found)

    def left(self) -> list[int]:
        """Tell which sets are still free."""
        return [index for index, free in enumerate(self._free) if free]

    def _first(self, key: Key) -> int | None:
        holders = self._holders.get(key, [])
        while holders and not self._free[holders[-1]]:
            holders.pop()
        return holders[-1] if holders else None
