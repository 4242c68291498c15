"""`./debut bench NAME`: runs a benchmark and prints its report, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ui.settings import Settings
from ui.terminal import print_json, say

app = typer.Typer(help="Measure a promise against its rivals; heavy ones take minutes.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
Shared = Annotated[Path | None, typer.Option(help="Folder of the public data sets.")]
Folder = Annotated[Path | None, typer.Option("--data", help="Folder with the data to measure on.")]


@app.command()
def forecast(
    context: typer.Context,
    data: Annotated[Path, typer.Option("--data", help="Folder with sales, in the layout or as published.")],
    task: Annotated[str, typer.Option(help="launch: products without history; history: products with one.")] = "launch",
    series: Annotated[int, typer.Option(min=0, help="At most so many series in the history task; 0 takes all.")] = 0,
    words: Annotated[bool, typer.Option("--words", help="Compare product texts by words alone, no model.")] = False,
    as_json: Json = False,
) -> None:
    """Forecasts of launches and of running products, against simple and known methods."""
    if task not in ("launch", "history"):
        raise typer.BadParameter(f"The task {task!r} is not one of launch, history")
    settings: Settings = context.obj
    from benchmarks.forecast import main, picture_reader, sentence_encoder

    embed = sentence_encoder(settings.home) if task == "launch" and not words else None
    look = picture_reader(settings.image_embedder)
    _print(main(data, task, series, embed, look), ("method", "subset", "metric", "value", "low", "high", "n"), as_json)


@app.command()
def retrieval(
    context: typer.Context,
    data: Folder = None,
    shared: Annotated[Path | None, typer.Option(help="Folder of the public data sets.")] = None,
    scale: Annotated[int, typer.Option(min=0, help="Also search among so many products.")] = 0,
    as_json: Json = False,
) -> None:
    """Search of products, reviews and policies: words, vectors and both."""
    settings: Settings = context.obj
    from benchmarks.retrieval import main

    columns = ("set", "language", "method", "metric", "value", "low", "high", "n")
    _print(main(data, settings.home, shared, scale), columns, as_json)


@app.command()
def llm(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="A few calls instead of thirty.")] = False,
    llama_python: Annotated[Path | None, typer.Option(help="Python of an environment that has llama_cpp.")] = None,
    onnx_python: Annotated[Path | None, typer.Option(help="Python of one that has onnxruntime_genai.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often all methods run; medians are printed.")] = 1,
    agreement: Annotated[bool, typer.Option("--agreement", help="Also compare precisions on 210 questions.")] = False,
    as_json: Json = False,
) -> None:
    """The local model's engines: speed, memory, agreement."""
    settings: Settings = context.obj
    from benchmarks.llm import main

    found = main(quick, settings.home, llama_python, onnx_python, rounds, agreement)
    _print(found, ("method", "weights", "metric", "value", "n"), as_json)


@app.command(name="import")
def import_(
    data: Annotated[Path, typer.Option("--data", help="Online Retail II as Parquet.")],
    copies: Annotated[int, typer.Option(min=1, help="How many times over.")] = 2,
    as_json: Json = False,
) -> None:
    """Import of order lines: seconds, rows a second, peak memory."""
    from benchmarks.importing import main

    _print(main(data, copies), ("method", "metric", "value"), as_json)


@app.command()
def judgement(data: Folder = None, as_json: Json = False) -> None:
    """Lifecycle stages, anomalies and the launch calendar, held to the demo shop's truth."""
    from benchmarks.judgement import main

    _print(main(data), ("method", "metric", "value", "low", "high", "n"), as_json)


@app.command()
def price(
    data: Folder = None,
    shared: Annotated[Path | None, typer.Option(help="Folder of the public data sets.")] = None,
    seeds: Annotated[int, typer.Option(min=0, help="Demo markets to decide prices in.")] = 30,
    as_json: Json = False,
) -> None:
    """Elasticities against simple regressions, and price decisions against an oracle."""
    from benchmarks.price import main

    columns = ("set", "step", "product", "method", "metric", "value", "low", "high", "n")
    _print(main(data, shared, seeds), columns, as_json)


@app.command()
def agent(
    context: typer.Context,
    file: Annotated[Path | None, typer.Option("--file", help="Cases, one a line; left out, our own.")] = None,
    rival: Annotated[
        list[str] | None,
        typer.Option(help="Also a router, or the model without a part of it; repeatable, all takes every one."),
    ] = None,
    most: Annotated[int, typer.Option(min=0, help="At most so many cases, evenly taken; 0 takes all.")] = 0,
    as_json: Json = False,
) -> None:
    """The assistant's calls: right tool, right arguments, and rightly none."""
    settings: Settings = context.obj
    from benchmarks.agent import CASES, main

    found = main(file or CASES, settings.model, settings.home, rival or (), most)
    _print(found, ("method", "lang", "metric", "value", "low", "high", "n"), as_json)


