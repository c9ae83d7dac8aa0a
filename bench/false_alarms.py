"""Count what the fidelity checks flag in human translations, which are taken to be right.

    python bench/false_alarms.py LANGUAGE SOURCE.txt REFERENCE.txt

Both files hold one sentence a line. Scores aren't checked, since a person gives none.
"""

import argparse
from collections import Counter
from pathlib import Path

from depesche.fidelity import check
from depesche.text.normalize import normalize
from depesche.types import Language


def main() -> None:
    """Check each pair of lines and print the share of those flagged, in all and by kind."""
    parser = argparse.ArgumentParser(description="Count false alarms on human translations.")
    parser.add_argument("language", type=Language)
    parser.add_argument("source", type=Path)
    parser.add_argument("reference", type=Path)
    arguments = parser.parse_args()
    sources = arguments.source.read_text("utf-8").splitlines()
    references = arguments.reference.read_text("utf-8").splitlines()
    flagged: Counter[str] = Counter()
    for source, reference in zip(sources, references, strict=True):
        found = check(normalize(source).text, reference, arguments.language)
        flagged.update({finding.kind.value for finding in found})
        flagged["any"] += bool(found)
    for kind, count in flagged.most_common():
        print(f"{kind:<20} {count / len(sources):7.2%}")


if __name__ == "__main__":
    main()
