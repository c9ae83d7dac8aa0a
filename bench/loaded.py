"""The configured translation model, loaded for the benchmarks that run it bare."""

from depesche.config import Settings
from depesche.inference.backend import TranslationBackend
from depesche.loading import load_models
from depesche.models.store import ModelStore

__all__ = ["default_backend"]


def default_backend(settings: Settings) -> TranslationBackend:
    """Verify and load the models, and give the one that `translation_model` names."""
    models = load_models(settings, ModelStore(settings.models_dir, settings.pulled_dir))
    return models.translators[settings.translation_model].backend
