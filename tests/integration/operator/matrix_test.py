"""What matrix.py makes of a report of ctest."""

import unittest
import xml.etree.ElementTree as ElementTree

import matrix

REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="(empty)" tests="6" failures="1" disabled="0" skipped="1">
 <testcase name="operator.test_dns_providers.Webhook.test_b_is_done" time="1.25" status="run"/>
 <testcase name="operator.test_dns_providers.Webhook.test_a" time="2" status="fail"><failure message=""/></testcase>
 <testcase name="operator.test_dns_providers.AcmeDns.test_a" time="3" status="notrun"><skipped message="SKIP"/></testcase>
 <testcase name="operator.test_ca.StepCa.test_a" time="4" status="run"><system-out>x</system-out></testcase>
 <testcase name="operator.test_http01.Killed.test_a" time="3" status="run"/>
 <testcase name="unit_dns.Lookups.AStopEndsItAtOnce" time="0" status="run"/>
</testsuite>"""


class Matrix(unittest.TestCase):
    def test_each_test_of_a_matrix_has_a_line_and_no_other_has(self) -> None:
        lines = [" ".join(line.split()) for line in matrix.rows(ElementTree.fromstring(REPORT))]
        self.assertEqual(lines, ["CA Step Ca: a passed 4.0 s", "DNS Acme Dns: a not run 3.0 s", "DNS Webhook: a FAILED 2.0 s", "DNS Webhook: b is done passed 1.2 s", "HTTP Killed: a passed 3.0 s"])


if __name__ == "__main__":
    unittest.main()
