import io
import re
import zipfile

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from depesche.documents import Limits, read
from depesche.errors import InvalidRequest
from depesche.types import ContentFormat
from tests.documents.samples import docx_of, repacked

_MIB = 1024 * 1024


def _saved(document: "docx.document.Document") -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _with_body(xml: str) -> bytes:
    """Write a document of raw paragraphs."""
    document = docx.Document()
    for element in parse_xml(f"<w:body {nsdecls('w', 'r')}>{xml}</w:body>"):
        document.element.body.insert(0, element)
    return _saved(document)


def _refused(content: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(InvalidRequest) as refused:
        read(content, "release.docx", limits=limits or Limits())
    return refused.value.violations[0].description


def test_styles_become_elements() -> None:
    """Title, headings, lists and paragraphs are told by their styles, and text is escaped."""
    document = read(
        docx_of(
            ("Neue Brücke", "Title"),
            "A < B & C\nzweite Zeile",
            ("Kosten", "Heading 1"),
            ("im Einzelnen", "Heading 9"),
            ("Beton", "List Bullet"),
            ("Stahl", "List Number"),
            " ",
        ),
        "release.docx",
    )

    assert document.text.split("\n") == [
        "<h1>Neue Brücke</h1>",
        "<p>A &lt; B &amp; C<br>zweite Zeile</p>",
        "<h2>Kosten</h2>",
        "<h6>im Einzelnen</h6>",
        "<li>Beton</li>",
        "<li>Stahl</li>",
    ]
    assert (document.content_format, document.title, document.kind) == (
        ContentFormat.HTML,
        "",
        "docx",
    )


def test_a_heading_below_the_text_is_no_title() -> None:
    """The first heading is the release's headline only if no long paragraph stands before it."""
    before = read(docx_of(("Neue Brücke", "Heading 1"), "Wort " * 50), "a.docx").text
    after = read(docx_of("Wort " * 50, ("Über uns", "Heading 1")), "a.docx").text

    assert before.startswith("<h1>Neue Brücke</h1>")
    assert after.endswith("<h2>Über uns</h2>")


def test_styles_that_rest_on_others() -> None:
    """A style of one's own counts as that on which it rests, even if they rest on each other."""
    document = docx.Document()
    own = document.styles.add_style("Schlagzeile", WD_STYLE_TYPE.PARAGRAPH)
    own.base_style = document.styles["Heading 2"]
    one, other = (document.styles.add_style(n, WD_STYLE_TYPE.PARAGRAPH) for n in ("A", "B"))
    one.base_style, other.base_style = other, one
    document.add_paragraph("Neue Brücke", style=own)
    document.add_paragraph("im Kreis", style=one)

    assert read(_saved(document), "a.docx").text == "<h2>Neue Brücke</h2>\n<p>im Kreis</p>"


def test_tables_in_their_place() -> None:
    """Cells stand where the table does, those of a table within it too."""
    document = docx.Document()
    document.add_paragraph("davor")
    table = document.add_table(1, 2)
    table.cell(0, 0).text = "eins"
    table.cell(0, 1).text = "zwei"
    table.cell(0, 1).add_table(1, 1).cell(0, 0).text = "innen"
    document.add_paragraph("danach")

    text = read(_saved(document), "a.docx").text

    assert re.findall(r"<(\w+)>(\w+)<", text) == [
        ("p", "davor"),
        ("td", "eins"),
        ("td", "zwei"),
        ("td", "innen"),
        ("p", "danach"),
    ]


def test_links_fields_and_changes() -> None:
    """Text in links, controls and what was inserted is read; what was deleted isn't."""
    run = "<w:r><w:t xml:space='preserve'>{} </w:t></w:r>".format
    deleted = "<w:del w:id='1'><w:r><w:delText>alt</w:delText></w:r></w:del>"
    moved = f"<w:moveFrom w:id='2'>{run('fort')}</w:moveFrom>"
    xml = (
        f"<w:sdt><w:sdtContent><w:p>{run('Die')}<w:hyperlink r:id='x'>{run('neue')}</w:hyperlink>"
        f"<w:ins w:id='3'>{run('große')}</w:ins>{deleted}{moved}"
        f"<w:fldSimple w:instr='DATE'>{run('Brücke')}</w:fldSimple></w:p></w:sdtContent></w:sdt>"
    )

    assert read(_with_body(xml), "a.docx").text == "<p>Die neue große Brücke</p>"


def test_a_text_box_once() -> None:
    """The text of a box is a paragraph of its own, and its copy for old programs isn't read."""
    compatible = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    box = "<w:txbxContent><w:p><w:r><w:t>im Kasten</w:t></w:r></w:p></w:txbxContent>"
    xml = (
        f"<w:p><w:r><w:t>davor</w:t></w:r><w:r><m:AlternateContent xmlns:m='{compatible}'>"
        f"<m:Choice Requires='wps'>{box}</m:Choice><m:Fallback>{box}</m:Fallback>"
        "</m:AlternateContent></w:r></w:p>"
    )

    assert read(_with_body(xml), "a.docx").text == "<p>davor</p>\n<p>im Kasten</p>"


def test_properties_are_no_title() -> None:
    """What the properties say of the title is left aside."""
    document = docx.Document()
    document.core_properties.title = "Vorlage 2019"
    document.add_paragraph("Die Brücke ist offen.")

    assert "Vorlage" not in str(read(_saved(document), "a.docx"))


def test_a_document_without_text() -> None:
    """An empty document is refused."""
    assert _refused(docx_of()) == "holds no text"


def test_a_bomb() -> None:
    """What unpacks to more than the limit is refused before it is unpacked."""
    bomb = repacked(docx_of("Text"), {"word/media/image1.bmp": b"\0" * (65 * _MIB)})

    assert len(bomb) < 200_000
    assert _refused(bomb) == f"unpacks to more than {64 * _MIB} bytes, which is the limit"


def test_a_bomb_that_lies() -> None:
    """Of a file that is larger than its archive says, no more than that is unpacked."""
    xml = b"<w:document>" + b" " * _MIB
    bomb = repacked(docx_of("Text"), {"word/document.xml": xml})
    lie = bomb.replace(len(xml).to_bytes(4, "little"), (10).to_bytes(4, "little"))

    assert lie != bomb
    assert _refused(lie) == "is broken: its archive can't be unpacked"


def test_too_many_files() -> None:
    """The number of files in the archive is limited."""
    many = repacked(docx_of("Text"), {f"word/{i}.xml": b"" for i in range(60)})

    assert _refused(many, Limits(entries=50)).endswith(" files; the limit is 50")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_that_declares_entities(encoding: str) -> None:
    """Entities, which can blow up or read other files, are refused before any XML is parsed."""
    laughs = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
    xml = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE d [<!ENTITY l0 "ha">{laughs}]>'
        f"<w:document {nsdecls('w')}><w:body><w:p><w:r><w:t>&l9;</w:t></w:r></w:p></w:body>"
        "</w:document>"
    )
    bomb = repacked(docx_of("Text"), {"word/document.xml": xml.encode(encoding)})

    assert _refused(bomb) == "is no Word document as programs write it: it declares entities"


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_document_cut_short(kept: float) -> None:
    """A file that isn't whole is refused."""
    whole = docx_of("Text")

    assert _refused(whole[: int(kept * len(whole))]) == "is broken: its archive can't be unpacked"


def test_broken_xml() -> None:
    """A document whose XML isn't well formed is refused."""
    broken = repacked(docx_of("Text"), {"word/document.xml": b"<w:document>\0"})

    assert _refused(broken) == "is broken and can't be read (XMLSyntaxError)"


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        ("[Content_Types].xml", b"document.main+xml", b"template.main+xml"),
        ("_rels/.rels", b"/officeDocument", b"/other"),
    ],
)
def test_another_office_file(part: str, before: bytes, after: bytes) -> None:
    """A template, or an archive that only looks like a Word document, is refused."""
    whole = docx_of("Text")
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        changed = archive.read(part).replace(before, after)

    assert _refused(repacked(whole, {part: changed})) == (
        "is no Word document (.docx), or a broken one"
    )


def test_an_encrypted_archive() -> None:
    """A file in the archive that asks for a password is told as such."""
    archive = bytearray(docx_of("Text"))
    place = archive.index(b"PK\x01\x02")
    archive[place + 8] |= 1

    assert _refused(bytes(archive)) == "is encrypted; save it without a password"
