"""Transfer learning: what was learnt elsewhere lends a new run its eyes (textbook P10, A17).

    lent = loans(Path("runs/photos-1"), {"picture": "image"})             # an earlier run
    lent = pretrained_loans(Path("vit-base"), {"picture": "image"}, rows)   # what others have trained
    lent["picture"].weights                       # of the encoder; its kind and options come with it

An encoder is worth nothing without the kind that prepared its inputs: the vocabulary of a text, the size
of a picture. So both are lent together, and an earlier run's kind is not fitted again. A pretrained encoder
brings its tokenizer, or its colours; the rest of the kind is fitted, on all rows that are not sealed.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from preceptor.data.table import Table
from preceptor.errors import Mistake
from preceptor.finding import Finding
from preceptor.kinds.borrowed import Borrowed
from preceptor.kinds.image import Image
from preceptor.kinds.kind import Kind
from preceptor.kinds.registry import kind_from_state
from preceptor.kinds.text import Text
from preceptor.kinds.tokenizers import PADDING, UNKNOWN
from preceptor.kinds.values import sample
from preceptor.ledger import Ledger
from preceptor.models.pretrained import PretrainedPicture, PretrainedText, family_read
from preceptor.net import Net
from preceptor.plan import Plan
from preceptor.predictor import Predictor
from preceptor.problem import Loan

LOOKED_AT, MOST_UNKNOWN = 2_000, 0.2
"""So many texts tell whether a lender knows their words; with more unknown ones lending did harm (LOG.md)."""
MIDDLE, SPREAD = 127.5, 64.0
"""The mean and the standard deviation of pixels, near enough, where an encoder came without its own."""


def borrow(ledger: Ledger, plan: Plan, kinds: Mapping[str, str], rows: Table) -> dict[str, Loan]:
    """The loans that the plan asks for, told to the ledger.

    Raises Mistake when a run that is resumed or repeated would get something else than it did then.
    """
    if not plan.from_run:
        return {}
    source = Path(plan.from_run)
    others = None if _is_run(source) else pretrained_folder(source)
    lent = pretrained_loans(others, kinds, rows) if others else loans(source, kinds)
    now = {column: fingerprint(loan) for column, loan in lent.items()}
    if ledger.decide("lent", lambda: now, "what --from holds") != now:
        raise Mistake(
            "lender-changed",
            "What this run began with is not what would be lent to it now.",
            where=plan.from_run,
            why="What it learns depends on every weight that it starts from.",
            todo="Restore the lender as it was, or fit again into another folder.",
        )
    for column, loan in lent.items():
        weights = sum(tensor.numel() for tensor in loan.weights.values())
        facts = {"column": column, "from": plan.from_run, "frozen": plan.freeze, "parameters": weights}
        ledger.write("lent", **facts)
        if loan.kind.shape.family == "tokens":
            _find_unknown_words(ledger, loan.kind, rows)
    return lent


def _find_unknown_words(ledger: Ledger, kind: Kind, rows: Table) -> None:
    """What the lender has never read, its encoder cannot read here."""
    ids = kind.encode(sample(rows.frame[kind.column], LOOKED_AT))
    unknown = float((ids == UNKNOWN).sum() / (ids != PADDING).sum())
    if unknown > MOST_UNKNOWN:
        ledger.find(
            Finding(
                "lent-words-unknown",
                "note",
                f"{unknown:.0%} of the words in {kind.column} are unknown to what --from lends.",
                column=kind.column,
                evidence={"unknown": round(unknown, 3)},
                done="They count as one and the same unknown word.",
                remedy="Compare with a run without --from, which learns these words themselves.",
            )
        )


def fingerprint(loan: Loan) -> str:
    """The same for loans of the same kind, options and weights, and for no others (SHA-256)."""
    described = {"kind": loan.kind.name, **loan.kind.state()}, loan.options
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name, tensor in sorted(loan.weights.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()


def loans(run: Path, kinds: Mapping[str, str]) -> dict[str, Loan]:
    """What the run in this folder lends to each of the columns, given with their kinds' names.

    A column of the same name lends first, else the first one of the same kind. Raises Mistake when the
    folder holds no model, its model no net, or its net no encoder for any of these kinds.
    """
    if not _is_run(run):
        raise Mistake(
            "transfer-no-run",
            f"{run} holds no model to start from.",
            why="--from takes the folder of a run that has come to its end, or that of a pretrained encoder, "
            "which holds config.json and model.safetensors; nothing is ever downloaded.",
            todo="preceptor fit makes a run; it prints the folder's name first and last.",
        )
    predictor = Predictor.load(run / "model")
    net = next((one for one in predictor.families.get("net", []) if isinstance(one, Net)), None)
    if net is None or net.design != "mixed":
        raise Mistake(
            "transfer-no-encoder",
            f"The run in {run} has no encoder to lend.",
            why="It has no net, or a net without encoders, as for numbers and categories alone.",
            todo="Name a run on pictures, texts or series.",
        )
    further = predictor.problems[0].further
    lent = {name: _loan(net, further, name, kind) for name, kind in kinds.items()}
    found = {name: loan for name, loan in lent.items() if loan}
    return found or _refuse(run, ", ".join(sorted({kind.name for kind in further})), kinds)


def pretrained_folder(source: Path) -> Path | None:
    """Where a pretrained encoder lies: here, or where the cache keeps one of that name; None if nowhere."""
    if (source / "config.json").is_file():
        return source
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(source.as_posix(), "config.json")
    except HFValidationError:  # a path, which cannot be a name
        return None
    return Path(found).parent if isinstance(found, str) else None


def pretrained_loans(folder: Path, kinds: Mapping[str, str], rows: Table) -> dict[str, Loan]:
    """What a folder that the library `transformers` has written lends to columns of pictures or texts.

    `rows` are those that the kinds may be fitted on. Raises Mistake when the folder cannot be read, when
    the library is not there, or when no column is of the kind that the encoder reads.
    """
    reader, lend = LENDERS.get(family_read(folder) or "", ("something else", _reading))
    found = {name: lend(folder, name, rows) for name, kind in kinds.items() if kind == reader}
    return found or _refuse(folder, reader, kinds)


def _is_run(folder: Path) -> bool:
    return (folder / "model" / "predictor.json").is_file()


def _refuse(source: Path, theirs: str, kinds: Mapping[str, str]) -> NoReturn:
    raise Mistake(
        "transfer-nothing-alike",
        f"What lies in {source} learnt from {theirs}, and there is nothing of that kind here.",
        why=f"The inputs here are: {', '.join(f'{name} ({kind})' for name, kind in kinds.items())}.",
        todo="Leave --from out, or name another run.",
    )


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


def _reading(folder: Path, column: str, rows: Table) -> Loan:
    """A loan for texts: the encoder's own tokenizer cuts them, as long as the encoder can read."""
    trunk, tokenizer = PretrainedText(folder), Borrowed.opened(folder)
    if tokenizer.numbers > trunk.encoder.get_input_embeddings().num_embeddings:
        raise Mistake(
            "pretrained-other-tokenizer",
            "The pretrained encoder came with the tokenizer of another one.",
            where=str(folder),
            why="The tokenizer knows more tokens than the encoder.",
            todo="Put the tokenizer.json that was published with it into the folder.",
        )
    kind = Text.from_state({"column": column, "learnt": tokenizer.state(), "length": 1})
    kind.fit(rows.frame[column])
    kind.length = min(kind.length, trunk.longest or kind.length)
    return Loan(kind, _options(trunk), _weights(trunk))


