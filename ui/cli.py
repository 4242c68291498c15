"""The command line. Answers go to standard output, everything else to standard error; heavy imports wait for need."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ui import bench, brief_commands, trust_commands, voice_command
from ui.edge import EXIT_BAD_INPUT, Failure, edge
from ui.settings import Settings
from ui.terminal import bar, print_json, say, step_line

EXIT_STOPPED = 130
app = typer.Typer(
    help="Debut: a launch brief whose every figure can be traced.",
    epilog="DEBUT_SHOP names the shop's database (an SQLAlchemy URL, or `demo` or `own`), DEBUT_MODEL the language "
    "model (`embedded`, `hf:NAME`, `openai:URL#NAME`), DEBUT_HOME the folder of weights, logs and the default shops. "
    "`./debut finetune --help`: how the model is taught.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(bench.app, name="bench")
app.add_typer(brief_commands.app, name="briefs")
app.add_typer(trust_commands.audit, name="audit")
app.add_typer(trust_commands.privacy, name="privacy")
app.command()(trust_commands.backup)
app.command()(trust_commands.restore)
app.command()(voice_command.voice)
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
Locale = Annotated[str, typer.Option(help="Language of the answer: en or zh.")]


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 cannot, 2 bad input, 3 a bug, 130 stopped."""
    settings = Settings.from_environment(os.environ if environment is None else environment)
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    failures: list[Failure] = []
    code = 0
    with edge(settings.log_file, failures.append):
        code = _run(given, settings)
    for failure in failures:
        say(failure.sentence)
        code = failure.exit_code
    return code


def _run(arguments: list[str], settings: Settings) -> int:
    try:
        return int(app(args=arguments, prog_name="debut", standalone_mode=False, obj=settings) or 0)
    except typer.TyperException as error:
        say(f"{error.format_message().rstrip('.')}; `./debut {arguments[0]} --help` shows what it takes.")
        return EXIT_BAD_INPUT
    except typer.Abort:
        say("Stopped; nothing was changed.")
        return EXIT_STOPPED


@app.command()
def chat(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 7860,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    role: Annotated[str, typer.Option(help="Whose page: manager, or customer for the shoppers' alone.")] = "manager",
) -> None:
    """Serve the page: the conversation, the brief beside it; or the shoppers' page."""
    if role not in ("manager", "customer"):
        raise typer.BadParameter(f"The role {role!r} is not one of manager, customer")
    settings = _prepared(context)
    from ui.place import opened
    from ui.server import serve
    from ui.wiring import Desk

    place = opened(Desk.open(settings), settings, everybody=role == "customer")
    _say_shop(place.desk.shop)
    serve(place, port, browser and sys.stdout.isatty(), role == "customer")


@app.command()
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What to ask, such as: what do launches in Kettles sell?")],
    as_json: Json = False,
    locale: Locale = "en",
) -> None:
    """Ask one question and print the answer, every figure from a tool."""
    settings = _prepared(context, locale)
    from ui.answer import answer
    from ui.wiring import Desk

    desk = Desk.open(settings)
    _say_shop(desk.shop)
    found = answer(desk, question, locale, lambda name, arguments: say(step_line(name, arguments)))
    if as_json:
        print_json(found)
        return
    print(found["text"])
    for cited in found["sources"]:
        print(f"[{cited['number']}] {cited['source']}: {cited['text']}")


@app.command()
def brief(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="What the new product is called.")] = "",
    category: Annotated[str, typer.Option(help="A category of the shop, or a part of its name.")] = "",
    cost: Annotated[float | None, typer.Option(help="Cost per unit, in the shop's currency.")] = None,
    price: Annotated[float | None, typer.Option(help="Planned price; left out, the brief recommends one.")] = None,
    launch_date: Annotated[str, typer.Option(help="Such as 2027-03-01, 3 March, early March, next Monday.")] = "",
    attributes: Annotated[
        list[str] | None, typer.Option(help="A fact as key=value; several after one another or repeated.")
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(hidden=True, metavar="[KEY=VALUE]...")] = None,
    description: Annotated[str, typer.Option(help="What it is and does.")] = "",
    draft: Annotated[str, typer.Option(help="A draft there is, such as D-0001, instead of a new product.")] = "",
    budget: Annotated[float | None, typer.Option(min=0, help="Launch spend on top of the first buy.")] = None,
    locale: Locale = "en",
    out: Annotated[Path | None, typer.Option(help="Folder to write the brief to, as Markdown and JSON.")] = None,
    as_json: Json = False,
) -> None:
    """Write the launch brief of a new product."""
    settings = _prepared(context, locale)
    if not name.strip() and not draft.strip():
        raise typer.BadParameter("Give --name for a new product, or --draft for one that is being planned")
    facts = _facts([*(attributes or []), *(more or [])])
    from agent.brief.export import to_json
    from agent.brief.markdown import to_text
    from shop.session import Session
    from ui.briefs import Wanted, save
    from ui.wiring import MANAGER, Desk

    desk = Desk.open(settings).acting_as(Session(MANAGER.role, MANAGER.id))
    _say_shop(desk.shop)
    with bar() as progress:
        written = desk.write_brief(
            Wanted(draft, name, category, cost, price, launch_date, description, facts, budget), locale, progress.steps
        )
    if out is not None:
        say("Written to " + " and ".join(map(str, save(written, out))) + ".")
    print_json(to_json(written)) if as_json else print(to_text(written))


