"""The pipeline in this process, behind the methods of a client."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from types import TracebackType
from typing import Self

from depesche.config import Settings
from depesche.engine import Engine
from depesche.errors import DepescheError
from depesche.loading import Loader
from depesche.server import convert
from depesche.server.validation import RELEASE_PATHS, TEXT_PATHS, renamed
from depesche.types import BriefOptions, Release
from depesche.v1 import brief_pb2, summarisation_pb2, translation_pb2, types_pb2

__all__ = ["LocalClient"]


class LocalClient:
    """Answers as `depesche.client.Client` does, without a server."""

    def __init__(self, engine: Engine) -> None:
        """Put a client before an engine, which it closes in the end."""
        self._engine = engine

    @classmethod
    async def load(cls, settings: Settings, loader: Loader | None = None) -> Self:
        """Load the models; see `Engine.load`."""
        return cls(await Engine.load(settings, loader=loader))

    async def brief(
        self, release: Release, options: BriefOptions | None = None, *, release_id: str = ""
    ) -> types_pb2.Brief:
        """Brief a release."""
        with renamed(RELEASE_PATHS):
            brief = await self._engine.brief(release, options or BriefOptions())
        return convert.brief_message(brief, release_id)

    async def stream(
        self, release: Release, options: BriefOptions
    ) -> AsyncIterator[brief_pb2.StreamBriefResponse]:
        """Brief a release, telling of the start and of each sentence before the brief."""
        with renamed(RELEASE_PATHS):
            async for event in self._engine.stream(release, options):
                yield convert.stream_event(event)

    async def briefs(
        self, releases: AsyncIterable[tuple[str, Release]], options: BriefOptions
    ) -> AsyncGenerator[tuple[str, types_pb2.Brief | DepescheError], None]:
        """Brief a feed of releases, one after the other; see `Client.briefs`."""
        async for release_id, release in releases:
            try:
                with renamed(RELEASE_PATHS):
                    brief = await self._engine.brief(release, options)
            except DepescheError as error:
                yield release_id, error
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this release's alone
                yield release_id, DepescheError(f"unforeseen {type(error).__name__}")
            else:
                yield release_id, convert.brief_message(brief, release_id)

    async def translate(
        self, release: Release, options: BriefOptions | None = None
    ) -> translation_pb2.TranslateResponse:
        """Translate a release without briefing it."""
        with renamed(RELEASE_PATHS):
            return convert.translate_response(await self._engine.translate(release, options))

    async def detect(self, text: str) -> types_pb2.Detection:
        """Tell the language of a text."""
        with renamed(TEXT_PATHS):
            return convert.detection_message(self._engine.detect(text))

    async def summarise(
        self, release: Release, options: BriefOptions | None = None
    ) -> summarisation_pb2.SummariseResponse:
        """Choose or write the key sentences of a text in English."""
        with renamed(TEXT_PATHS):
            summary = await self._engine.summarise(release, options or BriefOptions())
            return convert.summarise_response(summary)

    async def aclose(self) -> None:
        """Free the models."""
        await self._engine.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