def _seeing(folder: Path, column: str, rows: Table) -> Loan:
    """A loan for pictures: never larger than the encoder looks at them, in the colours it is used to."""
    trunk = PretrainedPicture(folder, channels=3)
    kind = Image(column, **({"limit": int(np.max(trunk.size))} if trunk.size else {}))
    kind.fit(rows.frame[column])
    scale = _colours(folder, kind.shape.sizes[0])
    return Loan(kind, _options(trunk), {**scale, **_weights(trunk)})


def _colours(folder: Path, channels: int) -> dict[str, Tensor]:
    """The mean and the spread (C, 1, 1) of the pixels that the encoder was trained on."""
    file = folder / "preprocessor_config.json"
    said = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    known = {"center": said.get("image_mean", MIDDLE / 255), "spread": said.get("image_std", SPREAD / 255)}
    scale = {f"scale.{name}": 255 * torch.tensor(one).reshape(-1, 1, 1) for name, one in known.items()}
    if channels == 1:
        return {name: one.mean(0, keepdim=True) for name, one in scale.items()}
    return {name: one.expand(channels, 1, 1).clone() for name, one in scale.items()}


def _options(trunk: PretrainedText | PretrainedPicture) -> dict[str, Any]:
    return {"trunk": "pretrained", "configuration": trunk.configuration}


def _weights(trunk: PretrainedText | PretrainedPicture) -> dict[str, Tensor]:
    """By the names that they have in an encoder."""
    return {f"trunk.{name}": tensor for name, tensor in trunk.state_dict().items()}


LENDERS = {"tokens": ("text", _reading), "picture": ("image", _seeing)}
"""The kind that prepares each family of shapes which pretrained encoders read, and who makes the loan."""