@app.command("import")
def import_(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="generic, online-retail-ii, olist or series.")],
    path: Annotated[Path, typer.Argument(help="The file (CSV, Excel, Parquet), or the folder of an Olist export.")],
    mapping: Annotated[
        Path | None, typer.Option(help="For generic: a TOML file that says which column is what.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="For generic: accept the guessed mapping.")] = False,
    as_json: Json = False,
) -> None:
    """Import your own data; the whole file or nothing, and twice is the same as once."""
    settings = _settings(context)
    from ui.importing import agreed_mapping, run, summary

    agreed = agreed_mapping(kind, path, mapping, yes)
    with bar() as progress:
        report, url = run(settings, kind, path, agreed, progress.rows)
    print_json({**report.model_dump(mode="json"), "shop": url}) if as_json else print(summary(report, url))


@app.command()
def demo(
    context: typer.Context,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Do nothing where there is a shop already.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed, another invented shop.")] = 7,
    force: Annotated[bool, typer.Option("--force", help="Replace the demo shop that stands there.")] = False,
) -> None:
    """Build the demo shop: an invented shop with three years of sales."""
    settings = _settings(context)
    from ui.demo import build_demo

    with bar() as progress:
        say(build_demo(settings, seed, if_missing, force, progress.share))


@app.command()
def index(
    context: typer.Context,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the index anew from the shop's texts.")] = False,
    as_json: Json = False,
) -> None:
    """Bring the search index up to date with the shop's texts, and learn what first questions would wait for."""
    settings = _prepared(context)
    from retrieval.library import Library
    from ui.wiring import learn_beforehand, open_shop

    shop = open_shop(settings)
    library = Library(shop.engine, settings.home, settings.embedder, picture_model=settings.image_embedder)
    with bar() as progress:
        update = library.update(rebuild, progress.passages(library.count()))
    learn_beforehand(shop.searched_by(library), say)
    about = {name: getattr(update, name) for name in ("embedded", "relabelled", "deleted", "unchanged")}
    print_json(about) if as_json else print("\n".join(f"{key}: {value}" for key, value in about.items()))


@app.command()
def feedback(
    context: typer.Context,
    weeks: Annotated[int, typer.Option(min=1, max=12, help="Take in so many of the last weeks.")] = 4,
    as_json: Json = False,
) -> None:
    """Hold past forecasts to the sales that have come since: errors by method, drift, and how weights move."""
    settings = _settings(context)
    from ui import feedback as report

    found = report.run(settings, weeks)
    print_json(report.as_json(found)) if as_json else print(report.as_text(found))


@app.command()
def tools(as_json: Json = False) -> None:
    """Print the reference of the tools, made from their signatures."""
    from tools import ALL
    from ui.reference import as_markdown, describe

    print_json(describe(ALL)) if as_json else print(as_markdown(describe(ALL)))


@app.command()
def figure(
    context: typer.Context,
    brief_id: Annotated[str, typer.Argument(help="Such as B-0001.")],
    figure_id: Annotated[str, typer.Argument(help="Such as launch.units_12w.")],
    as_json: Json = False,
) -> None:
    """Show where a figure of a brief comes from: call, inputs, formula and the rows behind it."""
    settings = _settings(context)
    from ui.inspector import trace
    from ui.wiring import open_shop

    traced = trace(open_shop(settings), brief_id.upper(), figure_id)
    print_json(traced.as_json()) if as_json else print(traced.as_text())


@app.command()
def actions(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="approve or reject one, verify the audit; left out, list them.")] = "list",
    action_id: Annotated[str, typer.Argument(help="Such as A-1f0c9a6b2d3e.")] = "",
    as_json: Json = False,
) -> None:
    """Show the manager's proposals that wait, and approve or reject one."""
    if what not in ("list", "approve", "reject", "verify"):
        raise typer.BadParameter(f"{what!r} is not one of list, approve, reject, verify")
    settings = _settings(context)
    from shop.session import Session
    from ui.approvals import decide
    from ui.wiring import MANAGER, open_shop

    found = decide(open_shop(settings).acting_as(Session(MANAGER.role, MANAGER.id)), what, action_id)
    print_json(found) if as_json else print("\n".join(found["lines"]))


@app.command()
def shop(context: typer.Context, as_json: Json = False) -> None:
    """Say which shop is in use and up to which day its data goes."""
    settings = _settings(context)
    from ui.wiring import describe_shop, shop_url

    about = describe_shop(shop_url(settings))
    print_json(about) if as_json else print("\n".join(f"{key}: {value}" for key, value in about.items()))


def _settings(context: typer.Context) -> Settings:
    settings: Settings = context.obj
    return settings


def _prepared(context: typer.Context, locale: str = "en") -> Settings:
    """The settings of a run with a model; what the model's libraries read from the environment is set before them."""
    settings = _settings(context)
    if locale not in ("en", "zh"):
        raise typer.BadParameter(f"The language {locale!r} is not one of en, zh")
    from agent.models.select import environment

    os.environ.update({**environment(settings.model), "GRADIO_ANALYTICS_ENABLED": "False"})
    return settings


def _facts(pairs: list[str]) -> dict[str, str]:
    facts = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise typer.BadParameter(f"The attribute {pair!r} is not key=value, such as colour=red")
        facts[key.strip()] = value.strip()
    return facts


def _say_shop(shop: object) -> None:
    from ui.wiring import shop_line

    say(shop_line(shop))
