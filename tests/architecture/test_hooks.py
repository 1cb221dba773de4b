"""The hooks of .pre-commit-config.yaml: nothing is fetched for them, what they call is there, and one that fails is told. `make lint` runs all of them."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import shlex
import shutil
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
loader = importlib.machinery.SourceFileLoader("hooks", str(HERE / "hooks"))
spec = importlib.util.spec_from_loader("hooks", loader)
assert spec is not None
hooks = importlib.util.module_from_spec(spec)
loader.exec_module(hooks)


class Hooks(unittest.TestCase):
    def test_they_are_the_projects_own(self) -> None:
        text = (ROOT / ".pre-commit-config.yaml").read_text()
        self.assertEqual([line for line in text.splitlines() if "repo:" in line], ["- repo: local"])
        self.assertGreater(len(hooks.hooks()), 5)
        for hook in hooks.hooks():
            with self.subTest(hook["id"]):
                self.assertEqual(hook["language"], "system")
                for word in shlex.split(hook["entry"]):
                    if "/" in word:
                        self.assertTrue((ROOT / word).exists(), word)
                first = shlex.split(hook["entry"])[0]
                self.assertTrue(os.access(ROOT / first, os.X_OK) or shutil.which(first), first)

    def run_one(self, **changes: object) -> tuple[bool, str]:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            passed = hooks.run({"id": "one", "name": "a hook", "entry": "true", "files": "^a", **changes}, ["a.md", "b.md"])
        return passed, said.getvalue()

    def test_one_that_fails_is_told(self) -> None:
        self.assertEqual(self.run_one(), (True, ""))
        self.assertEqual(self.run_one(entry="sh -c 'echo $0; exit 1'"), (False, "one (a hook):\na.md\n"))
        self.assertEqual(self.run_one(files="^c"), (False, "one: no file is meant by ^c\n"))

    def test_the_source_is_formatted(self) -> None:
        tracked = [str(path.relative_to(ROOT)) for folder in ("controller", "tests") for path in (ROOT / folder).rglob("*.[ch]pp")]
        (hook,) = [hook for hook in hooks.hooks() if hook["id"] == "format"]
        self.assertTrue(hooks.run(hook, tracked))

    def test_the_devcontainer_names_what_is_there(self) -> None:
        folder = ROOT / ".devcontainer"
        container = json.loads((folder / "devcontainer.json").read_text())
        file = folder / container["build"]["dockerfile"]
        context = (folder / container["build"]["context"]).resolve()
        copied = [line.split()[1] for line in file.read_text().splitlines() if line.startswith("COPY")]
        self.assertEqual([name for name in copied if not (context / name).exists()], [])
        program = container["postCreateCommand"].split()[0]
        self.assertTrue(os.access(ROOT / program, os.X_OK), program)


if __name__ == "__main__":
    unittest.main()
