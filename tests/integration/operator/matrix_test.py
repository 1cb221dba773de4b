"""What matrix.py makes of a report of ctest."""

import unittest
import xml.etree.ElementTree as ElementTree

import matrix

REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="(empty)" tests="6" failures="1" disabled="0" skipped="1">
 <testcase name="operator.test_dns_providers.Webhook.test_a" status="fail" time="2"><failure message=""/></testcase>
 <testcase name="operator.test_dns_providers.Route53.test_with_keys" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>
 <testcase name="operator.test_ca.StepCa.test_issues_and_renews" status="run" time="12.34"><system-out>x</system-out></testcase>
 <testcase name="operator.test_http01.Killed.test_between" status="run" time="3"/>
 <testcase name="unit_acme.Order.IsFollowed" status="run" time="0.1"/>
</testsuite>"""


class Matrix(unittest.TestCase):
    def test_a_line_for_each_test_of_a_ca_or_a_provider(self) -> None:
        lines = [line.split() for line in matrix.rows(ElementTree.fromstring(REPORT))]
        expected = [
            "CA Step Ca: issues and renews passed 12.3 s",
            "DNS Route53: with keys not run 0.0 s",
            "DNS Webhook: a FAILED 2.0 s",
            "HTTP Killed: between passed 3.0 s",
        ]
        self.assertEqual(lines, [line.split() for line in expected])


if __name__ == "__main__":
    unittest.main()
