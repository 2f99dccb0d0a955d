"""What was decided about rows in time, to be done again with rows that come later.

frame = Frame(targets=("load",), time="date", horizon=24, history=336, channels=("load",), ...)
Frame.from_state(frame.state()) == frame
"""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Clock:
    """How far apart two rows are: `step` in the time column's own unit, or `months` of the calendar.

    The unit is a microsecond for moments, a day for days, 1 for numbers. Where rows are `counted`, their
    times follow no step: each row counts as one, and `step` is what usually lies between two.
    """

    step: float
    months: int = 0
    counted: bool = False


@dataclass(frozen=True)
class Frame:
    """How rows become examples: JSON values only.

    A forecast (`horizon` of 1 or more): the last `history` steps of `channels`, the last known values of
    `plain` columns, and the `calendar` of the first step ahead tell the next `horizon` steps of `targets`.
    `season` is the period in steps (1: none), `block` how many neighbouring forecasts count as one when
    the score's interval is told. Without a horizon each series is one example.
    """

    targets: tuple[str, ...]
    series: str | None = None
    time: str | None = None
    clock: Clock | None = None
    horizon: int = 0
    history: int = 0
    season: int = 1
    block: int = 1
    stride: int = 1
    channels: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    calendar: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The name of the column that is asked for."""
        return ", ".join(self.targets)

    @property
    def several(self) -> bool:
        """Whether a forecast is more than one number: several steps, or several targets."""
        return self.horizon * len(self.targets) > 1

    def state(self) -> dict[str, Any]:
        """The frame as JSON values."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The frame that `state` describes."""
        clock = Clock(**state["clock"]) if state["clock"] else None
        lists = {name: tuple(state[name]) for name in ("targets", "channels", "plain", "calendar")}
        return cls(**{**state, "clock": clock, **lists})
