"""Figures of Python codebases side by side: `python -m benchmarks.codebase NAME=SOURCES[:TESTS] ...`.

Ours comes first by itself. Lines are those that are neither empty nor comments nor docstrings; a function's length is
all its lines from `def` to its end. Typed: parameters (but self and cls) and returns all annotated.
"""

from __future__ import annotations

import argparse
import ast
import io
import statistics
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONG_FILE, LONG = 250, 50
Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.codebase", description=__doc__)
    parser.add_argument("others", nargs="*", help="NAME=SOURCES or NAME=SOURCES:TESTS, folders of Python files")
    args = parser.parse_args()
    rows = {"ours": measure([ROOT / "humanparse", ROOT / "app.py", ROOT / "utils.py"], ROOT / "tests")}
    for other in args.others:
        name, _, folders = other.partition("=")
        sources, _, tests = folders.partition(":")
        rows[name] = measure([Path(sources)], Path(tests) if tests else None)
    titles = list(rows["ours"])
    print("| | " + " | ".join(rows) + " |\n|---|" + "---:|" * len(rows))
    for title in titles:
        print(f"| {title} | " + " | ".join(row[title] for row in rows.values()) + " |")


def measure(sources: list[Path], tests: Path | None) -> dict[str, str]:
    files = [path for source in sources for path in python_files(source) if tests is None or tests not in path.parents]
    texts = [path.read_text() for path in files]
    functions = [node for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, Function)]
    lengths = [node.end_lineno - node.lineno + 1 for node in functions if node.end_lineno]
    totals = [text.count("\n") for text in texts]
    code = sum(code_lines(text) for text in texts)
    test_code = sum(code_lines(path.read_text()) for path in python_files(tests)) if tests else 0
    public = [node for node in functions if not node.name.startswith("_")]
    return {
        "files": str(len(files)),
        "lines of code": str(code),
        "median file, all lines": f"{statistics.median(totals):.0f}",
        f"files over {LONG_FILE} lines": str(sum(total > LONG_FILE for total in totals)),
        "longest file": str(max(totals)),
        "median function": f"{statistics.median(lengths):.0f}",
        "longest tenth of functions from": f"{statistics.quantiles(lengths, n=10)[-1]:.0f}",
        f"functions over {LONG} lines": f"{100 * sum(n > LONG for n in lengths) / len(functions):.1f} %",
        "typed functions": f"{100 * sum(map(is_typed, functions)) / len(functions):.0f} %",
        "public functions with a docstring": f"{100 * sum(map(has_docstring, public)) / max(1, len(public)):.0f} %",
        "comments for 100 lines of code": f"{100 * sum(map(comments, texts)) / code:.1f}",
        "lines of tests for one of code": f"{test_code / code:.2f}" if tests else "-",
    }


def python_files(folder: Path) -> list[Path]:
    return [folder] if folder.is_file() else sorted(folder.rglob("*.py"))


def code_lines(text: str) -> int:
    """Lines with code on them."""
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in quiet:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstring_lines(ast.parse(text)))


def docstring_lines(tree: ast.AST) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(tree):
        for child in getattr(node, "body", []) if isinstance(getattr(node, "body", None), list) else []:
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant) and child.end_lineno:
                found.update(range(child.lineno, child.end_lineno + 1))
    return found


def comments(text: str) -> int:
    return sum(token.type == tokenize.COMMENT for token in tokenize.generate_tokens(io.StringIO(text).readline))


def is_typed(node: Function) -> bool:
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    named = [argument for argument in given if argument.arg not in ("self", "cls")]
    return node.returns is not None and all(argument.annotation for argument in named)


def has_docstring(node: Function) -> bool:
    return ast.get_docstring(node) is not None


if __name__ == "__main__":
    main()
