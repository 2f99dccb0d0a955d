"""What a user does when the doctor names a number of the catalogue: one change, by the word alone.

`apply(setup, base, number, change, best_epoch)` edits the faulty setup as the finding's remedy says. It
looks at the name that was given, never at the fault that was put in: a wrong name gets a wrong remedy.
Numbers that the finding proposes itself (`Finding.change`) are taken from it. Where the remedy is "look at
your code", the change is what whoever looks there would find: `base`, the program without the fault.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.doctor import data_faults
from benchmarks.doctor import wiring_faults as wiring
from benchmarks.doctor.setup import Parts, Random, Setup, at_random, standardise


def apply(setup: Setup, base: Setup, number: int, change: Mapping[str, Any], best_epoch: int) -> Setup:
    """A copy of the faulty setup with one remedy in it; unchanged where there is none for the number."""
    mended = setup.copy()
    told = {**change, **change.get("training", {})}
    if number in (23, 24, 25, 38) and "learning_rate" in told:
        mended.learning_rate = float(told["learning_rate"])
        mended.clip = told.get("clip", mended.clip)
    if number in BY_WORD:
        BY_WORD[number](mended, base)
    elif number in (33, 36):
        mended.epochs = max(1, best_epoch + 1)
    elif "learning_rate" not in told and number in (23, 24):
        mended.learning_rate *= 0.1 if number == 23 else 10
    return mended


def _as_in(*names: str) -> Callable[[Setup, Setup], None]:
    """The fields that whoever looks there would put right."""

    def edit(setup: Setup, base: Setup) -> None:
        for name in names:
            setattr(setup, name, getattr(base, name))

    return edit


def _net(change: Callable[[nn.Module], Any]) -> Callable[[Setup, Setup], None]:
    return lambda setup, base: wiring._edit(setup, change)


def _start_again(net: nn.Module) -> None:
    for module in net.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()


def _rectify(setup: Setup, base: Setup) -> None:
    def change(net: nn.Module) -> nn.Module:
        wiring._swap(net, (nn.Sigmoid, nn.Tanh, nn.Identity), lambda old: nn.ReLU())
        for layer in wiring.hidden_layers(net):
            nn.init.kaiming_normal_(layer.weight)
        return net

    setup.net_edits.append(change)


def _unwrapped(setup: Setup, base: Setup) -> None:
    """Take out what stands before or behind the net, and put the masks back."""
    setup.net_edits = [edit for edit in setup.net_edits if edit in base.net_edits]
    setup.judge, setup.loss, setup.net = base.judge, base.loss, base.net


def _standardised(setup: Setup, base: Setup) -> None:
    setup.scaling = standardise


def _rows_of_training(keep: Callable[[Parts], Tensor]) -> Callable[[Setup, Setup], None]:
    def edit(setup: Setup, base: Setup) -> None:
        def only(parts: Parts, random: Random) -> Parts:
            kept = keep(parts)
            return Parts((parts.train[0][kept], parts.train[1][kept]), parts.held, parts.test)

        setup.after_scaling.append(only)

    return edit


def _finite(parts: Parts) -> Tensor:
    return torch.isfinite(parts.train[0].flatten(1).float()).all(1)


def _first_of_twins(parts: Parts) -> Tensor:
    _, twin = parts.train[0].flatten(1).unique(dim=0, return_inverse=True)
    first = torch.full((int(twin.max()) + 1,), len(twin)).scatter_reduce(
        0, twin, torch.arange(len(twin)), "amin"
    )
    return first[twin] == torch.arange(len(twin))


def _not_watched(parts: Parts) -> Tensor:
    watched = {row.numpy().tobytes() for row in parts.held[0]}
    return torch.tensor([row.numpy().tobytes() not in watched for row in parts.train[0]])


def _without_contradictions(parts: Parts) -> Tensor:
    x, y = parts.train[0].flatten(1), parts.train[1].flatten().float()
    _, twin = x.unique(dim=0, return_inverse=True)
    spread = torch.zeros(int(twin.max()) + 1)
    high, low = (spread.scatter_reduce(0, twin, y, way, include_self=False) for way in ("amax", "amin"))
    return (high == low)[twin]


def _columns(drop: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Setup, Setup], None]:
    def edit(setup: Setup, base: Setup) -> None:
        def without(parts: Parts, random: Random) -> Parts:
            kept = ~drop(*parts.train)
            return parts.map_inputs(lambda x: x[:, kept])

        setup.after_scaling.append(without)

    return edit


def _constant(x: Tensor, y: Tensor) -> Tensor:
    return x.std(0) == 0


def _telling(x: Tensor, y: Tensor) -> Tensor:
    correlations = torch.corrcoef(torch.cat([x, y.float().view(-1, 1)], 1).T)[-1, :-1].abs().nan_to_num()
    return correlations == correlations.max()


def _balanced(setup: Setup, base: Setup) -> None:
    counts = setup.prepare(0).train[1].long().bincount(minlength=2).float().clamp(min=1)
    if setup.task == "binary":
        setup.loss = nn.BCEWithLogitsLoss(pos_weight=counts[0] / counts[1])
    else:
        setup.loss = nn.CrossEntropyLoss(counts.sum() / len(counts) / counts)


def _axes(setup: Setup, base: Setup) -> None:
    data_faults.wrong_axes(setup, 1)


def _calmer_last_layer(net: nn.Module) -> None:
    last = wiring.last_linear(net)
    last.reset_parameters()
    last.weight.mul_(0.1)


def _thaw(setup: Setup, base: Setup) -> None:
    wiring._edit(setup, lambda net: [parameter.requires_grad_() for parameter in net.parameters()])
    setup.optimised = base.optimised


def _less_regularised(setup: Setup, base: Setup) -> None:
    setup.decay *= 0.01
    wiring._edit(
        setup, lambda net: [setattr(m, "p", 0.1) for m in net.modules() if isinstance(m, nn.Dropout)]
    )


def _more(field: str, times: float) -> Callable[[Setup, Setup], None]:
    def edit(setup: Setup, base: Setup) -> None:
        setattr(setup, field, type(getattr(setup, field))(getattr(setup, field) * times))

    return edit


def _larger_batches(setup: Setup, base: Setup) -> None:
    setup.batch *= 16
    setup.learning_rate /= 10
    setup.epochs *= 4


def _clip(setup: Setup, base: Setup) -> None:
    setup.clip = 1.0


BY_WORD: dict[int, Callable[[Setup, Setup], None]] = {
    1: _standardised,
    2: _standardised,
    3: _rows_of_training(_finite),
    4: _columns(_constant),
    5: _axes,
    6: _balanced,
    7: _rows_of_training(_first_of_twins),
    8: _rows_of_training(_not_watched),
    9: _columns(_telling),
    10: _rows_of_training(_without_contradictions),
    11: lambda setup, base: setattr(setup, "split", at_random),
    12: _as_in("scaled_on"),
    13: _net(_calmer_last_layer),
    14: _net(_start_again),
    15: _net(_start_again),
    16: _unwrapped,
    17: _unwrapped,
    18: _rectify,
    20: _unwrapped,
    21: _unwrapped,
    22: _thaw,
    25: _as_in("loss"),
    26: _rectify,
    27: _clip,
    28: _net(_start_again),
    29: _net(_start_again),
    30: _as_in("factor"),
    31: _more("width", 16),
    32: _less_regularised,
    34: _more("epochs", 5),
    35: _as_in("shuffle"),
    37: _as_in("before_split"),
    38: _larger_batches,
    39: _as_in("clears_gradients"),
    40: _as_in("trains_in_eval", "validates_in_train"),
    41: _as_in("factor"),
    42: _as_in("clip"),
    43: _as_in("metric"),
    44: _as_in("sign", "loss"),
    45: _as_in("augment"),
    46: _unwrapped,
}
