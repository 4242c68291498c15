"""The OpenVINO backend on the real weights: the same replies as the reference, with and without an adapter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.choice import Asked, EngineReader
from agent.models.adapters import read_adapter
from agent.models.decoding import Decoder
from agent.models.engine import Request
from agent.models.openvino_backend import load
from agent.models.weights import EMBEDDED, prepare, prepare_compiled, prepare_compiled_merged, prepare_merged
from benchmarks.llm_prompts import call_prompts
from finetune.gists import BatchReader

pytestmark = [pytest.mark.model, pytest.mark.slow]
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def engine(home: Path) -> Decoder:
    return load(prepare_compiled(home), "openvino")


def replies(engine: Any, count: int) -> list[str]:
    found = []
    for prompt in call_prompts(count):
        pieces = engine.generate(Request(prompt.text, prompt.grammar, max_tokens=120))
        found.append("".join(piece.text for piece in pieces))
    return found


def test_forks_and_forced_tokens_change_nothing(home: Path, engine: Decoder) -> None:
    plain = Decoder(engine.backend, engine._tokenizer, "plain", engine._ends, fast_forward=False, kept_prompts=0)
    assert replies(plain, 4) == replies(engine, 4)


def test_the_embedded_model_calls_what_the_reference_calls(home: Path, engine: Decoder) -> None:
    from agent.models.transformers_backend import load as load_reference

    expected = replies(load_reference(prepare(home), "reference"), 12)
    same = [one == other for one, other in zip(replies(engine, 12), expected, strict=True)]
    # The reference rounds to bfloat16 where the processor has it, so a near tie may fall the other way.
    assert sum(same) >= 10


def small_adapter(base: Path, folder: Path) -> Path:
    """A random LoRA that is strong enough to change what the model writes."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    tuned = get_peft_model(
        model, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "k_proj", "v_proj", "down_proj"])
    )
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.02)
    tuned.save_pretrained(folder)
    (folder / "base.json").write_text(json.dumps({"sha256": EMBEDDED.sha256}))
    return folder


def in_full_precision(folder: Path) -> Decoder:
    """The reference without the rounding to bfloat16, which settles near ties by itself."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from agent.models.transformers_backend import decoder

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return decoder(model.eval(), AutoTokenizer.from_pretrained(folder), "reference")


def test_a_merged_adapter_writes_the_same_in_both_engines(home: Path, tmp_path: Path, engine: Decoder) -> None:
    adapter = small_adapter(prepare(home), tmp_path / "tiny")
    expected = replies(in_full_precision(prepare_merged(home, adapter)), 8)
    merged = load(prepare_compiled_merged(home, adapter), "merged")
    found = replies(merged, 8)
    same, unmerged = (sum(map(str.__eq__, found, other)) for other in (expected, replies(engine, 8)))
    # Weights are in blocks of 8 bits here: with a random adapter a near tie may fall the other way.
    assert same >= 6
    assert unmerged < same


def test_an_adapter_that_was_trained_again_leaves_nothing_behind(home: Path, tmp_path: Path) -> None:
    adapter = small_adapter(prepare(home), tmp_path / "mine")
    old = prepare_compiled_merged(home, adapter)
    other = home / "models" / f"{prepare(home).name}-mine-too-{8 * '0'}"
    other.mkdir()
    # So does what an older version of the code has compiled.
    older = old.with_name(old.name.rpartition("-")[0] + "-1")
    old.rename(older)
    assert prepare_compiled_merged(home, adapter) == old
    assert not older.exists()
    (adapter / "adapter_config.json").write_text((adapter / "adapter_config.json").read_text() + "\n")
    digest = read_adapter(adapter, EMBEDDED.sha256).digest[:8]
    killed = home / "models" / f".{prepare(home).name}-mine-{digest}-a1b2c3d4"
    killed.mkdir()
    new = prepare_merged(home, adapter)
    assert new.is_dir()
    assert [path for path in (home / "models").iterdir() if "-mine-" in path.name and path != other] == [new]
    assert other.is_dir()
    assert not old.exists()


def test_both_engines_make_the_same_of_a_turn(home: Path, tmp_path: Path) -> None:
    """The chooser is fitted to what transformers reads in batches, and used on what the fast engine reads."""
    adapter = small_adapter(prepare(home), tmp_path / "tiny")
    merged = load(prepare_compiled_merged(home, adapter), "merged")
    texts = ["price it", "给水壶定价", "what should the new kettle cost when it comes at nine dollars", "yes", " "]
    turns = [Asked(text, before) for text in texts for before in ("", "how much stock is left of it?")]
    found = EngineReader(merged, read_adapter(adapter, EMBEDDED.sha256)).gists(turns)
    expected = BatchReader(adapter, home).gists(turns)
    assert found.shape == expected.shape == (len(turns), 2 * 576)
    for one, other in zip(found.reshape(-1, 576), expected.reshape(-1, 576), strict=True):
        assert one @ other >= 0.999 * np.linalg.norm(one) * np.linalg.norm(other)
    # They tell turns apart: the means of the words of two turns are less alike than one is to itself.
    assert np.corrcoef(found[0, :576], found[2, :576])[0, 1] < 0.99


def test_the_fast_engine_loads_neither_torch_nor_transformers(home: Path, engine: Decoder) -> None:
    code = (
        "import sys; from pathlib import Path; from agent.models.select import open_model;"
        f"model = open_model('embedded', Path({str(home)!r})); assert model.invoke('Hi', max_tokens=3).text;"
        "print([m for m in ('torch', 'transformers', 'peft') if m in sys.modules])"
    )
    # The first start merges the adapter that ships, and needs torch for it; a later one only reads what that wrote.
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reading_in_pieces_or_from_a_fork_gives_the_same_scores(engine: Decoder) -> None:
    backend = engine.backend
    tokens = engine._tokenizer.encode(call_prompts(1)[0].text, add_special_tokens=False).ids
    whole = backend.read(backend.start(), 0, tokens)
    state = backend.start()
    for past in range(0, len(tokens), 7):
        pieces = backend.read(state, past, tokens[past : past + 7])
    assert np.abs(pieces - whole).max() < 1e-3
    forked = backend.fork(state, 50)
    assert np.abs(backend.read(forked, 50, tokens[50:]) - whole).max() < 1e-3


def test_the_packaged_blocks_are_the_weights_of_the_reference(home: Path, engine: Decoder) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from agent.models.transformers_backend import TransformersBackend

    model = AutoModelForCausalLM.from_pretrained(prepare(home), dtype=torch.float32)
    reference = TransformersBackend(model.eval())
    tokens = engine._tokenizer.encode(call_prompts(1)[0].text, add_special_tokens=False).ids
    expected = reference.read(reference.start(), 0, tokens)
    found = engine.backend.read(engine.backend.start(), 0, tokens)
    # The reference's weights were rounded to bfloat16 when they were converted; scores spread over about three.
    assert np.corrcoef(found, expected)[0, 1] > 0.9999
    assert np.abs(found - expected).max() < 0.3
