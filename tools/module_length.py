"""Check the length of modules: over 400 lines needs a reason, over 600 fails, pure tables are exempt."""

import ast
import sys
from pathlib import Path

REASON_OVER_LINES = 400
LIMIT_LINES = 600
_REASON = "# Long because "
_TABLE_SHARE = 0.8


def table_share(source: str) -> float:
    """Return the share of lines that belong to literals assigned at the top of a module, 0 to 1."""
    lines = sum(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
    )
    return lines / max(1, source.count("\n"))


def complaint(path: Path) -> str | None:
    """Return what is wrong with the length of a module, or None."""
    source = path.read_text(encoding="utf-8")
    n_lines = source.count("\n")
    if n_lines <= REASON_OVER_LINES or table_share(source) >= _TABLE_SHARE:
        return None
    if n_lines > LIMIT_LINES:
        return f"{path}: {n_lines} lines, more than {LIMIT_LINES}: find the seam and split it"
    if _REASON not in source:
        return f"{path}: {n_lines} lines, more than {REASON_OVER_LINES}: split it, or say `{_REASON}...`"
    return None


def main(folders: list[str]) -> int:
    """Print every complaint about modules under the folders; return the exit code."""
    found = [
        text
        for folder in folders
        for path in sorted(Path(folder).rglob("*.py"))
        if (text := complaint(path))
    ]
    print(*(found or ["module length: ok"]), sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["src", "tests", "tools", "bench"]))
