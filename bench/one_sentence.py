"""Write a model for MiniSBD, LibreTranslate's splitter, by which a paragraph is one sentence.

    python bench/one_sentence.py OUTPUT.onnx

Run by bench/against_libretranslate.py in LibreTranslate's environment. MiniSBD's own models have to
be downloaded, and cost time; this one costs almost none, and the lines are sentences anyway.
"""

import argparse
import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

_CLASSES = 5
"""What a character can be: within a token, or the end of a token or sentence of some kind."""

_OPSET, _IR_VERSION = 17, 8


def model() -> onnx.ModelProto:
    """Make a model whose every character is within a token; MiniSBD itself ends each paragraph."""
    units = helper.make_tensor_value_info("units", TensorProto.INT64, ["rows", "characters"])
    features = helper.make_tensor_value_info(
        "features", TensorProto.FLOAT, ["rows", "characters", "features"]
    )
    scores = helper.make_tensor_value_info(
        "scores", TensorProto.FLOAT, ["rows", "characters", _CLASSES]
    )
    nodes = [
        helper.make_node("Shape", ["units"], ["shape"]),
        helper.make_node("Concat", ["shape", "classes"], ["wanted"], axis=0),
        helper.make_node("Expand", ["within", "wanted"], ["scores"]),
    ]
    constants = [
        helper.make_tensor("classes", TensorProto.INT64, [1], [_CLASSES]),
        helper.make_tensor("within", TensorProto.FLOAT, [_CLASSES], [1.0, *[0.0] * (_CLASSES - 1)]),
    ]
    graph = helper.make_graph(nodes, "one_sentence", [units, features], [scores], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    made.ir_version = _IR_VERSION
    helper.set_model_props(made, {name: json.dumps(value) for name, value in _properties().items()})
    return made


def _properties() -> dict[str, object]:
    """Describe the input, of which the model takes no notice."""
    names = ["<PAD>", "<UNK>"]
    return {
        "lang_code": "de",
        "config": {"feat_funcs": ["space_before"]},
        "vocab": {
            "lang": "de",
            "_id2unit": names,
            "_unit2id": {name: index for index, name in enumerate(names)},
        },
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="the file to write")
    onnx.save(model(), str(parser.parse_args().output))


if __name__ == "__main__":
    main()
