"""The budgets of the house: sizes of files and functions, docstrings, and no file or function beyond the limit."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_MEDIAN, FILE_MAX, FUNCTION_MEDIAN, FUNCTION_95, FUNCTION_MAX = 100, 400, 10, 40, 60
PUBLIC = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def main() -> int:
    """Measure the product's own files, print the figures and return 1 where a budget is broken."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    names = [name for name in listed if not name.startswith(("tests/", "benchmarks/")) and (ROOT / name).exists()]
    trees = {name: ast.parse((ROOT / name).read_text(encoding="utf-8")) for name in names}
    files = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in names}
    functions = {f"{name}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
                 for name, tree in trees.items() for node in ast.walk(tree) if isinstance(node, PUBLIC[:2])}  # fmt: skip
    broken = [*_sizes(files, functions), *_undocumented(trees)]
    lengths = sorted(functions.values())
    print(f"{len(files)} files, median {statistics.median(files.values()):.0f} lines; {len(lengths)} functions, "
          f"median {statistics.median(lengths):.0f}, 95th percentile {lengths[int(len(lengths) * 0.95)]}")  # fmt: skip
    print("\n".join(broken))
    return 1 if broken else 0


def _sizes(files: dict[str, int], functions: dict[str, int]) -> list[str]:
    lengths = sorted(functions.values())
    found = [f"{name}: {n} lines, {FILE_MAX} at most" for name, n in files.items() if n > FILE_MAX]
    found += [f"{name}: {n} lines, {FUNCTION_MAX} at most" for name, n in functions.items() if n > FUNCTION_MAX]
    for what, value, limit in (
        ("median file", statistics.median(files.values()), FILE_MEDIAN),
        ("median function", statistics.median(lengths), FUNCTION_MEDIAN),
        ("95th percentile of functions", lengths[int(len(lengths) * 0.95)], FUNCTION_95),
    ):
        if value > limit:
            found.append(f"{what}: {value} lines, {limit} at most")
    return found


def _undocumented(trees: dict[str, ast.Module]) -> list[str]:
    found = [f"{name}: the module does not say what it is" for name, tree in trees.items() if not ast.get_docstring(tree)]
    for name, tree in trees.items():
        for node in tree.body:
            if isinstance(node, PUBLIC) and not node.name.startswith("_") and not ast.get_docstring(node):
                found.append(f"{name}:{node.lineno} {node.name}: no docstring")
    return found


if __name__ == "__main__":
    sys.exit(main())
