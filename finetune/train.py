"""Training: LoRA on all linear layers of a base model, on packed rows, with checkpoints a run goes on from exactly."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict

from agent.models import weights
from agent.models.adapters import BASE
from finetune.examples import CARD, DEV, TRAIN, read, read_catalogue, row
from finetune.packing import Pack, Row, pack
from finetune.recipe import Recipe
from finetune.sitting import METRICS, STATE, Progress, Sitting
from finetune.tree_attention import stretches, use

RUN = "run.json"
DEV_PACKS = 10  # of the development rows, evenly taken: a quarter of a minute


def main(
    recipe: Recipe, data: Path, out: Path, home: Path, start: Path | None = None, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Train an adapter by a recipe, and leave it in `out` with what `adapters/` needs beside it.

    Args:
        recipe: How.
        data: Folder that `finetune.data` has written.
        out: Folder for checkpoint, metrics and adapter; a run that stopped there goes on.
        home: Folder of converted weights.
        start: A run, finished or stopped, whose weights this one goes on from with its own data and schedule.
        say: Called with a line of progress.

    Raises:
        BadInput: The data or the base is missing, or `out` holds another run.
    """
    source, digest = base_weights(recipe.base, home)
    tokenizer = tokenizer_of(source)
    rows = rows_of(data, TRAIN, tokenizer, recipe, say)
    held_out = development(data, tokenizer, recipe)
    model = base_model(source)
    before = torch.load(start / STATE, weights_only=True) if start else {}
    progress = train(model, rows, recipe, out, before.get("model"), say)
    about = {
        "recipe": recipe.as_dict(),
        **({"after": _sitting(before)} if start else {}),
        "data": data_hash(data),
        "rows": len(rows),
        **outcome(progress),
        "dev_loss": round(mean_loss(model, held_out), 4),
    }
    leave(about, out, digest)
    return about


def tokenizer_of(source: str | Path) -> Any:
    """The tokenizer of a base."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(source)


def base_model(source: str | Path) -> Any:
    """The base to adapt, in 16 bits where the hardware computes in them."""
    from transformers import AutoModelForCausalLM

    can = torch.cpu.get_capabilities()
    half = torch.cuda.is_available() or can.get("avx512_bf16") or can.get("amx_bf16")
    return AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16 if half else torch.float32)


def rows_of(data: Path, file: str, tokenizer: Any, recipe: Recipe, say: Callable[[str], None] = print) -> list[Row]:
    """The rows of a file that fit into a pack, in tokens."""
    catalogue = read_catalogue(data)
    every = [row(each, catalogue, tokenizer, recipe.template == "own") for each in read(data / file)]
    rows = [each for each in every if len(each.tokens) <= recipe.pack_tokens]
    say(f"{len(every) - len(rows)} of {len(every)} rows are longer than a pack and left out")
    return rows


def development(data: Path, tokenizer: Any, recipe: Recipe) -> list[Pack]:
    """Packs of development rows, the same for every run with such packs."""
    packs = pack(rows_of(data, DEV, tokenizer, recipe, lambda _: None), recipe.pack_tokens)
    return packs[:: max(1, len(packs) // DEV_PACKS)][:DEV_PACKS]


def data_hash(data: Path) -> dict[str, str]:
    """Hashes of the files of a data set, as its card has them."""
    found: dict[str, str] = json.loads((data / CARD).read_text())["sha256"] if (data / CARD).is_file() else {}
    return found


def outcome(progress: Progress) -> dict[str, Any]:
    """What a run did, for its record."""
    lately = progress.losses[-20:]
    return {
        "steps": progress.step,
        "tokens": progress.tokens,
        "minutes": round(progress.seconds / 60, 1),
        "loss": round(sum(lately) / max(1, len(lately)), 4),
    }


def leave(about: dict[str, Any], out: Path, digest: str) -> None:
    """Write a run's record beside its adapter, with the hash of the base it is tied to."""
    if PartialState().is_main_process:
        (out / BASE).write_text(json.dumps({"sha256": digest, "name": about["recipe"]["base"]}))
        (out / RUN).write_text(json.dumps(about, indent=1))
        plot(out)


def _sitting(state: dict[str, Any]) -> dict[str, Any]:
    """What an earlier run did, for the record of the one that goes on from it."""
    done = state["progress"]
    minutes = round(done["seconds"] / 60, 1)
    return {"recipe": state["recipe"], "steps": done["step"], "tokens": done["tokens"], "minutes": minutes}


def base_weights(base: str, home: Path) -> tuple[str | Path, str]:
    """Where the base's weights are, and the hash of the file that an adapter is tied to."""
    if base == "embedded":
        return weights.prepare(home), weights.EMBEDDED.sha256
    files = sorted(Path(base).glob("*.safetensors"))
    return base, hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest() if files else base


def plot(out: Path) -> None:
    """The loss of a run over its tokens, as an HTML page beside its metrics."""
    import plotly.graph_objects as go

    lines = [json.loads(line) for line in (out / METRICS).read_text().splitlines()]
    chart = go.Figure(go.Scatter(x=[line["tokens"] for line in lines], y=[line["loss"] for line in lines]))
    chart.update_layout(xaxis_title="tokens", yaxis_title="loss, nats a token", title=out.name)
    chart.write_html(out / "loss.html", include_plotlyjs="cdn")


