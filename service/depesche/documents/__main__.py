"""The process that reads one file: `python -m depesche.documents`, for `extract` alone.

Its input is a line of JSON (name, media type, limits, whether HTML becomes plain), then the file;
its output is JSON: the document, or what is wrong with the file.
"""

import json
import resource
import sys
from dataclasses import asdict

from depesche.documents.document import Limits
from depesche.documents.reading import read
from depesche.errors import InvalidRequest

_OPEN_FILES = 64


def _confine(limits: Limits) -> None:
    """Take from this process what reading doesn't need: no file can be written, nor a core dumped.

    Time over is SIGXCPU, which ends the process.
    """
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        _, hardest = resource.getrlimit(what)
        # The harder limit on time comes a second later: it kills without a word.
        hard = most + (what == resource.RLIMIT_CPU)
        hard = hard if hardest == resource.RLIM_INFINITY else min(hard, hardest)
        resource.setrlimit(what, (min(most, hard), hard))


def main() -> None:
    """Read the file."""
    asked = json.loads(sys.stdin.buffer.readline())
    limits = Limits(**asked["limits"])
    _confine(limits)
    try:
        content = sys.stdin.buffer.read()
        document = read(content, asked["name"], asked["media_type"], limits, plain=asked["plain"])
        answer = asdict(document)
    except InvalidRequest as error:
        answer = {"error": error.violations[0].description}
    except MemoryError:
        answer = {"error": "takes too much memory to read"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
