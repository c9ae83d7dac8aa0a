import pytest

from depesche.fidelity.figures import check_figures
from depesche.types import Language

FAITHFUL = [
    ("Das Werk beschäftigt 1.250 Menschen.", "The plant employs 1,250 people."),
    ("Das Werk beschäftigt 1 250 Menschen.", "The plant employs 1250 people."),
    ("Es kostet 1'250,50 Franken.", "It costs CHF 1,250.50."),
    ("Der Umsatz stieg um 3,5 Prozent.", "Revenue rose by 3.5 per cent."),
    ("Der Anteil liegt bei 3,5 %.", "The share stands at 3.5%."),
    ("Ein Plus von 5 bis 7 Prozent ist möglich.", "Growth of 5% to 7% is possible."),
    ("Das sind 1,2 Mio. Euro mehr.", "That is €1.2 million more."),
    ("Das Land zahlt 12 Mrd. Euro.", "The state pays 12 billion euros."),
    ("Das Land zahlt 12 Milliarden Euro.", "The state pays EUR 12,000 million."),
    ("Die Schulden betragen 2 Billionen Dollar.", "Debt stands at $2 trillion."),
    ("Rund 300 Tsd. Haushalte sind betroffen.", "Some 300,000 households are affected."),
    ("Eine halbe Million Menschen kamen.", "Half a million people came."),
    ("Anderthalb Millionen Menschen kamen.", "One and a half million people came."),
    ("Die Stadt fördert 2,5 Millionen Bäume.", "The city funds two and a half million trees."),
    ("Am 24. November 2021 tagte der Rat.", "The council met on November 24, 2021."),
    ("Am 24.11.2021 tagte der Rat.", "On 24 November 2021 the council met."),
    ("Die Messe läuft vom 24. bis 26. November.", "The fair runs from 24 to 26 November."),
    ("Die Messe läuft vom 3. bis 5. Mai 2022.", "The fair runs May 3-5, 2022."),
    ("Am 24.11. beginnt die Messe.", "The fair begins on Nov. 24."),
    ("Seit November steigt der Preis.", "The price has been rising since November."),
    ("Am Montagabend um 19.30 Uhr beginnt es.", "It starts at 7:30 p.m. on Monday."),
    ("Beginn ist um 15 Uhr.", "It starts at 3 p.m."),
    ("Beginn ist um 10.30 Uhr.", "It begins at 10:30."),
    ("Um 12 Uhr ist Schluss.", "It ends at noon."),
    ("Die 28-jährige Ärztin leitet 3 Teams.", "The 28-year-old doctor leads three teams."),
    ("In den 1990er Jahren zog er um.", "He moved in the 1990s."),
    ("Das Haus stammt aus dem 19. Jahrhundert.", "The house dates from the nineteenth century."),
    ("Das Programm läuft 2021-2025.", "The programme runs from 2021 to 2025."),
    ("In der Saison 1995/96 gewann er.", "He won in the 1995-1996 season."),
    ("Das Team siegte mit 3:1.", "The team won 3-1."),
    ("Es ist die 5. Generation.", "It is the fifth generation."),
    ("Etwa 1/3 der Fläche ist Wald.", "About a third of the area is forest."),
    ("Die Hälfte der Mittel, also 50 Prozent, fehlt.", "Half of the funds, or 50%, is missing."),
    ("Mit COVID-19 kamen neue Regeln für die A380.", "COVID-19 brought new rules for the A380."),
    ("Einundzwanzig Länder unterschrieben.", "Twenty-one countries signed."),
    ("Die zweistündige Rede überzeugte beide.", "The 2-hour speech convinced both."),
    ("Er sprach zwei Stunden lang.", "He spoke for hours."),
    ("Er kam als Erster ins Ziel.", "He finished on top."),
    ("König Ludwig XIV. baute Versailles.", "King Louis XIV built Versailles."),
    ("Es war ein Erfolg für eine Firma.", "One firm had a success."),
    ("Sie gab 1 Million Euro und 1 Jahr ihrer Zeit.", "She gave a million euros and a year."),
    ("Das Ticket kostet 49 Euro, ermäßigt 29.", "Tickets cost €49, or €29 reduced."),
    ("Gezählt wurden 5 oder mehr Millionen Vögel.", "5 or more million birds were counted."),
]

