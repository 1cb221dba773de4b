#!/usr/bin/env python3
"""clang-tidy over all that is shipped, as .clang-tidy says; silent when there is nothing to say.

Usage: tidy.py [--jobs N] [--recent N] BUILD_FOLDER [PART…]
       PART        only the files below such a folder, as in `controller/acme`
       --recent N  only the files that the last N commits have changed, or that are changed and not committed; all where the history does not reach so far back
       --jobs N    so many at a time; without it, one for each processor

What was clean is not looked at again while nothing has changed that bears on it: the file and all of ours that it includes, how it is compiled, .clang-tidy, and which Debian packages are
there with headers, compilers and clang. Each such state is an empty file in ~/.cache/edgetrust/tidy, named after its hash; any checkout may use it.

clang-tidy reads the commands that CMake wrote for g++. Two things are taken out of them: g++'s precompiled headers, which clang cannot read (the header behind them is included as it is), and
options that clang does not know.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TIDY = "clang-tidy-16"
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.M)
BEARS_ON_IT = re.compile(rb"^\S*-dev\b|^\S*(clang|llvm)|^(g\+\+|gcc|cpp)\b")
GONE = ("-fpch-preprocess", "-Winvalid-pch", "-Wno-missing-field-initializers", "-Werror")
# The options of clang that g++ does not need: designated initializers name what they set, and not every warning is known to both.
MORE = "-Wno-missing-field-initializers -Wno-unknown-warning-option"


def for_clang(command: str, copies: Path) -> str:
    """A command of g++ as clang understands it. Beside a precompiled header lies g++'s form of it, so clang gets a copy of the header elsewhere."""

    def copied(match: re.Match[str]) -> str:
        copy = copies / (re.sub(r"\W", "_", match[1]) + ".hxx")
        if not copy.exists():
            shutil.copyfile(match[1], copy)
        return f"-include {copy}"

    command = re.sub(r"^.*?/ccache ", "", command)
    for gone in GONE:
        command = command.replace(f" {gone}", "")
    return re.sub(r"-include (\S+/cmake_pch\.hxx)", copied, command) + f" {MORE}"


class Sources:
    """What a file is made of, as far as it is ours."""

    def __init__(self) -> None:
        self.read: dict[Path, tuple[bytes, list[str]]] = {}

    def _look(self, file: Path) -> tuple[bytes, list[str]]:
        if file not in self.read:
            text = file.read_bytes()
            self.read[file] = (hashlib.sha256(text).digest(), [name.decode() for name in INCLUDE.findall(text)])
        return self.read[file]

    def digests(self, file: Path, folders: Iterable[Path]) -> list[bytes]:
        """Of the file and of all that it includes, from beside it or from `folders`."""
        seen: set[Path] = set()
        waiting = [file.resolve()]
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            for name in self._look(one)[1]:
                found = next((path for folder in (one.parent, *folders) if (path := folder / name).is_file()), None)
                if found is not None:
                    waiting.append(found.resolve())
        return [self._look(one)[0] for one in sorted(seen)]


def state(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def git(*command: str) -> list[str]:
    """The names that it prints, each ended by a NUL."""
    return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")[:-1]


def changed(commits: int) -> set[str] | None:
    """What the last commits have changed and what is not committed; None where there are not as many."""
    before = f"HEAD~{commits}"
    if subprocess.run(["git", "rev-parse", "--quiet", "--verify", before], cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode != 0:
        return None
    return set(git("diff", "--name-only", "-z", before)) | set(git("ls-files", "--others", "--exclude-standard", "-z"))


def main() -> int:
    parser = argparse.ArgumentParser(usage=(__doc__ or "").split("Usage: ")[1].split("\n\n")[0])
    parser.add_argument("build", type=lambda folder: Path(folder).resolve())
    parser.add_argument("parts", nargs="*", default=["controller"])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--recent", type=int)
    asked = parser.parse_args()
    build: Path = asked.build
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgetrust" / "tidy"
    cache.mkdir(parents=True, exist_ok=True)
    recent = changed(asked.recent) if asked.recent is not None else None
    wanted = {ROOT / name for name in git("ls-files", "-z", "--", *asked.parts) if name.endswith(".cpp") and (recent is None or name in recent)}
    entries = {Path(entry["file"]): entry for entry in reversed(json.loads((build / "compile_commands.json").read_text())) if Path(entry["file"]) in wanted}
    if missing := wanted - entries.keys():
        print("\n".join(f"{file.relative_to(ROOT)} is compiled by nobody" for file in sorted(missing)))
        return 1
    installed = subprocess.run(["dpkg-query", "-W"], capture_output=True, check=True).stdout
    packages = b"".join(line for line in installed.splitlines(keepends=True) if BEARS_ON_IT.search(line))
    rules = (ROOT / ".clang-tidy").read_bytes()
    sources = Sources()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="edgetrust-tidy.") as folder:
        commands = Path(folder)
        states = {}
        for file, entry in entries.items():
            entry["command"] = for_clang(entry["command"], commands)
            folders = [Path(folder) for folder in re.findall(r"-I(/\S+)", entry["command"])]
            plain = entry["command"].replace(str(commands), "").replace(str(build), "").replace(str(ROOT), "")
            states[file] = state(packages, rules, plain.encode(), *sources.digests(file, folders), *(header.read_bytes() for header in commands.glob("*.hxx")))
        (commands / "compile_commands.json").write_text(json.dumps(list(entries.values())))
        waiting = [file for file in sorted(entries) if not (cache / states[file]).exists()]

        def look(file: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
            return file, subprocess.run([TIDY, "--quiet", "-p", commands, file], capture_output=True, text=True, check=False)

        with ThreadPoolExecutor(asked.jobs) as pool:
            for file, done in pool.map(look, waiting):
                if done.returncode == 0:
                    (cache / states[file]).touch()
                    continue
                failed += 1
                counts = ("warnings generated", "warning generated", "warnings treated as errors", "warning treated as error")
                print(done.stdout + "\n".join(line for line in done.stderr.splitlines() if not any(count in line for count in counts)), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
