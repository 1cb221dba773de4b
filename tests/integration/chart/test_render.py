"""What the chart renders, with both Helms: refused values, rights, the CRDs, the pod, and that the operator's program takes the arguments."""

import copy
import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

import yaml

from helm import CHART, EXTREME, IMAGE, ROOT, SMALLEST, Object, objects, of_kind, run, template

HELMS = ("helm3", "helm4")
VALUES = {"default": IMAGE, "extreme": EXTREME, "smallest": SMALLEST}


def with_(path: str, value: Any, base: Object = IMAGE) -> Object:
    """The values that a chart needs, and one more."""
    values: Object = copy.deepcopy(base)
    *above, last = path.split(".")
    target = values
    for name in above:
        target = target.setdefault(name, {})
    target[last] = value
    return values


KEPT: Object = with_("extraVolumeMounts", [{"name": "audit", "mountPath": "/var/lib/edgetrust"}])
SINK: Object = with_("audit", {"log": "/var/lib/edgetrust/audit.log", "sink": {"url": "https://audit.example.com/", "keyFile": "/etc/edgetrust/audit/key"}}, KEPT)
UNGUARDED_PAGE: Object = with_("page", {"enabled": True, "hosts": ["edgetrust.example.com"]}, with_("networkPolicy.enabled", False))


# A value that is refused, and where.
REFUSED: list[tuple[Object, str]] = [
    (with_("image.repository", "registry.example.com/edgetrust@sha256:abc"), "/image/repository"),
    (with_("image.digest", "sha256:abc"), "/image/digest"),
    (with_("image.pullPolicy", "Sometimes"), "/image/pullPolicy"),
    (with_("replica", 2), "replica"),
    (with_("crds.keep", False), "keep"),
    (with_("podSecurity.privileged", True), "privileged"),
    (with_("resources.requests.gpu", 1), "gpu"),
    (with_("replicas", -1), "/replicas"),
    (with_("replicas", "2"), "/replicas"),
    (with_("watchNamespaces", ["voice,other"]), "/watchNamespaces/0"),
    (with_("watchNamespaces", ["voice", "voice"]), "/watchNamespaces"),
    (with_("workers", 65), "/workers"),
    (with_("logLevel", "trace"), "/logLevel"),
    (with_("kubeApi.kubeconfig", "relative"), "/kubeApi/kubeconfig"),
    (with_("dns.endpoints", {"cloudflare": "http://dns.example.com"}), "/dns/endpoints/cloudflare"),
    (with_("extraArgs", ["plan"]), "/extraArgs/0"),
    (with_("extraVolumeMounts", [{"name": "x"}]), "/extraVolumeMounts/0"),
    (with_("podSecurity.runAsUser", 0), "/podSecurity/runAsUser"),
    (with_("resources.limits.memory", "lots"), "/resources/limits/memory"),
    (with_("terminationGracePeriodSeconds", 5), "/terminationGracePeriodSeconds"),
    (with_("metrics.port", 80), "/metrics/port"),
    (with_("prometheusRule.runbooks", "controller/docs/operations.md"), "/prometheusRule/runbooks"),
    (with_("http01.port", 80), "/http01/port"),
    (with_("http01.service.type", "ExternalName"), "/http01/service/type"),
    (with_("http01.ingress.hosts", [""]), "/http01/ingress/hosts/0"),
    (with_("page.port", 80), "/page/port"),
    (with_("page.hosts", ["edgetrust.example.com:8082"]), "/page/hosts/0"),  # a name, no port
    (with_("audit", None), "missing property 'audit'"),  # a section without a word
    (with_("audit.sink", None), "missing property 'sink'"),
    (with_("podDisruptionBudget.minAvailable", "half"), "/podDisruptionBudget/minAvailable"),
    (with_("serviceMonitor.interval", "often"), "/serviceMonitor/interval"),
    (with_("prometheusRule.disabled", [""]), "/prometheusRule/disabled/0"),
]

# Where an object's own labels are followed by those of a value.
LABELS = ("commonLabels", "podLabels", *(f"{of}.labels" for of in ("metrics.service", "http01.service", "http01.ingress", "http01.httpRoute", "page.service", "serviceMonitor", "prometheusRule", "dashboards")))
HTTP01: Object = with_("http01.enabled", True)
PAGE: Object = with_("page.enabled", True)

