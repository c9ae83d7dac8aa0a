"""Inference: the only package that knows CTranslate2."""
