"""tidy.py on a project of two files: what clang-tidy finds is told, what was clean is not looked at again, and `--recent` looks at what was changed."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import tidy

CLEAN = "int answer() { return 42; }\n"
WRONG = "int* nobody() { return 0; }\n"  # modernize-use-nullptr
ME = ("-c", "user.name=tidy", "-c", "user.email=tidy@example.com", "-c", "commit.gpgsign=false")


class Tidy(unittest.TestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory(prefix="edgetrust-test-tidy.")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name) / "project"
        (self.root / "controller").mkdir(parents=True)
        shutil.copy(tidy.ROOT / ".clang-tidy", self.root)
        self.git("init", "--quiet")
        names = ("clean", "other", "late")
        entries = [{"directory": str(self.root), "file": str(self.source(name)), "command": f"/usr/bin/c++ -std=c++20 -c {self.source(name)}"} for name in names]
        self.build = Path(folder.name) / "build"
        self.build.mkdir()
        (self.build / "compile_commands.json").write_text(json.dumps(entries))
        self.looked: list[str] = []
        for patch in (mock.patch.object(tidy, "ROOT", self.root), mock.patch.dict(os.environ, XDG_CACHE_HOME=str(Path(folder.name) / "cache"))):
            patch.start()
            self.addCleanup(patch.stop)

    def source(self, name: str) -> Path:
        return self.root / "controller" / f"{name}.cpp"

    def git(self, *command: str) -> None:
        subprocess.run(["git", *ME, *command], cwd=self.root, check=True, stdout=subprocess.DEVNULL)

    def commit(self, **texts: str) -> None:
        for name, text in texts.items():
            self.source(name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "one more")

    def tidy(self, *options: str) -> tuple[int, str, list[str]]:
        """Exit status, what was said, and the names of the files that clang-tidy was asked about."""
        said = io.StringIO()
        run, looked = subprocess.run, []

        def noted(command: list[object], **rest: object) -> object:
            if command[0] == tidy.TIDY:
                looked.append(Path(str(command[-1])).stem)
            return run(command, **rest)  # type: ignore[call-overload] - it hands on what it was given

        with mock.patch.object(subprocess, "run", noted), mock.patch.object(sys, "argv", ["tidy.py", *options, str(self.build)]), contextlib.redirect_stdout(said):
            status = tidy.main()
        return status, said.getvalue(), sorted(looked)

    def test_what_it_finds_is_told_each_time(self) -> None:
        self.commit(clean=CLEAN, other=WRONG)
        status, said, looked = self.tidy()
        self.assertEqual((status, looked), (1, ["clean", "other"]))
        self.assertIn("other.cpp:1:24: error: use nullptr", said)
        self.assertNotIn("clean.cpp", said)
        status, said, looked = self.tidy()
        self.assertEqual((status, looked), (1, ["other"]))
        self.commit(other=CLEAN)
        self.assertEqual(self.tidy(), (0, "", ["other"]))
        self.assertEqual(self.tidy(), (0, "", []))

    def test_recent_is_what_the_last_commits_changed_and_what_is_not_committed(self) -> None:
        self.commit(clean=CLEAN, other=WRONG)
        self.commit(late=CLEAN)
        self.assertEqual(self.tidy("--recent", "1"), (0, "", ["late"]))
        self.source("clean").write_text(WRONG)
        self.assertEqual(self.tidy("--recent", "1")[::2], (1, ["clean"]))
        self.assertEqual(self.tidy("--recent", "0")[::2], (1, ["clean"]))

    def test_recent_is_all_where_the_history_is_short(self) -> None:
        self.commit(clean=CLEAN, other=WRONG)
        self.assertEqual(self.tidy("--recent", "1")[::2], (1, ["clean", "other"]))

    def test_a_file_that_nobody_compiles_is_told(self) -> None:
        self.commit(clean=CLEAN, forgotten=CLEAN)
        self.assertEqual(self.tidy(), (1, "controller/forgotten.cpp is compiled by nobody\n", []))


if __name__ == "__main__":
    unittest.main()
