"""Plain English and simple code: limits on word groups and on branches.

Prose is the docstrings, the comments and the string literals of more than three
words. A comparison with three well-known projects gave the limits.
"""

import ast
import io
import re
import subprocess
import tokenize
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOYED = ("main.py", "functions", "assignment", "domain", "providers")
MOST_PER_THOUSAND = {  # words of a group per 1,000 words of prose
    "who whom whoever whose whomever": 2.0,
    "nobody somebody anybody everybody nobody's somebody's anybody's everybody's": 1.0,
    "tell tells told untold": 0.5,
    "just now|anew|afresh|once more|nought": 0.2,
}
MOST_BRANCHES = 23.2  # per 100 lines of functions; the goal is 20
LONGEST_LITERAL = 3  # words of a string that is a name or a key, not a sentence
BRANCHES = (
    ast.If,
    ast.IfExp,
    ast.For,
    ast.While,
    ast.ExceptHandler,
    ast.comprehension,
    ast.Assert,
)


def sources(*roots: str) -> list[Path]:
    """Return the Python files that git knows below these folders."""
    listed = subprocess.run(
        ["git", "ls-files", *roots], cwd=ROOT, capture_output=True, text=True
    )
    names = listed.stdout.splitlines()
    return [ROOT / name for name in names if name.endswith(".py")]


def prose(source: str) -> str:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT]
    literals = [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and len(node.value.split()) > LONGEST_LITERAL
    ]
    return "\n".join([*comments, *literals])


@cache
def prose_by_file() -> dict[str, str]:
    return {
        path.relative_to(ROOT).as_posix(): prose(path.read_text())
        for path in sources(*DEPLOYED, "tools")
    }


def words(text: str) -> int:
    return len(re.findall(r"[A-Za-z']+", text))


def occurrences(group: str, text: str) -> int:
    alternatives = group if "|" in group else group.replace(" ", "|")
    return len(re.findall(rf"\b(?:{alternatives})\b", text, re.IGNORECASE))


def branches_and_lines(source: str) -> tuple[int, int]:
    """Count the branches of a file's functions, and the lines of these functions."""
    branches = lines = 0
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            lines += (function.end_lineno or 0) - function.lineno + 1
            branches += sum(map(branches_of, ast.walk(function)))
    return branches, lines


def branches_of(node: ast.AST) -> int:
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    return int(isinstance(node, BRANCHES))


def worst(counts: Counter[str]) -> str:
    named = [f"{name} ({count})" for name, count in counts.most_common(5)]
    return "the most are in " + ", ".join(named)


@pytest.mark.parametrize("group", MOST_PER_THOUSAND)
def test_prose_uses_plain_words(group: str) -> None:
    texts = prose_by_file()
    counts = Counter({name: occurrences(group, text) for name, text in texts.items()})
    rate = 1000 * counts.total() / sum(map(words, texts.values()))
    limit = MOST_PER_THOUSAND[group]
    assert rate <= limit, f"{rate:.1f} per 1,000 words; {worst(counts)}"


def test_functions_have_few_branches() -> None:
    branches: Counter[str] = Counter()
    above_limit: Counter[str] = Counter()
    total = 0
    for path in sources(*DEPLOYED):
        count, lines = branches_and_lines(path.read_text())
        name = path.relative_to(ROOT).as_posix()
        total += lines
        branches[name] = count
        above_limit[name] = count - int(MOST_BRANCHES * lines / 100)
    rate = 100 * branches.total() / total
    assert rate <= MOST_BRANCHES, f"{rate:.1f} per 100 lines; {worst(above_limit)}"


def test_the_counts_are_those_of_a_known_text() -> None:
    source = (
        "def f(a, b):\n"
        '    """Tell somebody who asks just now."""\n'
        "    # nobody is told once more\n"
        "    return a if a or b else [c for c in b]\n"
    )
    found = prose(source)
    assert [occurrences(group, found) for group in MOST_PER_THOUSAND] == [1, 2, 2, 2]
    assert branches_and_lines(source) == (3, 4)
