"""Transfer learning: what an earlier run has learnt to see lends a new one its eyes (textbook P10, A17).

    lent = loans(Path("runs/photos-1"), {"picture": "image"})
    lent["picture"].weights                       # of the encoder; its kind and options come with it

An encoder is worth nothing without the kind that prepared its inputs: the vocabulary of a text, the size
of a picture. So both are lent together, and the kind is not fitted again.
"""

from collections.abc import Mapping
from pathlib import Path

from preceptor.errors import Mistake
from preceptor.kinds.kind import Kind
from preceptor.kinds.registry import kind_from_state
from preceptor.net import Net
from preceptor.predictor import Predictor
from preceptor.problem import Loan


def loans(run: Path, kinds: Mapping[str, str]) -> dict[str, Loan]:
    """What the run in this folder lends to each of the columns, given with their kinds' names.

    A column of the same name lends first, else the first one of the same kind. Raises Mistake when the
    folder holds no model, its model no net, or its net no encoder for any of these kinds.
    """
    if not (run / "model" / "predictor.json").is_file():
        raise Mistake(
            "transfer-no-run",
            f"{run} holds no model to start from.",
            why="--from takes the folder of a run that has come to its end.",
            todo="preceptor fit makes one; it prints the folder's name first and last.",
        )
    predictor = Predictor.load(run / "model")
    net = next((one for one in predictor.families.get("net", []) if isinstance(one, Net)), None)
    further = predictor.problems[0].further
    if net is None or not further:
        raise Mistake(
            "transfer-no-encoder",
            f"The run in {run} has no encoder to lend.",
            why="It has no net, or its net reads numbers and categories alone.",
            todo="Name a run on pictures, texts or series.",
        )
    lent = {name: _loan(net, further, name, kind) for name, kind in kinds.items()}
    found = {name: loan for name, loan in lent.items() if loan}
    if not found:
        theirs = ", ".join(sorted({kind.name for kind in further}))
        raise Mistake(
            "transfer-nothing-alike",
            f"The run in {run} learnt from {theirs}, and there is nothing of that kind here.",
            why=f"The inputs here are: {', '.join(f'{name} ({kind})' for name, kind in kinds.items())}.",
            todo="Leave --from out, or name another run.",
        )
    return found


def _loan(net: Net, further: list[Kind], name: str, kind: str) -> Loan | None:
    alike = [place for place, one in enumerate(further) if one.name == kind]
    if not alike:
        return None
    place = next((place for place in alike if further[place].column == name), alike[0])
    lender = further[place]
    lent = kind_from_state({"kind": kind, **lender.state(), "column": name})
    made = net.configuration["encoders"][lender.column]
    options = {option: value for option, value in made.items() if option not in ("family", "sizes", "frozen")}
    return Loan(lent, options, net.module.encoders[place].state_dict())
