"""Faults of the data: each edits a setup's rows, split or scaling in place; `level` says how badly.

The test rows were put aside before; where a fault changes what an input means (its scale, its axes), the
test rows go the same way, since the net would meet them so in use.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.doctor.setup import Parts, Random, Rows, Scaling, Setup, as_is

Draw = Callable[[Tensor, Tensor, Random], Rows]


def unscaled(setup: Setup, level: float) -> None:
    """Raw columns at level 0; else what was scaled well times `level`."""
    before = setup.scaling
    if not level:
        setup.scaling = as_is
        return
    setup.scaling = lambda train: _times(before(train), level)


def scaled_twice(setup: Setup, level: float) -> None:
    """What was scaled well is divided again, as pixels are by 255."""
    before = setup.scaling
    setup.scaling = lambda train: _times(before(train), 1 / level)


def _times(scale: Scaling, factor: float) -> Scaling:
    return lambda x: scale(x) * factor


def not_finite(setup: Setup, level: float) -> None:
    """One value of a share `level` of the training rows is NaN."""

    def spoil(parts: Parts, random: Random) -> Parts:
        x, y = parts.train
        x = x.clone()
        rows = _drawn(len(x), level, random)
        x.view(len(x), -1)[rows, torch.randint(x[0].numel(), (len(rows),), generator=random)] = torch.nan
        return Parts((x, y), parts.held, parts.test)

    setup.after_scaling.append(spoil)


def _drawn(rows: int, share: float, random: Random) -> Tensor:
    """Row numbers of that share of the rows, one at least."""
    return torch.randperm(rows, generator=random)[: max(1, round(share * rows))]


def constant(setup: Setup, level: float) -> None:
    """A share `level` of the columns, those that vary first, tells nothing in training and validation."""

    def level_out(x: Tensor, y: Tensor, random: Random) -> Rows:
        varied = torch.nonzero(x.std(0) > 0).flatten()
        chosen = varied[_drawn(len(varied), level, random)]
        x = x.clone()
        x[:, chosen] = x[:, chosen].mean(0)
        return x, y

    setup.before_split.append(level_out)


def wrong_axes(setup: Setup, level: float) -> None:
    """Pictures as rows, channels, columns; series with steps and inputs exchanged."""
    setup.after_scaling.append(
        lambda parts, random: parts.map_inputs(lambda x: x.transpose(1, 2).contiguous())
    )


def rare_class(setup: Setup, level: float) -> None:
    """Of one class only a share `level` of the rows is left."""

    def thin(x: Tensor, y: Tensor, random: Random) -> Rows:
        ours = torch.nonzero(y == 1).flatten()
        kept = ours[_drawn(len(ours), level, random)]
        rows = torch.cat([torch.nonzero(y != 1).flatten(), kept])
        return x[rows], y[rows]

    setup.before_split.append(thin)


def twice_before_split(setup: Setup, level: float) -> None:
    """A share of the rows stands twice, and so on both sides of the split."""

    def repeat(x: Tensor, y: Tensor, random: Random) -> Rows:
        rows = torch.cat([torch.arange(len(x)), _drawn(len(x), level, random)])
        return x[rows], y[rows]

    setup.before_split.append(repeat)


def twice_in_training(setup: Setup, level: float) -> None:
    """A share of the training rows stands twice."""
    setup.after_split.append(lambda parts, random: _more(parts, *_taken(parts.train, level, random)))


def leaked(setup: Setup, level: float) -> None:
    """A share of the rows that are watched is learnt from as well."""
    setup.after_split.append(lambda parts, random: _more(parts, *_taken(parts.held, level, random)))


def _taken(rows: Rows, share: float, random: Random) -> Rows:
    drawn = _drawn(len(rows[0]), share, random)
    return rows[0][drawn], rows[1][drawn]


def _more(parts: Parts, x: Tensor, y: Tensor) -> Parts:
    train = torch.cat([parts.train[0], x]), torch.cat([parts.train[1], y])
    return Parts(train, parts.held, parts.test)


def answer_as_input(setup: Setup, level: float) -> None:
    """A further column holds the answer and a little noise; whoever uses the net does not have it."""

    def append(parts: Parts, random: Random) -> Parts:
        spread = parts.train[1].float().std()

        def told(x: Tensor, y: Tensor) -> Rows:
            answer = (y.float().view(-1, 1) - parts.train[1].float().mean()) / spread
            noisy = answer + level * torch.randn(answer.shape, generator=random)
            return torch.cat([x, noisy], 1), y

        x, y = parts.test
        return Parts(told(*parts.train), told(*parts.held), (torch.cat([x, torch.zeros(len(x), 1)], 1), y))

    setup.after_scaling.append(append)


def conflicting(setup: Setup, level: float) -> None:
    """A share of the training rows stands again with the answer of another row."""

    def contradict(parts: Parts, random: Random) -> Parts:
        x, y = _taken(parts.train, level, random)
        return _more(parts, x, _other(y, parts.train[1], random))

    setup.after_split.append(contradict)


def _other(y: Tensor, among: Tensor, random: Random) -> Tensor:
    """For each answer another one, drawn from those that occur."""
    if not y.is_floating_point():
        classes = int(among.max()) + 1
        return (y + torch.randint(1, classes, y.shape, generator=random)) % classes
    if y.dim() == 1:
        return 1 - y
    return among[torch.randint(len(among), (len(y),), generator=random)]


def shifted(setup: Setup, level: float) -> None:
    """Rows are sorted along where they vary most before the last quarter is put aside to be watched."""

    def sort_and_cut(x: Tensor, y: Tensor, random: Random) -> tuple[Tensor, Tensor]:
        flat = x.flatten(1).float()
        spread = flat.std(0)
        flat = (flat - flat.mean(0)) / torch.where(spread > 0, spread, 1.0)
        along = (x > 0).sum(1).float() if not x.is_floating_point() else flat @ torch.linalg.svd(flat)[2][0]
        order = along.argsort()
        return order[: -(len(x) // 4)], order[-(len(x) // 4) :]

    setup.split = sort_and_cut


def scaled_on_all(setup: Setup, level: str) -> None:
    """Mean and spread are taken from the watched rows as well, or from all, those put aside too."""
    setup.scaled_on = level


def wrong_labels(setup: Setup, level: float) -> None:
    """A share of the answers in training and validation is another row's."""

    def mistake(x: Tensor, y: Tensor, random: Random) -> Rows:
        rows, y = _drawn(len(y), level, random), y.clone()
        y[rows] = _other(y[rows], y, random)
        return x, y

    setup.before_split.append(mistake)


def labels_rolled(setup: Setup, level: float) -> None:
    """Every row has the answer of the next one; in a series, which changes slowly, of one far away."""
    far = "series" in setup.tags
    setup.before_split.append(lambda x, y, random: (x, y.roll(len(y) // 3 if far else 1, 0)))


def sorted_unshuffled(setup: Setup, level: float) -> None:
    """Training rows stand in the order of their answers and are visited so."""

    def sort(parts: Parts, random: Random) -> Parts:
        order = parts.train[1].flatten().argsort(stable=True)
        return Parts((parts.train[0][order], parts.train[1][order]), parts.held, parts.test)

    setup.after_scaling.append(sort)
    setup.shuffle = False


def few_rows(setup: Setup, level: float) -> None:
    """A share of the training rows, a net four times as wide, and as many steps as before."""
    setup.after_split.append(
        lambda parts, random: Parts(_taken(parts.train, level, random), parts.held, parts.test)
    )
    setup.width = 4.0
    setup.epochs = round(setup.epochs / level * min(1.0, level * 8))
