"""An environment of its own for each peer: `peers/NAME.txt` lists every package of it, pinned.

    python = interpreter("lightning")                    # installs it when first asked for

They lie in $PRECEPTOR_VENVS, or a folder of the user's cache. torch goes first, by itself, so that each has
the build that the machine's index offers; the rest is installed exactly as listed, without asking packages
what else they want.
"""

import os
import subprocess
import sys
from pathlib import Path

LISTS = Path(__file__).parent / "peers"
TORCH = "torch==2.13.0"


class NotInstalled(Exception):
    """Why a peer's environment could not be made: the last that the installer said."""


def interpreter(name: str) -> Path:
    """The Python of a peer's environment. Raises NotInstalled."""
    home, listed = folder() / name, (LISTS / f"{name}.txt").read_text()
    python, done = home / "bin" / "python", home / "installed.txt"
    if not done.is_file() or done.read_text() != listed:
        print(f"  installing {name} in {home}", flush=True)
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        _run([sys.executable, "-m", "venv", "--clear", str(home)])
        _run([*pip, TORCH])
        _run([*pip, "--no-deps", "-r", str(LISTS / f"{name}.txt")])
        done.write_text(listed)
    return python


def folder() -> Path:
    """Where the environments are."""
    return Path(os.environ.get("PRECEPTOR_VENVS", Path.home() / ".cache" / "preceptor-benchmarks"))


def _run(command: list[str]) -> None:
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode:
        raise NotInstalled((told.stderr.strip() or told.stdout.strip()).splitlines()[-1])
