"""A document of the project as its reader follows it: its blocks of code, in their order, run in one folder and with one environment.

What a block is, its language says, or a comment right before it, which a reader does not see:

    ```sh                          commands: run by bash, which stops at the first that fails, and so does the document
    ```text                        what the commands before it print; `…` is anything, alone on a line any lines
    <!-- yours -->                 before ```sh: `export NAME=value` lines whose values are the reader's own
    <!-- yours: FILE -->           a file, whose content is the reader's own
    <!-- not run: REASON -->       a block that is not run, and why

Nothing is replaced but what is `yours`; a block that is none of these is a mistake of the document.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\w*)$")
MARK = re.compile(r"^<!-- (yours|not run)(?:: (.+))? -->$")
HEADING = re.compile(r"^#+ (.+)$")
EXPORT = re.compile(r"^export ((?:\w+=\S+ ?)+)(?:\s*#.*)?$")


class Mistake(Exception):
    """The document is wrong: where, and what about it."""


@dataclass(frozen=True)
class Block:
    line: int
    heading: str
    kind: str  # commands, output, values, file, not run
    text: str
    about: str = ""  # the file, or the reason


def _kind(language: str, mark: re.Match[str] | None) -> tuple[str, str]:
    word, about = (mark[1], mark[2] or "") if mark else ("", "")
    match word, language, bool(about):
        case "not run", _, True:
            return "not run", about
        case "yours", "sh", False:
            return "values", ""
        case "yours", _, True:
            return "file", about
        case "", "sh", _:
            return "commands", ""
        case "", "text", _:
            return "output", ""
    raise Mistake("this block is neither commands (sh), nor what they print (text), nor `yours`, nor `not run` with a reason")


def blocks(document: Path) -> list[Block]:
    found: list[Block] = []
    heading, mark, lines = "", None, iter(enumerate(document.read_text().splitlines(), 1))
    for number, line in lines:
        if title := HEADING.match(line):
            heading = title[1]
        if fence := FENCE.match(line):
            text = []
            for _, inner in lines:
                if inner == "```":
                    break
                text.append(inner)
            else:
                raise Mistake(f"{document.name}:{number}: this block has no end")
            try:
                kind, about = _kind(fence[1], mark)
            except Mistake as mistake:
                raise Mistake(f"{document.name}:{number}: {mistake}") from None
            found.append(Block(number, heading, kind, "\n".join(text), about))
        elif line.lstrip().startswith("```"):
            raise Mistake(f"{document.name}:{number}: a block of this form is not understood: begin it at the margin with a language")
        mark = MARK.match(line)
        if line.startswith("<!-- ") and mark is None:
            raise Mistake(f"{document.name}:{number}: no mark of a block: {line}")
    return found


def matches(expected: str, printed: str) -> bool:
    """Whether it was printed so; runs of spaces are as good as one."""
    plain = lambda text: [" ".join(line.split()) for line in text.strip("\n").splitlines()]
    pattern = "".join(r"(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n" for line in plain(expected))
    return re.fullmatch(pattern, "".join(line + "\n" for line in plain(printed))) is not None


class Reader:
    """Follows one document in `folder`. `values` and `files` are all that is this reader's own, and each of them must be asked for."""

    def __init__(self, document: Path, folder: Path, environment: Mapping[str, str], values: Mapping[str, str], files: Mapping[str, str]) -> None:
        self.document, self.folder, self.environment = document, folder, dict(environment)
        self.values, self.files = dict(values), dict(files)
        self.variables = folder / ".variables"
        self.printed: str | None = None

    def follow(self) -> Iterator[str]:
        """Runs the document; after each section its heading."""
        found = blocks(self.document)
        self._own_are_asked_for(found)
        self.variables.write_text("")
        for number, block in enumerate(found):
            self._take(block)
            if number + 1 == len(found) or found[number + 1].heading != block.heading:
                yield block.heading

    def _own_are_asked_for(self, found: list[Block]) -> None:
        asked = {name for block in found if block.kind == "values" for name in self._names(block)}
        files = {block.about for block in found if block.kind == "file"}
        if asked != set(self.values) or files != set(self.files):
            raise Mistake(f"{self.document.name} asks for {sorted(asked)} and the files {sorted(files)}; its reader has {sorted(self.values)} and {sorted(self.files)}")

    def _names(self, block: Block) -> list[str]:
        names = []
        for line in block.text.splitlines():
            if (export := EXPORT.match(line)) is None:
                raise self._wrong(block, f"no `export NAME=value`: {line}")
            names += [word.split("=")[0] for word in export[1].split()]
        return names

    def _wrong(self, block: Block, what: str) -> Mistake:
        return Mistake(f"{self.document.name}:{block.line}: {what}")

    def _take(self, block: Block) -> None:
        match block.kind:
            case "values":
                self._run(block, "\n".join(f"export {name}={shlex.quote(self.values[name])}" for name in self._names(block)))
            case "file":
                (self.folder / block.about).write_text(self.files[block.about])
            case "commands":
                self.printed = self._run(block, block.text)
            case "output":
                if self.printed is None:
                    raise self._wrong(block, "nothing was run before")
                if not matches(block.text, self.printed):
                    raise self._wrong(block, f"printed was\n{self.printed}")

    def _run(self, block: Block, script: str) -> str:
        known = shlex.quote(str(self.variables))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f". {known}\n{script}\nexport -p >{known}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        if done.returncode != 0:
            raise self._wrong(block, f"ended with {done.returncode}:\n{block.text}\n--- printed\n{done.stdout}{done.stderr}")
        return done.stdout