FAITHFUL += [
    ("Die Bewegung Fridays for Future wächst.", "The Fridays for Future movement is growing."),
    ("Die Firma Montage und Montageketten liefert.", "The company supplies assembly lines."),
    ("Das sagte er der Sonntagszeitung.", "He told the Sonntagszeitung."),
    ("Am Black Friday öffnet Ruby Tuesday.", "On Black Friday, Ruby Tuesday opens."),
    ("Die Frist läuft vom 25. bis 31. Juli.", "The period is from July 25 until July 31."),
    ("Ein zehnprozentiger Rückgang.", "A 10 percent fall."),
    ("Der Strom kostet 30 Cent.", "Power costs €0.30."),
    ("Sie verdienen 5 Eurocent.", "They earn 5 euro cents."),
    ("Der Preis lag bei 15 Tsd. CZK.", "The price was 15 thousand crowns."),
]

FLAGGED = [
    ("Es kamen 12 Gäste.", "21 guests came.", "number_missing number_invented"),
    ("Es kamen 12 Gäste.", "Guests came.", "number_missing"),
    ("Es kamen Gäste.", "30 guests came.", "number_invented"),
    (
        "Das Werk beschäftigt 1.250 Menschen.",
        "It employs 12,500.",
        "number_missing number_invented",
    ),
    ("Rund 3 Mio. Menschen kamen.", "3 billion people came.", "number_missing number_invented"),
    ("Rund 3 Mio. Menschen kamen.", "Some 3 people came.", "number_missing number_invented"),
    ("Die Schulden: 2 Billionen Euro.", "Debt: €2 billion.", "amount_missing amount_invented"),
    ("Es kostet 5 Euro.", "It costs $5.", "amount_missing amount_invented"),
    ("Es kostet 5 Euro.", "It costs 5.", "amount_missing"),
    ("Es kostet 5 Euro.", "It costs €6.", "amount_missing amount_invented"),
    ("Sie zahlt 1,2 Mrd. Euro.", "She pays €12 billion.", "amount_missing amount_invented"),
    (
        "Es stieg um 3,5 Prozent.",
        "It rose by 35 percent.",
        "percentage_missing percentage_invented",
    ),
    ("Es stieg um 3,5 Prozent.", "It rose by 3.5.", "percentage_missing"),
    ("Es stieg um 3,5.", "It rose by 3.5%.", "percentage_invented"),
    ("Am 24. November kam er.", "He came on 25 November.", "date_missing date_invented"),
    ("Am 24. November kam er.", "He came on 24 October.", "date_missing date_invented"),
    ("Am 24. November 2021 kam er.", "He came on 24 November.", "date_missing"),
    ("Am 24.11.2021 kam er.", "He came on November 24, 2022.", "date_missing date_invented"),
    ("Im Jahr 2021 kam er.", "He came in 2012.", "date_missing date_invented"),
    ("Im Mai 2021 kam er.", "He came in June 2021.", "date_missing date_invented"),
    ("Am Dienstag kam er.", "He came on Thursday.", "date_missing date_invented"),
    ("Am Dienstag kam er.", "He came.", "date_missing"),
    ("Er kam um 15.30 Uhr.", "He came at 5:30 p.m.", "date_missing date_invented"),
    ("Er kam um 15 Uhr.", "He came at 3 a.m.", "date_missing date_invented"),
    ("Das Team siegte mit 3:1.", "The team won 3-2.", "number_invented"),
    ("Fünfzig Gäste kamen.", "Fifteen guests came.", "number_missing number_invented"),
    ("Drei Gäste kamen.", "Four guests came.", "number_missing number_invented"),
    ("Mit COVID-19 begann es.", "It began with COVID-18.", "number_missing number_invented"),
    (
        "Das Haus ist aus dem 19. Jahrhundert.",
        "It is 18th-century.",
        "number_missing number_invented",
    ),
    (
        "Bis 2030 fallen 40 Prozent weg.",
        "By 2030, 14 percent go.",
        "percentage_missing percentage_invented",
    ),
]


@pytest.mark.parametrize(("source", "target"), FAITHFUL)
def test_faithful_figures_pass(source: str, target: str) -> None:
    """English that says the same figures in its own way has no finding."""
    assert check_figures(source, target, Language.GERMAN) == []


@pytest.mark.parametrize(("source", "target", "kinds"), FLAGGED)
def test_wrong_figures_are_found(source: str, target: str, kinds: str) -> None:
    """A figure that is lost, changed or invented is found, as what it is."""
    findings = check_figures(source, target, Language.GERMAN)
    assert sorted(finding.kind for finding in findings) == sorted(kinds.split())
