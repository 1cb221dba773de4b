"""The table of metrics in controller/docs/operations.md has all that the program declares, and nothing else. What labels a sample really has is compared by `operator.test_trace`."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r'"(edgetrust_\w+)"')
ROW = re.compile(r"^\| `(edgetrust_\w+)` \|", re.M)


def declared(source: str) -> list[str]:
    return NAME.findall(source)


def documented(page: str) -> list[str]:
    return ROW.findall(page.split("\n## Metrics\n")[1].split("\n## ")[0])


def differences(source: str, page: str) -> list[str]:
    program, table = declared(source), documented(page)
    wrong = [f"{name} is not in the table" for name in program if name not in table]
    wrong += [f"{name} is in the table, and not in the program" for name in table if name not in program]
    return wrong + [f"{name} is in the table twice" for name in sorted(set(table)) if table.count(name) > 1]


class Metrics(unittest.TestCase):
    def setUp(self) -> None:
        self.source = (ROOT / "controller" / "telemetry" / "src" / "metrics.cpp").read_text()
        self.page = (ROOT / "controller" / "docs" / "operations.md").read_text()

    def test_each_metric_is_documented_and_each_that_is_documented_exists(self) -> None:
        self.assertGreater(len(declared(self.source)), 40)
        self.assertEqual(differences(self.source, self.page), [])

    def test_what_differs_is_found(self) -> None:
        row = re.search(r"\| `edgetrust_leader` \|.*\n", self.page)
        assert row is not None
        self.assertEqual(differences(self.source, self.page.replace(row.group(0), "")), ["edgetrust_leader is not in the table"])
        self.assertEqual(differences(self.source, self.page.replace(row.group(0), row.group(0) * 2)), ["edgetrust_leader is in the table twice"])
        self.assertEqual(differences(self.source.replace('"edgetrust_leader"', ""), self.page), ["edgetrust_leader is in the table, and not in the program"])

    def test_the_values_of_a_label_are_those_that_the_program_has(self) -> None:
        """Where the table names them: neither one that is never said nor one too few."""
        axes = {name: re.findall(r'"(\w+)"', values) for name, values in re.findall(r'^Axis (\w+)\(\) \{ return \{"\w+", \{(.*?)\}\};', self.source, re.M)}
        for metric, axis in (("rotations_total", "rotation_results"), ("reconcile_total", "reconcile_results"), ("http01_requests_total", "http01_results"), ("workers", "worker_states"), ("errors_total", "troubles")):
            with self.subTest(metric):
                row = re.search(rf"^\| `edgetrust_{metric}` \|(.*)", self.page, re.M)
                assert row is not None
                self.assertEqual(re.findall(r"`([a-z_]+)`", row.group(1)), axes[axis])

    def test_names_follow_the_conventions_of_prometheus(self) -> None:
        for kind, name in re.findall(r'(counter|gauge|histogram)\(registry,\s*"(\w+)"', self.source):
            with self.subTest(name):
                self.assertEqual(name.endswith("_total"), kind == "counter")
                if kind == "histogram":
                    self.assertTrue(name.endswith("_duration_seconds"))


if __name__ == "__main__":
    unittest.main()
