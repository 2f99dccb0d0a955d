from pathlib import Path


def write_chart(results: Path) -> None: ...
