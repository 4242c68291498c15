"""`./debut bench NAME`: runs a benchmark and prints its report, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ui.settings import Settings
from ui.terminal import print_json

app = typer.Typer(help="Measure a promise against its rivals; heavy ones take minutes.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
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
    from benchmarks.forecast import main, sentence_encoder

    embed = sentence_encoder(settings.home) if task == "launch" and not words else None
    _print(main(data, task, series, embed), ("method", "subset", "metric", "value", "low", "high", "n"), as_json)


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
    rounds: Annotated[int, typer.Option(min=1, help="How often all methods run; medians are printed.")] = 1,
    agreement: Annotated[bool, typer.Option("--agreement", help="Also compare precisions on 210 questions.")] = False,
    as_json: Json = False,
) -> None:
    """The local model's engines: speed, memory, agreement."""
    settings: Settings = context.obj
    from benchmarks.llm import main

    found = main(quick, settings.home, llama_python, rounds, agreement)
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


def _print(found: dict[str, Any], columns: Sequence[str], as_json: bool) -> None:
    from benchmarks.result import table

    if as_json:
        print_json(found)
        return
    print(table(found, columns))
    for key, value in found.items():
        if key != "results":
            print(f"{key}: {value}")
