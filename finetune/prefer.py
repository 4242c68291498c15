"""`python -m finetune prefer`: a short preference step on a model's own mistakes.

Direct preference optimisation (Rafailov et al. 2023) of the right reply over the one that the model wrote, with the
right reply's own loss beside it (Pang et al. 2024): the first alone lowers the likelihood of both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from agent.models.adapters import WEIGHTS, read_adapter
from finetune.examples import CARD, TRAIN, read_catalogue
from finetune.examples import read as read_examples
from finetune.packing import Pack, Row
from finetune.prefer_errors import Collected, Mistake, collect, describe, even, put, read, write
from finetune.recipe import Preference
from finetune.sureness import shortlists
from finetune.train import (
    RUN,
    base_model,
    base_weights,
    begin,
    data_hash,
    development,
    fit,
    leave,
    likelihoods,
    mean_loss,
    outcome,
    tokenizer_of,
)  # fmt: skip
from retrieval.embed import Embedder
from shop import BadInput

MISTAKES, REFERENCE = "mistakes.jsonl", "reference.json"
# What a run is made of; the step goes on with it.
KEPT = ("base", "template", "rank", "alpha")
Told = list[list[float]]


@dataclass(frozen=True)
class Pair:
    """Two replies to one prompt, in tokens."""

    chosen: Row
    rejected: Row


@dataclass
class PairPack(Pack):
    """Pairs as a tree of tokens, a prompt once for both replies.

    `lengths` has the tokens of every reply, chosen and rejected in turn; `reference` their log-probabilities under the
    weights that the step began with, shape (pairs, 2).
    """

    lengths: list[int] = field(default_factory=list)
    reference: Told = field(default_factory=list)

    @property
    def weight(self) -> int:
        return self.rows // 2

    def put(self, pair: Pair) -> None:
        """Add both rows of a pair."""
        for each in (pair.chosen, pair.rejected):
            self.add(each)
            self.lengths.append(len(each.tokens) - each.reply)

    def by_reply(self, values: torch.Tensor) -> torch.Tensor:
        """Sums over each reply of what there is for each of its tokens, shape (pairs, 2)."""
        return torch.stack([part.sum() for part in torch.split(values, self.lengths)]).view(-1, 2)


def pack_pairs(pairs: Sequence[Pair], most: int) -> list[PairPack]:
    """Packs of about `most` tokens, the last pair of each may reach beyond; prompts that begin alike come together."""
    packs: list[PairPack] = []
    for pair in sorted(pairs, key=lambda each: (each.chosen.tokens, each.rejected.tokens)):
        if not packs or len(packs[-1].tokens) + len(pair.chosen.tokens) - packs[-1].shared(pair.chosen) > most:
            packs.append(PairPack())
        packs[-1].put(pair)
    return packs


def preference(
    told: torch.Tensor, reference: torch.Tensor, lengths: torch.Tensor, beta: float, supervised: float
) -> torch.Tensor:
    """The loss of each pair, shape (pairs,): Rafailov et al. 2023, equation 7, and Pang et al. 2024, equation 1.

    Args:
        told: Log-probabilities of the chosen and the rejected reply, in nats, shape (pairs, 2).
        reference: The same under the weights that the step began with.
        lengths: Tokens of the chosen replies, shape (pairs,).
        beta: How dearly a distance from those weights is bought.
        supervised: Weight of the chosen reply's own loss a token.
    """
    moved = told - reference
    return -torch.nn.functional.logsigmoid(beta * (moved[:, 0] - moved[:, 1])) - supervised * told[:, 0] / lengths


class PairLoss(torch.nn.Module):
    """The summed loss of a pack's pairs as one module's forward pass."""

    def __init__(self, tuned: Any, beta: float, supervised: float) -> None:
        super().__init__()
        self.tuned, self._beta, self._supervised = tuned, beta, supervised

    def forward(self, packed: PairPack) -> torch.Tensor:
        told = packed.by_reply(likelihoods(self.tuned.get_base_model(), packed))
        reference = torch.tensor(packed.reference, device=told.device)
        lengths = torch.tensor(packed.lengths[::2], device=told.device)
        return preference(told, reference, lengths, self._beta, self._supervised).sum()


def main(
    recipe: Preference,
    data: Path,
    run: Path,
    out: Path,
    home: Path,
    embedder: Embedder | None,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Collect the mistakes of a run's adapter, train it on them, and leave it in `out` as `finetune train` does.

    Args:
        recipe: How; the base, the rank and its scale are the run's.
        data: Folder that `finetune.data` has written; its development part is not read but for its loss.
        run: A finished run, or an exported adapter.
        out: Folder for mistakes, checkpoint, metrics and adapter; a step that stopped there goes on.
        home: Folder of converted weights.
        embedder: Vectors of English text, for the shortlist.
        say: Called with a line of progress.

    Returns:
        What was done, a card of the mistakes, and how likely right replies and mistakes are before and after.

    Raises:
        BadInput: The run is not finished, it makes no mistakes, or `out` holds another step.
    """
    if not (run / RUN).is_file():
        raise BadInput(f"{run} holds no finished run ({RUN} is missing); finish it with `./debut finetune train`.")
    before = json.loads((run / RUN).read_text())
    recipe = replace(recipe, **{key: before["recipe"][key] for key in KEPT})
    source, digest = base_weights(recipe.base, home)
    mistakes, card = _mistakes(recipe, data, run, read_adapter(run, digest).digest, out, home, embedder, say)
    tokenizer = tokenizer_of(source)
    pairs = [pair(each, tokenizer) for each in even(mistakes)]
    packs = pack_pairs([e for e in pairs if len(e.chosen.tokens) <= recipe.pack_tokens], recipe.pack_tokens)
    if not packs:
        raise BadInput(f"{run} made no mistake in {card['questions']} questions; put more of them to it.")
    tuned = begin(base_model(source), recipe, load_file(run / WEIGHTS))
    held_out = development(data, tokenizer, recipe)
    lost = mean_loss(tuned.get_base_model(), held_out)
    refer(tuned, packs, out / REFERENCE)
    progress = fit(PairLoss(tuned, recipe.beta, recipe.supervised), packs, recipe, out, say)
    about = {
        "recipe": recipe.as_dict(),
        "after": before,
        "data": data_hash(data),
        "rows": sum(each.rows for each in packs),
        **outcome(progress),
        "dev_loss_before": round(lost, 4),
        "dev_loss": round(mean_loss(tuned.get_base_model(), held_out), 4),
        "mistakes": card,
        "likely": {
            "before": compare([each.reference for each in packs]),
            "after": compare([likely(tuned, each) for each in packs]),
        },
    }
    leave(about, out, digest)
    return about


