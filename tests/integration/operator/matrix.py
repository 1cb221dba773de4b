#!/usr/bin/env python3
"""matrix.py BUILD TITLE FILE…: runs the tests of these files of this folder (test_dns_providers, …) by ctest and prints a line for each of their classes, which is
a provider, a CA, ….

A class has passed when each of its tests has; a test that was not run has not. The title and those lines come last. Run on a stack: tests/integration/run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path


def read(report: str) -> dict[str, list[bool]]:
    """Whether each test of a JUnit report of ctest passed, by class, sorted."""
    found: dict[str, list[bool]] = defaultdict(list)
    for test in sorted(ElementTree.fromstring(report).iter("testcase"), key=lambda test: test.get("name", "")):
        was_run = test.get("status") == "run" and test.find("skipped") is None
        found[test.get("name", "").split(".")[2]].append(was_run and test.find("failure") is None)
    return found


def run(build: str, files: list[str]) -> dict[str, list[bool]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        pattern = "^operator\\.(" + "|".join(files) + ")\\."
        subprocess.run(["ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error", "-j", "3", "-R", pattern, "--output-junit", str(report)], check=False)
        return read(report.read_text()) if report.exists() else {}


def lines(title: str, found: dict[str, list[bool]]) -> list[str]:
    width = max(map(len, found), default=0)
    rows = [f"  {name:<{width}}  {'passed' if all(passed) else 'FAILED'}  {sum(passed)} of {len(passed)}" for name, passed in found.items()]
    whole = sum(all(passed) for passed in found.values())
    return [f"{title}: {whole} of {len(found)} passed", *rows]


def main() -> int:
    build, title, *files = sys.argv[1:]
    found = run(build, files)
    print("\n".join(lines(title, found)), flush=True)
    return 0 if found and all(all(passed) for passed in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
