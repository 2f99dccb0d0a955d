"""The ruler: the order of the rooms, the size of files and functions, and what the house never does."""

import ast
import inspect
import io
import itertools
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import quantiles

import pytest
import torch
from torch import Tensor, nn

from preceptor.plan import TrainingPlan
from preceptor.training.loop import train
from preceptor.training.state import Training

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "preceptor"
# fmt: off
ROOMS = [
    "errors", "explanations", "finding", "storage", "ledger", "plan", "shapes", "machine",
    "metrics", "intervals", "data", "kinds", "framing", "inspection", "look", "split",
    "models", "recipe", "problem", "augmentation", "training", "history", "net", "timetable", "rivals",
    "ensemble", "predictor", "transfer", "probes", "diagnose", "desk", "contest", "intake",
    "checkup", "tempo", "measure",
    "lesson", "remedy", "course", "search", "inquiry", "exam", "explain", "figures", "verdict", "study",
    "report", "screen", "show", "answering", "run",
    "following", "estimators", "cli", "__init__", "__main__",
]
# fmt: on

FILE_LINES, FUNCTION_LINES, FUNCTION_P90, COMPLEXITY, FRAMES = 300, 30, 20, 10, 3

SHAPELESS = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base2"}
SERIALISERS = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN = {*SERIALISERS, "torchvision", "torch.optim"}
FORBIDDEN_CALLS = {"eval", "exec", "torch.load", "torch.save", "pl.read_pickle", "pd.read_pickle"}
MACHINE_PATHS = re.compile(r"/(?:work|home|Users|root|tmp)/\w|\b[A-Z]:\\\\?Users")

Function = ast.FunctionDef | ast.AsyncFunctionDef
BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)


class Source:
    """One file: its text, its tree, its module name and its room."""

    def __init__(self, name: str, text: str):
        self.name, self.text, self.tree = name, text, ast.parse(text)
        self.module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        parts = Path(name).parts
        self.room = Path(parts[1]).stem if len(parts) > 1 else parts[0]

    def at(self, node: ast.AST, complaint: str) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}: {complaint}"

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


def sources() -> list[Source]:
    files = sorted(HOUSE.rglob("*.py"))
    return [Source(file.relative_to(ROOT).as_posix(), file.read_text("utf-8")) for file in files]


def imports(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Every module or name a file imports, those inside functions and relative ones too."""
    package = source.module.split(".")
    if not source.name.endswith("__init__.py"):
        package = package[:-1]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node, f"{origin}.{alias.name}") for alias in node.names)


def room_of(imported: str) -> str | None:
    """The room that an imported name lies in; None for other people's packages and the front door."""
    parts = imported.split(".")
    return parts[1] if parts[0] == "preceptor" and len(parts) > 1 and parts[1] in ROOMS else None


def upward_imports(source: Source) -> Iterator[str]:
    if source.room not in ROOMS:
        yield f"{source.name}:1: {source.room} is no room yet; give it its place in ROOMS"
        return
    for node, imported in imports(source):
        room = room_of(imported)
        if imported.startswith("preceptor.") and room is None and not imported.endswith("__version__"):
            yield source.at(node, f"imports {imported}, which lies in no room")
        elif room and ROOMS.index(room) > ROOMS.index(source.room):
            yield source.at(node, f"{source.room} imports upward from {room}")


def strangers_between_kinds_and_models(source: Source) -> Iterator[str]:
    for node, imported in imports(source):
        if source.room == "models" and room_of(imported) in ("data", "kinds"):
            yield source.at(node, f"a model imports {imported}; kinds and models meet in problem.py alone")


def long_file(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if lines > FILE_LINES:
        yield f"{source.name}:{lines}: {lines} lines, more than {FILE_LINES}"


def code_lines(text: str) -> set[int]:
    """The numbers of the lines that hold code: no blank line, no comment, no docstring."""
    idle = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in idle]
    lines = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (*Function.__args__, ast.ClassDef, ast.Module)) and ast.get_docstring(node):
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def function_lengths(source: Source) -> Iterator[tuple[Function, int]]:
    lines = code_lines(source.text)
    for node in source.functions():
        yield node, len(lines & set(range(node.lineno, node.end_lineno + 1)))


def long_functions(source: Source) -> Iterator[str]:
    for node, length in function_lengths(source):
        if length > FUNCTION_LINES:
            yield source.at(node, f"{node.name} has {length} lines, more than {FUNCTION_LINES}")


def complexity(node: Function) -> int:
    """McCabe's number: one and every branch of the flow."""
    return 1 + sum(isinstance(inner, BRANCHES) for inner in ast.walk(node))


def tangled_functions(source: Source) -> Iterator[str]:
    for node in source.functions():
        if complexity(node) > COMPLEXITY:
            yield source.at(node, f"{node.name} has complexity {complexity(node)}, more than {COMPLEXITY}")


def public(body: list[ast.stmt]) -> Iterator[Function | ast.ClassDef]:
    """Public classes and functions of a body, and the public members of those classes."""
    for node in body:
        if isinstance(node, (*Function.__args__, ast.ClassDef)) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def undocumented(source: Source) -> Iterator[str]:
    if not ast.get_docstring(source.tree):
        yield f"{source.name}:1: the file does not say what it is for"
    for node in public(source.tree.body):
        if not ast.get_docstring(node):
            yield source.at(node, f"{node.name} has no docstring")