def adapted(model: Any, recipe: Recipe) -> Any:
    """The base with rank-stabilised LoRA (Kalajdzievski 2023) on every linear layer but the output."""
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        use_rslora=True,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def likelihoods(causal: Any, packed: Pack) -> torch.Tensor:
    """Log-probability of every token of a pack's replies, in nats, shape (predictions,).

    The output matrix is applied only where something is predicted.

    Args:
        causal: The model; `tree_attention.use` has been told of it.
        packed: The rows.
    """
    device = causal.device
    dtype = torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else causal.dtype
    hidden = causal.model(
        input_ids=torch.tensor([packed.tokens], device=device),
        position_ids=torch.tensor([packed.positions], device=device),
        # Four dimensions: taken as they are, so that no causal mask is made for the row.
        attention_mask=torch.zeros(1, 1, 1, 1, device=device),
        stretches=stretches(packed.sees(), device, dtype),
        use_cache=False,
    ).last_hidden_state
    scores = causal.lm_head(hidden[0, torch.tensor(packed.at, device=device)]).float()
    return -torch.nn.functional.cross_entropy(scores, torch.tensor(packed.wanted, device=device), reduction="none")


def loss_of(causal: Any, packed: Pack) -> torch.Tensor:
    """Summed cross-entropy of a pack's replies, in nats; arguments as of `likelihoods`."""
    return -likelihoods(causal, packed).sum()


def mean_loss(causal: Any, packs: Sequence[Pack]) -> float:
    """Cross-entropy of replies in nats a token, nothing learned; arguments as of `likelihoods`."""
    causal.eval()
    with torch.no_grad(), Accelerator(mixed_precision="bf16").autocast():
        lost = sum(float(loss_of(causal, each)) for each in packs)
    return lost / max(1, sum(each.weight for each in packs))


class PackLoss(torch.nn.Module):
    """The loss of a pack as one module's forward pass, so that accelerate can wrap it for any hardware."""

    def __init__(self, tuned: Any) -> None:
        super().__init__()
        self.tuned = tuned

    def forward(self, packed: Pack) -> torch.Tensor:
        return loss_of(self.tuned.get_base_model(), packed)


def train(
    model: Any, rows: Sequence[Row], recipe: Recipe, out: Path, start: dict[str, Any] | None = None, say: Any = print
) -> Progress:
    """Train and leave the adapter in `out`; a run that was stopped goes on from its last checkpoint.

    Args:
        model: The base, a causal language model.
        rows: The examples, in tokens.
        recipe: How.
        out: Folder for checkpoint, metrics and adapter.
        start: Weights of an adapter to go on from.
        say: Called with a line of progress.

    Raises:
        BadInput: The folder holds the checkpoint of another recipe.
    """
    say(f"{len(rows)} rows")
    tuned = begin(model, recipe, start)
    return fit(PackLoss(tuned), pack(rows, recipe.pack_tokens), recipe, out, say)


def begin(model: Any, recipe: Recipe, start: dict[str, Any] | None = None) -> Any:
    """The base with an adapter to train: a new one, or one with the weights `start`."""
    torch.manual_seed(recipe.seed)
    tuned = adapted(model, recipe)
    if start:
        set_peft_model_state_dict(tuned, start)
    use(tuned.get_base_model())
    return tuned


def fit(loss: Any, every: Sequence[Pack], recipe: Recipe, out: Path, say: Callable[[str], None]) -> Progress:
    """Train the adapter that `loss.tuned` has on packs.

    Args:
        loss: Module that gives the summed loss of a pack, with the model as `tuned`.
        every: The packs.
        recipe: How.
        out: As of `train`.
        say: As of `train`.
    """
    accelerator = Accelerator(mixed_precision="bf16")
    tuned = loss.tuned
    trained = [each for each in tuned.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.rate, betas=(0.9, 0.99), weight_decay=recipe.weight_decay)
    run = Sitting(recipe, out, tuned, optimizer, accelerator)
    run.restore()
    measure, run.optimizer = accelerator.prepare(loss.train(), optimizer)
    # Each process takes as many packs as every other: they wait for one another after each.
    whole = len(every) - len(every) % accelerator.num_processes
    packs = every[accelerator.process_index : whole : accelerator.num_processes]
    total = math.ceil(len(packs) / recipe.packs_per_step) * recipe.epochs
    say(f"{len(packs)} packs, {total} steps, {sum(p.numel() for p in trained):,} weights to train")
    for batch in run.left(packs, total):
        weight = sum(each.weight for each in batch)
        lost = 0.0
        for each in batch:
            part = measure(each) / weight
            accelerator.backward(part)
            lost += float(part.detach())
        accelerator.clip_grad_norm_(trained, recipe.clip)
        run.take(lost, sum(len(each.tokens) for each in batch))
        say(run.line(total))
    run.save()
    run.progress.seconds = run.seconds()
    if accelerator.is_main_process:
        tuned.save_pretrained(out, safe_serialization=True)
    return run.progress
