"""Files that an editor opens or drops."""

import base64
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.support import RELEASE, Desk
from tests.documents.samples import docx_of, eml_of, page_of, pdf_of

pytestmark = pytest.mark.browser

_PARAGRAPHS = RELEASE.split("\n\n")
_HTML = f"<html><body><h1>{_PARAGRAPHS[0]}</h1><p>{_PARAGRAPHS[1]}</p></body></html>"
_FILES = {
    "Meldung.txt": RELEASE.encode(),
    "Meldung.html": _HTML.encode(),
    "Meldung.docx": docx_of((_PARAGRAPHS[0], "Title"), _PARAGRAPHS[1]),
    "Meldung.pdf": pdf_of([page_of(*_PARAGRAPHS)]),
    "Meldung.eml": eml_of(_PARAGRAPHS[1], subject=_PARAGRAPHS[0]).as_bytes(),
}
_DROP = """
([files, type]) => {
  const carried = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
    carried.items.add(new File([bytes], name));
  }
  const event = new DragEvent(type, { dataTransfer: carried, bubbles: true, cancelable: true });
  document.getElementById("sheet").dispatchEvent(event);
}
"""


@pytest.mark.parametrize("name", _FILES)
def test_each_kind_is_read_into_the_sheet(fake: Desk, name: str, tmp_path: Path) -> None:
    """A file that is opened can be read there before it is sent, and makes the brief."""
    path = tmp_path / name
    path.write_bytes(_FILES[name])
    fake.page.get_by_label("File of the release").set_input_files(path)

    box = fake.page.get_by_label("Text of the release")
    expect(box).not_to_be_empty()
    assert "12 Millionen Euro" in box.input_value()
    assert "<p>" not in box.input_value()
    expect(fake.page.locator("#from")).to_have_text(f"From {name}")
    fake.page.get_by_role("button", name="Write the brief").click()
    fake.shows("done")
    expect(fake.page.locator("#brief")).to_contain_text("13 million euros")
    assert fake.page.title() == f"{name} – Depesche"


def test_a_file_is_dropped(fake: Desk) -> None:
    """The sheet shows that it takes the file, and takes it."""
    _drag(fake, "dragenter", ("Meldung.docx", _FILES["Meldung.docx"]))
    expect(fake.page.locator(".drop")).to_be_visible()
    _drag(fake, "drop", ("Meldung.docx", _FILES["Meldung.docx"]))

    expect(fake.page.locator(".drop")).not_to_be_visible()
    expect(fake.page.locator("#from")).to_have_text("From Meldung.docx")


def test_a_file_is_dropped_on_a_brief(fake: Desk) -> None:
    """It is the next release."""
    fake.brief()
    _drag(fake, "drop", ("Neu.txt", "Eine ganz andere Meldung aus Köln.".encode()))

    fake.shows("compose")
    expect(fake.page.get_by_label("Text of the release")).to_have_value(
        "Eine ganz andere Meldung aus Köln."
    )


def test_one_file_at_a_time(fake: Desk) -> None:
    """Several are refused, for each is a brief of its own."""
    _drag(fake, "drop", ("a.txt", b"Eins."), ("b.txt", b"Zwei."))

    expect(fake.page.get_by_role("alert").first).to_contain_text("One file at a time")


def test_a_file_that_cant_be_read(fake: Desk) -> None:
    """What is accepted is told, and what stood in the sheet stays."""
    fake.refused = True
    fake.paste("Ein Satz, der bleibt.")
    _drag(fake, "drop", ("bild.png", b"\x89PNG\r\n\x1a\n" + bytes(20)))

    expect(fake.page.get_by_role("alert").first).to_contain_text("The file")
    expect(fake.page.get_by_role("alert").first).to_contain_text(".docx")
    expect(fake.page.get_by_label("Text of the release")).to_have_value("Ein Satz, der bleibt.")


def test_a_file_that_is_too_long_isnt_sent(fake: Desk) -> None:
    """The limit is told at once."""
    asked: list[str] = []
    fake.page.on("request", lambda request: asked.append(request.url))
    fake.page.get_by_label("File of the release").set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": bytes(11 * 2**20)}
    )

    expect(fake.page.get_by_role("alert").first).to_contain_text("The limit is 10 MiB.")
    assert asked == []


def _drag(editor: Desk, kind: str, *files: tuple[str, bytes]) -> None:
    carried = [[name, base64.b64encode(content).decode()] for name, content in files]
    editor.page.evaluate(_DROP, [carried, kind])
