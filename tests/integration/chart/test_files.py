"""What the chart's files say, without a server: that what is made of other files is current, and that every value is described."""

import re
import subprocess
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

from helm import CHART, ROOT, SCHEMA, leaves

LOADER = SourceFileLoader("generate", str(ROOT / "charts" / "generate"))
SPEC = spec_from_loader("generate", LOADER)
assert SPEC is not None
generate = module_from_spec(SPEC)
sys.modules["generate"] = generate
LOADER.exec_module(generate)


class Files(unittest.TestCase):
    def test_what_is_made_of_other_files_is_current(self) -> None:
        done = subprocess.run([ROOT / "charts" / "generate", "--check"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_the_check_finds_what_is_not_current(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder)
            for part in ("charts", "crds", "manifests/operator", "manifests/argocd"):
                subprocess.run(["cp", "-r", "--parents", part, folder], cwd=ROOT, check=True)
            for file, change in (
                ("crds/edges.edgetrust.io.yaml", lambda text: text.replace("shortNames", "otherNames")),
                ("manifests/operator/rbac.yaml", lambda text: text.replace("[get, list, watch]", "[get]")),
                ("charts/edgetrust/values.yaml", lambda text: text.replace("replicas: 2", "replicas: 5")),
                ("charts/dashboards.py", lambda text: text.replace("Soonest expiry", "Next expiry")),
                ("manifests/argocd/health.lua", lambda text: text.replace("Degraded", "Suspended")),
                ("charts/edgetrust/files/dashboards/that-is-gone.json", lambda _: ""),
                ("charts/edgetrust/files/crds/of-a-kind-that-is-gone.yaml", lambda _: ""),
            ):
                target = copy / file
                before = target.read_text() if target.exists() else None
                target.write_text(change(before or ""))
                with self.subTest(file):
                    done = subprocess.run([copy / "charts" / "generate", "--check"], capture_output=True, text=True, check=False)
                    self.assertEqual((done.returncode, done.stdout.count("is not current")), (1, 1), done.stdout + done.stderr)
                if before is None:
                    target.unlink()
                else:
                    target.write_text(before)

    def test_the_schema_and_the_descriptions_know_the_same_values(self) -> None:
        described = {value.path for value in generate.values((CHART / "values.yaml").read_text()) if not value.is_section}
        self.assertEqual(described, set(leaves()))

    def test_a_value_without_a_description_is_refused(self) -> None:
        with self.assertRaises(generate.Malformed):
            list(generate.values("# One.\none: 1\n\ntwo: 2\n"))

    def test_no_map_of_the_schema_takes_unknown_values(self) -> None:
        def walk(schema: Any) -> None:
            if isinstance(schema, dict):
                if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
                    self.assertIs(schema.get("additionalProperties"), False, schema)
                for member in schema.values():
                    walk(member)
            elif isinstance(schema, list):
                for member in schema:
                    walk(member)

        walk(SCHEMA["properties"])

    def test_the_chart_has_the_version_of_the_program(self) -> None:
        version = re.search(r"^project\(edgetrust VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M)
        chart = re.search(r"^appVersion: (\S+)$", (CHART / "Chart.yaml").read_text(), re.M)
        assert version is not None and chart is not None
        self.assertEqual(chart.group(1), version.group(1))


if __name__ == "__main__":
    unittest.main()
