"""Programs as strangers write them: healthy ones raise no alarm, faulty ones are named before step 1."""

import itertools
from collections.abc import Callable

import pytest
import torch
from sklearn import datasets
from torch import Tensor, nn
from torch.nn import functional

from preceptor.diagnose import Doctor, watch
from preceptor.finding import Finding

Batch = tuple[object, Tensor]
Program = tuple[nn.Module, Callable, Batch, Batch]


def alarms(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings if finding.severity != "note"]


def begun(program: Program) -> tuple[Doctor, torch.optim.Optimizer]:
    model, loss, train, held = program
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    probe = part(train, slice(64))
    return watch(
        model, loss=loss, probe=probe, optimiser=optimiser, train=train, validation=held, steps=200
    ), optimiser


def part(rows: Batch, which: slice | Tensor) -> Batch:
    x, y = rows
    return (tuple(one[which] for one in x) if isinstance(x, tuple) else x[which]), y[which]


def halves(x: object, y: Tensor) -> tuple[Batch, Batch]:
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    cut = 2 * len(y) // 3
    return part((x, y), order[:cut]), part((x, y), order[cut:])


def table(name: str, kind: torch.dtype = torch.int64) -> tuple[Batch, Batch]:
    """A data set of scikit-learn's, standardised by its training rows; amounts to mean 0 and deviation 1."""
    x, y = (torch.tensor(part) for part in getattr(datasets, f"load_{name}")(return_X_y=True))
    y = (y - y.mean()) / y.std() if y.is_floating_point() else y
    (x, y), (held_x, held_y) = halves(x.float(), y.to(kind))
    mean, spread = x.mean(0), x.std(0).clamp(min=1e-6)
    return ((x - mean) / spread, y), ((held_x - mean) / spread, held_y)


def column(rows: tuple[Batch, Batch]) -> tuple[Batch, Batch]:
    return tuple((x, y[:, None]) for x, y in rows)


def dense(*sizes: int, act: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), act()]
    return nn.Sequential(*layers[:-1])


class Written(nn.Module):
    """A net whose forward is written by hand."""

    def __init__(self, forward: Callable, **parts: object):
        super().__init__()
        for name, made in parts.items():
            setattr(self, name, made)
        self.written = forward

    def forward(self, *inputs: Tensor) -> object:
        return self.written(self, *inputs)


def waves(rows: int = 240, steps: int = 20) -> tuple[Batch, Batch]:
    random = torch.Generator().manual_seed(1)
    y = torch.randint(0, 2, (rows,), generator=random)
    phase = 6 * torch.rand(rows, 1, generator=random)
    x = torch.sin(torch.arange(steps) * (0.4 + 0.4 * y[:, None]) + phase)
    return halves((x + 0.2 * torch.randn(x.shape, generator=random))[..., None], y)


