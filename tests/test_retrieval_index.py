"""The index: nothing done twice, deletion follows the source, other models refused, damage answered around."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from tiny_embedder import TinyEmbedder

from retrieval.bridge import RIDGE, learn
from retrieval.collect import collect, passages
from retrieval.index import Index, Update
from retrieval.search import Texts, find
from shop import BadInput, Shop
from shop.passages import Scope


def frame(*changes: dict[str, object]) -> pd.DataFrame:
    rows = {
        "a": {"id": "a", "ref": "A", "sku": "A", "category": "Kitchen > Kettles", "price": 20.0, "text": "red kettle"},
        "b": {"id": "b", "ref": "B", "sku": "B", "category": "Kitchen > Mugs", "price": 9.0, "text": "blue mug"},
        "c": {"id": "c", "ref": "C", "sku": "C", "category": "Garden", "text": "garden chair in green"},
        "z": {"id": "z", "ref": "A", "sku": "A", "category": "Kitchen > Kettles", "text": "红色水壶"},
        "r": {"id": "r", "kind": "review", "ref": "R1", "sku": "A", "day": 700, "rating": 2, "text": "kettle is slow"},
        "p": {"id": "p", "kind": "policy", "ref": "P1", "day": 100, "until": 500, "text": "return a kettle in a week"},
        "q": {"id": "q", "kind": "policy", "ref": "P2", "day": 501, "text": "return a kettle in a month"},
    }
    for change in changes:
        rows[str(change["id"])] = {**rows.get(str(change["id"]), {}), **change}
    return passages([row for row in rows.values() if row.get("text")])


@pytest.fixture
def index(tmp_path: Path) -> Index:
    found = Index(tmp_path / "index", TinyEmbedder())
    found.update(frame())
    return found


def refs(index: Index, query: str, **scope: object) -> list[str]:
    hits = find(index.load(), index.embedder, query, Scope(**scope), 10).hits  # type: ignore[arg-type]
    return [hit.ref for hit in hits]


def test_only_what_changed_is_embedded(index: Index) -> None:
    embedder = index.embedder
    assert isinstance(embedder, TinyEmbedder)
    before = embedder.embedded
    assert before == 6  # the Chinese passage is left to the side of words
    assert index.update(frame()) == Update(0, 0, 0, 6)
    assert index.update(frame({"id": "a", "price": 25.0})) == Update(0, 1, 0, 5)
    assert embedder.embedded == before
    assert index.update(frame({"id": "a", "text": "copper kettle"}, {"id": "b", "text": ""})) == Update(1, 0, 1, 4)
    assert refs(index, "copper")[0] == "A"
    assert "B" not in refs(index, "blue mug")


def test_scope_narrows_before_ranking(index: Index) -> None:
    from datetime import date

    assert set(refs(index, "kettle", kinds=("product",))) == {"A", "B", "C"}
    assert refs(index, "kettle", kinds=("product",), category="Kitchen > Kettles") == ["A"]
    assert set(refs(index, "kettle", kinds=("product",), category="Kitchen")) == {"A", "B"}
    assert refs(index, "kettle", kinds=("product",), category="Cellar") == []
    assert refs(index, "kettle", kinds=("product",), prices=(5, 15)) == ["B"]
    assert refs(index, "kettle", skus=("C",)) == ["C"]
    assert refs(index, "kettle", skus=()) == []
    assert refs(index, "kettle", ratings=(1, 3)) == ["R1"]
    assert refs(index, "kettle", kinds=("review",), until=date.fromordinal(699)) == []
    assert refs(index, "return", kinds=("policy",), in_force=date.fromordinal(500)) == ["P1"]
    assert refs(index, "return", kinds=("policy",), in_force=date.fromordinal(501)) == ["P2"]


def test_the_same_scope_holds_for_meaning_and_for_words(index: Index) -> None:
    scope = Scope(kinds=("product",), category="Kitchen", prices=(5, 30))
    for method in ("bm25", "dense", "hybrid"):
        hits = find(index.load(), index.embedder, "red kettle", scope, 10, method).hits  # type: ignore[arg-type]
        assert hits[0].ref == "A"
        assert {hit.ref for hit in hits} <= {"A", "B"}


def test_an_empty_query_is_refused(index: Index) -> None:
    with pytest.raises(BadInput, match="nothing to search for"):
        refs(index, " <b></b>…")


def test_another_model_is_refused_and_rebuild_accepts_it(index: Index) -> None:
    other = Index(index.folder, TinyEmbedder("other"))
    with pytest.raises(BadInput, match="made with the embedding model tiny, and the present one is other"):
        other.update(frame())
    with pytest.raises(BadInput, match="--rebuild"):
        other.load()
    assert other.update(frame(), rebuild=True).embedded == 6
    assert refs(other, "red kettle")[0] == "A"


def test_a_second_writer_is_refused(index: Index) -> None:
    with FileLock(index.folder / "lock"), pytest.raises(BadInput, match="Another process is writing"):
        Index(index.folder, TinyEmbedder()).update(frame())


def test_lost_vectors_are_noticed_answered_around_and_rebuilt(index: Index) -> None:
    manifest = json.loads((index.folder / "manifest.json").read_text())
    shutil.rmtree(index.folder / manifest["vectors"])
    found = find(index.load(), index.embedder, "red kettle", Scope(), 3)
    assert found.hits[0].ref == "A"
    assert "--rebuild" in found.degraded
    assert index.update(frame()).embedded == 6
    assert find(index.load(), index.embedder, "red kettle", Scope(), 3).degraded == ""


def test_too_few_vectors_are_noticed(index: Index) -> None:
    path = index.folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "embedded": 99}))
    assert "damaged" in index.load().damage


def test_half_a_manifest_counts_as_none(index: Index) -> None:
    (index.folder / "manifest.json").write_text('{"format": 1, "mod')
    with pytest.raises(BadInput, match="not indexed yet"):
        index.load()
    index.update(frame())
    assert refs(index, "red kettle")[0] == "A"


def test_an_interrupted_first_run_goes_on_where_it_stopped(index: Index) -> None:
    (index.folder / "manifest.json").unlink()
    assert index.update(frame()) == Update(0, 0, 0, 6)


def test_old_states_are_cleared_away(index: Index) -> None:
    index.update(frame({"id": "a", "text": "copper kettle"}))
    index.update(frame({"id": "a", "text": "tin kettle"}))
    assert len(list(index.folder.glob("lexical-*"))) == len(list(index.folder.glob("vectors-*"))) == 1


def test_ids_must_be_unique(index: Index) -> None:
    with pytest.raises(ValueError, match="not unique: a"):
        index.update(pd.concat([frame(), frame().iloc[:1]]))


def test_without_an_index_words_alone_answer(demo_shop: Shop, tmp_path: Path) -> None:
    texts = Texts(demo_shop.engine, Index(tmp_path / "none", TinyEmbedder()))
    found = texts.search("return window", Scope(kinds=("policy",)))
    assert found.hits
    assert "not indexed yet" in found.degraded


def test_damaged_words_are_read_from_the_shop(demo_shop: Shop, tmp_path: Path) -> None:
    index = Index(tmp_path / "index", TinyEmbedder())
    index.update(collect(demo_shop.engine))
    next(index.folder.glob("lexical-*/passages.parquet")).write_bytes(b"PAR1")
    found = Texts(demo_shop.engine, index).search("return window", Scope(kinds=("policy",)))
    assert found.hits
    assert "damaged" in found.degraded


def test_a_change_by_another_process_is_seen(demo_shop: Shop, index: Index) -> None:
    texts = Texts(demo_shop.engine, index)
    assert texts.search("copper", Scope()).hits == () or texts.search("copper", Scope()).hits[0].match < 0.5
    Index(index.folder, TinyEmbedder()).update(frame({"id": "a", "text": "copper kettle"}))
    assert texts.search("copper", Scope()).hits[0].ref == "A"


def test_a_shop_is_collected_with_stable_ids(demo_shop: Shop) -> None:
    first, second = collect(demo_shop.engine), collect(demo_shop.engine)
    assert first.equals(second)
    assert first["id"].is_unique
    assert set(first["kind"]) == {"product", "review", "policy"}
    assert {"en", "zh"} <= set(first.loc[first["kind"] == "product", "language"])
    dated = first[first["id"].str.startswith("policy:RET-1-2023")]
    assert (dated["until"] > dated["day"]).all()


@pytest.mark.slow
def test_the_embedded_model_equals_its_reference(tmp_path: Path) -> None:
    import numpy as np
    from sentence_transformers import SentenceTransformer

    from retrieval.embed import EQUAL, MiniLM, embedded_weights

    texts = ["A kettle.", "A gooseneck kettle for slow coffee, cream, with a cork handle. " * 12, "电源线太短", "x"]
    fast = MiniLM(tmp_path).passages(texts)
    slow = SentenceTransformer(str(embedded_weights()), device="cpu").encode_document(texts, normalize_embeddings=True)
    assert np.abs(fast - slow).max() < EQUAL
    assert np.linalg.norm(fast, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_a_library_is_opened_indexed_and_searched(demo_shop: Shop, tmp_path: Path) -> None:
    from retrieval.library import Library

    library = Library(demo_shop.engine, tmp_path)
    shop = demo_shop.searched_by(library)
    assert "not indexed yet" in library.search("return window", Scope(kinds=("policy",))).degraded
    seen: list[int] = []
    change = library.update(progress=seen.append)
    assert sum(seen) == change.embedded > 0
    assert shop.searcher is library
    found = library.search("Can I send an opened lipstick back?", Scope(kinds=("policy",), in_force=shop.today))
    assert found.degraded == ""
    assert found.hits[0].ref == "RET-2"
    assert library.update().embedded == 0


def test_an_unknown_model_is_one_sentence(tmp_path: Path) -> None:
    from retrieval.embed import open_embedder

    with pytest.raises(BadInput, match="cannot be loaded"):
        open_embedder(tmp_path, str(tmp_path / "no-such-model"))


def test_a_reranker_reorders_the_head_and_keeps_the_rest() -> None:
    from retrieval.rerank import DEPTH, reordered

    class ByLength:
        def scores(self, query: str, texts: Any) -> Any:
            return np.array([len(text) for text in texts], dtype=np.float32)

    ranked = [(row, 1.0 - row / 100) for row in range(DEPTH + 2)]
    texts = ["x" * (row % 7) for row in range(DEPTH + 2)]
    found = reordered(ranked, "q", texts, ByLength())
    assert [row for row, _ in found[:DEPTH]] == sorted(range(DEPTH), key=lambda row: -len(texts[row]))
    assert found[DEPTH:] == ranked[DEPTH:]


@pytest.mark.slow
def test_a_cross_encoder_by_folder_orders_what_is_found(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder as Model
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    from retrieval.rerank import CrossEncoder

    (tmp_path / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cord", "short", "lid"])
    )
    shape = {"vocab_size": 8, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(**shape, intermediate_size=16, num_labels=1)
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    texts = ["cord", "short cord", "lid", "lid cord short"]
    reference = Model(str(tmp_path), device="cpu").predict([("short cord", text) for text in texts])
    assert CrossEncoder(str(tmp_path)).scores("short cord", texts) == pytest.approx(reference, abs=1e-6)
    with pytest.raises(BadInput, match="cannot be loaded"):
        CrossEncoder(str(tmp_path / "nothing"))


# -- the bridge to a language that the model does not read -------------------------------------------------------------

KINDS = {"kettle": "水壶", "lamp": "台灯", "chair": "椅子", "towel": "毛巾", "blanket": "毯子"}
COLOURS = {"red": "红色", "blue": "蓝色", "green": "绿色", "black": "黑色", "white": "白色"}


def bilingual() -> pd.DataFrame:
    """Products of every kind and colour with a text in each language; `plain` shares but a number with the kettles."""
    rows = []
    for number, (kind, kind_zh) in enumerate(KINDS.items()):
        for colour, colour_zh in COLOURS.items():
            sku = f"{kind}-{colour}"
            shared = {"ref": sku, "sku": sku, "category": f"Home > {kind}"}
            rows.append({**shared, "id": f"{sku}:en", "language": "en", "text": f"{colour} {kind} model {number}"})
            rows.append({**shared, "id": f"{sku}:zh", "language": "zh", "text": f"{colour_zh}{kind_zh}"})
    rows.append({"id": "plain:en", "ref": "plain", "language": "en", "text": "model 0"})
    return passages(rows)


def test_the_bridge_is_ridge_regression() -> None:
    rng = np.random.default_rng(0)
    texts = [[f"w{word}" for word in rng.choice(12, 4, replace=False)] for _ in range(40)]
    vectors = rng.normal(size=(40, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    bridge = learn(texts, vectors)
    assert bridge is not None
    held = {word: sum(word in text for text in texts) for word in bridge.terms}
    rarity = np.array([np.log(1 + (40 - n + 0.5) / (n + 0.5)) for n in held.values()])
    features = np.array([[rarity[row] * (word in text) for word, row in bridge.terms.items()] for text in texts])
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    primal = np.linalg.solve(
        features.T @ features + RIDGE * np.eye(len(rarity)), features.T @ (vectors - vectors.mean(axis=0))
    )
    assert bridge.directions == pytest.approx(rarity[:, None] * primal, abs=1e-4)


def test_a_product_without_a_chinese_text_is_found_in_chinese_by_its_meaning(tmp_path: Path) -> None:
    found = Index(tmp_path / "index", TinyEmbedder())
    found.update(bilingual())
    snapshot = found.load()
    assert snapshot.bridge is not None
    hits = find(snapshot, found.embedder, "红色水壶", Scope(kinds=("product",)), 60).hits
    assert hits[0].ref == "kettle-red"
    assert "plain" in [hit.ref for hit in hits], "no Chinese word stands in it"
    by_words = find(snapshot, found.embedder, "红色水壶", Scope(kinds=("product",)), 60, method="bm25").hits
    assert "plain" not in [hit.ref for hit in by_words]
    assert next(hit for hit in hits if hit.ref == "plain").match < 0.5, "and it is not surely about the query"


def test_the_bridge_keeps_the_scope_and_stands_aside_where_it_knows_nothing(tmp_path: Path) -> None:
    found = Index(tmp_path / "index", TinyEmbedder())
    found.update(bilingual())
    snapshot = found.load()
    narrowed = Scope(kinds=("product",), category="Home > lamp", language="zh")
    hits = find(snapshot, found.embedder, "红色水壶", narrowed, 30).hits
    assert {hit.passage.id for hit in hits} <= {f"lamp-{colour}:zh" for colour in COLOURS}
    assert find(snapshot, found.embedder, "蒸汽火车", Scope(), 5).hits == ()
    assert learn([["红"]] * 5, np.eye(5, dtype=np.float32)) is None, "too few products"
    english = passages([row for row in bilingual().to_dict("records") if row["language"] == "en"])  # type: ignore[misc]
    alone = Index(tmp_path / "alone", TinyEmbedder())
    alone.update(english)
    assert alone.load().bridge is None


def test_a_chinese_query_says_when_the_meanings_are_damaged(tmp_path: Path) -> None:
    found = Index(tmp_path / "index", TinyEmbedder())
    found.update(bilingual())
    manifest = json.loads((tmp_path / "index" / "manifest.json").read_text())
    shutil.rmtree(tmp_path / "index" / manifest["vectors"])
    answer = find(found.load(), found.embedder, "红色水壶", Scope(), 5)
    assert "by words alone" in answer.degraded
    assert answer.hits[0].ref == "kettle-red"
