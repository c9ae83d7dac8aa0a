"""The page in the wheel."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "service" / "depesche" / "web" / "page" / "static"


def test_the_wheel_has_the_page(tmp_path: Path) -> None:
    """Every file of the folder, so that the page is there wherever the package is."""
    command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")

    with zipfile.ZipFile(wheel) as archive:
        packed = {name: archive.read(name) for name in archive.namelist() if "/static/" in name}
    assert packed == {
        f"depesche/web/page/static/{path.name}": path.read_bytes() for path in STATIC.iterdir()
    }
