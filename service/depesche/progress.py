"""Progress bars for a person who waits at a terminal."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol, TextIO

import rich.progress
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

__all__ = ["Progress", "Transfers", "progress", "transfers"]


class Progress(Protocol):
    """Whatever is told how far the work is."""

    def start(self, total: int) -> None:
        """Learn how many sentences or files there are."""
        ...

    def advance(self, count: int = 1) -> None:
        """Learn that `count` more sentences or files are done."""
        ...

    def hidden(self) -> AbstractContextManager[None]:
        """Make room for something else on the terminal while the context is open."""
        ...


class _NoBar:
    """Shows nothing."""

    def start(self, total: int) -> None:
        """Do nothing."""

    def advance(self, count: int = 1) -> None:
        """Do nothing."""

    def hidden(self) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()


class _Bar:
    """Shows how many sentences or files are done."""

    def __init__(self, display: "rich.progress.Progress", doing: str) -> None:
        self._display = display
        # Without a total the bar pulses: the models are being loaded, or the release is read.
        self._task = display.add_task(doing, total=None)

    def start(self, total: int) -> None:
        self._display.update(self._task, total=total)

    def advance(self, count: int = 1) -> None:
        self._display.advance(self._task, count)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        self._display.stop()
        try:
            yield
        finally:
            self._display.start()


@contextmanager
def progress(stream: TextIO, doing: str = "Translating") -> Iterator[Progress]:
    """Show a progress bar on `stream` while the context is open, if a terminal shows it.

    Args:
        stream: where it is shown.
        doing: what is being done, in one word before the bar.
    """
    if not stream.isatty():
        yield _NoBar()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with rich.progress.Progress(*columns, console=Console(file=stream), transient=True) as display:
        yield _Bar(display, doing)


class Transfers:
    """Shows what a pull does: a line for each step, and on a terminal a bar for each file."""

    def __init__(self, console: Console, display: "rich.progress.Progress | None") -> None:
        self._console = console
        self._display = display
        self._tasks: dict[str, TaskID] = {}

    def note(self, line: str) -> None:
        """Write what goes on."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def progress(self, name: str, have: int, size: int) -> None:
        """Show how many bytes of a file are here."""
        if self._display is None:
            return
        if name not in self._tasks:
            self._tasks[name] = self._display.add_task(name, total=size)
        self._display.update(self._tasks[name], completed=have, total=size)


@contextmanager
def transfers(stream: TextIO) -> Iterator[Transfers]:
    """Show on `stream` what a pull does while the context is open."""
    console = Console(file=stream)
    if not stream.isatty():
        yield Transfers(console, None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with rich.progress.Progress(*columns, console=console, transient=True) as display:
        yield Transfers(console, display)
