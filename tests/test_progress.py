import io

import pytest

from depesche.progress import progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal one sees how many sentences are done, and in the end nothing is left of it."""
    monkeypatch.setenv("TERM", "xterm")
    terminal = _Terminal()

    with progress(terminal) as bar:
        bar.start(4)
        bar.advance()
        bar.advance(2)

    assert "3/4" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")


def test_a_file_stays_empty() -> None:
    """Where nobody watches, nothing is shown."""
    file = io.StringIO()

    with progress(file) as bar:
        bar.start(4)
        bar.advance()

    assert file.getvalue() == ""


def test_room_for_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """While something else is written the bar isn't there, and then it goes on."""
    monkeypatch.setenv("TERM", "xterm")
    terminal = _Terminal()

    with progress(terminal, "Briefing") as bar:
        bar.start(2)
        with bar.hidden():
            shown = terminal.getvalue()
            terminal.write("a brief\n")
        bar.advance()

    assert "Briefing" in shown
    assert shown.endswith("\x1b[2K")
    assert "1/2" in terminal.getvalue().partition("a brief\n")[2]
