"""Compiles weights for the OpenVINO backend: a GGUF file, packaged or written from merged weights, to a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agent.models.engine import depth

Kind = Literal["F16", "Q8_0", "Q4_1", "Q4_0"]
BLOCK = 32
# What the other format calls the parts of a Llama layer, and what stands outside the layers.
_LAYER = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip
_ADDED = "model.layers.self_attn.add1.layer"  # what OpenVINO's reader calls the sum that ends a layer, of that number
_OUTSIDE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def write_gguf(described_by: Path, weights: Path, target: Path, kind: Kind = "Q8_0") -> None:
    """Write weights in Hugging Face's naming as a GGUF file.

    Args:
        described_by: A GGUF file of the same architecture; its metadata and tokenizer are taken over.
        weights: Folder with `model.safetensors` and `config.json` of a Llama model.
        target: The file to write.
        kind: How matrices are stored: 16 bits, or blocks of 8 or 4. Vectors stay 32 bits; with 4 bits the token
            vectors, which are also the output matrix, keep 8.
    """
    from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType
    from gguf.quants import quantize
    from safetensors import safe_open

    config = json.loads((weights / "config.json").read_text())
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    writer = GGUFWriter(target, "llama")
    _copy_fields(described_by, writer)
    writer.add_file_type(LlamaFileType[f"MOSTLY_{kind}"])
    # torch reads bfloat16, which numpy does not know.
    with safe_open(str(weights / "model.safetensors"), "pt") as tensors:
        for theirs in sorted(tensors.keys()):
            name, part = _gguf_name(theirs)
            data = tensors.get_tensor(theirs).float().numpy()
            if part in heads:
                data = _rotary_order(data, heads[part])
            stored = GGMLQuantizationType.F32 if data.ndim == 1 else GGMLQuantizationType[kind]
            if part == "token_embd" and kind in ("Q4_0", "Q4_1"):
                stored = GGMLQuantizationType.Q8_0
            writer.add_tensor(name, quantize(data, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def compile_gguf(source: Path, tokenizer_from: Path, folder: Path) -> None:
    """Write a folder for `openvino_backend.load`: network, weights, tokenizer and configuration.

    Args:
        source: The GGUF file.
        tokenizer_from: Folder with `tokenizer.json` and `config.json` of the model.
        folder: An existing, empty folder.
    """
    import openvino
    import openvino_genai  # type: ignore[import-untyped]

    # The reader writes what it made beside the file it read, so it is given a copy.
    reading = folder / "reading"
    reading.mkdir()
    shutil.copyfile(source, reading / "model.gguf")
    openvino_genai.LLMPipeline(str(reading / "model.gguf"), "CPU", enable_save_ov_model=True)
    model = openvino.Core().read_model(str(reading / "openvino_model.xml"))
    _exact_minimums(model, source)
    _only_last_scores(model)
    _show_inner(model, depth(json.loads((tokenizer_from / "config.json").read_text())["num_hidden_layers"]))
    openvino.save_model(model, str(folder / "openvino_model.xml"), compress_to_fp16=False)
    del model
    shutil.rmtree(reading)
    for name in ("tokenizer.json", "config.json"):
        shutil.copyfile(tokenizer_from / name, folder / name)


def _only_last_scores(model: Any) -> None:
    """Score the last token alone: the loop reads no other, and the output matrix is a fifth of the work."""
    import openvino.opset13 as ops

    node = model.output(0).get_node().input_value(0).get_node()
    while node.get_type_name() != "MatMul":
        node = node.input_value(0).get_node()
    first, end, step, axis = (np.array([number], np.int64) for number in (-1, np.iinfo(np.int64).max, 1, 1))
    last = ops.slice(node.input_value(0), first, end, step, axis)
    node.input(0).replace_source_output(last.output(0))
    model.validate_nodes_and_infer_types()


def _show_inner(model: Any, layers: int) -> None:
    """Let the network give, beside its scores, what it has made of every token after so many layers."""
    sums = [node for node in model.get_ordered_ops() if node.get_friendly_name() == f"{_ADDED}{layers - 1}"]
    model.add_outputs([sums[0].output(0)])


def _exact_minimums(model: Any, source: Path) -> None:
    """Put back the minimum of every Q4_1 block: a weight is `scale * q + minimum`.

    OpenVINO's reader stores it as a zero point rounded to one of sixteen steps, which changes what the model says. The
    rows are found by their scales, because the reader reorders them.
    """
    import openvino.opset13 as ops

    minimums = _minimums(source)
    if not minimums:
        return
    for constant in model.get_ordered_ops():
        # Blocks of numbers; a zero point is such a constant too, of one number a block.
        blocks = constant.get_type_name() == "Constant" and constant.get_element_type().get_type_name() == "u4"
        if not blocks or constant.get_output_shape(0)[-1] != BLOCK:
            continue
        subtract = _user(_user(constant))
        multiply = _user(subtract)
        scales = multiply.input_value(1).get_node().data
        by_row = scales.reshape(scales.shape[0], -1)
        known = np.stack([minimums[row.tobytes()] for row in by_row]).astype(np.float32)
        zero = np.divide(-known, by_row, out=np.zeros_like(known), where=by_row != 0)
        subtract.input(1).replace_source_output(ops.constant(zero.reshape(scales.shape).astype(np.float16)).output(0))


def _minimums(source: Path) -> dict[bytes, NDArray[np.float16]]:
    """Minimums of the blocks of every row of the Q4_1 matrices in a GGUF file, by the bytes of the row's scales."""
    from gguf import GGMLQuantizationType, GGUFReader

    found = {}
    for tensor in GGUFReader(source).tensors:
        if tensor.tensor_type == GGMLQuantizationType.Q4_1:
            # A block: scale and minimum of 16 bits, then 32 numbers of 4 bits.
            blocks = np.asarray(tensor.data).reshape(tensor.data.shape[0], -1, 20)
            scales, minimums = (blocks[:, :, at : at + 2].copy().view(np.float16)[:, :, 0] for at in (0, 2))
            found.update({scale.tobytes(): minimum for scale, minimum in zip(scales, minimums, strict=True)})
    return found


def _user(node: Any) -> Any:
    """The node that reads another one's only output."""
    return next(iter(node.output(0).get_target_inputs())).get_node()


def _copy_fields(source: Path, writer: Any) -> None:
    from gguf import GGUFReader, GGUFValueType

    written = ("GGUF.", "general.architecture", "general.file_type")  # by the writer itself, or untrue of the new file
    for name, field in GGUFReader(source).fields.items():
        if not name.startswith(written):
            inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), field.types[0], sub_type=inner)


def _gguf_name(theirs: str) -> tuple[str, str]:
    """Name of a tensor in a GGUF file, and which part of the network it is."""
    stem = theirs.removesuffix(".weight")
    if stem in _OUTSIDE:
        return f"{_OUTSIDE[stem]}.weight", _OUTSIDE[stem]
    _, _, layer, part = stem.split(".", 3)
    return f"blk.{layer}.{_LAYER[part]}.weight", _LAYER[part]


def _rotary_order(data: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Rows of a query or key matrix, shape (heads * width, input), in the order of GGUF's rotary embedding.

    Hugging Face rotates the two halves of a head against each other, GGUF neighbouring rows (llama.cpp's converter,
    `LlamaModel.permute`).
    """
    rows, columns = data.shape
    halves = data.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)
