"""Attention over a pack's tree: each stretch of tokens is compared with those alone that one of them may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AttentionInterface

NAME = "tree"
STRETCH = 128


@dataclass(frozen=True)
class Stretch:
    """Tokens `start` to `stop`, the columns that one of them reads, and minus infinity where another does not."""

    start: int
    stop: int
    columns: torch.Tensor
    bias: torch.Tensor


def stretches(sees: NDArray[np.bool_], device: torch.device, dtype: torch.dtype) -> list[Stretch]:
    """What `attend` needs of a pack, worked out once for all layers.

    Args:
        sees: Which token (row) reads which (column), shape (tokens, tokens).
        device: Where the model is.
        dtype: Of the scores.
    """
    found = []
    for start in range(0, len(sees), STRETCH):
        part = sees[start : start + STRETCH]
        columns = np.flatnonzero(part.any(axis=0))
        bias = torch.zeros(len(part), len(columns), dtype=dtype, device=device)
        bias.masked_fill_(torch.from_numpy(~part[:, columns]).to(device), float("-inf"))
        found.append(Stretch(start, start + len(part), torch.from_numpy(columns).to(device), bias))
    return found


def attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    stretches: Sequence[Stretch] = (),
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Scaled dot-product attention (Vaswani et al. 2017) with grouped heads, for one pack.

    Args:
        module: The attention layer that asks; it has no say.
        query: Shape (1, heads, tokens, width).
        key: Shape (1, groups, tokens, width).
        value: As `key`.
        attention_mask: Not read: the stretches say who sees whom.
        scaling: What scores are multiplied by.
        stretches: The pack's.

    Returns:
        Shape (1, tokens, heads, width), and no weights.
    """
    heads, groups, width = query.shape[1], key.shape[1], query.shape[3]
    written = []
    for each in stretches:
        count = each.stop - each.start
        asked = (query[0, :, each.start : each.stop] * scaling).reshape(groups, heads // groups * count, width)
        keys, values = key[0].index_select(1, each.columns), value[0].index_select(1, each.columns)
        scores = torch.bmm(asked, keys.transpose(1, 2)).view(heads, count, -1) + each.bias
        weights = scores.softmax(-1).view(groups, heads // groups * count, -1)
        written.append(torch.bmm(weights.to(values.dtype), values).view(heads, count, width))
    return torch.cat(written, dim=1).transpose(0, 1)[None], None


def use(model: Any) -> None:
    """Let a model's layers attend this way."""
    AttentionInterface.register(NAME, attend)
    model.set_attn_implementation(NAME)
