"""What was measured after every epoch, kept as `history.parquet`."""

from pathlib import Path

import polars as pl

from preceptor.training.loop import Epoch


class History:
    """One fold's rows of the history file; rows of epochs after `epoch` are forgotten on resuming."""

    def __init__(self, path: Path, fold: int, epoch: int) -> None:
        self.path, self.fold = path, fold
        known = pl.read_parquet(path) if path.exists() else None
        self.rows = (
            []
            if known is None
            else known.filter((pl.col("fold") != fold) | (pl.col("epoch") <= epoch)).to_dicts()
        )
        self.steps = 0

    def add(self, epoch: Epoch, score: float, loss: float) -> None:
        """Append the epoch: losses, validation, learning rate, gradient norm, seconds."""
        self.steps += len(epoch.losses)
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

    def save(self) -> None:
        """Write all rows to the file, whole or not at all."""
        temporary = self.path.with_suffix(".tmp")
        pl.DataFrame(self.rows).write_parquet(temporary)
        temporary.replace(self.path)
