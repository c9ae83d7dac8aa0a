"""The generated code of the API is what the protos make."""

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_generated_code_is_up_to_date(tmp_path: Path) -> None:
    """A change of proto/ fails until `make proto` was run."""
    protos = sorted(str(path) for path in (ROOT / "proto/depesche/v1").glob("*.proto"))
    include = [f"-I{ROOT / 'proto'}", f"-I{sysconfig.get_path('purelib')}"]
    outputs = [f"--python_out={tmp_path}", f"--grpc_python_out={tmp_path}"]

    command = [sys.executable, "-m", "grpc_tools.protoc", *include, *outputs, *protos]
    subprocess.run(command, check=True)

    made = {path.name: path.read_text("utf-8") for path in (tmp_path / "depesche/v1").iterdir()}
    kept = {
        path.name: path.read_text("utf-8")
        for path in (ROOT / "service/depesche/v1").glob("*_pb2*.py")
    }
    assert made == kept
