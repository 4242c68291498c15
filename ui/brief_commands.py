"""`./debut briefs …`: the versions of a draft's brief, what changed between two, files, approvals, figures by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ui.settings import Settings
from ui.terminal import print_json, say

if TYPE_CHECKING:
    from agent.brief.differences import FigureChange
    from agent.brief.versions import Version
    from shop import Figure, Shop

Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
BriefId = Annotated[str, typer.Argument(help="Such as B-0001.", metavar="BRIEF")]
FigureId = Annotated[str, typer.Argument(help="Such as launch.units_12w.", metavar="FIGURE")]
Because = Annotated[str, typer.Option("--because", help="The reason, kept with it.")]
app = typer.Typer(help="Versions of a brief: history, differences, files, approvals.", no_args_is_help=True)


@app.command()
def history(
    context: typer.Context,
    draft: Annotated[str, typer.Argument(help="Such as D-0001.")],
    as_json: Json = False,
) -> None:
    """List the versions of a draft's brief: who wrote each, which is approved, what was done with it."""
    from agent.brief.versions import history as versions_of
    from shop import ToolError

    found = versions_of(_shop(context), draft.upper())
    if not found:
        raise ToolError(
            f"There is no brief of {draft.upper()}; write one with `./debut brief --draft {draft.upper()}`."
        )
    print_json([_version(each) for each in found]) if as_json else print("\n".join(map(_line, found)))


@app.command()
def diff(context: typer.Context, old: BriefId, new: BriefId, as_json: Json = False) -> None:
    """Compare two briefs figure by figure, with the input that caused each change."""
    from agent.brief.archive import load_brief
    from agent.brief.differences import diff as difference

    shop = _shop(context)
    before, after = (load_brief(shop, each.upper()) for each in (old, new))
    found = difference(before, after)
    if as_json:
        print_json(
            {
                "verdict": found.verdict,
                "inputs": {each.name: [each.was, each.now] for each in found.inputs},
                "figures": [_change(each) for each in found.figures],
                "sections": found.sections,
                "findings": {"new": found.findings_new, "gone": found.findings_gone},
            }
        )
        return
    print(f"{found.old} → {found.new}: verdict {found.verdict[0]} → {found.verdict[1]}")
    for each in found.inputs:
        print(f"  {each.name}: {each.was} → {each.now}")
    for change in found.figures:
        print(_change_line(change, after.locale))


@app.command()
def export(
    context: typer.Context,
    brief: BriefId,
    kind: Annotated[
        str, typer.Option("--as", help="markdown, word, excel, pdf, powerpoint, calendar or json.")
    ] = "pdf",
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("out"),
) -> None:
    """Write a brief as a file."""
    from agent.brief.archive import load_brief
    from agent.brief.export import export as made
    from agent.brief.versions import signatures
    from shop import BadInput

    shop = _shop(context)
    name, content = made(load_brief(shop, brief.upper()), kind, signatures(shop, brief.upper()))
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    except OSError as error:
        raise BadInput(f"The folder {out} cannot be written to ({error.strerror}); give another with --out.") from error
    say(f"Written to {out / name}.")


@app.command()
def approve(context: typer.Context, brief: BriefId, because: Because = "") -> None:
    """Approve a brief: it becomes the frozen plan of its draft."""
    from agent.brief.versions import approve as approved

    held = approved(_shop(context), brief.upper(), because)
    say(f"{held.brief_id} is the approved plan of {held.draft_id} since {held.since}.")


@app.command()
def withdraw(context: typer.Context, brief: BriefId, because: Because = "") -> None:
    """Take an approval back."""
    from agent.brief.versions import withdraw as taken_back

    taken_back(_shop(context), brief.upper(), because)
    say(f"The approval of {brief.upper()} is taken back.")


@app.command()
def sign(
    context: typer.Context,
    brief: BriefId,
    office: Annotated[str, typer.Argument(help="merchandising, supply, finance, marketing, service or legal.")],
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse to sign; needs a reason.")] = False,
    because: Because = "",
) -> None:
    """Sign a brief for an office, or refuse to."""
    from agent.brief.versions import sign as signed

    signed(_shop(context), brief.upper(), office, not refuse, because)
    say(f"{office} {'refused' if refuse else 'signed'} {brief.upper()}.")


@app.command(name="set")
def set_by_hand(
    context: typer.Context,
    brief: BriefId,
    figure: FigureId,
    value: Annotated[str, typer.Argument(help="A number, a share such as 0.95, or a day such as 2027-03-01.")],
    because: Because = "",
) -> None:
    """Set a figure by hand; the draft's next brief is made with it."""
    from agent.brief.versions import override

    override(_shop(context), brief.upper(), figure, _read(value), because)
    say(f"{figure} is {value} from the next version on; `./debut brief --draft …` writes it.")


@app.command()
def lift(context: typer.Context, brief: BriefId, figure: FigureId, because: Because = "") -> None:
    """Give a figure that was set by hand back to the tools."""
    from agent.brief.versions import lift as lifted

    lifted(_shop(context), brief.upper(), figure, because)
    say(f"{figure} is the tools' again from the next version on.")


def _shop(context: typer.Context) -> Shop:
    """The shop in the hands of whoever sits at this terminal."""
    from shop.session import Session
    from ui.wiring import MANAGER, open_shop

    settings: Settings = context.obj
    return open_shop(settings).acting_as(Session(MANAGER.role, MANAGER.id))


def _read(value: str) -> float | date:
    for kind in (float, date.fromisoformat):
        try:
            return kind(value)
        except ValueError:
            continue
    raise typer.BadParameter(f"{value!r} is neither a number nor a day such as 2027-03-01")


def _line(version: Version) -> str:
    by = f" by {version.author.id or version.author.role}" if version.author else ""
    head = f"{version.number}  {version.brief_id}  {version.plan_hash[:12]}  {version.verdict}  {version.status}{by}"
    done = [
        f"     {act.day} {act.actor.id or act.actor.role}: {act.kind} {act.part}".rstrip()
        + (f", because {act.reason}" if act.reason else "")
        for act in version.acts
    ]
    return "\n".join([f"{head}, data up to {version.data_cutoff}", *done])


def _version(version: Version) -> dict[str, Any]:
    return {
        "number": version.number,
        "id": version.brief_id,
        "plan_hash": version.plan_hash,
        "verdict": version.verdict,
        "status": version.status,
        "data_cutoff": version.data_cutoff.isoformat(),
        "created_on": version.created_on.isoformat(),
        "author": version.author.model_dump() if version.author else None,
        "acts": [act.model_dump(mode="json") for act in version.acts],
    }


def _change(change: FigureChange) -> dict[str, Any]:
    def values(figure: Figure | None) -> list[Any] | None:
        return None if figure is None else [figure.model_dump(mode="json")[key] for key in ("value", "low", "high")]

    return {
        "figure": change.figure,
        "label": change.label,
        "kind": change.kind,
        "old": values(change.before),
        "new": values(change.after),
        "causes": change.causes,
    }


def _change_line(change: FigureChange, locale: str) -> str:
    from agent.brief.differences import cause_name
    from agent.render import format_value

    old, new = ("–" if each is None else format_value(each, "", locale) for each in (change.before, change.after))
    causes = ", ".join(cause_name(cause, locale) for cause in change.causes)
    return f"  {change.figure}: {old} → {new}" + (f"  ({causes})" if causes else "")
