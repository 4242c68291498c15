"""A training run between its steps: its clock, its schedule, its checkpoint, from which it goes on exactly."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate.utils import broadcast
from peft import get_peft_model_state_dict, set_peft_model_state_dict

from finetune.packing import steps
from finetune.recipe import Recipe
from shop import BadInput

STATE, METRICS = "state.pt", "metrics.jsonl"
Item = TypeVar("Item")


@dataclass
class Progress:
    """How far a run has come; what a checkpoint restores besides weights and optimiser."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)


class Sitting:
    """The state of a run between steps."""

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
        # Read as a recipe: one that was written before a key was added has that key's own value.
        if type(self.recipe)(**state["recipe"]) != self.recipe:
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

    def left(self, packs: Sequence[Item], total: int) -> Iterator[list[Item]]:
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
        """How much of the run is over, by whichever limit is nearest: the same in every process."""
        done = [self.progress.step / total]
        if self.recipe.minutes:
            done.append(self.seconds() / (self.recipe.minutes * 60))
        if self.recipe.tokens:
            done.append(self.progress.tokens / self.recipe.tokens)
        self._share = float(broadcast(torch.tensor([max(done)], dtype=torch.float64))[0])
        return self._share

    def _factor(self) -> float:
        """Share of the highest rate: a linear rise, then a cosine down to the lowest."""
        rise = min(1.0, (self.progress.step + 1) / max(1, self.recipe.warmup))
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, self._share)))
        return rise * (self.recipe.lowest + (1 - self.recipe.lowest) * fall)
