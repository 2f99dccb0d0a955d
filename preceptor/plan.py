"""The plan: every choice of a run in one frozen, validated object, and its good defaults.

    plan = Plan(target="price", minutes=5)
    plan.model_copy(update={"seed": 1})

A run writes its complete plan, the measured decisions included; given back, it repeats the run.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from preceptor.errors import Mistake, nearest


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NetPlan(_Frozen):
    """The network: MLPs that share weights and answer as one, and look up neighbours.

    `encoders` says, for each column of pictures, words or steps, how its encoder is made: {column: options},
    among them `trunk`, the architecture. `forecast` is how many steps ahead a forecasting net looks.
    """

    members: Annotated[int, Field(ge=1, le=64)] = 8
    width: Annotated[int, Field(ge=1, le=4096)] = 128
    depth: Annotated[int, Field(ge=0, le=12)] = 2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    embedding: Annotated[int, Field(ge=0, le=256)] = 16
    neighbours: Annotated[int, Field(ge=0, le=1024)] = 32
    encoders: dict[str, dict[str, Any]] = {}
    forecast: Annotated[int, Field(ge=0)] = 0


class TrainingPlan(_Frozen):
    """How the net is trained. None means: decided by the data or the clock, and written down."""

    optimiser: Literal[
        "sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "nadam", "adamw", "muon"
    ] = "adamw"
    learning_rate: Annotated[float, Field(gt=0)] = 1e-2
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    schedule: Literal["constant", "step", "exponential", "cosine", "plateau"] = "cosine"
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.05
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    l1: Annotated[float, Field(ge=0)] = 0.0
    l2: Annotated[float, Field(ge=0)] = 0.0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    batch_size: Annotated[int, Field(ge=1)] | None = None
    epochs: Annotated[int, Field(ge=1)] | None = None
    patience: Annotated[int, Field(ge=1)] = 16
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    clip: Annotated[float, Field(gt=0)] | None = 1.0
    threads: Annotated[int, Field(ge=1)] | None = None
    precision: Literal["float32", "bfloat16"] | None = None
    step: Literal["eager", "replayed"] | None = None
    layout: Literal["contiguous", "channels_last"] | None = None
    augment: tuple[str, ...] = ()


class Plan(_Frozen):
    """Every choice of one run. Fields are the command line's flags of the same name.

    What a person has not set, the data may settle better than a default: see `preceptor.recipe`.
    """

    target: str | None = Field(None, description="the column to predict")
    minutes: Annotated[float, Field(ge=0.5)] = Field(5.0, description="time budget, a promise")
    metric: str | None = Field(None, description="what counts as good; default by kind of target")
    kinds: dict[str, str] = Field({}, description="column=kind, where the recognised one is wrong")
    ignore: tuple[str, ...] = Field((), description="columns to leave out")
    group: str | None = Field(None, description="rows that share this column stay together")
    time: str | None = Field(None, description="the test is the future by this column")
    series: str | None = Field(None, description="rows that share this column are one series")
    horizon: Annotated[int, Field(ge=0)] | None = Field(
        None, description="forecast so many steps ahead; 0 = predict each row from its own columns"
    )
    history: Annotated[int, Field(ge=1)] | None = Field(None, description="steps a forecast looks back")
    from_run: str | None = Field(None, description="an earlier run whose encoder to start from")
    freeze: bool = Field(False, description="what an earlier run has lent learns no more")
    tokenizer: Literal["words", "characters", "byte pairs"] = Field(
        "words", description="how texts are cut: words, characters or byte pairs"
    )
    encoder: str | None = Field(None, description="architecture for pictures, words or series")
    memory: str | None = Field(
        None, description="learn from the file as a stream, within so much memory: 500 MB, 4 GB"
    )
    test: str | None = Field(None, description="a file of rows to seal instead of splitting some off")
    test_fraction: Annotated[float, Field(gt=0, lt=0.9)] = Field(0.2, description="share sealed")
    folds: Annotated[int, Field(ge=1, le=20)] | None = Field(None, description="1 = one validation set")
    seed: Annotated[int, Field(ge=0)] = Field(0, description="everything random follows from it")
    rivals: tuple[str, ...] | None = Field(None, description="which rivals; default all that fit")
    device: Literal["cpu", "cuda"] | None = Field(None, description="where the net is trained: cpu or cuda")
    trials: Annotated[int, Field(ge=1)] | None = Field(
        None, description="try so many hyper-parameter settings on validation rows"
    )
    storage: str | None = Field(
        None,
        description="database of the trials, which several searches may share: sqlite:///, postgresql://",
    )
    shard: bool = Field(False, description="several processes share the optimiser's memory")
    net: NetPlan = NetPlan()
    training: TrainingPlan = TrainingPlan()
    decisions: dict[str, Any] = Field({}, description="measured decisions of an earlier run, repeated")

    @field_validator("storage")
    @classmethod
    def _without_password(cls, url: str | None) -> str | None:
        if url and re.search(r"://[^/@]*:[^/@]*@", url):
            raise ValueError("it holds a password, and a plan is written into the run's folder")
        return url

    @classmethod
    def of(cls, **choices: Any) -> Self:
        """The plan with these choices. Raises Mistake that names the choice and what it may be."""
        try:
            return cls(**choices)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise Mistake(
                "plan-invalid",
                f"The plan's {name!r} cannot be {first['input']!r}: {first['msg'].lower()}.",
                todo=nearest(name, cls.model_fields) if first["type"] == "extra_forbidden" else "",
            ) from error
