"""`python -m finetune sweep`: rank and rate at an equal number of tokens, by the loss of the same development rows."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from finetune.examples import TRAIN
from finetune.recipe import Recipe
from finetune.train import base_model, base_weights, development, mean_loss, outcome, rows_of, tokenizer_of, train

FOUND = "sweep.jsonl"


def main(
    recipe: Recipe,
    ranks: Sequence[int],
    rates: Sequence[float],
    data: Path,
    out: Path,
    home: Path,
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Train one adapter for each pair of rank and rate, all on the same packs in the same order.

    Args:
        recipe: How; its rank and rate are set aside, and alpha is the rank, so that the scale follows it.
        ranks: Of the adapters.
        rates: Highest rates of learning.
        data: Folder that `finetune.data` has written.
        out: Folder for a folder of each run, and for a line of each; a sweep that was stopped goes on there.
        home: Folder of converted weights.
        say: Called with a line of progress.

    Returns:
        Rank, rate, tokens, last training loss, development loss in nats a token, and minutes; the best first.
    """
    source, _ = base_weights(recipe.base, home)
    tokenizer = tokenizer_of(source)
    rows, held_out = rows_of(data, TRAIN, tokenizer, recipe, say), development(data, tokenizer, recipe)
    out.mkdir(parents=True, exist_ok=True)
    lines = (out / FOUND).read_text().splitlines() if (out / FOUND).is_file() else []
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]
    done = {(each["rank"], each["rate"]) for each in found}
    for rank, rate in itertools.product(ranks, rates):
        if (rank, rate) in done:
            continue
        began = time.perf_counter()
        model = base_model(source)
        one = replace(recipe, rank=rank, alpha=rank, rate=rate)
        progress = train(model, rows, one, out / f"rank-{rank}-rate-{rate:g}", say=say)
        found.append(
            {
                "rank": rank,
                "rate": rate,
                **outcome(progress),
                "dev_loss": round(mean_loss(model, held_out), 4),
                "minutes": round((time.perf_counter() - began) / 60, 1),
            }
        )
        with (out / FOUND).open("a") as file:
            file.write(json.dumps(found[-1]) + "\n")
    return sorted(found, key=lambda each: float(each["dev_loss"]))