# Values that cannot work, each right by itself, and the words that say what to change.
UNWORKABLE: list[tuple[Object, str]] = [
    ({}, "image.repository is empty: no image is published. Build it by `make image`"),
    (with_("http01.port", 8080, HTTP01), "http01.port and metrics.port are both 8080: give one of them another"),
    (with_("page.port", 8080, PAGE), "metrics.port and page.port are both 8080: give one of them another"),
    (with_("page", {"enabled": True, "port": 8089}, HTTP01), "http01.port and page.port are both 8089: give one of them another"),
    (with_("audit.sink.keyFile", "/etc/edgetrust/audit/key"), "audit.sink.url is empty, and without it nothing is sent: set it, or empty audit.sink.keyFile and audit.sink.caFile"),
    (with_("audit.sink.caFile", "/etc/edgetrust/audit/ca.pem"), "audit.sink.url is empty, and without it nothing is sent: set it, or empty audit.sink.keyFile and audit.sink.caFile"),
    (with_("audit.sink.keyFile", "", SINK), "audit.sink.keyFile is empty: name a file"),
    (with_("audit.log", "", SINK), "audit.log names no file"),
    (with_("audit.log", "-", SINK), "audit.log names no file"),
    (with_("audit.log", "/var/log/audit.log", KEPT), "audit.log is /var/log/audit.log, and no volume of extraVolumeMounts holds it"),
    (with_("audit.log", "/var/lib/edgetrust2/audit.log", KEPT), "audit.log is /var/lib/edgetrust2/audit.log, and no volume"),
    (with_("leaderElection.enabled", False), "replicas is 2 and leaderElection.enabled is false"),
    (UNGUARDED_PAGE, "page.hosts are set and networkPolicy.enabled is false"),
    (with_("podAnnotations", {"kubectl.kubernetes.io/default-container": "other"}), "podAnnotations: kubectl.kubernetes.io/default-container is there already"),
    (with_("prometheusRule.disabled", ["EdgetrustRollback", "EdgetrustRolback"]), "prometheusRule.disabled: there is no alert EdgetrustRolback. There are EdgetrustAbsent, "),
    (with_("http01.httpRoute.enabled", True, HTTP01), "http01.httpRoute.parentRefs is empty: name the Gateway"),
    *((with_(path, {"app.kubernetes.io/name": "voice"}), f"{path}: the label app.kubernetes.io/name is there already: leave it out. The chart sets it") for path in LABELS),
    (with_("podLabels", {"team": "b"}, with_("commonLabels", {"team": "a"})), "podLabels: the label team is there already: leave it out. commonLabels sets it"),
]


def rules_of_the_operator() -> list[Object]:
    role = of_kind(objects((ROOT / "manifests" / "operator" / "rbac.yaml").read_text()), "Role")[0]
    rules: list[Object] = role["rules"]
    return rules


def pod_of(found: list[Object]) -> Object:
    pod: Object = of_kind(found, "Deployment")[0]["spec"]["template"]["spec"]
    return pod


