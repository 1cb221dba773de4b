"""Each check that is switched off says why: NOLINT, `clang-format off`, `shellcheck disable`, `noqa` and `type: ignore`, the checks that .clang-tidy takes out of a group, and the tests of kube-score that lint-files ignores.

Usage: suppressions.py [--self-test]. Prints one line a suppression without a reason and ends with 1 if there is any. With --self-test the same rules are given made-up texts.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = "tests/architecture/suppressions.py"

NOLINT = re.compile(r"NOLINT(NEXTLINE|BEGIN|END)?\b(.*)")
FORMAT = re.compile(r"^\s*// clang-format off")
SHELLCHECK = re.compile(r"#\s*shellcheck disable=\S+(.*)")
PYTHON = re.compile(r"#\s*(noqa|type: ignore|fmt: (?:off|skip))(.*)")
PREPARED = re.compile(r"^\s*(sys\.path|os\.environ\[.*\] =)", re.M)


def judge_cpp(line: str, before: str) -> str | None:
    """`NOLINT(check): reason`, and above `clang-format off`, which takes no words, a comment; the end of a block needs no second one."""
    if FORMAT.search(line) and not re.search(r"^\s*// \S.*\Z", before, re.M):
        return "says no reason: a comment in the line above clang-format off"
    if (found := NOLINT.search(line)) is None or found[1] == "END":
        return None
    return None if re.match(r"\([\w.-]+(, ?[\w.-]+)*\): \S", found[2]) else "names no check and reason: NOLINT(check): reason"


def judge_shell(line: str, _before: str) -> str | None:
    found = SHELLCHECK.search(line)
    return "says no reason: shellcheck disable=SC0000 # reason" if found and not re.match(r" # \S", found[1]) else None


def judge_python(line: str, before: str) -> str | None:
    """`noqa: E000 - reason`, `type: ignore[name] - reason`. An import that comes late (E402) has said so where path or environment were prepared for it."""
    if (found := PYTHON.search(line)) is None or (found[2] == ": E402" and PREPARED.search(before)):
        return None
    return None if re.match(r"(: [A-Z]+\d+|\[[a-z-]+\])? - \S", found[2]) else "names no check and reason: noqa: E000 - reason"


def judge_tidy(text: str) -> list[str]:
    """What is taken out of a group that is on stands in a comment, by its last words, before a colon."""
    (checks,) = re.findall(r"^Checks: >\n((?:  .*\n)+)", text, re.M)
    comment = " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    taken_out = [name.strip()[1:] for name in checks.replace("\n", "").split(",") if name.strip().startswith("-") and name.strip() != "-*"]
    explained = [words for words in re.findall(r"([\w.-]+):", comment)]
    return [f"{name} is off and no comment says why" for name in taken_out if not any(name.endswith(words) for words in explained)]


def judge_ignored(text: str) -> list[str]:
    """`# Off: reason.   test` above the list of those that are ignored."""
    (names,) = re.findall(r"^ignored=\((.*)\)$", text, re.M)
    explained = re.findall(r"^# Off: \S.*?\s(\S+)$", text, re.M)
    return [f"{name} is ignored and no comment says why" for name in names.split() if name not in explained]


def check() -> list[str]:
    found = []
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in tracked:
        if not name or name == HERE or name.endswith(".md") or not (ROOT / name).is_file():
            continue
        text = (ROOT / name).read_text(errors="replace")
        is_python = name.endswith(".py") or text.startswith("#!/usr/bin/env python3")
        judge = judge_python if is_python else judge_cpp if name.endswith((".cpp", ".hpp")) else judge_shell
        for number, line in enumerate(lines := text.splitlines(), 1):
            if wrong := judge(line, "\n".join(lines[: number - 1])):
                found.append(f"{name}:{number}: {wrong}")
    found += [f".clang-tidy: {wrong}" for wrong in judge_tidy((ROOT / ".clang-tidy").read_text())]
    found += [f"tests/architecture/lint-files: {wrong}" for wrong in judge_ignored((ROOT / "tests/architecture/lint-files").read_text())]
    return found


def self_test() -> list[str]:
    wrong = []
    for line, fine in (
        ("int a;  // NOLINT", False),
        ("int a;  // NOLINT(bugprone-x)", False),
        ("int a;  // NOLINT(bugprone-x): ", False),
        ("int a;  // NOLINT(bugprone-x, misc-y): it is so", True),
        ("// NOLINTNEXTLINE(bugprone-x): it is so", True),
        ("// NOLINTBEGIN: it is so", False),
        ("// NOLINTEND(bugprone-x)", True),
        ("// clang-format on", True),
    ):
        if (judge_cpp(line, "") is None) != fine:
            wrong.append(f"misjudged: {line}")
    for before, fine in (("", False), ("// It is so.\nint a;", False), ("int a;\n// It is so.", True)):
        if (judge_cpp("// clang-format off", before) is None) != fine:
            wrong.append(f"misjudged: clang-format off after {before!r}")
    for line, fine in (("# shellcheck disable=SC1000", False), ("# shellcheck disable=SC1000 # it is so", True), ("# shellcheck source=a", True)):
        if (judge_shell(line, "") is None) != fine:
            wrong.append(f"misjudged: {line}")
    late = "from harness import wait_for  # noqa: E402"
    for line, before, fine in (
        ("a = b  # noqa", "", False),
        ("a = b  # noqa: BLE001", "sys.path.append(here)", False),
        ("a = b  # noqa: BLE001 - it is so", "", True),
        ("a = b  # type: ignore[assignment]", "", False),
        ("a = b  # type: ignore[assignment] - it is so", "", True),
        ("a = b  # fmt: skip", "", False),
        (late, "import sys", False),
        (late, "sys.path.append(here)", True),
    ):
        if (judge_python(line, before) is None) != fine:
            wrong.append(f"misjudged: {line}")
    if judge_tidy("Checks: >\n  -*,a-*,\n  -a-b,-a-c\n# b: it is so\n") != ["a-c is off and no comment says why"]:
        wrong.append("a check of .clang-tidy that is off goes unseen")
    if judge_ignored("# Off: it is so.   one\nignored=(one two)\n") != ["two is ignored and no comment says why"]:
        wrong.append("a test of kube-score that is ignored goes unseen")
    return wrong


if __name__ == "__main__":
    lines = self_test() if "--self-test" in sys.argv else check()
    print("\n".join(lines) or "each suppression says why")
    sys.exit(1 if lines else 0)
