"""Serve the small checkpoints as a hub, under the names that the manifest has.

    PYTHONPATH=. .venv/bin/python tests/hub/serve.py

It prints an HF_ENDPOINT and runs until it is interrupted. Whoever has no network can try by it what
README says of stronger models; what such models write is noise.
"""

import signal
import sys
import threading
from pathlib import Path

from depesche.models.manifest import Manifest
from tests.hub.server import HubServer

_ROOT = Path(__file__).parents[2]


def main() -> None:
    """Serve until interrupted."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with HubServer() as hub:
        for spec in Manifest.read(_ROOT / "models" / "manifest.toml"):
            if spec.hub is not None and spec.hub.repository:
                folder = _ROOT / "tests" / "checkpoints" / spec.family
                files = {path.name: path.read_bytes() for path in folder.iterdir()}
                hub.add(spec.hub.repository, files)
        sys.stdout.write(f"HF_ENDPOINT={hub.endpoint}\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
