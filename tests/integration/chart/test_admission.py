"""The admission policies on a real API server: who may approve a revision and switch pinning off, and what the others are told.

KUBECTL_EDGETRUST names the plugin's program.
"""

import json
import os
import subprocess
import tempfile
import time
import unittest
import uuid
from pathlib import Path
from typing import Any

from helm import IMAGE, ROOT, Object, objects, run, template

SAMPLES = ROOT / "manifests" / "samples"


def sample(file: str, name: str) -> Object:
    return next(one for one in objects((SAMPLES / file).read_text()) if one["metadata"]["name"] == name)


class Admission(unittest.TestCase):
    """ada may approve and override, eve may edit what there is."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.namespace = "t-" + uuid.uuid4().hex[:10]
        cls.release = f"{cls.namespace}-edgetrust"
        cls.leaving = cls.namespace + "-leaving"
        cls.create(*({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in (cls.namespace, cls.leaving)))
        rendered = objects(template("helm4", IMAGE | {"watchNamespaces": [cls.namespace, cls.leaving]}, cls.namespace, show_only=["admissionpolicies.yaml", "aggregated-roles.yaml"]))
        cls.addClassCleanup(cls.kubectl, "delete", "-f", "-", given=rendered)
        cls.create(*rendered)
        # Nobody aggregates here, so what edit and admin include is bound beside them.
        for user, role in (("ada", "approver"), ("ada", "override"), ("eve", "view"), ("eve", "edit"), ("root", "view"), ("root", "edit"), ("root", "admin")):
            cls.bind(role, {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"})
        cls.create(cls.certificate(), cls.pins())
        # The API server learns of a policy a moment after it was stored.
        deadline = time.monotonic() + 60
        asked = (
            lambda: cls.approve("eve", '{"revision":7,"by":"eve"}', "--dry-run=server"),
            lambda: cls.move("eve", {"name": "lax"}, "--dry-run=server"),
            lambda: cls.override("eve", "--dry-run=server"),
        )
        while not all("ValidatingAdmissionPolicy" in ask().stderr for ask in asked):
            assert time.monotonic() < deadline, "the policies do not come into force"
            time.sleep(0.2)

    @staticmethod
    def kubectl(*arguments: str, given: list[Object] | None = None) -> subprocess.CompletedProcess[str]:
        stdin = None if given is None else json.dumps({"apiVersion": "v1", "kind": "List", "items": given})
        return subprocess.run(["kubectl", *arguments], input=stdin, capture_output=True, text=True, check=False)

    @classmethod
    def create(cls, *things: Object) -> None:
        done = cls.kubectl("create", "-f", "-", given=list(things))
        assert done.returncode == 0, done.stderr

    @classmethod
    def bind(cls, role: str, subject: Object) -> None:
        cls.create(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": f"{subject['name']}-{role}", "namespace": cls.namespace},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"{cls.release}-{role}"},
                "subjects": [subject],
            }
        )

    @classmethod
    def asks_for_approvals(cls, namespace: str) -> None:
        """A policy there, and eve may write it: the chart's edit does not, a Role of somebody's own may."""
        metadata = {"name": "default", "namespace": namespace}
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": [{"apiGroups": ["edgetrust.io"], "resources": ["rotationpolicies"], "verbs": ["*"]}]}
        subject = {"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}
        binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "default"}, "subjects": [subject]}
        policy = {"apiVersion": "edgetrust.io/v1alpha1", "kind": "RotationPolicy", "metadata": metadata, "spec": {"approval": {"required": True}, "urgent": {"mayBreak": ["Window"]}}}
        cls.create(role, binding, policy)

    @classmethod
    def plugin(cls, kubeconfig: Path, *words: str) -> subprocess.CompletedProcess[str]:
        program = Path(os.environ["KUBECTL_EDGETRUST"])
        variables = os.environ | {"KUBECONFIG": str(kubeconfig), "PATH": f"{program.parent}:{os.environ['PATH']}"}
        return subprocess.run(["kubectl", "edgetrust", *words, "-n", cls.namespace], env=variables, capture_output=True, text=True, check=False)

    @classmethod
    def certificate(cls, name: str = "edge01", **annotations: str) -> Object:
        made = sample("certificates.yaml", "edge01")
        made["metadata"] = {"name": name, "namespace": cls.namespace, "annotations": {f"edgetrust.io/{key}": value for key, value in annotations.items()}}
        return made

    @classmethod
    def pins(cls, **spec: Any) -> Object:
        made = sample("pins.yaml", "cloud")
        made["metadata"]["namespace"] = cls.namespace
        made["spec"] |= spec
        return made

    @classmethod
    def patch(cls, user: str, kind: str, name: str, change: Object, *more: str) -> subprocess.CompletedProcess[str]:
        return cls.kubectl("patch", kind, name, "-n", cls.namespace, "--type=merge", "-p", json.dumps(change), f"--as={user}", *more)

    @classmethod
    def approve(cls, user: str, approval: str | None, *more: str) -> subprocess.CompletedProcess[str]:
        return cls.patch(user, "edgecertificate", "edge01", {"metadata": {"annotations": {"edgetrust.io/approve": approval}}}, *more)

    @classmethod
    def move(cls, user: str, policy: Object | None, *more: str) -> subprocess.CompletedProcess[str]:
        return cls.patch(user, "edgecertificate", "edge01", {"spec": {"policyRef": policy}}, *more)

    @classmethod
    def override(cls, user: str, *more: str, until: str = "2027-01-01T00:00:00Z") -> subprocess.CompletedProcess[str]:
        return cls.patch(user, "pinpolicy", "cloud", {"spec": {"emergencyOverride": {"disablePinning": True, "until": until, "reason": "INC1"}}}, *more)

    def accepted(self, done: subprocess.CompletedProcess[str]) -> None:
        self.assertEqual(done.returncode, 0, done.stderr)

    def forbidden(self, done: subprocess.CompletedProcess[str], *says: str) -> None:
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("(Forbidden)", done.stderr)  # HTTP 403
        for part in says:
            self.assertIn(part, done.stderr)

    def tearDown(self) -> None:
        self.accepted(self.patch("ada", "pinpolicy", "cloud", {"spec": {"emergencyOverride": None}}))
        self.accepted(self.approve("ada", None))

    def test_an_approval_takes_the_verb_and_ones_own_name(self) -> None:
        self.accepted(self.approve("ada", '{"revision":7,"change":"CHG0045123","by":"ada"}'))
        self.accepted(self.approve("ada", ' { "by" : "ada" ,\n"revision": 8 } '))
        self.accepted(self.approve("root", '{"revision":8,"by":"root"}'))
        self.forbidden(self.approve("eve", '{"revision":7,"by":"eve"}'), "takes the verb approve on edgecertificates", "eve does not have in the namespace " + self.namespace, f"ClusterRole {self.release}-approver")

    def test_the_plugin_approves_again_and_overrides(self) -> None:
        """Under the name that its kubeconfig has, which is a service account's."""
        me = f"system:serviceaccount:{self.namespace}:duty"
        self.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "duty", "namespace": self.namespace}})
        for role in ("approver", "override"):
            self.bind(role, {"kind": "ServiceAccount", "name": "duty", "namespace": self.namespace})
        waits = {"status": {"phase": "AwaitingApproval", "next": "approval of revision 7"}}
        self.accepted(self.kubectl("patch", "edgecertificate", "edge01", "-n", self.namespace, "--type=merge", "--subresource=status", "-p", json.dumps(waits)))
        # What has expired by now is approved anew by the same person under the same change.
        expired = {"revision": 7, "at": "2026-01-01T00:00:00Z", "change": "CHG0045123", "by": me}
        self.accepted(self.approve(me, json.dumps(expired)))
        with tempfile.TemporaryDirectory() as folder:
            kubeconfig = Path(folder) / "kubeconfig"
            run(str(ROOT / "tests" / "stack" / "stack.py"), "token", f"{self.namespace}/duty", "--kubeconfig", str(kubeconfig))
            self.accepted(self.plugin(kubeconfig, "approve", "edge01", "--change", "CHG0045123"))
            self.accepted(self.plugin(kubeconfig, "override", "cloud", "--until", "1h", "--reason", "INC1"))
        stored = json.loads(run("kubectl", "get", "edgecertificate", "edge01", "-n", self.namespace, "-o", "json"))["metadata"]["annotations"]["edgetrust.io/approve"]
        approval = json.loads(stored)
        self.assertGreater(approval.pop("at"), expired.pop("at"))
        self.assertEqual(approval, expired)

    def test_nobody_approves_in_anothers_name(self) -> None:
        for approval in (
            '{"revision":7,"by":"eve"}',
            '{"revision":7,"change":"CHG1"}',
            '{"revision":7,"by":"ada","by":"eve"}',
            '{"revision":7,"by":"eve","by":"ada"}',
            '{"revision":7,"by":"ada "}',
            '{"revision":7,"change":"by","by":"system:masters"}',
        ):
            with self.subTest(approval):
                self.forbidden(self.approve("ada", approval), 'put "by":"ada" into it')
        # As the admin of this cluster could act as ada, it may say so: a restore from a backup does.
        self.accepted(self.kubectl("create", "--dry-run=server", "-f", "-", given=[self.certificate("edge02", approve='{"revision":7,"by":"ada"}')]))

    def test_what_would_be_read_in_two_ways_is_refused(self) -> None:
        for approval in (
            '{"revision":7,"by":"ada","b\\u0079":"eve"}',
            '{"revision":7,"x":{"by":"ada"}}',
            '{"revision":7,"by":["ada"]}',
            '["by","ada"]',
            '{"change":"\\",\\"by\\":\\"ada\\"","by":"eve"}',
            '{"revision":7,"by":"ada"}{"by":"eve"}',
            "yes",
        ):
            with self.subTest(approval):
                self.forbidden(self.approve("ada", approval), "must have the members revision, change, by and at alone", '"by":"ada"')

    def test_what_is_there_already_hinders_nobody(self) -> None:
        self.accepted(self.approve("ada", '{"revision":7,"by":"ada"}'))
        self.accepted(self.patch("eve", "edgecertificate", "edge01", {"metadata": {"annotations": {"edgetrust.io/renew-requested-at": uuid.uuid4().hex}}}))
        self.accepted(self.approve("eve", None, "--dry-run=server"))
        self.accepted(self.override("ada"))
        self.accepted(self.patch("eve", "pinpolicy", "cloud", {"spec": {"logValidationFailures": False}}))
        self.accepted(self.patch("eve", "pinpolicy", "cloud", {"spec": {"emergencyOverride": None}}, "--dry-run=server"))

    def test_who_may_not_approve_does_not_open_the_gate(self) -> None:
        says = ("take the verb approve on all edgecertificates", "eve does not have in the namespace " + self.namespace, f"ClusterRole {self.release}-approver")
        self.accepted(self.move("ada", {"name": "default"}))
        self.accepted(self.move("eve", None))  # the same policy
        self.forbidden(self.move("eve", {"name": "lax"}), *says)
        self.accepted(self.move("ada", {"name": "lax"}, "--dry-run=server"))

        self.asks_for_approvals(self.namespace)
        for change in ({"approval": None}, {"approval": {"required": False}}, {"urgent": {"mayBreak": ["Window", "Approval"]}}):
            with self.subTest(change):
                self.forbidden(self.patch("eve", "rotationpolicy", "default", {"spec": change}), *says)
                self.accepted(self.patch("root", "rotationpolicy", "default", {"spec": change}, "--dry-run=server"))
        for change in ({"approval": {"validFor": "1h"}}, {"urgent": {"mayBreak": ["Freeze"]}}, {"urgent": None}):
            with self.subTest(change):
                self.accepted(self.patch("eve", "rotationpolicy", "default", {"spec": change}))
        self.forbidden(self.kubectl("delete", "rotationpolicy", "default", "-n", self.namespace, "--as=eve"), *says)
        self.accepted(self.patch("root", "rotationpolicy", "default", {"spec": {"approval": {"required": False}}}))
        self.accepted(self.kubectl("delete", "rotationpolicy", "default", "-n", self.namespace, "--as=eve"))

    def test_a_namespace_that_is_deleted_takes_its_policy_with_it(self) -> None:
        self.asks_for_approvals(self.leaving)
        goes = lambda *more: self.kubectl("delete", "rotationpolicy", "default", "-n", self.leaving, "--as=eve", *more)
        self.forbidden(goes())
        self.accepted(self.kubectl("delete", "namespace", self.leaving, "--wait=false"))
        deadline = time.monotonic() + 60
        while goes("--dry-run=server").returncode != 0:  # until what judges has seen it
            self.assertLess(time.monotonic(), deadline, "a namespace would not end")
            time.sleep(0.2)
        self.accepted(goes())

    def test_an_override_takes_the_verb_and_so_does_a_longer_one(self) -> None:
        says = ("spec.emergencyOverride takes the verb override on pinpolicies", "eve does not have in the namespace " + self.namespace, f"ClusterRole {self.release}-override")
        self.forbidden(self.override("eve"), *says)
        self.accepted(self.override("ada"))
        self.forbidden(self.override("eve", until="2028-01-01T00:00:00Z"), *says)
        self.accepted(self.override("root", until="2027-01-02T00:00:00Z"))
        override = {"disablePinning": True, "until": "2027-01-01T00:00:00Z", "reason": "INC1"}
        other = self.pins(emergencyOverride=override) | {"metadata": {"name": "other", "namespace": self.namespace}}
        self.forbidden(self.kubectl("create", "--as=eve", "-f", "-", given=[other]), *says)

    def test_other_namespaces_are_not_judged(self) -> None:
        other = self.certificate("edge01", approve="yes")
        other["metadata"]["namespace"] = "default"
        self.accepted(self.kubectl("create", "--dry-run=server", "-f", "-", given=[other]))


if __name__ == "__main__":
    unittest.main()