def messages(rows: int = 300, longest: int = 16) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens padded with zeros, how long each row is, and which of two kinds of words prevails."""
    random = torch.Generator().manual_seed(2)
    y = torch.randint(0, 2, (rows,), generator=random)
    x = torch.randint(1, 30, (rows, longest), generator=random)
    telling = torch.rand(x.shape, generator=random) < 0.3
    x = torch.where(telling, torch.randint(1, 5, x.shape, generator=random) + 5 * y[:, None], x)
    lengths = torch.randint(4, longest + 1, (rows,), generator=random)
    return x * (torch.arange(longest) < lengths[:, None]), lengths, y


# ---------------------------------------------------------------- healthy programs


def likelihood() -> Program:
    model = nn.Sequential(*dense(13, 32, 3), nn.LogSoftmax(1))
    return model, nn.NLLLoss(), *table("wine")


def probability() -> Program:
    rows = column(table("breast_cancer", torch.float32))
    return nn.Sequential(*dense(30, 16, 1), nn.Sigmoid()), nn.BCELoss(), *rows


def counts() -> Program:
    random = torch.Generator().manual_seed(3)
    x = torch.randn(450, 5, generator=random)
    y = torch.poisson((0.5 + 0.8 * x[:, 0] - 0.4 * x[:, 1]).exp(), generator=random)
    return dense(5, 32, 1), nn.PoissonNLLLoss(), *halves(x, y[:, None])


def several_labels() -> Program:
    random = torch.Generator().manual_seed(4)
    x = torch.randn(450, 8, generator=random)
    y = (x[:, :4] + 0.3 * torch.randn(450, 4, generator=random) > torch.tensor([-1.2, -1, 0, 0.5])).float()
    return dense(8, 32, 4), nn.BCEWithLogitsLoss(), *halves(x, y)


def activations_in_place() -> Program:
    model = nn.Sequential(
        nn.Linear(64, 64), nn.ReLU(inplace=True), nn.Linear(64, 64), nn.ReLU(inplace=True), nn.Linear(64, 10)
    )
    (x, y), (held_x, held_y) = table("digits")
    return model, nn.CrossEntropyLoss(), (x[:600], y[:600]), (held_x, held_y)


def packed() -> Program:
    def forward(self, x, lengths):
        sequences = nn.utils.rnn.pack_padded_sequence(
            self.words(x), lengths, batch_first=True, enforce_sorted=False
        )
        return self.out(self.gru(sequences)[1][-1])

    model = Written(
        forward, words=nn.Embedding(30, 8), gru=nn.GRU(8, 16, batch_first=True), out=nn.Linear(16, 2)
    )
    x, lengths, y = messages()
    return model, nn.CrossEntropyLoss(), *halves((x, lengths), y)


def attention_kept() -> Program:
    def forward(self, x):
        states = self.gru(x)[0]
        self.attention = self.score(states).softmax(1)
        return self.out((self.attention * states).sum(1))

    model = Written(
        forward, gru=nn.GRU(1, 16, batch_first=True), score=nn.Linear(16, 1), out=nn.Linear(16, 2)
    )
    train, held = waves()
    model(train[0][:2])
    return model, nn.CrossEntropyLoss(), train, held


def several_outputs() -> Program:
    def forward(self, x):
        mean, spread = self.encoder(x).chunk(2, 1)
        return self.decoder(mean + torch.randn_like(mean) * spread.exp()), mean, spread

    def loss(output, x):
        told, mean, spread = output
        return functional.mse_loss(told, x) + 1e-3 * (mean.square() + (2 * spread).exp() - 2 * spread).mean()

    (x, _), (held_x, _) = table("wine")
    return (
        Written(forward, encoder=dense(13, 32, 8), decoder=dense(4, 32, 13)),
        loss,
        (x, x),
        (held_x, held_x),
    )


def channels_first() -> Program:
    model = nn.Sequential(
        nn.Conv1d(3, 8, 5), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(8, 2)
    )
    (x, y), (held_x, held_y) = waves(steps=40)
    return (
        model, nn.CrossEntropyLoss(), (torch.cat([x, 0 * x, -x], 2).mT, y),
        (torch.cat([held_x, 0 * held_x, -held_x], 2).mT, held_y),
    )  # fmt: skip


def in_double_precision() -> Program:
    train, held = ((x.double(), y) for x, y in table("wine"))
    weight = torch.tensor([1.0, 1.2, 1.1], dtype=torch.float64)
    return dense(13, 16, 3).double(), nn.CrossEntropyLoss(weight=weight), train, held


HEALTHY = [
    likelihood, probability, counts, several_labels, activations_in_place, packed, attention_kept,
    several_outputs, channels_first, in_double_precision,
]  # fmt: skip


@pytest.mark.parametrize("written", HEALTHY, ids=lambda written: written.__name__)
def test_a_healthy_program_raises_no_alarm_before_training_or_in_it(written):
    torch.manual_seed(0)
    program = written()
    model, loss, train, _ = program
    doctor, optimiser = begun(program)
    assert alarms(doctor.before()) == []
    for _ in range(40):
        rows = part(train, torch.randperm(len(train[1]))[:32])
        value = loss(model(*rows[0]) if isinstance(rows[0], tuple) else model(rows[0]), rows[1])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        doctor(value, batch=rows)
    assert alarms(doctor.findings()) == []


# ---------------------------------------------------------------- faulty programs


def answers_sorted_apart() -> Program:
    (x, y), held = table("breast_cancer")
    return dense(30, 16, 2), nn.CrossEntropyLoss(), (x, y.sort().values), held


def axes_by_view() -> Program:
    def forward(self, x):
        return self.out(self.gru(x.view(x.shape[1], x.shape[0], -1))[0][-1])

    return Written(forward, gru=nn.GRU(1, 16), out=nn.Linear(16, 2)), nn.CrossEntropyLoss(), *waves()


def layers_in_a_list() -> Program:
    def forward(self, x):
        return self.out(self.layers[0](x).relu())

    model = Written(forward, layers=[nn.Linear(13, 32)], out=nn.Linear(32, 3))
    return model, nn.CrossEntropyLoss(), *table("wine")


def features_without_gradient() -> Program:
    def forward(self, x):
        with torch.no_grad():
            told = self.body(x).relu()
        return self.out(told)

    return (
        Written(forward, body=nn.Linear(13, 32), out=nn.Linear(32, 3)),
        nn.CrossEntropyLoss(),
        *table("wine"),
    )


def one_activation_forgotten() -> Program:
    def forward(self, x):
        return self.third(self.second(self.first(x).relu()))

    layers = {"first": nn.Linear(64, 96), "second": nn.Linear(96, 48), "third": nn.Linear(48, 10)}
    return Written(forward, **layers), nn.CrossEntropyLoss(), *table("digits")


def state_detached() -> Program:
    def forward(self, x):
        state = torch.zeros(len(x), 16)
        for step in x.unbind(1):
            state = self.cell(step, state.detach())
        return self.out(state)

    return Written(forward, cell=nn.GRUCell(1, 16), out=nn.Linear(16, 2)), nn.CrossEntropyLoss(), *waves()


def read_beyond_the_end() -> Program:
    def forward(self, x):
        return self.out(self.lstm(self.words(x))[0][:, -1])

    model = Written(
        forward, words=nn.Embedding(30, 8), lstm=nn.LSTM(8, 16, batch_first=True), out=nn.Linear(16, 2)
    )
    x, _, y = messages()
    return model, nn.CrossEntropyLoss(), *halves(x, y)


def likelihood_descended() -> Program:
    def loss(output, goal):
        return output.log_softmax(1)[torch.arange(len(goal)), goal].mean()

    return dense(13, 16, 3), loss, *table("wine")


def shapes_spread() -> Program:
    rows = table("diabetes", torch.float32)
    return dense(10, 16, 1), lambda output, goal: (output - goal).square().mean(), *rows


FAULTY = {
    answers_sorted_apart: "labels-misaligned",
    axes_by_view: "batch-mixed",
    layers_in_a_list: "parameters-unmoved",
    features_without_gradient: "parameters-unmoved",
    one_activation_forgotten: "nonlinearity-missing",
    state_detached: "memory-cut",
    read_beyond_the_end: "padding-attended",
    likelihood_descended: "uphill",
    shapes_spread: "wrong-loss",
}


@pytest.mark.parametrize("written", FAULTY, ids=lambda written: written.__name__)
def test_a_faulty_program_is_named_before_the_first_step(written):
    torch.manual_seed(0)
    doctor, _ = begun(written())
    assert alarms(doctor.before())[:1] == [FAULTY[written]]