class Render(unittest.TestCase):
    rendered: dict[str, list[Object]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.rendered = {name: objects(template("helm4", values)) for name, values in VALUES.items()}

    # --- values

    def test_lint_finds_nothing(self) -> None:
        for helm in HELMS:
            for name, values in VALUES.items():
                with self.subTest(helm, values=name):
                    run(helm, "lint", "--strict", str(CHART), "--values", "-", stdin=json.dumps(values))

    def test_what_is_wrong_is_refused_by_name(self) -> None:
        for helm in HELMS:
            for values, where in REFUSED:
                with self.subTest(helm, where=where), self.assertRaises(AssertionError) as caught:
                    template(helm, values, show_only=["service.yaml"])
                self.assertIn("don't meet the specifications of the schema", str(caught.exception))
                self.assertIn(where, str(caught.exception))

    def test_what_cannot_work_is_refused_with_what_to_change(self) -> None:
        for helm in HELMS:
            for values, words in UNWORKABLE:
                with self.subTest(helm, words=words), self.assertRaises(AssertionError) as caught:
                    template(helm, values, show_only=["service.yaml"])
                self.assertIn(words, str(caught.exception))

    def test_all_that_cannot_work_is_said_at_once(self) -> None:
        with self.assertRaises(AssertionError) as caught:
            template("helm4", with_("podLabels", {"helm.sh/chart": "voice"}, with_("image.repository", "")))
        self.assertRegex(str(caught.exception), "(?s)image.repository is empty.*podLabels: the label helm.sh/chart is there already")

    def test_what_goes_together_is_taken(self) -> None:
        for helm in HELMS:
            for values in (with_("http01.port", 8080), with_("page.port", 8080), SINK, with_("audit.log", "/var/lib/edgetrust", KEPT), with_("audit.log", "-"), with_("page.withoutNetworkPolicy", True, UNGUARDED_PAGE), with_("page.hosts", [], UNGUARDED_PAGE), with_("page.enabled", False, UNGUARDED_PAGE)):
                with self.subTest(helm, values=values):
                    template(helm, values, show_only=["service.yaml"])

    def test_both_helms_render_the_same(self) -> None:
        for name, values in VALUES.items():
            with self.subTest(name):
                self.assertEqual(objects(template("helm3", values)), self.rendered[name])

    def test_the_install_manifest_is_current(self) -> None:
        self.assertEqual(run(str(ROOT / "charts" / "install")), (ROOT / "manifests" / "install.yaml").read_text(), "run `make chart`")

    def test_the_example_of_an_audit_trail_is_whole(self) -> None:
        text = (ROOT / "controller" / "docs" / "how-to" / "audit-trail.md").read_text()
        values, alone = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.S))
        pod = pod_of(objects(template("helm4", IMAGE | values)))
        (container,) = pod["containers"]
        flags = dict(argument[2:].split("=", 1) for argument in container["args"] if argument.startswith("--audit-"))
        self.assertEqual(set(flags), {"audit-log", "audit-sink", "audit-sink-key-file", "audit-sink-ca-file"})
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"] for volume in pod["volumes"]}
        for flag in ("audit-log", "audit-sink-key-file", "audit-sink-ca-file"):
            self.assertIn(mounts[str(Path(flags[flag]).parent)], volumes)
        (deployment,) = of_kind(objects(template("helm4", IMAGE | values | alone)), "Deployment")
        self.assertEqual((deployment["spec"]["replicas"], deployment["spec"]["strategy"]), (1, {"type": "Recreate"}))

    # --- rights

    def test_each_watched_namespace_gets_the_rights_of_the_operator_and_no_more(self) -> None:
        for name, namespaces in (("default", ["edgetrust"]), ("extreme", ["voice-a", "voice-b"])):
            with self.subTest(name):
                roles = [role for role in of_kind(self.rendered[name], "Role") if not role["metadata"]["name"].endswith("-leader-election")]
                self.assertEqual([role["metadata"]["namespace"] for role in roles], namespaces)
                for role in roles:
                    self.assertEqual(role["rules"], rules_of_the_operator())

    def test_the_lease_is_granted_in_one_namespace_by_its_name(self) -> None:
        for name, namespace in (("default", "edgetrust"), ("extreme", "voice-b")):
            with self.subTest(name):
                (role,) = [role for role in of_kind(self.rendered[name], "Role") if role["metadata"]["name"].endswith("-leader-election")]
                self.assertEqual(role["metadata"]["namespace"], namespace)
                self.assertEqual({tuple(rule["resources"]) for rule in role["rules"]}, {("leases",)})
                self.assertEqual([rule["verbs"] for rule in role["rules"] if "resourceNames" not in rule], [["create"]])

    def test_each_role_is_bound_to_the_operator_alone(self) -> None:
        for name, account in (("default", "edgetrust"), ("extreme", "voice-operator")):
            with self.subTest(name):
                self.assertEqual(pod_of(self.rendered[name])["serviceAccountName"], account)
                roles = {(role["metadata"]["namespace"], role["metadata"]["name"]) for role in of_kind(self.rendered[name], "Role")}
                bindings = of_kind(self.rendered[name], "RoleBinding")
                self.assertEqual({(binding["metadata"]["namespace"], binding["roleRef"]["name"]) for binding in bindings}, roles)
                for binding in bindings:
                    self.assertEqual(binding["subjects"], [{"kind": "ServiceAccount", "name": account, "namespace": "edgetrust"}])

    def test_nothing_is_granted_in_the_whole_cluster(self) -> None:
        for name, found in self.rendered.items():
            with self.subTest(name):
                self.assertEqual({one["kind"] for one in found if "namespace" not in one["metadata"]} - {"CustomResourceDefinition", "ClusterRole", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}, set())
                self.assertEqual(of_kind(found, "ClusterRoleBinding"), [])

    def test_the_clusters_roles_grant_neither_a_status_nor_a_secret(self) -> None:
        kinds = {file.name.split(".")[0] for file in (ROOT / "crds").glob("*.yaml")}
        roles = {role["metadata"]["name"].rsplit("-", 1)[1]: role for role in of_kind(self.rendered["default"], "ClusterRole")}
        # Aggregated into nothing: bound where they are wanted.
        for name, resource, verb in (("approver", "edgecertificates", "approve"), ("override", "pinpolicies", "override")):
            role = roles.pop(name)
            self.assertEqual([label for label in role["metadata"]["labels"] if "aggregate-to" in label], [])
            self.assertEqual(role["rules"], [{"apiGroups": ["edgetrust.io"], "resources": [resource], "verbs": ["get", "list", "watch", "patch", verb]}])
        self.assertEqual(set(roles), {"view", "edit", "admin"})
        granted = {(resource, verb) for rule in roles["admin"]["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
        self.assertLessEqual({("edgecertificates", "approve"), ("pinpolicies", "override")}, granted)
        for name in ("view", "edit"):
            self.assertFalse({"approve", "override"} & {verb for rule in roles[name]["rules"] for verb in rule["verbs"]})
        into = {name: {label.rsplit("-", 1)[1] for label in role["metadata"]["labels"] if "aggregate-to" in label} for name, role in roles.items()}
        self.assertEqual(into, {"view": {"view", "edit", "admin"}, "edit": {"edit", "admin"}, "admin": {"admin"}})
        for role in roles.values():
            for rule in role["rules"]:
                self.assertEqual(rule["apiGroups"], ["edgetrust.io"])
                self.assertLessEqual(set(rule["resources"]), kinds, "no status, no other kind")
        self.assertEqual((set(roles["view"]["rules"][0]["resources"]), roles["view"]["rules"][0]["verbs"]), (kinds, ["get", "list", "watch"]))
        written = [set(roles[name]["rules"][0]["resources"]) for name in ("edit", "admin")]
        self.assertEqual((written[0] | written[1], written[0] & written[1]), (kinds, set()))
        self.assertEqual(written[1], {"acmeissuers", "genesysconnections", "rotationpolicies"}, "they name hosts that keys and credentials go to, or say whether an approval is asked for")

    # --- the CRDs

    def test_the_crds_are_those_of_the_program_and_stay(self) -> None:
        committed = [objects(file.read_text())[0] for file in sorted((ROOT / "crds").glob("*.yaml"))]
        rendered = of_kind(self.rendered["default"], "CustomResourceDefinition")
        self.assertEqual([crd["metadata"]["name"] for crd in rendered], [crd["metadata"]["name"] for crd in committed])
        for ours, theirs in zip(committed, rendered, strict=True):
            self.assertEqual(theirs["spec"], ours["spec"])
            self.assertEqual(theirs["metadata"]["annotations"], {"helm.sh/resource-policy": "keep"})
        self.assertEqual(of_kind(self.rendered["smallest"], "CustomResourceDefinition"), [])

    # --- the pod

    def test_the_program_takes_the_arguments(self) -> None:
        for name, found in self.rendered.items():
            with self.subTest(name):
                arguments = pod_of(found)["containers"][0]["args"]
                self.assertRegex(run(os.environ["EDGETRUST"], *arguments, "--version"), r"^edgetrust \d")
        with self.assertRaises(AssertionError):
            run(os.environ["EDGETRUST"], "--worker=8", "--version")

    def test_every_flag_of_the_program_is_reached_by_a_value(self) -> None:
        usage = run(os.environ["EDGETRUST"], "--help").split("Subcommands")[0]
        flags = set(re.findall(r"(?<=[\s,])--[a-z][a-z0-9-]+", usage)) - {"--help", "--version"}
        self.assertIn("--leader-elect", flags)
        arguments = pod_of(self.rendered["extreme"])["containers"][0]["args"]
        self.assertEqual({argument.split("=")[0] for argument in arguments}, flags)
        self.assertIn("--namespaces=voice-a,voice-b", arguments)
        self.assertIn('--context=of: "theirs"', arguments)

    def test_more_arguments_are_handed_on_as_they_are(self) -> None:
        found = objects(template("helm4", with_("extraArgs", ["--later=a b: c"]), show_only=["deployment.yaml"]))
        self.assertEqual(pod_of(found)["containers"][0]["args"][-1], "--later=a b: c")

    def test_a_budget_is_of_one_kind(self) -> None:
        budgets = {name: of_kind(found, "PodDisruptionBudget")[0]["spec"] for name, found in self.rendered.items() if name != "smallest"}
        self.assertEqual((budgets["default"]["maxUnavailable"], budgets["extreme"]["minAvailable"]), (1, "50%"))
        self.assertFalse({"minAvailable"} & set(budgets["default"]) or {"maxUnavailable"} & set(budgets["extreme"]))

    def test_where_no_operator_is_elected_two_never_run_side_by_side(self) -> None:
        deployment = of_kind(self.rendered["smallest"], "Deployment")[0]["spec"]
        self.assertEqual((deployment["replicas"], deployment["strategy"]), (1, {"type": "Recreate"}))
        self.assertFalse([argument for argument in pod_of(self.rendered["smallest"])["containers"][0]["args"] if "leader" in argument])

    def test_the_image_is_pulled_by_digest_where_there_is_one(self) -> None:
        images = {name: pod_of(found)["containers"][0]["image"] for name, found in self.rendered.items()}
        self.assertEqual(images["extreme"], "registry.example.com:5000/voice/edgetrust@sha256:" + 64 * "a")
        self.assertRegex(images["default"], r"^registry\.invalid/edgetrust:\d+\.\d+\.\d+$")

    def test_probes_service_and_policies_speak_of_the_pods_port(self) -> None:
        for name, found in self.rendered.items():
            with self.subTest(name):
                container = pod_of(found)["containers"][0]
                port = container["ports"][0]
                self.assertEqual((container["livenessProbe"]["httpGet"], container["readinessProbe"]["httpGet"]), ({"path": "/healthz", "port": port["name"]}, {"path": "/readyz", "port": port["name"]}))
                self.assertIn(f"--port={port['containerPort']}", container["args"])
                labels = of_kind(found, "Deployment")[0]["spec"]["template"]["metadata"]["labels"]
                (service,) = [service for service in of_kind(found, "Service") if service["metadata"]["name"].endswith("-metrics")]
                self.assertEqual(service["spec"]["ports"][0]["targetPort"], port["name"])
                self.assertLessEqual(service["spec"]["selector"].items(), labels.items())
                for policy in of_kind(found, "NetworkPolicy"):
                    self.assertLessEqual(policy["spec"]["podSelector"]["matchLabels"].items(), labels.items())
                    self.assertEqual(policy["spec"]["ingress"][0]["ports"], [{"port": port["name"], "protocol": "TCP"}])
                for monitor in of_kind(found, "ServiceMonitor"):
                    self.assertLessEqual(monitor["spec"]["selector"]["matchLabels"].items(), service["metadata"]["labels"].items())
                    self.assertEqual((monitor["spec"]["endpoints"][0]["port"], monitor["spec"]["endpoints"][0]["honorLabels"]), (service["spec"]["ports"][0]["name"], True))
        self.assertEqual(of_kind(self.rendered["default"], "NetworkPolicy")[0]["spec"]["egress"], [{}])
        self.assertEqual(of_kind(self.rendered["extreme"], "NetworkPolicy")[0]["spec"]["egress"], EXTREME["networkPolicy"]["egress"])

    def test_http01_is_led_to_the_pods_by_one_path_alone(self) -> None:
        found = self.rendered["extreme"]
        container = pod_of(found)["containers"][0]
        (port,) = [port for port in container["ports"] if port["name"] == "http01"]
        self.assertIn(f"--http01-port={port['containerPort']}", container["args"])
        (service,) = [service for service in of_kind(found, "Service") if service["metadata"]["name"].endswith("-http01")]
        labels = of_kind(found, "Deployment")[0]["spec"]["template"]["metadata"]["labels"]
        self.assertLessEqual(service["spec"]["selector"].items(), labels.items())
        self.assertEqual([(one["port"], one["targetPort"]) for one in service["spec"]["ports"]], [(80, "http01")])
        (ingress,) = of_kind(found, "Ingress")
        self.assertEqual([rule["host"] for rule in ingress["spec"]["rules"]], EXTREME["http01"]["ingress"]["hosts"])
        for rule in ingress["spec"]["rules"]:
            (path,) = rule["http"]["paths"]
            self.assertEqual((path["path"], path["pathType"]), ("/.well-known/acme-challenge/", "Prefix"))
            self.assertEqual(path["backend"]["service"], {"name": service["metadata"]["name"], "port": {"name": "http01"}})
        (route,) = of_kind(found, "HTTPRoute")
        (rule,) = route["spec"]["rules"]
        self.assertEqual(rule["matches"], [{"path": {"type": "PathPrefix", "value": "/.well-known/acme-challenge/"}}])
        self.assertEqual(rule["backendRefs"], [{"name": service["metadata"]["name"], "port": 80}])
        self.assertEqual(of_kind(found, "NetworkPolicy")[0]["spec"]["ingress"][1], {"ports": [{"port": "http01", "protocol": "TCP"}], "from": EXTREME["networkPolicy"]["http01From"]})

    def test_http01_without_hosts_is_for_all_of_them(self) -> None:
        found = objects(template("helm4", with_("http01", {"enabled": True, "ingress": {"enabled": True}, "httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}]}})))
        (rule,) = of_kind(found, "Ingress")[0]["spec"]["rules"]
        self.assertNotIn("host", rule)
        self.assertNotIn("hostnames", of_kind(found, "HTTPRoute")[0]["spec"])
        self.assertEqual(of_kind(found, "NetworkPolicy")[0]["spec"]["ingress"][1], {"ports": [{"port": "http01", "protocol": "TCP"}]})

    def test_nothing_for_http01_unless_asked(self) -> None:
        for name in ("default", "smallest"):
            self.assertEqual([one["metadata"]["name"] for one in self.rendered[name] if one["metadata"]["name"].endswith("-http01")], [])
            self.assertEqual([port["name"] for port in pod_of(self.rendered[name])["containers"][0]["ports"]], ["metrics"])
            self.assertFalse([argument for argument in pod_of(self.rendered[name])["containers"][0]["args"] if "http01" in argument])

    def test_the_page_is_open_to_whom_is_named_alone(self) -> None:
        found = self.rendered["extreme"]
        container = pod_of(found)["containers"][0]
        (port,) = [port for port in container["ports"] if port["name"] == "page"]
        for argument in (f"--page-port={port['containerPort']}", "--page-hosts=edgetrust.example.com,voice.example.com", "--page-bind-address=::"):
            self.assertIn(argument, container["args"])
        (service,) = [service for service in of_kind(found, "Service") if service["metadata"]["name"].endswith("-page")]
        self.assertLessEqual(service["spec"]["selector"].items(), of_kind(found, "Deployment")[0]["spec"]["template"]["metadata"]["labels"].items())
        self.assertEqual([(one["port"], one["targetPort"]) for one in service["spec"]["ports"]], [(80, "page")])
        self.assertEqual(of_kind(found, "NetworkPolicy")[0]["spec"]["ingress"][2], {"ports": [{"port": "page", "protocol": "TCP"}], "from": EXTREME["networkPolicy"]["pageFrom"]})
        nobody = objects(template("helm4", with_("page", {"enabled": True, "hosts": ["edgetrust.example.com"]})))
        self.assertEqual(len(of_kind(nobody, "NetworkPolicy")[0]["spec"]["ingress"]), 1)

    def test_a_page_without_hosts_is_reached_by_port_forward_alone(self) -> None:
        found = objects(template("helm4", with_("page", {"enabled": True})))
        arguments = pod_of(found)["containers"][0]["args"]
        self.assertIn("--page-port=8082", arguments)
        self.assertFalse([argument for argument in arguments if "page-bind-address" in argument or "page-hosts" in argument], "the program's own: loopback")
        self.assertEqual([one["metadata"]["name"] for one in of_kind(found, "Service")], ["edgetrust-metrics"])
        self.assertEqual(len(of_kind(found, "NetworkPolicy")[0]["spec"]["ingress"]), 1)
        for name in ("default", "smallest"):
            self.assertFalse([argument for argument in pod_of(self.rendered[name])["containers"][0]["args"] if "page" in argument])

    def test_a_constraint_without_a_selector_spreads_the_pods(self) -> None:
        selector = of_kind(self.rendered["default"], "Deployment")[0]["spec"]["selector"]
        constraints = pod_of(self.rendered["default"])["topologySpreadConstraints"]
        self.assertEqual([constraint["labelSelector"] for constraint in constraints], [selector, selector])
        self.assertEqual(pod_of(self.rendered["extreme"])["topologySpreadConstraints"], EXTREME["topologySpreadConstraints"])

    # --- the alerts

    def test_the_alerts_keep_their_words_and_lead_to_the_runbooks(self) -> None:
        (rule,) = of_kind(self.rendered["extreme"], "PrometheusRule")
        of_file, of_object = ([one for group in groups for one in group["rules"]] for groups in (objects((CHART / "files" / "alerts.yaml").read_text())[0]["groups"], rule["spec"]["groups"]))
        written, alerts = ({one["alert"]: one for one in rules if "alert" in one} for rules in (of_file, of_object))
        recorded, handed_on = ([one for one in rules if "record" in one] for rules in (of_file, of_object))
        self.assertEqual((handed_on, of_object[: len(recorded)]), (recorded, recorded), "as they are, and before what asks for them")
        self.assertEqual(set(written) - set(alerts), {"EdgetrustUnmanagedEdges"})
        for name, alert in alerts.items():
            self.assertEqual(alert["annotations"].pop("runbook_url"), f"https://docs.example.com/operations#{name.lower()}")
            self.assertEqual(alert["labels"].pop("team"), "voice")
            self.assertEqual(alert, written[name])
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(rule["spec"], file)
            file.flush()
            done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_where_nobody_says_where_the_runbooks_are_no_link_is_made_up(self) -> None:
        (rule,) = of_kind(objects(template("helm4", with_("prometheusRule.enabled", True))), "PrometheusRule")
        alerts = [one for group in rule["spec"]["groups"] for one in group["rules"] if "alert" in one]
        self.assertGreater(len(alerts), 30)
        self.assertEqual({name for alert in alerts for name in alert["annotations"]}, {"summary", "description"})

    def test_the_dashboards_are_handed_on_as_they_are(self) -> None:
        files = {file.stem: file.read_text() for file in (CHART / "files" / "dashboards").glob("*.json")}
        maps = {one["metadata"]["name"].rsplit("-", 1)[1]: one for one in of_kind(self.rendered["extreme"], "ConfigMap")}
        self.assertEqual(set(maps), set(files))
        for name, one in maps.items():
            self.assertEqual((one["metadata"]["namespace"], one["metadata"]["labels"]["for"]), ("voice-a", "grafana"))
            self.assertEqual(one["metadata"]["annotations"], {"grafana_folder": "edgetrust"})
            self.assertEqual(json.loads(one["data"][f"edgetrust-{name}.json"]), json.loads(files[name]))
        self.assertEqual(of_kind(self.rendered["default"], "ConfigMap"), [])
        found = objects(template("helm4", with_("dashboards.enabled", True), show_only=["dashboards.yaml"]))
        self.assertEqual({one["metadata"]["labels"]["grafana_dashboard"] for one in found}, {"1"})

    # --- the admission policies

    def test_the_policies_hold_in_the_watched_namespaces_alone(self) -> None:
        for name, namespaces in (("default", ["edgetrust"]), ("extreme", ["voice-a", "voice-b"])):
            policies = {one["metadata"]["name"] for one in of_kind(self.rendered[name], "ValidatingAdmissionPolicy")}
            bindings = of_kind(self.rendered[name], "ValidatingAdmissionPolicyBinding")
            self.assertEqual({one["spec"]["policyName"] for one in bindings}, policies)
            self.assertEqual(len(policies), 3)
            for one in bindings:
                (of_namespace,) = one["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
                self.assertEqual(of_namespace, {"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces})
        self.assertEqual(of_kind(self.rendered["smallest"], "ValidatingAdmissionPolicy"), [])

    def test_nothing_for_the_prometheus_operator_unless_asked(self) -> None:
        for name in ("default", "smallest"):
            self.assertEqual([one for one in self.rendered[name] if one["apiVersion"].startswith("monitoring")], [])


if __name__ == "__main__":
    unittest.main()
