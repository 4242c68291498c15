"""The retrieval benchmark: closed forms, folders checked line by line, a whole run on a small folder."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from tiny_embedder import TinyEmbedder

from benchmarks.result import Result, bootstrap, report, table
from benchmarks.retrieval import main, ndcg, recall, reciprocal
from benchmarks.retrieval_demo import demo_collection, said_of_facts, unanswerable
from benchmarks.retrieval_layout import read_collection, read_labelled
from benchmarks.retrieval_sets import sampled
from shop import BadInput, Shop

CORPUS = [
    {"_id": "d1", "title": "Kettles", "text": "A red kettle.", "language": "en"},
    {"_id": "d2", "title": "", "text": "A blue mug.", "language": "en"},
    {"_id": "d3", "title": "", "text": "红色水壶。", "language": "zh"},
]
QUERIES = [
    {"_id": "q1", "text": "red kettle", "language": "en"},
    {"_id": "q2", "text": "水壶", "language": "zh"},
    {"_id": "q3", "text": "never judged", "language": "en"},
]


def write(folder: Path, corpus: str | None = None, queries: str | None = None, qrels: str | None = None) -> Path:
    lines = {"corpus.jsonl": CORPUS, "queries.jsonl": QUERIES}
    for name, given in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        usual = "\n".join(json.dumps(row) for row in lines[name])
        (folder / name).write_text(usual if given is None else given)
    usual = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td3\t1\nq1\td2\t0\n"
    (folder / "qrels.tsv").write_text(usual if qrels is None else qrels)
    return folder


def test_measures_against_closed_forms() -> None:
    answers = {"a": 1, "b": 2}
    ideal = 3 / math.log2(2) + 1 / math.log2(3)
    assert ndcg(["b", "a"], answers) == pytest.approx(1)
    assert ndcg(["x", "a", "b"], answers) == pytest.approx((1 / math.log2(3) + 3 / math.log2(4)) / ideal)
    assert ndcg([], answers) == 0
    assert recall(["x", "a"], answers) == 0.5
    assert reciprocal(["x", "a", "b"], answers) == 0.5
    assert reciprocal(["x"], answers) == 0


def test_intervals_hold_the_mean_and_groups_widen_them() -> None:
    values = [0.0, 1.0] * 50
    low, high = bootstrap(values)
    assert low < 0.5 < high
    assert high - low == pytest.approx(2 * 1.96 * 0.05, abs=0.03)
    grouped = bootstrap(sorted(values), groups=[i // 25 for i in range(100)])
    assert grouped[1] - grouped[0] > high - low
    assert all(math.isnan(bound) for bound in bootstrap([1.0]))


def test_a_report_has_the_common_shape() -> None:
    made = report("b", "d", [Result("debut", "m", float("nan"), n=3, extra={"set": "s"})], 1.234, note="x")
    assert list(made) == ["bench", "data", "seconds", "versions", "results", "note"]
    assert made["results"] == [
        {"method": "debut", "metric": "m", "value": None, "low": None, "high": None, "n": 3, "set": "s"}
    ]
    assert table(made).splitlines()[2] == "| debut | m |  |  |  | 3 |"


def test_halves_do_not_overlap_and_do_not_move() -> None:
    rows = [{"id": str(n)} for n in range(200)]
    dev, test = (sampled(rows, "id", 200, half) for half in ("dev", "test"))
    assert not {r["id"] for r in dev} & {r["id"] for r in test}
    assert len(dev) + len(test) == 200
    assert sampled(rows[::-1], "id", 10) == sampled(rows, "id", 10)


def test_a_folder_is_read(tmp_path: Path) -> None:
    found = read_collection(write(tmp_path))
    assert found is not None
    assert found.passages["id"].tolist() == ["d1", "d2", "d3"]
    assert found.passages["language"].tolist() == ["en", "en", "zh"]
    assert [(q.id, q.answers) for q in found.questions] == [("q1", {"d1": 1}), ("q2", {"d3": 1})]
    assert read_collection(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"corpus": "{bad"}, "corpus.jsonl, line 1: one JSON object a line"),
        ({"corpus": '{"_id": "d1"}'}, "corpus.jsonl, line 1: column text is missing"),
        ({"corpus": '{"_id": "d1", "text": "a"}\n{"_id": "d1", "text": "b"}'}, "line 2: column _id has 'd1' again"),
        ({"queries": ""}, "queries.jsonl is empty"),
        ({"qrels": "q1\td9\t1\n"}, "qrels.tsv, line 1: corpus-id 'd9' is not in corpus.jsonl"),
        ({"qrels": "q9\td1\t1\n"}, "query-id 'q9' is not in queries.jsonl"),
        ({"qrels": "q1 d1 1\nq1 d1 1\n"}, "line 2: query-id, corpus-id, score with tabs between"),
        ({"qrels": "query-id\tcorpus-id\tscore\nq1\td1\thigh\n"}, "score 'high' is not a whole number"),
        ({"qrels": "q1\td1\t0\n"}, "no score above 0"),
    ],
)
def test_a_broken_folder_gets_one_sentence(tmp_path: Path, change: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_collection(write(tmp_path, **change))
    assert sentence in str(caught.value)


def test_half_a_folder_and_another_encoding(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "queries.jsonl").write_bytes('{"_id": "q1", "text": "café"}'.encode("latin-1"))
    with pytest.raises(BadInput, match=r"queries.jsonl is not UTF-8"):
        read_collection(tmp_path)
    (tmp_path / "queries.jsonl").unlink()
    with pytest.raises(BadInput, match=r"but no queries.jsonl"):
        read_collection(tmp_path)


def test_labelled_reviews_are_read(tmp_path: Path) -> None:
    assert read_labelled(tmp_path) is None
    (tmp_path / "reviews.csv").write_text("text,rating\nlovely,5\nfine,3\nbad,1\n")
    assert read_labelled(tmp_path) == [("lovely", "en", True), ("bad", "en", False)]
    (tmp_path / "reviews.csv").write_text("text,label,language\nlovely,1,en\n差,0,zh\n")
    assert read_labelled(tmp_path) == [("lovely", "en", True), ("差", "zh", False)]
    for content, sentence in (
        ("words,rating\nx,1\n", "text"),
        ("text\nx\n", "needs a column rating"),
        ("text,rating\nx,1\ny,9\n", "line 3: column rating has"),
    ):
        (tmp_path / "reviews.csv").write_text(content)
        with pytest.raises(BadInput, match=sentence):
            read_labelled(tmp_path)


def test_a_folder_runs_from_end_to_end(tmp_path: Path) -> None:
    data = tmp_path / "small"
    data.mkdir()
    write(data)
    (data / "reviews.csv").write_text("text,label\n" + "lovely and perfect,1\nbroke at once,0\n" * 4)
    found = main(data, home=tmp_path / "home", embedder=TinyEmbedder())
    assert found["bench"] == "retrieval"
    assert found["data"] == "small"
    value = {(r["method"], r["metric"], r["language"]): r["value"] for r in found["results"]}
    assert value["hybrid", "ndcg_10", "en"] == value["bm25", "ndcg_10", "zh"] == 1
    assert value["debut", "sentiment_accuracy", "en"] == 1
    assert {"p50_ms", "p95_ms", "recall_20", "mrr"} <= {metric for _, metric, _ in value}
    with pytest.raises(BadInput, match="holds neither"):
        main(tmp_path / "home", embedder=TinyEmbedder())


def test_the_demo_asks_the_same_in_both_languages(demo_shop: Shop) -> None:
    collection = demo_collection(demo_shop)
    refs = set(collection.passages["ref"])
    english = {q.id.removesuffix("-en"): q.answers for q in collection.questions if q.language == "en"}
    chinese = {q.id.removesuffix("-zh"): q.answers for q in collection.questions if q.language == "zh"}
    assert english == chinese
    assert all(set(answers) <= refs for answers in english.values())
    assert len(unanswerable(demo_shop)) == 12
    assert {language for _, language, _ in said_of_facts()} == {"en", "zh"}