@app.command()
def writing(
    context: typer.Context,
    drafts: Annotated[int, typer.Option(min=1, help="Drafts whose sections are worded.")] = 40,
    products: Annotated[int, typer.Option(min=1, help="Products whose copy is written.")] = 10,
    samples: Annotated[Path | None, typer.Option(help="Also write a page of unedited texts here.")] = None,
    as_json: Json = False,
) -> None:
    """Brief sections, copy and policy answers: what holds at the first try, by model and by plain sentences."""
    settings: Settings = context.obj
    from benchmarks.writing import main

    found = main(settings.model, settings.home, drafts, products, samples)
    _print(found, ("task", "method", "lang", "metric", "value", "low", "high", "n"), as_json)


@app.command()
def service(
    file: Annotated[Path, typer.Option("--file", help="Tasks with their gold calls.")],
    db: Annotated[Path, typer.Option("--db", help="The shop they start from.")],
    expected: Annotated[Path, typer.Option("--expected", help="What each task should lead to.")],
    shop: Annotated[str, typer.Option(help="SQLAlchemy URL of an empty database to run on.")] = "",
    as_json: Json = False,
) -> None:
    """The service tools: gold writes of a task set, by their owner, by a stranger, and sent twice."""
    from benchmarks.service import main

    found = main(file, db, expected, shop)
    print_json(found) if as_json else print("\n".join(f"{key}: {value}" for key, value in found.items()))


@app.command()
def stock(
    data: Annotated[Path, typer.Option("--data", help="Folder with sales, in the layout or as published.")],
    lead_time: Annotated[int, typer.Option(help="Days from order to shelf.")] = 14,
    review: Annotated[int, typer.Option(help="Days between orders.")] = 7,
    cost_ratio: Annotated[list[float], typer.Option(help="Lost margin over holding cost of a review; repeatable.")] = [  # noqa: B006
        2.0,
        5.0,
        10.0,
        20.0,
    ],
    fill_rate: Annotated[list[float], typer.Option(help="Fill rate to compare at; repeatable.")] = [0.9, 0.95],  # noqa: B006
    series: Annotated[int, typer.Option(min=2, help="At most so many products.")] = 2000,
    earlier: Annotated[bool, typer.Option("--earlier", help="Measure on the period before the test.")] = False,
    as_json: Json = False,
) -> None:
    """Stock rules replayed on real demand at equal fill rate: turnover and cost."""
    from benchmarks.stock import Terms, main

    found = main(data, Terms(lead_time, review, tuple(fill_rate), tuple(cost_ratio), series), earlier)
    if not as_json:
        del found["curves"]  # sixteen settings of each method: for a program to draw
    _print(found, ("method", "metric", "at_fill", "cost_ratio", "value", "low", "high", "n"), as_json)


@app.command()
def briefs(
    context: typer.Context,
    data: Annotated[Path, typer.Option("--data", help="Folder with sales, in the layout or as published.")],
    launches: Annotated[int, typer.Option(min=0, help="At most so many launches, drawn at random; 0 takes all.")] = 0,
    lead_time: Annotated[int, typer.Option(help="Days from order to shelf; briefs are written so long before.")] = 28,
    cost_ratio: Annotated[list[float], typer.Option(help="Unit cost over price where unknown; repeatable.")] = [  # noqa: B006
        0.4,
        0.5,
        0.6,
    ],
    elasticity: Annotated[list[float], typer.Option(help="Assumed for other prices than the real; repeatable.")] = [  # noqa: B006
        -1.5,
        -2.0,
        -3.0,
    ],
    words: Annotated[bool, typer.Option("--words", help="Compare product texts by words alone, no model.")] = False,
    as_json: Json = False,
) -> None:
    """Launch briefs written on past days, held to what the launches became: intervals, verdicts, money."""
    settings: Settings = context.obj
    from benchmarks.briefs import Terms, main

    terms = Terms(lead_time, tuple(cost_ratio), tuple(elasticity), launches)
    columns = ("subset", "cost_ratio", "leftovers", "elasticity", "verdict", "method", "metric", "value", "low", "high")
    found = main(data, terms, None if words else settings.home, lambda done, of: say(f"{done} of {of} launches"))
    _print(found, (*columns, "n"), as_json)


