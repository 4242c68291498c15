"""Training by the smoke recipe on a tiny random model: it learns, stops and goes on exactly, and ships what it made."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from test_finetune_packing import tiny_model
from tiny_model import tiny_tokenizer

from agent.models.adapters import BASE, WEIGHTS, read_adapter
from agent.models.template import END
from finetune import export
from finetune.examples import Catalogue, Example, row, user
from finetune.packing import Row
from finetune.recipe import read_recipe
from finetune.sitting import STATE
from finetune.train import RUN, train
from shop import BadInput

SMOKE = read_recipe(Path("smoke"))
SPEC = {
    "type": "function",
    "function": {
        "name": "forecast_launch",
        "description": "Forecast a launch.",
        "parameters": {"type": "object", "properties": {"product": {"type": "string"}}, "required": ["product"]},
    },
}
CATALOGUE = Catalogue({"manager": "You are Debut."}, {"forecast_launch": SPEC})


def rows() -> list[Row]:
    names = ("Aurora kettle", "Dusk lamp", "Elm pack", "Tide mug", "Vale sheet")
    examples = [
        Example(
            "call", "manager", "en", "f", (user(f"Forecast the {name}"),), ("forecast_launch",),
            call={"name": "forecast_launch", "arguments": {"product": name}},
        )
        for name in names
    ]  # fmt: skip
    return [row(each, CATALOGUE, tiny_tokenizer()) for each in examples]


def silent(_: str) -> None: ...


def test_every_row_is_supervised_to_the_end_of_its_turn() -> None:
    for each in rows():
        assert each.tokens[-1] == tiny_tokenizer().convert_tokens_to_ids(END)
        written = tiny_tokenizer().decode(each.tokens[each.reply :])
        assert written.startswith("<tool_call>")
        assert "system" not in written


def test_it_learns(tmp_path: Path) -> None:
    recipe = dataclasses.replace(SMOKE, epochs=15)
    progress = train(tiny_model(), rows(), recipe, tmp_path, say=silent)
    assert progress.losses[-1] < 0.7 * progress.losses[0]
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, len(progress.losses) + 1))


def test_a_stopped_run_goes_on_exactly(tmp_path: Path) -> None:
    whole = train(tiny_model(), rows(), SMOKE, tmp_path / "whole", say=silent)
    recipe = dataclasses.replace(SMOKE, checkpoint_minutes=0)

    def stop_after_two(line: str) -> None:
        if line.startswith("step 2/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tiny_model(), rows(), recipe, tmp_path / "parts", say=stop_after_two)
    assert (tmp_path / "parts" / STATE).is_file()
    resumed = train(tiny_model(), rows(), recipe, tmp_path / "parts", say=silent)
    assert resumed.losses == whole.losses
    one, other = (load_file(tmp_path / name / WEIGHTS) for name in ("whole", "parts"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_second_sitting_goes_on_from_the_first(tmp_path: Path) -> None:
    train(tiny_model(), rows(), SMOKE, tmp_path / "one", say=silent)
    start = load_file(tmp_path / "one" / WEIGHTS)
    nothing = dataclasses.replace(SMOKE, minutes=1e-9)
    train(tiny_model(), rows(), nothing, tmp_path / "two", start, silent)
    other = load_file(tmp_path / "two" / WEIGHTS)
    assert all(torch.equal(start[key], other[key]) for key in start)


def test_another_recipe_does_not_take_over_a_run(tmp_path: Path) -> None:
    train(tiny_model(), rows(), SMOKE, tmp_path, say=silent)
    with pytest.raises(BadInput, match="another recipe"):
        train(tiny_model(), rows(), dataclasses.replace(SMOKE, rank=8), tmp_path, say=silent)


def test_what_ships_is_what_was_trained(tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "adapters"
    progress = train(tiny_model(), rows(), SMOKE, run, say=silent)
    (run / BASE).write_text('{"sha256": "b5"}')
    about = {"recipe": SMOKE.as_dict(), "rows": 5, "steps": progress.step, "tokens": 1, "minutes": 0.1, "loss": 1.0}
    with pytest.raises(BadInput, match="no finished run"):
        export.main(run, "tiny", tmp_path, out)
    (run / RUN).write_text(json.dumps({**about, "data": {"train.jsonl": "d4"}}))
    export.main(run, "tiny", tmp_path, out)
    assert read_adapter(out / "tiny", "b5").name == "tiny"
    ids = torch.tensor([rows()[0].tokens])
    trained, shipped = (PeftModel.from_pretrained(tiny_model(), str(p)).eval() for p in (run, out / "tiny"))
    wanted = trained(ids).logits
    # The adapter ships in 16 bits: eight of them are the number's.
    assert (wanted - shipped(ids).logits).abs().max() < 0.02 * wanted.abs().max()
    card = out / "tiny" / "README.md"
    card.write_text(card.read_text() + "Written by hand.\n")
    export.main(run, "tiny", tmp_path, out)
    assert "Written by hand." in card.read_text()


def test_recipes_say_what_is_wrong_with_them(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="embedded"):
        read_recipe(Path("nothing-of-the-kind"))
    wrong = tmp_path / "r.toml"
    wrong.write_text("ranks = 3")
    with pytest.raises(BadInput, match="has ranks"):
        read_recipe(wrong)
    assert read_recipe(Path("embedded")).base == "embedded"
