"""What was measured after every epoch of a lesson, and the whole run's `history.parquet`."""

from pathlib import Path

import polars as pl

from preceptor.training.loop import Epoch


class History:
    """One lesson's epochs in a file beside its checkpoint; on resuming, those after `epoch` go."""

    def __init__(self, path: Path, fold: int, epoch: int) -> None:
        self.path, self.fold = path, fold
        known = pl.read_parquet(path) if path.exists() else None
        self.rows = [] if known is None else known.filter(pl.col("epoch") <= epoch).to_dicts()

    def add(self, epoch: Epoch, score: float, loss: float) -> None:
        """Append the epoch: losses, validation, learning rate, gradient norm, seconds."""
        self.rows.append(
            {
                "fold": self.fold,
                "epoch": epoch.number,
                "step": epoch.number * len(epoch.losses),
                "learning_rate": epoch.rate,
                "train_loss": epoch.loss,
                "validation_loss": loss,
                "validation_score": score,
                "gradient_norm": float(epoch.norms.median()),
                "seconds": epoch.seconds,
            }
        )

    @property
    def frame(self) -> pl.DataFrame:
        """The epochs so far, a row each."""
        return pl.DataFrame(self.rows)

    @property
    def scores(self) -> list[float]:
        """The validation score after each epoch."""
        return [row["validation_score"] for row in self.rows]

    def save(self) -> None:
        """Write the lesson's epochs, whole or not at all."""
        _write(self.frame, self.path)

    def publish(self, path: Path) -> None:
        """Put the lesson into the run's history, in place of its fold's earlier one."""
        others = [pl.read_parquet(path).filter(pl.col("fold") != self.fold)] if path.exists() else []
        _write(pl.concat([*others, self.frame]), path)


def _write(frame: pl.DataFrame, path: Path) -> None:
    beside = path.with_suffix(".part")
    frame.write_parquet(beside)
    beside.replace(path)
