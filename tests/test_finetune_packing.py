"""Packed rows: beginnings are shared, nothing else is, and the loss is that of the rows by themselves."""

import copy

import pytest
import torch
from tiny_model import tiny_engine

from finetune.packing import Row, pack, steps
from finetune.train import loss_of
from finetune.tree_attention import use

ROWS = [
    Row((5, 6, 7, 8, 20, 21, 2), 4),
    Row((5, 6, 7, 8, 22, 23, 24, 2), 5),
    Row((5, 6, 9, 30, 31, 2), 3),
    Row((40, 41, 42, 2), 2),
]


def tiny_model() -> torch.nn.Module:
    # A copy: the engine's own model is shared by other tests.
    source = tiny_engine().backend.model
    model = type(source)(copy.deepcopy(source.config))
    model.load_state_dict(source.state_dict())
    return model.eval()


def test_a_beginning_is_stored_once() -> None:
    (packed,) = pack(ROWS, 100)
    assert packed.rows == 4
    assert len(packed.tokens) == 7 + 4 + 4 + 4
    assert sorted(packed.wanted) == sorted(token for row in ROWS for token in row.tokens[row.reply :])


def test_a_token_sees_its_own_branch_alone() -> None:
    (packed,) = pack(ROWS, 100)
    sees = packed.sees()
    for node, parent in enumerate(packed.parents):
        chain = {node}
        while parent >= 0:
            chain.add(parent)
            parent = packed.parents[parent]
        assert set(sees[node].nonzero()[0]) == chain
        assert packed.positions[node] == len(chain) - 1


def test_packs_stay_within_their_size_and_lose_no_row() -> None:
    rows = [Row((1, 2, n, n + 1, 3), 2) for n in range(10, 60)]
    packs = pack(rows, 20)
    assert all(len(each.tokens) <= 20 for each in packs)
    assert sum(each.rows for each in packs) == len(rows)
    with pytest.raises(ValueError, match="a pack holds 4"):
        pack(rows, 4)


def test_a_row_needs_something_to_write() -> None:
    with pytest.raises(ValueError, match="something to write"):
        Row((1, 2), 2)


def test_an_epoch_is_shuffled_by_its_seed() -> None:
    packs = pack([Row((n, n + 1, 3), 1) for n in range(5, 45)], 3)
    again = steps(packs, 4, 0, 1)
    assert again == steps(packs, 4, 0, 1)
    assert again != steps(packs, 4, 1, 1)
    assert sum(len(batch) for batch in again) == len(packs)


def test_the_loss_of_a_pack_is_that_of_its_rows() -> None:
    model, plain = tiny_model(), tiny_model()
    use(model)
    (packed,) = pack(ROWS, 100)
    expected = 0.0
    for row in ROWS:
        scores = plain(torch.tensor([row.tokens])).logits[0, row.reply - 1 : -1].float()
        expected += torch.nn.functional.cross_entropy(scores, torch.tensor(row.tokens[row.reply :]), reduction="sum")
    assert loss_of(model, packed).item() == pytest.approx(float(expected), rel=1e-4)


def test_long_packs_are_read_in_stretches() -> None:
    model, plain = tiny_model(), tiny_model()
    use(model)
    rows = [Row((7, *range(10, 10 + 90), *range(200 + 9 * n, 209 + 9 * n), 2), 95) for n in range(12)]
    (packed,) = pack(rows, 400)
    expected = 0.0
    for row in rows:
        scores = plain(torch.tensor([row.tokens])).logits[0, row.reply - 1 : -1].float()
        expected += torch.nn.functional.cross_entropy(scores, torch.tensor(row.tokens[row.reply :]), reduction="sum")
    assert loss_of(model, packed).item() == pytest.approx(float(expected), rel=1e-4)
