"""Measure how well sentences of summaries are traced to their sources, and made-up ones caught.

    python bench/alignment.py [--half tuning|test|all] CORPUS.jsonl…

Each line of a corpus is a JSON object with an `article` and its `summary`, sentences on lines. The
thresholds of `depesche.alignment` were chosen on the odd lines (`tuning`), so quote figures of the
even ones (`test`). A row for each kind of sentence:

- `human`: of the summaries, which journalists wrote;
- `extract`, `shortened`, `fused`: a sentence of the article as it is, cut at a clause, and joined
  with a near one by "and", with one or both origins known;
- `reworded`: an extract with each plain content word, two times in five, replaced by one of another
  article, as a stand-in for paraphrase;
- `grafted`: the first half of an extract, and a second half of another article's in which no name,
  figure or quotation gives it away;
- `foreign`: a sentence of another article;
- `figure`, `name`, `quotation`: an extract with one of them changed.

`found` is the share whose origins are all among the sentences that it is taken to rest on, `exact`
that which rests on them and no others (of `grafted`, the origin of its first half); neither is
known of `human` and `foreign`. `none` is the share that nothing explains; `flagged` that in which a
check finds something or a passage has no source; `used` the share that would stand in a brief.
"""

import argparse
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from summaries import HALVES, sentences_of

from depesche.alignment import align, explains
from depesche.config import load_settings
from depesche.fidelity.abridged import check_abridged
from depesche.inference.encoder import CTranslateEncoder
from depesche.models.store import ModelStore
from depesche.text.clauses import shorten

_LEAST_WORDS = 8
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b")
_PLAIN = re.compile(r"(?<= )[a-z]{5,}(?=[ ,.])")
_GIVEAWAY = re.compile("[A-Z0-9\"'“”\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}]")
_REWORDED = 0.4
_LEAST_GRAFT = 5  # words
_FIGURE = re.compile(r"(?<![\w.,])\d{1,3}(?![\w.,]*\d)")
_QUOTED = re.compile(r'["“]([^"“”]{20,})["”]')


@dataclass(frozen=True, slots=True)
class Sample:
    """A sentence as a summariser might write it, and the places that it comes from."""

    kind: str
    text: str
    origins: tuple[int, ...] = ()


def samples(
    article: Sequence[str], summary: Sequence[str], other: Sequence[str], dice: random.Random
) -> Iterator[Sample]:
    """Make sentences of each kind."""
    yield from (Sample("human", sentence) for sentence in summary)
    places = [i for i, sentence in enumerate(article) if len(sentence.split()) >= _LEAST_WORDS]
    for i in dice.sample(places, min(8, len(places))):
        sentence = article[i]
        yield Sample("extract", sentence, (i,))
        if (short := shorten(sentence)) != sentence:
            yield Sample("shortened", short, (i,))
        if i + 2 in places:
            second = article[i + 2]
            fused = f"{sentence.rstrip('. ')}, and {second[0].lower()}{second[1:]}"
            yield Sample("fused", fused, (i, i + 2))
        for kind, change in _CHANGES.items():
            if (changed := change(sentence, other, dice)) is not None:
                yield Sample(kind, changed, (i,))
    strange = [sentence for sentence in other if len(sentence.split()) >= _LEAST_WORDS]
    yield from (Sample("foreign", s) for s in dice.sample(strange, min(8, len(strange))))


def _reword(sentence: str, other: Sequence[str], dice: random.Random) -> str | None:
    words = sorted({word for line in other for word in _PLAIN.findall(line)})
    if not words:
        return None
    changed = _PLAIN.sub(
        lambda match: dice.choice(words) if dice.random() < _REWORDED else match[0], sentence
    )
    return None if changed == sentence else changed


def _graft(sentence: str, other: Sequence[str], dice: random.Random) -> str | None:
    words = [line.split() for line in other]
    ends = [line[len(line) // 2 :] for line in words]
    plain = [
        end for end in ends if len(end) >= _LEAST_GRAFT and not _GIVEAWAY.search(" ".join(end))
    ]
    own = sentence.split()
    return " ".join(own[: len(own) // 2] + dice.choice(plain)) if plain else None


def _other_figure(sentence: str, _other: Sequence[str], dice: random.Random) -> str | None:
    def change(match: re.Match[str]) -> str:
        return str(int(match[0]) + dice.randint(11, 39))

    changed = _FIGURE.sub(change, sentence, count=1)
    return None if changed == sentence else changed


def _other_name(sentence: str, other: Sequence[str], dice: random.Random) -> str | None:
    names = sorted({name for line in other for name in _NAME.findall(line)})
    here = _NAME.findall(sentence)
    if not names or not here:
        return None
    return sentence.replace(dice.choice(here), dice.choice(names))


def _other_words(sentence: str, _other: Sequence[str], _dice: random.Random) -> str | None:
    match = _QUOTED.search(sentence)
    if match is None:
        return None
    words = match[1].split()
    words[1:3] = ["certainly", "never"]
    return sentence.replace(match[1], " ".join(words))


_Change = Callable[[str, Sequence[str], random.Random], str | None]
_CHANGES: dict[str, _Change] = {
    "figure": _other_figure,
    "name": _other_name,
    "quotation": _other_words,
    "reworded": _reword,
    "grafted": _graft,
}
_NO_ORIGINS = ("human", "foreign")
_KINDS = ("human", "extract", "shortened", "fused", "foreign", *_CHANGES)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--half", choices=HALVES, default="test")
    parser.add_argument("--show", choices=_KINDS, help="print flagged or untraced ones of a kind")
    parser.add_argument("corpora", nargs="+", type=Path)
    options = parser.parse_args()
    articles = [
        json.loads(line)
        for path in options.corpora
        for line in path.read_text("utf-8").splitlines()[HALVES[options.half]]
    ]
    settings = load_settings()
    path = ModelStore(settings.models_dir).verify(settings.summary_model).path
    encoder = CTranslateEncoder(path, workers=1, threads_per_worker=2)
    texts = [sentences_of(article["article"]) for article in articles]
    counts = {kind: [0, 0, 0, 0, 0, 0] for kind in _KINDS}
    for number, (article, text) in enumerate(zip(articles, texts, strict=True)):
        summary = sentences_of(article["summary"])
        dice = random.Random(number)  # noqa: S311 - makes samples, hides nothing
        made = list(samples(text, summary, texts[number - 1], dice))
        written = [sample.text for sample in made]
        rests = align(text, written, encoder.encode(text), encoder.encode(written))
        for sample, rest in zip(made, rests, strict=True):
            source = " ".join(text[i] for i in sorted(rest))
            findings = check_abridged(source, sample.text) if rest else ()
            flagged = bool(rest) and (bool(findings) or not explains(source, sample.text))
            row = counts[sample.kind]
            row[0] += 1
            row[1] += bool(sample.origins) and set(sample.origins) <= set(rest)
            row[2] += bool(sample.origins) and set(sample.origins) == set(rest)
            row[3] += not rest
            row[4] += flagged
            row[5] += bool(rest) and not flagged
            if sample.kind == options.show and (flagged or not rest):
                why = "; ".join(finding.message for finding in findings) or "nothing explains it"
                print(f"{sample.text}\n    {why}")
    print("| kind | sentences | found | exact | none | flagged | used |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for kind, (total, *parts) in counts.items():
        shares = [f"{100 * part / max(1, total):.0f} %" for part in parts]
        if kind in _NO_ORIGINS:
            shares[:2] = "-", "-"
        print(f"| {kind} | {total} | {' | '.join(shares)} |")


if __name__ == "__main__":
    main()
