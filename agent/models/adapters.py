"""LoRA adapters: a folder in PEFT's layout and, beside it, the hash of the weights it was trained on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from scipy.special import expit, logit

from shop import BadInput

CONFIG, WEIGHTS, BASE = "adapter_config.json", "adapter_model.safetensors", "base.json"
REPLY = "reply.json"  # how sure it must be of a call, once that is fitted


@dataclass(frozen=True)
class Adapter:
    """An adapter whose base has been compared; `digest` is of its configuration and weights."""

    folder: Path
    name: str
    digest: str


@dataclass(frozen=True)
class Sureness:
    """How sure a model must be of a call to make it (`finetune.sureness`).

    Attributes:
        least: The probability, where nothing else speaks for or against a call.
        said_weight: Of the chooser's log odds that enough was said, beside the model's own of a call.
    """

    least: float
    said_weight: float = 0.0

    def needed(self, said_enough: float = 0.0) -> float:
        """The probability that a call must have, given the chooser's log odds that enough was said."""
        return float(expit(logit(self.least) - self.said_weight * said_enough))


def read_adapter(folder: Path, base: str) -> Adapter:
    """Check an adapter against the weights it is to be merged into.

    Args:
        folder: With `adapter_config.json`, `adapter_model.safetensors` and `base.json` (`{"sha256": "…"}`).
        base: SHA-256 of the file that holds the weights.

    Raises:
        BadInput: A file is missing, or the adapter was trained on other weights.
    """
    missing = [name for name in (CONFIG, WEIGHTS, BASE) if not (folder / name).is_file()]
    if missing:
        raise BadInput(
            f"{folder} holds no adapter ({missing[0]} is missing); name another, or set DEBUT_MODEL=embedded:none."
        )
    try:
        trained_on = json.loads((folder / BASE).read_text())["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{folder / BASE} does not say what the adapter was trained on; train it again.") from error
    if trained_on != base:
        raise BadInput(
            f"The adapter {folder.name} was trained on other weights ({str(trained_on)[:8]}, here {base[:8]}); "
            "train it again, or set DEBUT_MODEL=embedded:none."
        )
    digest = hashlib.sha256((folder / CONFIG).read_bytes() + (folder / WEIGHTS).read_bytes()).hexdigest()
    return Adapter(folder, folder.name, digest)


def read_sureness(folder: Path) -> Sureness | None:
    """How sure an adapter must be of a call to make it; None where that was not fitted.

    Raises:
        BadInput: The file says something else.
    """
    try:
        stored = json.loads((folder / REPLY).read_text())
        return Sureness(float(stored["least_sure"]), float(stored["said_weight"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{folder / REPLY} does not say how sure the adapter must be; fit it again.") from error


def merge(base: Path, adapter: Adapter, target: Path) -> None:
    """Write the base model's weights with the adapter added to them, as safetensors with tokenizer and configuration.

    Raises:
        BadInput: The adapter does not fit the model's layers.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    # Added in 32 bits: the update is small against the weights.
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, local_files_only=True)
    try:
        merged = PeftModel.from_pretrained(model, str(adapter.folder)).merge_and_unload()
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadInput(
            f"The adapter {adapter.name} does not fit the model ({reason}); set DEBUT_MODEL=embedded:none."
        ) from error
    merged.to(torch.bfloat16).save_pretrained(target)
    AutoTokenizer.from_pretrained(base, local_files_only=True).save_pretrained(target)
