#!/usr/bin/env python3
"""Prints the matrices of `make test-acme`, a line a row, from what ctest has written (--output-junit).

Usage: matrix.py RESULTS.xml

A row is a test of one of these files; its name is said in words.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

MATRICES = {
    "CA": r"operator\.test_ca\.(\w+)\.test_(\w+)",
    "DNS": r"operator\.test_dns\w*\.(\w+)\.test_(\w+)",
    "HTTP": r"operator\.test_http01\.(\w+)\.test_(\w+)",
}


def words(name: str) -> str:
    """StepCa -> Step Ca; nonces_rejected -> nonces rejected."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")


def verdict(case: ElementTree.Element) -> str:
    return {"run": "passed", "fail": "FAILED"}.get(case.get("status", ""), "not run")


def rows(results: ElementTree.Element) -> list[str]:
    lines = []
    for matrix, pattern in MATRICES.items():
        for case in sorted(results.iter("testcase"), key=lambda one: one.get("name", "")):
            if found := re.fullmatch(pattern, case.get("name", "")):
                row = f"{words(found[1])}: {words(found[2])}"
                lines.append(f"{matrix:<4} {row:<58} {verdict(case):<8} {float(case.get('time', 0)):6.1f} s")
    return lines


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    for line in rows(ElementTree.parse(Path(sys.argv[1])).getroot()):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