def untyped(source: Source) -> Iterator[str]:
    for node in public(source.tree.body):
        if isinstance(node, ast.ClassDef):
            continue
        spec = node.args
        named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *filter(None, (spec.vararg, spec.kwarg))]
        bare = [arg.arg for arg in named if arg.annotation is None and arg.arg not in ("self", "cls")]
        if bare or node.returns is None:
            yield source.at(node, f"{node.name} leaves untyped: {', '.join(bare) or 'what it returns'}")


def forbidden_imports(source: Source) -> Iterator[str]:
    for node, imported in imports(source):
        named = {".".join(imported.split(".")[:depth]) for depth in (1, 2)}
        if named & FORBIDDEN:
            yield source.at(node, f"imports {imported}")


def forbidden_calls(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in FORBIDDEN_CALLS:
            yield source.at(node, f"calls {ast.unparse(node.func)}")
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("torch.optim", "optim.lr_scheduler"):
            yield source.at(node, "takes an optimiser or a schedule from torch.optim")
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield source.at(node, "swallows every exception")


def shapeless_names(source: Source) -> Iterator[str]:
    if SHAPELESS & set(source.module.split(".")):
        yield f"{source.name}:1: a name that says nothing"


def machine_paths(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if MACHINE_PATHS.search(line):
            yield f"{source.name}:{number}: a path of one machine: {line.strip()[:60]}"


RULES = [
    upward_imports,
    strangers_between_kinds_and_models,
    long_file,
    long_functions,
    tangled_functions,
    undocumented,
    untyped,
    forbidden_imports,
    forbidden_calls,
    shapeless_names,
    machine_paths,
]
Rule = Callable[[Source], Iterator[str]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_file_breaks_the_rule(rule: Rule):
    breaches = [breach for source in sources() for breach in rule(source)]
    assert not breaches, "\n" + "\n".join(breaches)


def test_nine_functions_in_ten_have_at_most_twenty_lines():
    lengths = [length for source in sources() for _, length in function_lengths(source)]
    assert quantiles(lengths, n=10)[-1] <= FUNCTION_P90


def test_files_import_each_other_without_a_cycle():
    files = sources()
    modules = {source.module for source in files}
    graph = {
        source.module: {
            name
            for _, imported in imports(source)
            for name in (imported, imported.rpartition(".")[0])
            if name in modules - {source.module, "preceptor"}
        }
        for source in files
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_every_room_that_grows_by_files_has_a_test_file_of_its_own():
    rooms = {source.room for source in sources() if source.name.endswith("/__init__.py")} - {"__init__"}
    tests = [file.stem.removeprefix("test_") for file in (ROOT / "tests").glob("test_*.py")]
    bare = [room for room in rooms if not any(f"{name}_".startswith(f"{room}_") for name in tests)]
    assert not bare, f"no tests/test_<room>.py for {', '.join(sorted(bare))}"


def test_no_path_of_one_machine_stands_outside_the_package_either():
    files = [ROOT / name for name in ("README.md", "LOG.md", "Makefile", "pyproject.toml", ".ci/run")]
    files += [*(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "labs").rglob("*.py")]
    breaches = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in filter(Path.is_file, files)
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1)
        if MACHINE_PATHS.search(line)
    ]
    assert not breaches, breaches


class Listening(nn.Module):
    """It counts preceptor's own frames between the caller of the loop and `forward`."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.frames: list[str] = []

    def forward(self, x: Tensor) -> Tensor:
        frames = itertools.takewhile(lambda frame: frame.filename != __file__, inspect.stack()[1:])
        self.frames = [frame.function for frame in frames if Path(frame.filename).is_relative_to(HOUSE)]
        return self.layer(x)


def test_at_most_three_frames_lie_between_the_caller_and_forward():
    net, x = Listening(), torch.ones(4, 1)
    training = Training(net, TrainingPlan(threads=1), epochs=1, seed=0)
    for _ in train(training, [x], x, nn.functional.mse_loss):
        pass
    assert 1 <= len(net.frames) <= FRAMES, net.frames


@pytest.mark.parametrize("door", ["errors", "explanations", "finding", "plan", "ledger", "cli"])
def test_light_doors_open_without_torch(door: str):
    script = f"import sys, preceptor.{door}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0


# The ruler itself, held against crooked sticks.

CROOKED = {
    upward_imports: "def f():\n    from preceptor.study import fit",
    strangers_between_kinds_and_models: "from preceptor.kinds import number",
    long_file: "x = 1\n" * (FILE_LINES + 1),
    long_functions: "def f():\n" + "    x = 1\n" * FUNCTION_LINES,
    tangled_functions: "def f(x):\n" + "    if x: pass\n" * COMPLEXITY,
    undocumented: "'''Purpose.'''\nclass Net:\n    '''A net.'''\n    def forward(self): ...",
    untyped: "def f(x) -> int: ...",
    forbidden_imports: "from torch import optim",
    forbidden_calls: "import torch\nx = torch.optim.SGD",
    shapeless_names: "",
    machine_paths: "data = '/" + "home/ada/data.csv'",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_ruler_sees_a_breach_of_the_rule(rule: Rule):
    name = "preceptor/models/utils.py" if rule is shapeless_names else "preceptor/models/mlp.py"
    assert list(rule(Source(name, CROOKED[rule])))


def test_docstrings_comments_and_blank_lines_cost_nothing():
    text = 'def f():\n    """One.\n\n    Two.\n    """\n\n    # why\n    return 1\n'
    assert [length for _, length in function_lengths(Source("preceptor/exam.py", text))] == [2]
