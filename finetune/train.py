"""Training: LoRA on all linear layers of a base model, on packed rows, with checkpoints a run goes on from exactly."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import broadcast
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict

from agent.models import weights
from agent.models.adapters import BASE
from finetune.examples import CARD, TRAIN, read, read_catalogue, row
from finetune.packing import Pack, Row, pack, steps
from finetune.recipe import Recipe
from finetune.tree_attention import stretches, use
from shop import BadInput

STATE, METRICS, RUN = "state.pt", "metrics.jsonl", "run.json"


@dataclass
class Progress:
    """How far a run has come; what a checkpoint restores besides weights and optimiser."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)


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
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source, digest = base_weights(recipe.base, home)
    tokenizer = AutoTokenizer.from_pretrained(source)
    catalogue = read_catalogue(data)
    every = [row(each, catalogue, tokenizer, recipe.template == "own") for each in read(data / TRAIN)]
    rows = [each for each in every if len(each.tokens) <= recipe.pack_tokens]
    say(f"{len(every) - len(rows)} of {len(every)} rows are longer than a pack and left out")
    can = torch.cpu.get_capabilities()
    half = torch.cuda.is_available() or can.get("avx512_bf16") or can.get("amx_bf16")
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16 if half else torch.float32)
    before = torch.load(start / STATE, weights_only=True) if start else {}
    progress = train(model, rows, recipe, out, before.get("model"), say)
    about = {
        "recipe": recipe.as_dict(),
        **({"after": _sitting(before)} if start else {}),
        "data": json.loads((data / CARD).read_text())["sha256"] if (data / CARD).is_file() else {},
        "rows": len(rows),
        "steps": progress.step,
        "tokens": progress.tokens,
        "minutes": round(progress.seconds / 60, 1),
        "loss": round(sum(progress.losses[-20:]) / max(1, len(progress.losses[-20:])), 4),
    }
    if PartialState().is_main_process:
        (out / BASE).write_text(json.dumps({"sha256": digest, "name": recipe.base}))
        (out / RUN).write_text(json.dumps(about, indent=1))
        plot(out)
    return about


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


