"""Measure how often a glossary's English comes into the translation, and what it costs.

    python bench/glossary.py FOLDER [--languages de ru km] [--lines N] [--terms decoding|company]

FOLDER holds de-en, ru-en and km-en, each with src.txt and ref.txt, a sentence a line. Terms are
taken from the sentences themselves, where the reference has another word than plain decoding has;
all of a language make one glossary. Three ways are compared: plain decoding without a glossary, the
English put into the source of each sentence with a term (beam search), and the service's own way.
With DEPESCHE_DECODE_AGAIN=false the first and the last differ by the glossary alone.
"""

import argparse
import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glossary_terms import Example, by_company, by_decoding
from loaded import default_backend
from sacrebleu.metrics import CHRF

from depesche.config import load_settings
from depesche.engine import Engine
from depesche.fidelity import check, weigh
from depesche.fidelity.terms import find_english, without_terms
from depesche.inference.backend import TranslationBackend
from depesche.inference.backlog import cut_batches
from depesche.text.normalize import normalize
from depesche.text.terms import TermPlace, Terms, substitute
from depesche.types import BriefOptions, ContentFormat, GlossaryTerm, Language, Release

_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence pair, its terms, and its English in each of the ways.

    Attributes:
        source: the sentence, normalised.
        reference: its English by people.
        places: the glossary's terms in it.
        english: way to English.
    """

    source: str
    reference: str
    places: Sequence[TermPlace]
    english: dict[str, str]


async def translated(
    engine: Engine, lines: Sequence[str], language: Language, glossary: Sequence[GlossaryTerm] = ()
) -> list[str]:
    """Translate lines as the service does."""
    options = BriefOptions(reproducible=True, glossary=tuple(glossary))
    english: list[str] = []
    for start in range(0, len(lines), _CHUNK):
        chunk = lines[start : start + _CHUNK]
        release = Release("\n".join(chunk), ContentFormat.LINES, language=language)
        found: defaultdict[int, list[str]] = defaultdict(list)
        for translation in (await engine.translate(release, options)).translations:
            found[translation.sentence.block].append(translation.text)
        english += [" ".join(found[at]) for at in range(len(chunk))]
    return english


def decode(backend: TranslationBackend, texts: Sequence[str], *, beam_size: int = 1) -> list[str]:
    """Decode texts; a beam runs on one at a time."""
    rows = [backend.tokenize(text) for text in texts]
    english = [""] * len(rows)
    budget = 1 if beam_size > 1 else 256
    for batch in cut_batches([len(row) for row in rows], budget):
        results = backend.translate([rows[at] for at in batch], beam_size=beam_size)
        for at, result in zip(batch, results, strict=True):
            english[at] = result.text
    return english


async def measure(
    backend: TranslationBackend, language: Language, folder: Path, count: int, kind: str
) -> None:
    """Take the terms of a language, translate in all ways and print a table."""
    pair = folder / f"{language.value}-en"
    sources = [normalize(s).text for s in (pair / "src.txt").read_text("utf-8").splitlines()]
    references = (pair / "ref.txt").read_text("utf-8").splitlines()
    sources, references = sources[:count], references[:count]
    engine = await Engine.load(load_settings())
    plain = await translated(engine, sources, language)
    pairs = (language, sources, plain, references)
    if kind == "company":
        taken = by_company(*pairs)
    else:
        taken = by_decoding(*pairs, lambda texts: decode(backend, texts))
    glossary = list({e.source: GlossaryTerm(e.source, e.english) for e in reversed(taken)}.values())
    ours = await translated(engine, sources, language, glossary)
    await engine.aclose()
    terms = Terms(glossary, language)
    places = [terms.find(source) for source in sources]
    put = [substitute(s, p) if p else "" for s, p in zip(sources, places, strict=True)]
    at = [number for number, text in enumerate(put) if text]
    inside = dict(zip(at, decode(backend, [put[n] for n in at], beam_size=4), strict=True))
    lines = [
        Line(s, r, p, {"plain": a, "in the source": inside.get(n, a), "service": b})
        for n, (s, r, p, a, b) in enumerate(
            zip(sources, references, places, plain, ours, strict=True)
        )
    ]
    report(language, lines, taken, glossary)


def report(
    language: Language,
    lines: Sequence[Line],
    taken: Sequence[Example],
    glossary: Sequence[GlossaryTerm],
) -> None:
    """Print rates and scores of the terms' own sentences, of others, and of the rest."""
    own = {(example.line, example.source, example.english) for example in taken}
    first, others, rest = [], [], []
    for number, line in enumerate(lines):
        named = [
            (number, glossary[p.number].source, glossary[p.number].target) for p in line.places
        ]
        group = first if own.intersection(named) else others if line.places else rest
        group.append(line)
    matched = {place.number for line in lines for place in line.places}
    print(f"\n{language.value}: {len(glossary)} terms, {len(matched)} of them matched")
    print(f"{'sentences':<22} {'way':<14} {'places':>6} {'applied':>8} {'chrF':>6} {'findings':>8}")
    for name, group in (("terms' own", first), ("others with a term", others)):
        for way in ("plain", "in the source", "service"):
            places, there = applied(group, way)
            rate = there / max(1, places)
            print(
                f"{f'{name}, {len(group)}':<22} {way:<14} {places:>6} {rate:>8.1%}"
                f" {chrf(group, way):>6.2f} {findings(group, way, language):>8.1f}"
            )
    changed = sum(line.english["plain"] != line.english["service"] for line in rest)
    print(f"without a term, {len(rest)}: chrF {chrf(rest, 'service'):.2f}, {changed} changed")


def applied(lines: Sequence[Line], way: str) -> tuple[int, int]:
    """Count the places, and those at which the English stands."""
    spans = [span for line in lines for span in find_english(line.english[way], line.places)]
    return len(spans), sum(span is not None for span in spans)


def chrf(lines: Sequence[Line], way: str) -> float:
    """Score lines against their references."""
    if not lines:
        return 0.0
    hypotheses, references = [x.english[way] for x in lines], [x.reference for x in lines]
    return float(CHRF().corpus_score(hypotheses, [references]).score)


def findings(lines: Sequence[Line], way: str, language: Language) -> float:
    """Sum up the weight of what the checks find, terms apart."""
    return sum(
        weigh(without_terms(check(x.source, x.english[way], language), x.english[way], x.places))
        for x in lines
    )


def main() -> None:
    """Measure each language."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the sentence pairs")
    parser.add_argument("--languages", type=Language, nargs="+", default=["de", "ru", "km"])
    parser.add_argument("--lines", type=int, default=500, help="sentences of each language")
    parser.add_argument("--terms", choices=["decoding", "company"], default="decoding")
    arguments = parser.parse_args()
    backend = default_backend(load_settings())
    for code in arguments.languages:
        language = Language(code)
        count, kind = arguments.lines, arguments.terms
        asyncio.run(measure(backend, language, arguments.folder, count, kind))


if __name__ == "__main__":
    main()
