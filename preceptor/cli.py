"""The command line: doors without furniture. Every flag of `fit` is a field of the Plan.

preceptor fit houses.csv --target price
"""

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from preceptor.errors import Mistake
from preceptor.plan import Plan

app = typer.Typer(
    help="Fits deep networks as a careful engineer would, and explains what it did.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # to load rich takes longer than all else that --help does
)

FLAGS = {"from_run": "from"}
TRIALS = 60
"""So many settings are tried where nobody says how many."""
NOT_FLAGS = {"kinds", "net", "training", "decisions"}
Quiet = Annotated[bool, typer.Option("--quiet", help="print nothing but the report's path")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")]


def _with_plan_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command(..., **choices)` one flag for every plain field of the Plan."""
    own = [p for p in inspect.signature(command).parameters.values() if p.kind is not p.VAR_KEYWORD]
    flags = []
    for name, field in Plan.model_fields.items():
        if name in NOT_FLAGS:
            continue
        option = typer.Option(f"--{FLAGS.get(name, name.replace('_', '-'))}", help=field.description)
        many = name in ("ignore", "rivals")
        plain: Any = list[str] if many else _plain_type(field.annotation)
        flags.append(
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[plain | None, option]
            )
        )
    command.__signature__ = inspect.Signature([*own, *flags])  # type: ignore[attr-defined]  # typer reads it
    return command


def _plain_type(annotation: Any) -> type:
    """The first of bool, int, float that a field's annotation names, else str."""
    text = str(annotation)
    return next((plain for plain in (bool, int, float) if plain.__name__ in text), str)


@app.command()
@_with_plan_flags
def fit(
    data: Annotated[
        str | None,
        typer.Argument(help="a file (csv, parquet, jsonl, xlsx, idx, text) or a folder of pictures or texts"),
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="column=kind, to overrule what is seen")] = None,
    out: Annotated[Path | None, typer.Option(help="the run's folder (default runs/NAME-n)")] = None,
    plan: Annotated[Path | None, typer.Option(help="repeat the run of this plan.json")] = None,
    resume: Annotated[Path | None, typer.Option(help="go on with an interrupted run")] = None,
    quiet: Quiet = False,
    **choices: Any,
) -> None:
    """Learn to predict a column: the whole recipe, and a report."""
    from preceptor.following import fit_together

    given = {name: value for name, value in choices.items() if value not in (None, [])}
    if kind:
        given["kinds"] = dict(_pair(text) for text in kind)
    with _screen(quiet or os.environ.get("RANK", "0") != "0") as screen:
        run = fit_together(data, plan=plan, resume=resume, out=out, screen=screen, **given)
    if run:
        print(run.folder / "report.html")


def _pair(text: str) -> tuple[str, str]:
    column, equals, kind = text.rpartition("=")
    if not equals:
        raise Mistake(
            "flag-malformed", f"--kind {text} is not of the form column=kind.", todo="--kind zip=category"
        )
    return column, kind


@app.command()
@_with_plan_flags
def search(
    data: Annotated[str, typer.Argument(help="a file or folder, as for fit")],
    kind: Annotated[list[str] | None, typer.Option(help="column=kind, to overrule what is seen")] = None,
    out: Annotated[Path | None, typer.Option(help="the run's folder (default runs/NAME-n)")] = None,
    plan: Annotated[Path | None, typer.Option(help="begin with this plan.json")] = None,
    quiet: Quiet = False,
    **choices: Any,
) -> None:
    """Fit, and before the net is trained search for better hyper-parameters on validation rows."""
    choices["trials"] = choices["trials"] or TRIALS
    fit(data, kind=kind, out=out, plan=plan, quiet=quiet, **choices)


@app.command()
def predict(
    run: RunFolder,
    data: Annotated[str, typer.Argument(help="a file or folder of new rows")],
    out: Annotated[Path, typer.Option("-o", "--out", help="where the answers go (csv)")] = Path(
        "answers.csv"
    ),
) -> None:
    """Answer new rows with a run's model: same order, ids kept."""
    from preceptor.figures.words import plural
    from preceptor.run import Run

    answers, notes = Run(run).answer(data)
    answers.write_csv(out)
    for note in notes:
        print(f"  {note}", file=sys.stderr)
    print(f"{out} · {plural(answers.height, 'answer')}")


@app.command()
def report(
    run: RunFolder,
    open_page: Annotated[bool, typer.Option("--open", help="open it in the browser")] = False,
) -> None:
    """Write a run's report page anew and print where it is."""
    from preceptor.run import Run

    path = Run(run).write_report()
    if open_page:
        typer.launch(str(path))
    print(path)


@app.command()
def exam(
    run: RunFolder,
    again: Annotated[bool, typer.Option(help="break the seal once more; the report will confess it")] = False,
    reason: Annotated[str, typer.Option(help="why; written into the ledger")] = "",
) -> None:
    """Examine a run's model on its sealed rows once more."""
    from preceptor.run import Run

    mark = Run(run).examine(again=again, reason=reason)
    low, high = mark.interval
    print(f"{mark.score:.4g} [{low:.4g} to {high:.4g}]")


@app.command()
@_with_plan_flags
def show(
    data: Annotated[str, typer.Argument(help="a file or folder")],
    kind: Annotated[list[str] | None, typer.Option(help="column=kind, to overrule what is seen")] = None,
    **choices: Any,
) -> None:
    """Look at data and train nothing: kinds, what is wrong, and one row there and back."""
    from preceptor.show import show as show_data

    given = {name: value for name, value in choices.items() if value not in (None, [])}
    given["kinds"] = dict(_pair(text) for text in kind or [])
    for line in show_data(data, Plan.of(**given)):
        print(line)


@app.command()
def demo(
    name: Annotated[str | None, typer.Argument(help="one of the embedded data sets")] = None,
    minutes: Annotated[float, typer.Option(help="time budget")] = 1.0,
    out: Annotated[Path | None, typer.Option(help="the run's folder (default runs/NAME-n)")] = None,
    seed: Annotated[int, typer.Option(help="everything random follows from it")] = 0,
) -> None:
    """List the embedded data sets, or fit one of them."""
    from preceptor.data.samples import sample, samples

    if name is None:
        for known in samples().values():
            print(f"{known.name:<12}{known.title}")
        print("\npreceptor demo NAME")
        return
    from preceptor.run import fit as fit_run

    chosen = sample(name)
    with _screen(quiet=False) as screen:
        run = fit_run(
            chosen.path,
            target=chosen.target,
            minutes=minutes,
            seed=seed,
            out=out,
            screen=screen,
            **chosen.choices,
        )
    print(run.folder / "report.html")


@app.command()
def explain(code: Annotated[str, typer.Argument(help="the code of an error or a finding")]) -> None:
    """Say in plain words what a code means and what to do."""
    from preceptor.explanations import explanation

    known = explanation(code)
    print(f"{known.title}\n\n{known.text}")


def _screen(quiet: bool) -> Any:
    import time

    import psutil

    from preceptor.screen import Screen

    return Screen(quiet=quiet, waited=time.time() - psutil.Process().create_time())


def main() -> None:
    """Run the command line; a user's mistake is told without a traceback, with exit code 2."""
    try:
        app()
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        sys.exit(2)
