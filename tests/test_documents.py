"""The documents are true: commands exist, links lead somewhere, and the sample in the README is the sample."""

import re
from pathlib import Path

import pytest
import typer

from finetune.__main__ import app as finetune
from ui.cli import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:|#)([^)#]+)[^)]*\)")


def by_name(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", DOCUMENTS, ids=by_name)
def test_commands_exist(path: Path) -> None:
    command = typer.main.get_command(app)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = path.read_text()
    assert set(re.findall(r"`make ([a-z]+)`|^make ([a-z]+)", text, re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }
    for first, second in re.findall(r"\./debut ([a-z]+)(?: ([a-z]+))?", text):
        # `./debut finetune` is a way in of its own.
        known = {**command.commands, "finetune": typer.main.get_command(finetune)}  # type: ignore[attr-defined]
        assert first in known, f"./debut {first}"
        if hasattr(known[first], "commands") and second:
            assert second in known[first].commands, f"./debut {first} {second}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=by_name)
def test_links_lead_somewhere(path: Path) -> None:
    assert [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()] == []


def test_the_readme_quotes_the_sample() -> None:
    unlinked = re.sub(r"\[([^\]]*)\]\(#[^)]*\)", r"\1", (ROOT / "docs" / "sample-brief.md").read_text())
    quoted = [line[2:].replace("**", "") for line in (ROOT / "README.md").read_text().splitlines() if line[:2] == "> "]
    assert len(quoted) > 8
    flat = " ".join(unlinked.replace("**", "").replace("\\", "").split())
    for line in quoted:
        if line.strip() and not set(line) <= set("|- "):
            assert " ".join(line.split()).removeprefix("- ") in flat


def test_the_sample_has_evidence_for_every_figure() -> None:
    sample = (ROOT / "docs" / "sample-brief.md").read_text()
    used = set(re.findall(r"\]\(#([a-z][a-z0-9_.]*)\)", sample))
    anchors = set(re.findall(r'<a id="([a-z][a-z0-9_.]*)"', sample))
    assert len(used) > 100
    assert used <= anchors
