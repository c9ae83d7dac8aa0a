"""Take the picture of the page for docs/page.png, of the bundled Russian release's brief.

    python -m tests.browser.picture FILE.png

Needs what `make browser` installs. The first key sentence is marked as compared, and the third one
with its source. (The picture in docs/ was reduced to 128 colours afterwards, to a third of its
size.)
"""

import sys

from tests.browser.support import EXAMPLES, chromium, desk, web_process


def main(path: str) -> None:
    """Have the release briefed, do some of an editor's work, and take the picture."""
    with (
        web_process() as url,
        chromium() as browser,
        desk(browser, url, viewport={"width": 1440, "height": 860}) as editor,
    ):
        editor.brief((EXAMPLES / "release.ru.txt").read_text("utf-8"))
        editor.point(0).get_by_role("checkbox").check()
        editor.sentence("b", 2).click()
        editor.page.mouse.move(0, 0)
        editor.page.screenshot(path=path)


if __name__ == "__main__":
    main(sys.argv[1])
