"""The claim ledger of a brief: what its copy says, and the product fact, passage or figure behind each claim."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from agent.brief.types import Brief
from shop import Figure, ToolError
from shop.types import Frozen

Evidence = Literal["fact", "passage", "figure"]
_COPY = "write_copy"
# The figures of a piece of copy that say something; the others measure it, or tell what was left out.
_SAYS = re.compile(
    r"\.(?:claim_\d+|name|brand|category|price|launch|shop|reviews|rating|theme|theme_count|policy)(?:_short)?$"
)
_OBJECTS = re.compile(r"\.(?:problem|disparity)_\d+$")
_PART = re.compile(r"^content\.([a-z]+_[a-z]+)_\d+$")
_MADE = re.compile(r"^positioning\.claim_\d+$")


class Claim(Frozen):
    """One thing that the copy of a brief says.

    Attributes:
        figure: The figure whose value is the claim, as copy shows it.
        text: The claim.
        evidence: What sort of evidence backs it; None where nothing does.
        refs: Where that is: the figures that hold it.
    """

    figure: str
    text: str
    evidence: Evidence | None
    refs: tuple[str, ...] = ()

    @property
    def is_supported(self) -> bool:
        return self.evidence is not None


def claims_of(figures: Mapping[str, Figure]) -> tuple[Claim, ...]:
    """Every claim among a brief's figures, in the order of the ledger.

    A piece of copy enters what it says as figures, and where each stands beside it (`…_source`, `…_passage`). A claim
    that a section makes is computed from such figures, or from those of other tools.
    """
    return tuple(
        _claim(figure, figures)
        for name, figure in figures.items()
        if figure.value is not None and (_MADE.match(name) or (figure.tool == _COPY and _SAYS.search(name)))
    )


def unsupported(figures: Mapping[str, Figure]) -> dict[str, str]:
    """Pieces of copy that must not go out, as the first part of their figures' ids, and the first reason why not."""
    found: dict[str, str] = {}
    for claim in claims_of(figures):
        if not claim.is_supported:
            found.setdefault(claim.figure.partition(".")[0], f"nothing backs the claim “{claim.text}”")
    for name, figure in figures.items():
        if figure.tool == _COPY and _OBJECTS.search(name) and figure.value is not None:
            found.setdefault(name.partition(".")[0], f"it did not pass its check: {figure.value}")
    return found


def require_supported(brief: Brief) -> None:
    """Refuse a brief whose copy says what nothing backs, or failed its check: once approved it is what buyers are told.

    Raises:
        ToolError: Names the claim, or what the check objected to, and what to do.
    """
    for piece, why in unsupported(brief.figures).items():
        raise ToolError(
            f"Brief {brief.id} cannot be approved with the copy that it holds ({piece}): {why}; add the fact to the "
            "draft or take the claim out, then write the brief again."
        )


def withheld(brief: Brief) -> Brief:
    """The brief as it may be exported: a piece of copy that must not go out is unknown, because of what it lacks."""
    bad = unsupported(brief.figures)
    if not bad:
        return brief

    def shown(figure: Figure) -> Figure:
        pieces = [str(name).partition(".")[0] for name in figure.inputs.get("of", ())] if figure.unit == "text" else []
        why = next((bad[piece] for piece in (*pieces, _piece(figure.id)) if piece in bad), "")
        return figure.model_copy(update={"value": None, "reason": f"withheld: {why}"}) if why else figure

    made = {name: shown(figure) if figure.tool == "ledger" else figure for name, figure in brief.figures.items()}
    return brief.model_copy(update={"figures": made})


def _piece(name: str) -> str:
    """`content.email_en_2` is a part of what `write_copy` made as `copy_email_en`."""
    part = _PART.match(name)
    return f"copy_{part[1]}" if part else ""


def _claim(figure: Figure, figures: Mapping[str, Figure]) -> Claim:
    found = [f"{figure.id}{suffix}" for suffix in ("_passage", "_source") if _known(figures, f"{figure.id}{suffix}")]
    evidence: Evidence | None = None
    if any(name.endswith("_passage") for name in found):
        evidence = "passage"
    elif found:
        evidence = "fact"
    elif figure.tool == "ledger":
        found = [str(name) for name in figure.inputs.get("of", ()) if _known(figures, str(name))]
        evidence = "figure" if found else None
    return Claim(figure=figure.id, text=str(figure.value), evidence=evidence, refs=tuple(found))


def _known(figures: Mapping[str, Figure], name: str) -> bool:
    return name in figures and figures[name].value is not None
