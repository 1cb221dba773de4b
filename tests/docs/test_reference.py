"""controller/docs/reference is made of crds/, and says all of it."""

import re
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def names(schema: dict[str, Any]) -> Iterator[str]:
    for name, below in schema.get("properties", {}).items():
        yield name
        yield from names(below)
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from names(inner)


def check(root: Path) -> tuple[int, list[str]]:
    done = subprocess.run([root / "controller" / "docs" / "generate", "--check"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


class Reference(unittest.TestCase):
    def test_it_is_current(self) -> None:
        self.assertEqual(check(ROOT), (0, []))

    def test_the_check_finds_what_is_not_current(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for part in ("controller/docs", "crds"):
                subprocess.run(["cp", "-r", "--parents", part, folder], cwd=ROOT, check=True)
            copy = Path(folder)
            crd = copy / "crds" / "edges.edgetrust.io.yaml"
            crd.write_text(crd.read_text().replace("maxLength", "minLength", 1))
            (copy / "controller" / "docs" / "reference" / "gone.md").write_text("")
            code, said = check(copy)
            self.assertEqual(code, 1)
            self.assertEqual(
                sorted(said), [f"controller/docs/reference/{page} is not current: run `make crds`" for page in ("edge.md", "gone.md")]
            )

    def test_each_field_and_rule_is_in_it(self) -> None:
        for file in sorted((ROOT / "crds").glob("*.yaml")):
            crd = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
            schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
            page = (ROOT / "controller" / "docs" / "reference" / f"{crd['spec']['names']['singular']}.md").read_text()
            last_names = re.findall(r"^\| \**`(?:[^`]*\.)?(\w+)`", page, re.M)
            for part in ("spec", "status"):
                wanted = sorted(names(schema["properties"][part]))
                self.assertGreater(len(wanted), 5)
                for name in wanted:
                    self.assertIn(name, last_names, file.name)
            self.assertEqual(page.count("\n| `spec") + page.count("\n| `the object`"), file.read_text().count("- rule: "), file.name)


if __name__ == "__main__":
    unittest.main()
