"""Search by words: terms of both languages, BM25 against its formula, and words learned from a bilingual catalogue."""

from math import log

import numpy as np
import pytest

from retrieval.fusion import MEANING, fuse, surely
from retrieval.glossary import EXPANSION, Glossary, learn
from retrieval.lexical import Lexical
from retrieval.words import words


def test_english_terms_are_stems_and_codes_stay_whole() -> None:
    assert words("The kettles boiled quickly") == ["kettl", "boil", "quick"]
    assert words("GK-200") == ["gk-200", "gk", "200"]
    assert words("ＧＫ") == ["gk"]


def test_chinese_terms_are_words_and_pairs() -> None:
    found = words("电源线太短")
    assert {"电源", "电源线", "太短"} <= set(found)
    assert words("的") == []


def test_scores_are_bm25() -> None:
    texts = ["red kettle", "red red mug on a red shelf", "blue mug", ""]
    scores, covered = Lexical.build(texts).scores([{"red": 1.0}, {"mug": 1.0}])
    documents = [words(text) for text in texts]
    mean = np.mean([len(document) for document in documents])

    def bm25(term: str, document: list[str]) -> float:
        holding = sum(term in other for other in documents)
        tf = document.count(term)
        idf = log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
        return idf * tf / (tf + 1.5 * (1 - 0.75 + 0.75 * len(document) / mean))

    expected = [sum(bm25(term, document) for term in ("red", "mug")) for document in documents]
    assert scores == pytest.approx(expected, rel=1e-5)
    assert covered[1] == pytest.approx(1.0)
    assert covered[3] == 0


def test_a_term_counts_once_by_its_best_word() -> None:
    lexical = Lexical.build(["quiet kettle", "安静 水壶", "loud kettle"])
    scores, covered = lexical.scores([{"安静": EXPANSION, "quiet": 1.0}])
    assert scores[0] > scores[1] > scores[2] == 0
    assert covered[:2] == pytest.approx([1, 1])


def test_an_unknown_word_lowers_how_sure_a_passage_is() -> None:
    _, covered = Lexical.build(["red kettle", "blue mug"]).scores([{"kettl": 1.0}, {"crocodil": 1.0}])
    assert 0 < covered[0] < 0.5


def test_nothing_to_search_is_no_error() -> None:
    scores, covered = Lexical.build([]).scores([{"kettl": 1.0}])
    assert len(scores) == len(covered) == 0
    assert Lexical.build(["", "…"]).scores([{"kettl": 1.0}])[0].tolist() == [0, 0]


def test_words_are_learned_from_a_bilingual_catalogue() -> None:
    kinds = [("teapot", "茶壶"), ("blanket", "毛毯"), ("lantern", "灯笼")]
    english = [f"{en} of model {n}" for n in range(5) for en, _ in kinds]
    chinese = [f"{zh}第{n}款" for n in range(5) for _, zh in kinds]
    pairs = learn(english, chinese).pairs
    assert pairs["毛毯"]["blanket"] == pytest.approx(1.0)
    assert pairs["teapot"].get("茶壶") == pytest.approx(1.0)
    assert "灯笼" not in pairs["teapot"]
    assert "return" in pairs["退货"]


def test_translations_weigh_less_than_what_was_said() -> None:
    assert Glossary({"退货": {"return": 0.8}}).expand(["退货", "钱"]) == [
        {"return": EXPANSION * 0.8, "退货": 1.0},
        {"钱": 1.0},
    ]


def test_fusion_averages_both_sides() -> None:
    lexical, covered = np.array([4.0, 1.0, 0.0], np.float32), np.array([1.0, 0.25, 0.0], np.float32)
    ranked = dict(fuse(lexical, covered, {1: 0.9, 2: 0.5}, 10))
    assert ranked[0] == pytest.approx(MEANING * 0.5 + (1 - MEANING) * 1.0)  # meaning left it out: the lowest cosine
    assert ranked[1] == pytest.approx(MEANING * 0.9 + (1 - MEANING) * 0.25)
    assert ranked[2] == pytest.approx(MEANING * 0.5)


def test_without_meaning_the_order_is_that_of_words() -> None:
    lexical = np.array([1.0, 3.0, 0.0, 2.0], np.float32)
    assert [row for row, _ in fuse(lexical, lexical, {}, 10)] == [1, 3, 0]


def test_sureness_is_the_better_side() -> None:
    assert surely(0.2, None, "en") == pytest.approx(0.2)
    assert surely(0.2, None, "zh") == pytest.approx(0.4)
    assert surely(0.2, 0.4, "en") == pytest.approx(0.5)
    assert surely(0.0, 0.1, "en") == 0
