import pytest

from depesche.fidelity.figures import check_figures
from depesche.fidelity.units import read_unit
from depesche.types import FindingKind, Language

DE, RU, KM = Language.GERMAN, Language.RUSSIAN, Language.KHMER


@pytest.mark.parametrize(
    ("language", "source", "target"),
    [
        (DE, "620 Terawattstunden", "620 megawatts"),
        (DE, "620 TWh", "620 GWh"),
        (DE, "5 Tonnen", "5 kilograms"),
        (DE, "20 °C", "20 °F"),
        (RU, "620 МВт", "620 kW"),
        (RU, "620 мегаватт", "620 kilowatts"),
        (RU, "20 кв. км", "20 km"),
        (RU, "12 тысяч тонн", "12 thousand kilograms"),
        (RU, "5 км", "5 miles"),
        (KM, "៥០០ មេហ្គាវ៉ាត់", "500 gigawatts"),
        (KM, "១០គីឡូម៉ែត្រ", "10 metres"),
    ],
)
def test_other_units_are_found(language: Language, source: str, target: str) -> None:
    """A figure that is kept with another unit is reported once."""
    (finding,) = check_figures(source, target, language)
    assert finding.kind is FindingKind.NUMBER_INVENTED
    assert finding.found == target
    assert f'became "{target}"' in finding.message


@pytest.mark.parametrize(
    ("language", "source", "target"),
    [
        (DE, "620 Meter", "620 metres"),
        (DE, "620 Tonnen", "620 tons"),
        (DE, "5 Quadratkilometer", "5 sq km"),
        (DE, "100 Kilometer pro Stunde", "100 km/h"),
        (DE, "20 Grad Celsius", "20 °C"),
        (DE, "Das 5G-Netz", "The 5G network"),
        (DE, "620 Megawatt", "620 of them"),
        (RU, "620 МВт·ч", "620 megawatt-hours"),
        (RU, "100 километров в час", "100 kilometers an hour"),
        (RU, "5 тонн", "5 pieces"),
        (KM, "១០គីឡូម៉ែត្រ", "10 kilometres"),
        (KM, "២០ គីឡូម៉ែត្រក្រឡា", "20 square kilometres"),
        (KM, "៥០០ មេហ្គាវ៉ាត់", "500-megawatt"),
    ],
)
def test_same_and_unknown_units_pass(language: Language, source: str, target: str) -> None:
    """Names and symbols of one unit agree, and an unknown word tells nothing."""
    assert check_figures(source, target, language) == []


@pytest.mark.parametrize(
    ("text", "symbol"),
    [("5 kg", "kg"), ("5 kg/ha", None), ("5 Megawattstunden", "MWh"), ("5 кв.м", "m²")],
)
def test_units_are_read_by_their_symbol(text: str, symbol: str | None) -> None:
    """A unit is the same by word and by symbol; a quotient of two is none."""
    unit = read_unit(text, 1)
    assert (unit.symbol if unit else None) == symbol
