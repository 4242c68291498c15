"""A trained adapter as it ships: plain LoRA in 16 bits, tied to its base, with recipe, data hash and card.

The same folder serves PEFT, vLLM (`--lora-modules NAME=FOLDER`), and the embedded model, which merges it into its own
weights and compiles them once (`agent.models.weights`).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from agent.models.adapters import BASE, CONFIG, WEIGHTS, Adapter, merge
from agent.models.select import ADAPTERS
from finetune.train import RUN, base_weights
from shop import BadInput

CARD = "README.md"
MOST_BYTES = 40 * 2**20


def main(run: Path, name: str, home: Path, to: Path | None = None, merged: Path | None = None) -> list[Path]:
    """Write `to/name` from a finished run.

    Args:
        run: Folder that training has written.
        name: Of the adapter.
        home: Folder of converted weights.
        to: Folder of adapters; left out, the one that ships.
        merged: Folder for the base with the adapter merged into it, as safetensors.

    Returns:
        The files.

    Raises:
        BadInput: The run is not finished, or the adapter is larger than what may ship.
    """
    missing = [each for each in (CONFIG, WEIGHTS, BASE, RUN) if not (run / each).is_file()]
    if missing:
        raise BadInput(
            f"{run} holds no finished run ({missing[0]} is missing); finish it with `./debut finetune train`."
        )
    folder = (to or ADAPTERS) / name
    folder.mkdir(parents=True, exist_ok=True)
    slim = {key: tensor.to(torch.bfloat16).contiguous() for key, tensor in load_file(run / WEIGHTS).items()}
    size = sum(tensor.numel() * 2 for tensor in slim.values())
    if size > MOST_BYTES:
        raise BadInput(f"The adapter has {size >> 20} MB and may have {MOST_BYTES >> 20}; train it with a lower rank.")
    save_file(slim, folder / WEIGHTS, metadata={"format": "pt"})
    about = json.loads((run / RUN).read_text())
    config = json.loads((run / CONFIG).read_text())
    # The folder the base lay in on the training machine says nothing elsewhere.
    config["base_model_name_or_path"] = about["recipe"]["base"]
    (folder / CONFIG).write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    shutil.copyfile(run / BASE, folder / BASE)
    (folder / RUN).write_text(json.dumps(about, indent=1) + "\n")
    (folder / CARD).write_text(card(name, about, folder / CARD), encoding="utf-8")
    if merged is not None:
        merged.mkdir(parents=True, exist_ok=True)
        merge(Path(base_weights(about["recipe"]["base"], home)[0]), Adapter(folder, name, ""), merged)
    return sorted(path for each in (folder, merged) if each for path in each.iterdir())


def card(name: str, about: dict[str, Any], old: Path) -> str:
    """The model card; what a person wrote below its rule is kept."""
    written = old.read_text(encoding="utf-8") if old.is_file() else ""
    kept = written.partition("\n---\n")[2]
    recipe = about["recipe"]
    facts = [
        f"# {name}",
        f"A LoRA adapter for `{recipe['base']}` that calls the tools of Debut, asks back, declines, and answers in one "
        "or two sentences over figure placeholders. English and Chinese. Apache-2.0.",
        f"Rank {recipe['rank']}, rank-stabilised, on all linear layers; rate {recipe['rate']}; {about['steps']:,} "
        f"steps, {about['tokens']:,} tokens read (shared beginnings once) of {about['rows']:,} rows, "
        f"{about['minutes']} minutes; loss at the end {about['loss']}. Data: compiled by `./debut finetune data`, "
        f"SHA-256 of the training rows `{about['data'].get('train.jsonl', 'unknown')[:16]}`. Recipe and run: "
        "`run.json`; the base it is tied "
        "to: `base.json`.",
    ]
    return "\n\n".join(facts) + "\n\n---\n" + (kept or "\n")
