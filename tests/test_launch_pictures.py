"""Pictures in the launch forecast: a model by name where one is set, colour and texture where not."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update
from test_bench_forecast import toy
from test_launch import kettle, world
from tiny_clip import save_tiny_clip

from benchmarks.forecast import main
from retrieval.embed import embedded_weights
from retrieval.library import Library
from retrieval.pictures import PictureModel
from shop import BadInput, Shop
from shop import schema as t
from tools.launch.reading import read_market, senses, with_item

pytestmark = pytest.mark.slow
COLOURS = {"red": "#ff0000", "crimson": "#ee0000", "blue": "#0000ff"}


class WithoutTexts(Library):
    """A library that compares no texts by meaning, so that no other model has to be loaded."""

    def vectors(self, texts: Sequence[str]) -> None:
        return None


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny_clip(tmp_path_factory.mktemp("models") / "clip"))


def paint(folder: Path) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    for name, colour in COLOURS.items():
        Image.new("RGB", (40, 40), colour).save(folder / f"{name}.png")
    return {name: str(folder / f"{name}.png") for name in COLOURS}


def test_a_model_turns_pictures_into_unit_vectors_and_leaves_out_what_it_cannot_read(clip: str, tmp_path: Path) -> None:
    files = paint(tmp_path / "pictures")
    (tmp_path / "broken.png").write_text("no picture")
    model = PictureModel(clip)
    vectors = model.vectors([*files.values(), "", str(tmp_path / "broken.png")])
    assert vectors is not None
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 0, 0], abs=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert model.vectors(["", "nowhere.png"]) is None


def test_a_model_that_takes_no_pictures_is_refused() -> None:
    with pytest.raises(BadInput, match="takes no pictures"):
        PictureModel(str(embedded_weights()))
    with pytest.raises(BadInput, match="cannot be loaded"):
        PictureModel("./no-such-model")


def test_the_model_set_is_the_one_that_launches_and_drafts_are_compared_by(
    clip: str, empty_shop: Shop, tmp_path: Path
) -> None:
    files = paint(tmp_path / "pictures")
    shop = world(empty_shop)
    with shop.begin() as connection:
        for sku, colour in zip(("P000", "P001"), ("red", "blue"), strict=True):
            row = update(t.products).where(t.products.c.sku == sku)
            connection.execute(row.values(attributes={"image": files[colour]}))
    plain = read_market(shop)
    seeing = shop.searched_by(WithoutTexts(shop.engine, tmp_path, picture_model=clip))
    market = read_market(seeing)
    assert market is not None
    assert plain is not None
    assert market.pictures is not None
    assert plain.pictures is not None
    assert market.pictures.shape[1] == 16 != plain.pictures.shape[1]
    assert senses(seeing) != senses(shop.searched_by(WithoutTexts(shop.engine, tmp_path)))
    wider = with_item(market, kettle(attributes={"image": files["crimson"]}), 22.0, 100)
    assert wider.pictures is not None
    at = [market.panel.keys.index(sku) for sku in ("P000", "P001")]
    near = wider.pictures[at] @ wider.pictures[-1]
    assert near[0] > near[1]


def test_the_benchmark_says_what_pictures_are_worth(tmp_path: Path) -> None:
    folder = toy(tmp_path)
    paint(folder / "images")
    products = (folder / "products.csv").read_text().splitlines()
    names = [f"images/{name}.png" for name in COLOURS]
    seen = [f"{line},{names[i % 3]}" for i, line in enumerate(products[1:])]
    (folder / "products.csv").write_text("\n".join([products[0] + ",image", *seen]))
    rows = main(folder)["results"]
    assert {row["method"] for row in rows} >= {"debut", "debut_without_images", "debut_without_text"}
