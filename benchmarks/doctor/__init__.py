"""Training faults injected on purpose: does the doctor name them, and keep silent where nothing is wrong?

`python -m benchmarks.doctor --smoke` prints all its tables; see `benchmarks.doctor.__main__`.
"""

from typing import Any


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    """The smoke set once, however many rounds are asked for: its runs are many already.

    `quick`: two faults in one program.
    """
    from benchmarks.doctor import tables
    from benchmarks.doctor.bench import Options, bench

    small = Options(programs="wine-tanh", only="NaN in the inputs,saturated tanh", fixes=False)
    return tables.summary(*bench(small if quick else Options()))
