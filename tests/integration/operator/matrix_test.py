"""What matrix.py makes of a report of ctest."""

import unittest

import matrix

REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="(empty)" tests="6" failures="1" disabled="0" skipped="1">
 <testcase name="operator.test_dns_providers.Webhook.test_b" status="run"/>
 <testcase name="operator.test_dns_providers.Webhook.test_a" status="fail"><failure message=""/></testcase>
 <testcase name="operator.test_dns_providers.AcmeDns.test_a" status="run"><system-out>x</system-out></testcase>
 <testcase name="operator.test_dns_providers.Route53.test_a" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>
 <testcase name="operator.test_dns_providers.Cloudflare.test_a" status="run"/>
 <testcase name="operator.test_dns_providers.Cloudflare.test_b" status="run"/>
</testsuite>"""


class Matrix(unittest.TestCase):
    def test_a_class_has_passed_when_all_its_tests_have(self) -> None:
        expected = [
            "DNS matrix: 2 of 4 passed",
            "  AcmeDns     passed  1 of 1",
            "  Cloudflare  passed  2 of 2",
            "  Route53     FAILED  0 of 1",
            "  Webhook     FAILED  1 of 2",
        ]
        self.assertEqual(matrix.lines("DNS matrix", matrix.read(REPORT)), expected)

    def test_without_tests_nothing_has_passed(self) -> None:
        self.assertEqual(matrix.lines("DNS matrix", matrix.read("<testsuite/>")), ["DNS matrix: 0 of 0 passed"])


if __name__ == "__main__":
    unittest.main()