def _mistakes(
    recipe: Preference, data: Path, run: Path, adapter: str, out: Path, home: Path, embedder: Embedder | None,
    say: Callable[[str], None],
) -> tuple[list[Mistake], dict[str, Any]]:  # fmt: skip
    """The mistakes that the run's adapter makes, those that `out` holds already included, with their card."""
    from agent.models.select import open_model

    told = {"adapter": adapter, "data": data_hash(data), "seed": recipe.seed}
    so_far, card = Collected(), {**told, **describe(Collected())}
    if (out / CARD).is_file():
        card = json.loads((out / CARD).read_text())
        if {key: card.get(key) for key in told} != told:
            raise BadInput(f"{out} holds mistakes of another adapter or other data; name another folder, or delete it.")
        # The card is written last: what it does not count yet is made again.
        so_far = Collected(read(out / MISTAKES)[: card["mistakes"]], card["questions"], card["looked"])
    # Once training has begun, its pairs stay what they are.
    if so_far.questions < recipe.questions and not (out / REFERENCE).is_file():
        out.mkdir(parents=True, exist_ok=True)
        for _ in gather(data, open_model(f"embedded:{run}", home), embedder, recipe, so_far):
            say(f"{so_far.questions} of {recipe.questions} questions, {len(so_far.mistakes)} mistakes")
            card = {**told, **describe(so_far)}
            write(so_far.mistakes, out / MISTAKES)
            put(json.dumps(card, ensure_ascii=False, indent=1), out / CARD)
    return so_far.mistakes, card


def gather(
    data: Path, model: Any, embedder: Embedder | None, recipe: Preference, so_far: Collected
) -> Iterator[Collected]:
    """A model's mistakes on questions of the training part, block by block; see `collect`."""
    examples, catalogue = read_examples(data / TRAIN), read_catalogue(data)
    lists = shortlists(catalogue, examples, embedder, model)
    return collect(examples, catalogue, model, lists, so_far, recipe.questions, recipe.seed)


def pair(mistake: Mistake, tokenizer: Any) -> Pair:
    """A mistake in tokens."""
    read_first = tokenizer.encode(mistake.prompt, add_special_tokens=False)
    replies = (tokenizer.encode(each, add_special_tokens=False) for each in (mistake.chosen, mistake.rejected))
    return Pair(*(Row((*read_first, *each), len(read_first)) for each in replies))


def refer(tuned: Any, packs: Sequence[PairPack], stored: Path) -> None:
    """Give packs the log-probabilities that they have before the step; computed once, and read after a stop."""
    if not stored.is_file():
        stored.parent.mkdir(parents=True, exist_ok=True)
        told = [each for packed in packs for each in likely(tuned, packed)]
        put(json.dumps(told), stored)
    left = iter(json.loads(stored.read_text()))
    for packed in packs:
        packed.reference = [next(left) for _ in range(packed.weight)]


def likely(tuned: Any, packed: PairPack) -> Told:
    """Log-probabilities of the replies of a pack, chosen and rejected, in nats, shape (pairs, 2)."""
    tuned.eval()
    # As in training: in other arithmetic the step would not begin where the reference is.
    with torch.no_grad(), Accelerator(mixed_precision="bf16").autocast():
        found: Told = packed.by_reply(likelihoods(tuned.get_base_model(), packed)).tolist()
    return found


def compare(told: Sequence[Told]) -> dict[str, float]:
    """Mean log-probability of right replies and of mistakes, in nats, and in what share the right one is likelier."""
    values = torch.tensor([each for of_pack in told for each in of_pack])
    chosen, rejected = values.mean(dim=0).tolist()
    wins = (values[:, 0] > values[:, 1]).float().mean().item()
    return {"chosen": round(chosen, 3), "rejected": round(rejected, 3), "chosen_likelier": round(wins, 3)}