def loss_of(causal: Any, packed: Pack) -> torch.Tensor:
    """Summed cross-entropy of a pack's replies, in nats; the output matrix is applied where something is predicted.

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
    return torch.nn.functional.cross_entropy(scores, torch.tensor(packed.wanted, device=device), reduction="sum")


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
    torch.manual_seed(recipe.seed)
    accelerator = Accelerator(mixed_precision="bf16")
    tuned = adapted(model, recipe)
    if start:
        set_peft_model_state_dict(tuned, start)
    trained = [each for each in tuned.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.rate, betas=(0.9, 0.99), weight_decay=recipe.weight_decay)
    run = _Run(recipe, out, tuned, optimizer, accelerator)
    run.restore()
    use(tuned.get_base_model())
    measure, run.optimizer = accelerator.prepare(PackLoss(tuned.train()), optimizer)
    every = pack(rows, recipe.pack_tokens)
    # Each process takes as many packs as every other: they wait for one another after each.
    whole = len(every) - len(every) % accelerator.num_processes
    packs = every[accelerator.process_index : whole : accelerator.num_processes]
    total = math.ceil(len(packs) / recipe.packs_per_step) * recipe.epochs
    say(f"{len(rows)} rows in {len(packs)} packs, {total} steps, {sum(p.numel() for p in trained):,} weights to train")
    for batch in run.left(packs, total):
        wanted = sum(len(each.wanted) for each in batch)
        lost = 0.0
        for each in batch:
            loss = measure(each) / wanted
            accelerator.backward(loss)
            lost += float(loss.detach())
        accelerator.clip_grad_norm_(trained, recipe.clip)
        run.take(lost, sum(len(each.tokens) for each in batch))
        say(run.line(total))
    run.save()
    run.progress.seconds = run.seconds()
    if accelerator.is_main_process:
        tuned.save_pretrained(out, safe_serialization=True)
    return run.progress


class _Run:
    """The state of a run between steps: its clock, its schedule, its checkpoint."""

    def __init__(self, recipe: Recipe, out: Path, model: Any, optimizer: Any, accelerator: Any) -> None:
        self.recipe, self.out, self.model, self.optimizer = recipe, out, model, optimizer
        self._processes, self._leads = accelerator.num_processes, accelerator.is_main_process
        self._share = 0.0
        self.progress = Progress()
        self._since = time.monotonic()
        self._saved = self._since
        out.mkdir(parents=True, exist_ok=True)

    def restore(self) -> None:
        """Go back to the last checkpoint, if there is one."""
        file = self.out / STATE
        if not file.is_file():
            return
        state = torch.load(file, weights_only=True)
        if state["recipe"] != self.recipe.as_dict():
            raise BadInput(f"{self.out} holds the checkpoint of another recipe; name another folder, or delete it.")
        set_peft_model_state_dict(self.model, state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        self.progress = Progress(**state["progress"])
        # Steps after the checkpoint are taken again, so their lines go.
        metrics = self.out / METRICS
        if metrics.is_file() and self._leads:
            kept = metrics.read_text().splitlines(keepends=True)[: self.progress.step]
            metrics.write_text("".join(kept))

    def save(self) -> None:
        """Write the checkpoint beside the old one, then put it in its place: a stop in between harms nothing."""
        if not self._leads:
            return
        state = {
            "recipe": self.recipe.as_dict(),
            "model": get_peft_model_state_dict(self.model),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "progress": {**vars(self.progress), "seconds": self.seconds()},
        }
        written = self.out / f"{STATE}.new"
        torch.save(state, written)
        written.replace(self.out / STATE)
        self._saved = time.monotonic()

    def left(self, packs: Sequence[Pack], total: int) -> Iterator[list[Pack]]:
        """The batches that are still to be taken."""
        per_epoch = math.ceil(len(packs) / self.recipe.packs_per_step)
        while self._advance(total) < 1:
            epoch, place = divmod(self.progress.step, per_epoch)
            yield steps(packs, self.recipe.packs_per_step, epoch, self.recipe.seed)[place]

    def take(self, loss: float, tokens: int) -> None:
        """One optimiser step, its line in the metrics, and a checkpoint if one is due."""
        rate = self.recipe.rate * self._factor()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.progress.step += 1
        self.progress.tokens += tokens * self._processes
        self.progress.losses.append(round(loss, 5))
        entry = {"step": self.progress.step, "loss": loss, "rate": rate, "tokens": self.progress.tokens}
        if self._leads:
            with (self.out / METRICS).open("a") as file:
                file.write(json.dumps({**entry, "seconds": round(self.seconds(), 1)}) + "\n")
        if time.monotonic() - self._saved > self.recipe.checkpoint_minutes * 60:
            self.save()

    def line(self, total: int) -> str:
        """Where the run is and how long it still takes."""
        done, lately = self.progress, self.progress.losses[-10:]
        share = max(self._share, done.step / total)
        left = self.seconds() * (1 - share) / share
        speed = done.tokens / self.seconds()
        mean = sum(lately) / len(lately)
        return f"step {done.step}/{total}  loss {mean:.4f}  {speed:.0f} tokens/s  {left / 60:.0f} min left"

    def seconds(self) -> float:
        return self.progress.seconds + time.monotonic() - self._since

    def _advance(self, total: int) -> float:
        """How much of the run is over, by steps or by the clock, whichever is further: the same in every process."""
        by_clock = self.seconds() / (self.recipe.minutes * 60) if self.recipe.minutes else 0.0
        share = torch.tensor([max(self.progress.step / total, by_clock)], dtype=torch.float64)
        self._share = float(broadcast(share)[0])
        return self._share

    def _factor(self) -> float:
        """Share of the highest rate: a linear rise, then a cosine down to the lowest."""
        rise = min(1.0, (self.progress.step + 1) / max(1, self.recipe.warmup))
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, self._share)))
        return rise * (self.recipe.lowest + (1 - self.recipe.lowest) * fall)