@app.command()
def promotion(
    data: Folder = None,
    shared: Shared = None,
    seeds: Annotated[int, typer.Option(min=1, help="Divisions into training and test.")] = 3,
    as_json: Json = False,
) -> None:
    """Targeting by uplift on a randomised test, against random, a response model and RFM."""
    from benchmarks.promotion import main

    columns = ("outcome", "arm", "share", "method", "metric", "value", "low", "high", "n")
    _print(main(data, shared, seeds), columns, as_json)


@app.command()
def ads(
    data: Folder = None,
    shared: Shared = None,
    seeds: Annotated[int, typer.Option(min=2, help="Known truths drawn for each spend history.")] = 30,
    as_json: Json = False,
) -> None:
    """Advertising budgets held to known truths; click and order rates of single ads."""
    from benchmarks.ads import main

    columns = ("set", "truth", "target", "budget", "rate", "method", "metric", "value", "low", "high", "n")
    _print(main(data, shared, seeds), columns, as_json)


@app.command()
def customers(data: Folder = None, shared: Shared = None, as_json: Json = False) -> None:
    """Customers' value, churn, segments and recommendations, held to simple and known methods."""
    from benchmarks.customers import main

    columns = ("set", "task", "method", "metric", "value", "low", "high", "n")
    _print(main(data, shared), columns, as_json)


@app.command()
def ledger(
    briefs: Annotated[int, typer.Option(min=1, help="How many briefs to write.")] = 100,
    shops: Annotated[int, typer.Option(min=1, help="How many invented shops to write them for.")] = 2,
    seed: Annotated[int, typer.Option(help="Of the random drafts.")] = 0,
    as_json: Json = False,
) -> None:
    """Briefs of random drafts: numbers without a figure, placeholders without a value."""
    from tempfile import TemporaryDirectory

    from benchmarks.ledger import demo_shops, main

    with TemporaryDirectory() as folder:
        found = main(demo_shops(folder, shops), briefs, seed)
    _print(found, ("method", "metric", "value", "n"), as_json)


@app.command()
def whatif(
    rounds: Annotated[int, typer.Option(min=1, help="Values of each input and draft.")] = 5, as_json: Json = False
) -> None:
    """Briefs with a changed price, date, budget, lead time, service level, first buy or promotion: seconds."""
    from tempfile import TemporaryDirectory

    from benchmarks.whatif import main
    from shop import Shop, demo

    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/demo.db"
        demo.build(url)
        found = main(Shop.open(url), rounds)
    _print(found, ("input", "metric", "value", "within_limit", "n"), as_json)


@app.command(name="app")
def app_(
    context: typer.Context,
    chats: Annotated[int, typer.Option(min=1, help="Chats at once.")] = 50,
    turns: Annotated[int, typer.Option(min=1, help="Messages of each.")] = 2,
    visits: Annotated[int, typer.Option(min=1, help="Visits of a browser.")] = 5,
    moves: Annotated[int, typer.Option(min=1, help="Moves of each slider.")] = 15,
    embedded: Annotated[bool, typer.Option(help="Ask the embedded model in the browser as well.")] = True,
    browser: Annotated[bool, typer.Option(help="Measure in Chromium; without, only the chats at once.")] = True,
    as_json: Json = False,
) -> None:
    """The pages: seconds until ready, to the first word and after a moved slider, and chats all at once."""
    from tempfile import TemporaryDirectory

    from agent.models.select import open_model
    from benchmarks.app import main
    from shop import Shop, demo

    settings: Settings = context.obj
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/demo.db"
        demo.build(url, small=True)
        load = (lambda: open_model("embedded", settings.home)) if embedded else None
        found = main(Shop.open(url), Path(folder), chats, turns, visits, moves, load, browser)
    _print(found, ("in", "how", "chats", "metric", "value", "n", "goal", "met"), as_json)


@app.command()
def trust(
    only: Annotated[list[str] | None, typer.Option("--only", help="A part; repeat it for several.")] = None,
    templates: Annotated[
        Path | None, typer.Option(help='Injection templates, one {"id", "kind", "template"} a line.')
    ] = None,
    shared: Shared = None,
    quick: Annotated[bool, typer.Option("--quick", help="A little of each part.")] = False,
    as_json: Json = False,
) -> None:
    """Attacks with a model that obeys them, kills, faults, bad files and load: what happened, not what was said."""
    from benchmarks.trust import Scale, main

    found = main(only or (), templates, shared, Scale.quick() if quick else Scale(), say)
    _print(found, ("part", "metric", "value", "n", "goal", "met"), as_json)


def _print(found: dict[str, Any], columns: Sequence[str], as_json: bool) -> None:
    from benchmarks.result import table

    if as_json:
        print_json(found)
        return
    print(table(found, columns))
    for key, value in found.items():
        if key != "results":
            print(f"{key}: {value}")
