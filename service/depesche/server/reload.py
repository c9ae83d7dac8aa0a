"""Loading the models anew while calls go on, on demand of a caller or of a signal."""

import time
from collections.abc import Callable

import structlog

from depesche.config import MODEL_SETTINGS, Settings
from depesche.engine import Engine, ModelStatus
from depesche.errors import DepescheError
from depesche.loading import worker_count
from depesche.server.metrics import Metrics

__all__ = ["Reloader"]

_log = structlog.get_logger()


class Reloader:
    """Loads an engine's models anew by the settings as they are then."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        metrics: Metrics,
        read: Callable[[], Settings] | None = None,
    ) -> None:
        """Take what is loaded.

        Args:
            engine: runs the models.
            settings: what they were loaded by.
            metrics: told which models run.
            read: reads the settings anew; of these, those of the models count. None keeps them.
        """
        self._engine = engine
        self._settings = settings
        self._metrics = metrics
        self._read = read

    async def reload(self) -> list[ModelStatus]:
        """Load the models anew, beside the running ones, and swap.

        Raises:
            OperatorError: the models can't be loaded, or a setting is wrong; the running ones stay.
            NotReady: calls still run on the models of before an earlier reload.
        """
        started = time.monotonic()
        try:
            settings = self._reread()
            models = await self._engine.reload(settings)
        except Exception as error:
            self._metrics.reloaded("failed")
            reason = str(error) if isinstance(error, DepescheError) else type(error).__name__
            _log.error("reload failed", error=reason)
            raise
        self._settings = settings
        self.note(models)
        self._metrics.reloaded("done")
        _log.info("reloaded", seconds=round(time.monotonic() - started, 3))
        return models

    def note(self, models: list[ModelStatus]) -> None:
        """Tell the metrics which models run, and how many batches of each can at once."""
        self._metrics.models_loaded(models)
        for model in self._engine.statistics():
            self._metrics.workers(model, worker_count(self._settings))

    def _reread(self) -> Settings:
        if self._read is None:
            return self._settings
        read = self._read()
        return self._settings.model_copy(
            update={name: getattr(read, name) for name in MODEL_SETTINGS}
        )
