"""The time that looking at examples may cost: how many rows it buys is measured once, and written down.

purse = Purse(ledger, "photo", seconds=3.0)
purse.rows("likeness", 2_000, 0.5, once)         # at most 2,000, or what half of the time left buys
"""

import time
from collections.abc import Callable

from preceptor.ledger import Ledger


class Purse:
    """`seconds` to spend from now on, on what is called `name`."""

    def __init__(self, ledger: Ledger, name: str, seconds: float) -> None:
        self.ledger = ledger
        self.name = name
        self.until = time.monotonic() + seconds

    def rows(self, what: str, most: int, share: float, once: Callable[[], int]) -> int:
        """How many rows to take: `once` does some rows' work and says how many they were."""

        def measured() -> int:
            left = share * (self.until - time.monotonic())
            if left <= 0 or most <= 0:
                return 0
            began = time.monotonic()
            done = once()
            each = (time.monotonic() - began) / max(1, done)
            return max(0, min(most, int(left / max(each, 1e-9))))

        return self.ledger.decide(f"{what} of {self.name}", measured, "the time left for looking")
