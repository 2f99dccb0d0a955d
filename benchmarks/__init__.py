"""preceptor beside its peers, in one run: `python -m benchmarks [--list] [--only tabular,knn] [--quick]`.

A workload is a module or a folder of this package with a function

    def run(rounds: int, quick: bool = False) -> dict[str, Table]

that measures every contestant `rounds` times, interleaved, and returns one table or more by name. The first
line of the module's docstring says what is measured. `quick` asks only whether all of it runs: little data.
Nothing is printed but progress; the command prints the tables, judges the targets, and writes
`benchmarks/results/WORKLOAD.json`. Everything in a table is what JSON can hold:

    {
        "title": "MLP 8-64-64-1, batch 256, 20,640 rows, 20 epochs",
        "unit": "s",                                   # of all values
        "better": "less",                              # or "more": rows a second, accuracy
        "contestants": {                               # in the order of printing
            "preceptor": {"values": [0.31, 0.30, 0.33], "loss": 0.214, "threads": 1},
            "Keras/torch": {"values": [3.6, 3.5, 3.5], "loss": 0.215, "threads": 2},
            "AutoGluon": {"absent": "pip found no version of torch that it accepts"},
        },
        "targets": [
            {"ours": "preceptor", "theirs": "Keras/torch", "at_least": 5.0},      # times better
            {"ours": "predict", "theirs": "bare module", "within": 1.2, "plus": 5e-5},
            {"ours": "preceptor --help", "at_most": 0.3},                         # in the table's unit
            {"ours": "accuracy", "at_least": 0.94},                               # likewise
        ],
    }

`values` are raw, one a round; the command takes their median. Besides `values` or `absent` a contestant may
carry any further numbers or short texts: those shown on request are printed as further columns. `targets`
may be empty. A target whose contestants are absent is told as not judged, never left out.
"""
