"""The preference step: its loss in closed form, what it does to a tiny model, how it goes on, where pairs come from."""

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch
from langchain_core.messages import AIMessage
from safetensors.torch import load_file
from test_finetune_data import Player
from test_finetune_packing import tiny_model
from tiny_model import tiny_tokenizer

from agent.models.adapters import BASE, WEIGHTS, read_adapter
from agent.models.chat import LocalChatModel
from agent.models.template import END
from agent.shortlist import Examples, Shortlist
from finetune import export, prefer, prefer_errors, sweep
from finetune import train as training
from finetune.examples import CARD, DEV, TRAIN, Catalogue, Example, render, user, write_catalogue
from finetune.examples import write as write_examples
from finetune.packing import Row
from finetune.prefer import Pair, PairLoss, compare, gather, likely, pack_pairs, pair, preference, refer
from finetune.prefer_errors import Collected, Mistake, collect, describe, even, mistake, read, write
from finetune.recipe import Preference, Recipe, read_recipe
from finetune.sitting import STATE, Progress
from finetune.train import begin, fit
from shop import BadInput

SMOKE = Preference("smoke", rank=4, alpha=4, rate=5e-3, warmup=2, epochs=6, pack_tokens=64, packs_per_step=1, beta=0.2)
PAIRS = [
    Pair(Row((5, 6, 7, 8, 20, 21, 2), 4), Row((5, 6, 7, 8, 20, 31, 32, 2), 4)),
    Pair(Row((5, 6, 9, 22, 23, 2), 3), Row((5, 6, 9, 33, 2), 3)),
    Pair(Row((40, 41, 42, 2), 2), Row((40, 41, 43, 44, 2), 2)),
]


def silent(_: str) -> None: ...


def spec(name: str, *arguments: str, required: int = 1) -> dict[str, object]:
    parameters = {
        "type": "object",
        "properties": {each: {"type": "string"} for each in arguments},
        "required": list(arguments[:required]),
    }
    return {"type": "function", "function": {"name": name, "description": f"{name}.", "parameters": parameters}}


def alone(model: torch.nn.Module, row: Row) -> float:
    """The log-probability of a reply, by itself."""
    told = model(torch.tensor([row.tokens])).logits[0, row.reply - 1 : -1].float().log_softmax(-1)
    return float(told.gather(1, torch.tensor(row.tokens[row.reply :])[:, None]).sum())


def stepped(out: Path, recipe: Preference = SMOKE, say: object = silent) -> tuple[Progress, object]:
    tuned = begin(tiny_model(), recipe)
    packs = pack_pairs(PAIRS, recipe.pack_tokens)
    refer(tuned, packs, out / "reference.json")
    return fit(PairLoss(tuned, recipe.beta, recipe.supervised), packs, recipe, out, say), tuned  # type: ignore[arg-type]


def test_a_pack_tells_of_every_reply_what_the_model_tells_of_it_alone() -> None:
    plain, tuned = tiny_model(), begin(tiny_model(), SMOKE)
    told = {}
    for most in (64, 8):
        packs = pack_pairs(PAIRS, most)
        assert sum(each.weight for each in packs) == len(PAIRS)
        told[most] = torch.tensor([each for packed in packs for each in likely(tuned, packed)])
    wanted = torch.tensor([[alone(plain, each.chosen), alone(plain, each.rejected)] for each in PAIRS])
    # Sixteen bits in the matrix products.
    assert torch.allclose(told[64], wanted, rtol=0.02)
    assert torch.allclose(told[8], told[64], rtol=0.01)


def test_a_prompt_is_stored_once_for_both_replies() -> None:
    (packed,) = pack_pairs(PAIRS[:1], 64)
    assert len(packed.tokens) == 5 + 2 + 3
    assert packed.lengths == [3, 4]


def test_the_loss_is_the_closed_form() -> None:
    told = torch.tensor([[-4.0, -6.0], [-9.0, -3.0]])
    reference = torch.tensor([[-5.0, -5.5], [-8.0, -4.0]])
    found = preference(told, reference, torch.tensor([4, 3]), 0.1, 0.5)
    first = math.log(1 + math.exp(-0.1 * (1.0 + 0.5))) + 0.5 * 4 / 4
    second = math.log(1 + math.exp(-0.1 * (-1.0 - 1.0))) + 0.5 * 9 / 3
    assert found.tolist() == pytest.approx([first, second])


