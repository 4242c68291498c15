"""`./debut finetune …`: make training data, train an adapter, export it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.settings import Settings
from ui.terminal import print_json, say

app = typer.Typer(help="Teach the model the desk: examples, training, export.", no_args_is_help=True)


@app.command()
def data(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for rows, tools and data card.")],
    count: Annotated[int, typer.Option(min=50, help="How many examples.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Another seed, other examples.")] = 0,
) -> None:
    """Compile training examples from the tools, demo shops and the phrase files; prints the data card."""
    settings: Settings = context.obj
    from finetune.data import main
    from retrieval.embed import open_embedder

    print_json(main(out, settings.home / "examples", seed, count, True, open_embedder(settings.home), say=say))


@app.command()
def train(
    context: typer.Context,
    data: Annotated[Path, typer.Option("--data", help="Folder that `finetune data` has written.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoint and adapter; a stopped run goes on there.")],
    recipe: Annotated[Path, typer.Option(help="A recipe file, or the name of one that ships.")] = Path("embedded"),
    after: Annotated[Path | None, typer.Option(help="A run whose weights to go on from.")] = None,
) -> None:
    """Train an adapter; prints what was done."""
    settings: Settings = context.obj
    from finetune.recipe import read_recipe
    from finetune.train import main

    print_json(main(read_recipe(recipe), data, out, settings.home, after, say))


@app.command()
def export(
    context: typer.Context,
    run: Annotated[Path, typer.Option("--run", help="Folder that `finetune train` has written.")],
    name: Annotated[str, typer.Option(help="Name of the adapter.")] = "embedded",
    to: Annotated[Path | None, typer.Option(help="Folder of adapters; left out, the one that ships.")] = None,
    merged: Annotated[Path | None, typer.Option(help="Also write merged safetensors to this folder.")] = None,
) -> None:
    """Put a trained adapter where the desk finds it, in 16 bits, with its card; prints the files."""
    settings: Settings = context.obj
    from finetune.export import main

    print_json({"files": [str(path) for path in main(run, name, settings.home, to, merged)]})
