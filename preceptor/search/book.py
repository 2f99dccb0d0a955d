"""The book of a search: every trial with its setting and scores, kept where a kill cannot reach it.

    book = Book(space, Asker(space), url="sqlite:///search.db", owner="runs/houses-1")
    book.agree(target="price")                   # a Mistake when the book was begun on something else
    trials = book.sheet(0, 20)                   # trials 0 to 19: those finished, and new ones to be run
    book.report(trials[0], rung=2, score=0.7)
    book.close(trials[0], "halved")

The book is an Optuna study (Akiba et al., 2019). Several processes may write into one; each numbers its
own trials, and after a kill asks again those of its trials that were running.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from preceptor.errors import Mistake
from preceptor.search.asking import Asker, distributions
from preceptor.search.space import Setting, Space

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import RDBStorage

SECONDS_FOR_A_LOCK = 60.0
End = Literal["running", "complete", "halved", "diverged", "stopped"]


@dataclass
class Trial:
    """One setting: its number among its owner's trials, its scores by rung, how it ended.

    `key` is its number in the book, `notes` are whatever the owner wrote beside it.
    """

    number: int
    setting: Setting
    key: int
    owner: str = ""
    scores: dict[int, float] = field(default_factory=dict)
    end: End = "running"
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """The score at the highest rung it came to; NaN when it came to none."""
        return self.scores[max(self.scores)] if self.scores else math.nan


class Book:
    """Trials over `space`, proposed by `asker`; in memory without a `url`.

    Raises Mistake "storage-driver-missing" or "storage-unreachable" for a database that cannot be used.
    """

    def __init__(
        self,
        space: Space,
        asker: Asker,
        *,
        higher_is_better: bool = False,
        url: str | None = None,
        name: str = "search",
        owner: str = "",
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space, self.asker, self.owner, self.higher_is_better = space, asker, owner, higher_is_better
        self._asked: dict[int, optuna.Trial] = {}
        direction: Literal["minimize", "maximize"] = "maximize" if higher_is_better else "minimize"
        self.study: Study = optuna.create_study(
            storage=_storage(url) if url else None, study_name=name, direction=direction, load_if_exists=True
        )

    def agree(self, **facts: Any) -> None:
        """Write down what every trial in this book has in common.

        Raises Mistake "search-differs" when the book was begun with other facts.
        """
        known = self.study.user_attrs
        for name, fact in facts.items():
            if name not in known:
                self.study.set_user_attr(name, fact)
            elif known[name] != fact:
                raise Mistake(
                    "search-differs",
                    f"This search was begun with another {name}, so its scores cannot be compared with ours.",
                    where=self.study.study_name,
                    why=f"Begun with {_differing(known[name], fact)}; now {_differing(fact, known[name])}.",
                    todo="Use the same data and choices, or another --storage.",
                )

    def common(self, name: str, measure: Callable[[], Any]) -> Any:
        """What whoever came first has measured for all, or else `measure()`, which is then written down."""
        if name not in self.study.user_attrs:
            self.study.set_user_attr(name, measure())
        return self.study.user_attrs[name]

    def sheet(self, start: int, stop: int) -> list[Trial]:
        """Our trials with these numbers: finished ones as they ended, the others newly asked for."""
        mine = self.mine()
        for number in range(start, stop):
            if number not in mine or mine[number].end == "running":
                mine[number] = self._ask(number, mine)
        return [mine[number] for number in range(start, stop)]

    def report(self, trial: Trial, rung: int, score: float) -> None:
        """Write down the score of a running trial after so many epochs."""
        trial.scores[rung] = score
        self._asked[trial.key].report(score, rung)

    def close(self, trial: Trial, end: End, **notes: Any) -> None:
        """Write down how a trial ended."""
        from optuna.trial import TrialState

        trial.end, trial.notes = end, notes
        self._asked.pop(trial.key).set_user_attr("ended", {"how": end, **notes})
        if end == "complete":
            self.study.tell(trial.key, trial.score)
        else:
            self.study.tell(trial.key, state=TrialState.PRUNED if trial.scores else TrialState.FAIL)

    def trials(self) -> list[Trial]:
        """Every trial of every owner, in the order in which they were begun; failed sittings left out."""
        return list(self._read())

    def mine(self) -> dict[int, Trial]:
        """Our trials by number; of one that was asked again the last."""
        return {trial.number: trial for trial in self._read() if trial.owner == self.owner}

    @property
    def best(self) -> Trial | None:
        """The best of the trials that came furthest; None when none has a score."""
        scored = [trial for trial in self._read() if trial.end != "running" and not math.isnan(trial.score)]
        sign = -1 if self.higher_is_better else 1
        return min(scored, key=lambda t: (-max(t.scores), sign * t.score, t.key), default=None)

    def _read(self) -> Iterator[Trial]:
        from optuna.trial import TrialState

        for kept in self.study.get_trials(deepcopy=False):
            said = kept.user_attrs
            if kept.state not in (TrialState.WAITING, TrialState.FAIL) and "number" in said:
                notes, scores = dict(said.get("ended", {"how": "running"})), dict(kept.intermediate_values)
                facts = said["owner"], scores, notes.pop("how"), notes
                yield Trial(said["number"], dict(kept.params), kept.number, *facts)

    def _ask(self, number: int, mine: Mapping[int, Trial]) -> Trial:
        """A trial that runs, with the setting of the one that a kill interrupted, or a new one."""
        from optuna.trial import TrialState

        fixed = mine[number].setting if number in mine else self.asker.fixed(number, mine)
        if number in mine:
            self.study.tell(mine[number].key, state=TrialState.FAIL)
        self.study.sampler = self.asker.sampler(number)
        self.study.enqueue_trial(fixed, user_attrs={"owner": self.owner, "number": number})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            asked = self.study.ask(dict(distributions(self.space)))
        self._asked[asked.number] = asked
        return Trial(number, dict(asked.params), asked.number, self.owner)


def _storage(url: str) -> "RDBStorage":
    """The database behind the URL, its tables made where they are not there."""
    from optuna.storages import RDBStorage
    from sqlalchemy import event
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

    patient = {"connect_args": {"timeout": SECONDS_FOR_A_LOCK}} if url.startswith("sqlite") else {}
    try:
        storage = RDBStorage(url, engine_kwargs=patient)
    except ImportError as error:
        driver = getattr(error.__cause__ or error, "name", None) or str(error)
        raise Mistake(
            "storage-driver-missing",
            f"The program that speaks with this database is not installed: {driver}.",
            where=url,
            todo="pip install 'psycopg[binary]' for PostgreSQL; sqlite:///FILE needs nothing.",
        ) from error
    except (OperationalError, ArgumentError, NoSuchModuleError) as error:
        raise Mistake(
            "storage-unreachable",
            f"The database cannot be used: {str(error).splitlines()[0]}.",
            where=url,
            todo="sqlite:///FILE or postgresql://USER@HOST/DATABASE",
        ) from error
    if patient:
        event.listen(storage.engine, "connect", _quick)
        storage.engine.dispose()
    return storage


def _quick(connection: Any, record: Any) -> None:
    """Let SQLite write ahead: what is written outlives the process, and no write waits for the disk."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _differing(one: Any, other: Any) -> str:
    """What of one fact is not so in the other."""
    if isinstance(one, dict) and isinstance(other, dict):
        return (
            ", ".join(f"{name} {value}" for name, value in one.items() if other.get(name) != value) or "less"
        )
    return str(one)