def test_before_a_step_the_choice_is_even(tmp_path: Path) -> None:
    tuned = begin(tiny_model(), SMOKE)
    (packed,) = pack_pairs(PAIRS, 64)
    refer(tuned, [packed], tmp_path / "reference.json")
    with torch.no_grad():
        plain = PairLoss(tuned, SMOKE.beta, 0.0)(packed)
    assert plain.item() == pytest.approx(len(PAIRS) * math.log(2), rel=0.02)


def test_it_learns_to_tell_them_apart_and_keeps_the_right_reply(tmp_path: Path) -> None:
    progress, tuned = stepped(tmp_path, dataclasses.replace(SMOKE, epochs=25))
    assert progress.losses[-1] < 0.7 * progress.losses[0]
    (packed,) = pack_pairs(PAIRS, 64)
    refer(tuned, [packed], tmp_path / "reference.json")
    after, before = compare([likely(tuned, packed)]), compare([packed.reference])
    assert after["chosen"] > before["chosen"]
    assert after["chosen"] - after["rejected"] > before["chosen"] - before["rejected"] + 1
    assert after["chosen_likelier"] == 1


def test_a_stopped_step_goes_on_exactly(tmp_path: Path) -> None:
    whole, _ = stepped(tmp_path / "whole")
    recipe = dataclasses.replace(SMOKE, checkpoint_minutes=0)

    def stop_after_two(line: str) -> None:
        if line.startswith("step 2/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stepped(tmp_path / "parts", recipe, stop_after_two)
    assert (tmp_path / "parts" / STATE).is_file()
    resumed, _ = stepped(tmp_path / "parts", recipe)
    assert resumed.losses == whole.losses
    one, other = (load_file(tmp_path / name / WEIGHTS) for name in ("whole", "parts"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    with pytest.raises(BadInput, match="another recipe"):
        stepped(tmp_path / "parts", dataclasses.replace(recipe, beta=0.3))


TOOLS = {
    "forecast_launch": spec("forecast_launch", "product", "peer"),
    "plan_inventory": spec("plan_inventory", "product"),
}
CATALOGUE = Catalogue({"manager": "You are Debut.", "customer": "You serve."}, TOOLS)
RIGHT = {"name": "forecast_launch", "arguments": {"product": "Dusk lamp", "peer": "Elm pack"}}


def example(kind: str, asked: str, family: str = "f", **reply: object) -> Example:
    return Example(kind, "manager", "en", family, (user(asked),), ("forecast_launch",), **reply)  # type: ignore[arg-type]


def called(name: str = "forecast_launch", **arguments: object) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": "call_1"}])


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (called(product="dusk lamp", peer="Elm pack"), ""),
        (called(product="lamp", peer="Elm pack"), "value"),
        (called(product="Dusk lamp"), "dropped"),
        (called(product="Dusk lamp", peer="Elm pack", weeks=4), "added"),
        (called("plan_inventory", product="Dusk lamp"), "tool"),
        (AIMessage("Which product?"), "asked"),
    ],
)
def test_a_mistake_has_its_kind(reply: AIMessage, kind: str) -> None:
    assert mistake(example("call", "Forecast the Dusk lamp like the Elm pack", call=RIGHT), reply, TOOLS) == kind


def test_a_call_where_a_question_is_right_is_a_mistake_and_other_words_are_none() -> None:
    ask = example("ask", "Forecast it", text="Which product?")
    assert mistake(ask, called(product="it"), TOOLS) == "called"
    assert mistake(ask, AIMessage("What product do you mean?"), TOOLS) == ""


def questions() -> tuple[list[Example], dict[str, Shortlist]]:
    short = Shortlist({"forecast_launch": Examples("forecast_launch.", ("Forecast the Dusk lamp", "Forecast it"))})
    found = [
        example("call", "Forecast the Dusk lamp like the Elm pack", "one", call=RIGHT),
        example("ask", "Forecast a launch", "two", text="Which product?"),
        example("chat", "Forecast thanks", "three", text="You are welcome."),
    ]
    return found, {"manager": short, "customer": short}


def test_mistakes_are_made_on_the_prompts_that_the_model_is_sent(tmp_path: Path) -> None:
    examples, lists = questions()
    wrong = '<tool_call>{"name":"forecast_launch","arguments":{"product":"lamp"}}</tool_call>'
    engine = Player(wrong, wrong)
    (done,) = collect(examples, CATALOGUE, LocalChatModel(engine=engine), lists, Collected(), 9, 0)
    found = done.mistakes
    # Chat is not put to it: that no call is made there is not its doing.
    assert done.questions == done.looked == 2
    assert [each.prompt for each in found] == [each.prompt for each in engine.sent]
    assert {(each.kind, each.family) for each in found} == {("dropped", "one"), ("called", "two")}
    for each in found:
        made = next(e for e in examples if e.family == each.family)
        assert (each.prompt, each.chosen) == render(made, CATALOGUE)
        assert each.rejected == wrong + END
    write(found, tmp_path / "mistakes.jsonl")
    assert read(tmp_path / "mistakes.jsonl") == found
    assert describe(done)["kind"] == {"dropped": 1, "called": 1}


def test_a_right_reply_makes_no_pair() -> None:
    examples, lists = questions()
    for each in examples[:2]:
        model = LocalChatModel(engine=Player(render(each, CATALOGUE)[1].removesuffix(END)))
        (done,) = collect([each], CATALOGUE, model, lists, Collected(), 9, 0)
        assert (done.mistakes, done.questions) == ([], 1)


def test_collecting_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    examples, lists = questions()
    examples = [dataclasses.replace(each, family=f"{n}") for n in range(4) for each in examples[:2]]
    monkeypatch.setattr(prefer_errors, "BLOCK", 3)

    def made(so_far: Collected, most: int) -> list[str]:
        model = LocalChatModel(engine=Player(*["Well?"] * 9))
        for _ in collect(examples, CATALOGUE, model, lists, so_far, most, 0):
            pass
        return [each.family for each in so_far.mistakes]

    whole, parts = Collected(), Collected()
    made(parts, 3)
    assert parts.questions == 3
    assert made(parts, 9) == made(whole, 9)
    assert parts.questions == whole.questions == 8
    assert len(parts.mistakes) == 4


def test_questions_are_of_the_training_part_alone(tmp_path: Path) -> None:
    examples, _ = questions()
    inventory = {"name": "plan_inventory", "arguments": {"product": "Elm pack"}}
    other = example("call", "Plan stock for the Elm pack", "four", call=inventory)
    shopper = dataclasses.replace(other, role="customer", family="five")
    write_examples([*examples, other, shopper], tmp_path / TRAIN)
    write_examples([dataclasses.replace(each, family="held back") for each in examples], tmp_path / DEV)
    write_catalogue(CATALOGUE, tmp_path)
    done = Collected()
    # Without vectors no chooser is loaded: the model is shown what words find.
    model = LocalChatModel(engine=Player(*["Well?"] * 9))
    for _ in gather(tmp_path, model, None, SMOKE, done):
        pass
    assert done.questions == 4
    assert {each.family for each in done.mistakes} == {"one", "four", "five"}
    assert {each.kind for each in done.mistakes} == {"asked"}


def test_a_model_is_not_taught_to_ask_more_than_to_call() -> None:
    kinds = ("called", "value", "asked", "called", "called", "dropped")
    made = [Mistake(kind, "call", "manager", "en", str(n), "t", "p", "c", "r") for n, kind in enumerate(kinds)]
    assert [each.family for each in even(made)] == ["0", "1", "2", "5"]
    assert [each.kind for each in even(made[3:])] == ["dropped"]


def test_both_replies_of_a_pair_follow_one_prompt_and_end_their_turn() -> None:
    made = Mistake("value", "call", "manager", "en", "f", "t", "<|im_start|>user\nHi", "Yes." + END, "No, no." + END)
    both = pair(made, tiny_tokenizer())
    end = tiny_tokenizer().convert_tokens_to_ids(END)
    assert both.chosen.tokens[: both.chosen.reply] == both.rejected.tokens[: both.rejected.reply]
    assert both.chosen.tokens[-1] == both.rejected.tokens[-1] == end


def test_its_recipe_is_no_recipe_of_training(tmp_path: Path) -> None:
    assert read_recipe(Path("prefer"), Preference).beta > 0
    with pytest.raises(BadInput, match="has beta"):
        read_recipe(Path("prefer"))
    written = tmp_path / "r.toml"
    written.write_text("beta = 0.3")
    assert json.loads(json.dumps(read_recipe(written, Preference).as_dict()))["beta"] == 0.3


def test_the_step_goes_on_from_a_run_and_leaves_one_that_can_be_exported(tmp_path: Path) -> None:
    data, run, out = tmp_path / "data", tmp_path / "run", tmp_path / "out"
    write_tiny(tmp_path / "base", data)
    training.main(small(tmp_path / "base"), data, run, tmp_path, say=silent)
    recipe = dataclasses.replace(SMOKE, pack_tokens=512, epochs=2, rank=2, questions=4)
    with pytest.raises(BadInput, match="no finished run"):
        prefer.main(recipe, data, out, out, tmp_path, None, silent)
    wrong = Player(*['<tool_call>{"name":"forecast_launch","arguments":{"product":"lamp"}}</tool_call>'] * 9)
    (done,) = gather(data, LocalChatModel(engine=wrong), None, recipe, Collected())
    adapter = read_adapter(run, json.loads((run / BASE).read_text())["sha256"]).digest
    out.mkdir()
    write(done.mistakes, out / prefer.MISTAKES)
    card = {"adapter": adapter, "data": {}, "seed": recipe.seed, **describe(done)}
    (out / CARD).write_text(json.dumps(card))
    about = prefer.main(recipe, data, run, out, tmp_path, None, silent)
    assert about["recipe"]["rank"] == SMOKE.rank  # the run's
    assert about["mistakes"]["mistakes"] == len(done.mistakes) == about["rows"] // 2
    assert about["after"]["steps"] > 0
    assert about["likely"]["after"]["chosen"] > about["likely"]["before"]["chosen"]
    assert {path.name for path in export.main(out, "better", tmp_path, tmp_path / "adapters")} >= {WEIGHTS, BASE}
    (out / CARD).write_text(json.dumps({**card, "adapter": "another"}))
    with pytest.raises(BadInput, match="another adapter"):
        prefer.main(recipe, data, run, out, tmp_path, None, silent)


def test_a_sweep_goes_on_and_puts_the_lowest_loss_first(tmp_path: Path) -> None:
    write_tiny(tmp_path / "base", tmp_path / "data")
    recipe = dataclasses.replace(small(tmp_path / "base"), tokens=300)

    def swept(rates: tuple[float, ...]) -> list[dict[str, float]]:
        return sweep.main(recipe, [2, 4], rates, tmp_path / "data", tmp_path / "out", tmp_path, silent)

    first = swept((1e-2,))
    assert {each["rank"] for each in first} == {2, 4}
    # Every run ends with the pack at which it has read enough.
    assert len({each["tokens"] for each in first}) == 1
    assert first[0]["tokens"] >= 300
    both = swept((1e-2, 1e-9))
    assert [each for each in both if each["rate"] == 1e-2] == first
    assert [each["dev_loss"] for each in both] == sorted(each["dev_loss"] for each in both)
    assert both[-1]["rate"] == 1e-9


def write_tiny(base: Path, data: Path) -> None:
    """A base in a folder, and data whose development part is of other names."""
    tiny_model().save_pretrained(base)
    tiny_tokenizer().save_pretrained(base)
    data.mkdir()
    for file, names in ((TRAIN, ("Aurora kettle", "Dusk lamp", "Tide mug")), (DEV, ("Elm pack", "Vale sheet"))):
        calls = [{"name": "forecast_launch", "arguments": {"product": each, "peer": each}} for each in names]
        made = [example("call", f"Forecast the {each}", each, call=c) for each, c in zip(names, calls, strict=True)]
        shopper = dataclasses.replace(made[0], role="customer")
        write_examples([*made, shopper], data / file)
    write_catalogue(CATALOGUE, data)


def small(base: Path) -> Recipe:
    return Recipe("small", str(base), rank=4, alpha=4, rate=1e-2, warmup=2, epochs=2, pack_tokens=300, packs_per_step=1)
