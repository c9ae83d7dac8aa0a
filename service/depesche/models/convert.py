"""Conversion of a pulled model to CTranslate2, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from depesche.errors import ModelError
from depesche.models.manifest import ModelSpec

__all__ = ["QUANTISATIONS", "Quantisation", "convert"]

Quantisation: TypeAlias = Literal["int8", "int8_float32", "int8_bfloat16", "float32"]
QUANTISATIONS: tuple[Quantisation, ...] = get_args(Quantisation)

_PROGRAM = Path(__file__).with_name("converter.py")
_MISSING = 3  # exit code
# The hub isn't asked for anything: what is converted is what was fetched and checked.
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def convert(
    spec: ModelSpec,
    source: Path,
    into: Path,
    quantisation: Quantisation = "int8",
    python: Path | None = None,
    keep_open: Sequence[int] = (),
) -> str:
    """Convert a model; blocks, for minutes where it is large.

    Args:
        spec: what the manifest says of it.
        source: folder of its files as on the hub, checked.
        into: folder to make; what is left of it after an error is the caller's to remove.
        quantisation: how to store the weights.
        python: interpreter with the extra `convert`; None takes this one.
        keep_open: files that the converting process keeps open, even if this one is killed: a lock
            of theirs is held until nobody writes into `into` any more.

    Returns:
        The programs that made it, with their versions.

    Raises:
        ModelError: the interpreter lacks something, or the files aren't a model of the family.
    """
    command = [str(python or sys.executable), "-I", str(_PROGRAM)]
    command += [spec.family, str(source), str(into), quantisation]
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            command,
            env={**os.environ, **_OFFLINE},
            stdin=subprocess.DEVNULL,
            pass_fds=keep_open,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise ModelError(f"convert_python: {command[0]} can't be run: {error.strerror}") from error
    if done.returncode:
        raise ModelError(f"model '{spec.name}' can't be converted: {_reason(done)}")
    return str(json.loads(done.stdout.strip().splitlines()[-1])["converter"])


def _reason(done: "subprocess.CompletedProcess[str]") -> str:
    if done.returncode < 0:
        return f"the conversion was ended by signal {-done.returncode}, perhaps for want of memory"
    lines = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"]
    if done.returncode == _MISSING:
        return (
            f"{lines[-1]}; `pip install 'depesche[convert]'` adds it,"
            " or set DEPESCHE_CONVERT_PYTHON to an interpreter that has it"
        )
    return lines[-1]
