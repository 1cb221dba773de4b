// What the contract asks of every CRD, checked on the definitions themselves; tests/integration gives them to an API
// server.
#include "edgetrust/api/crd.hpp"

#include "golden.hpp"

#include <nlohmann/json.hpp>

namespace edgetrust::api {
namespace {

using Json = nlohmann::ordered_json;

std::map<std::string, Json> definitions() {
  std::map<std::string, Json> all;
  for (const auto& file : custom_resource_definitions()) all[file.name] = Json::parse(file.json);
  return all;
}
const Json& version(const Json& crd) { return crd["spec"]["versions"][0]; }
const Json& schema(const Json& crd) { return version(crd)["schema"]["openAPIV3Schema"]; }

// Calls `visit` with each property below spec and status, and the elements of lists.
void walk(const std::string& path, const Json& node,
          const std::function<void(const std::string&, const Json&)>& visit) {
  visit(path, node);
  if (node.contains("properties")) {
    for (const auto& [name, member] : node["properties"].items()) walk(path + "." + name, member, visit);
  }
  if (node.contains("items")) walk(path + "[]", node["items"], visit);
}
void walk_all(const std::function<void(const std::string&, const Json&)>& visit) {
  for (const auto& [name, crd] : definitions()) {
    const std::string kind = crd["spec"]["names"]["kind"];
    walk(kind + ".spec", schema(crd)["properties"]["spec"], visit);
    walk(kind + ".status", schema(crd)["properties"]["status"], visit);
  }
}

TEST(Crd, NamesAreTheContracts) {
  std::map<std::string, std::string> names;
  for (const auto& [name, crd] : definitions()) {
    const Json& given = crd["spec"]["names"];
    EXPECT_EQ(name, given["plural"].get<std::string>() + ".edgetrust.io");
    EXPECT_EQ(crd["metadata"]["name"], name);
    EXPECT_EQ(crd["apiVersion"], "apiextensions.k8s.io/v1");
    EXPECT_EQ(crd["spec"]["scope"], "Namespaced");
    EXPECT_EQ(crd["spec"]["group"], "edgetrust.io");
    EXPECT_EQ(given["categories"].dump(), R"(["edgetrust"])");
    EXPECT_EQ(version(crd)["name"], "v1alpha1");
    EXPECT_TRUE(version(crd)["subresources"].contains("status"));
    names[given["kind"]] = given["shortNames"][0];
  }
  EXPECT_EQ(names, (std::map<std::string, std::string>{{"EdgeCertificate", "ecert"},
                                                       {"Edge", "gedge"},
                                                       {"RotationPolicy", "rotpol"},
                                                       {"AcmeIssuer", "acmei"},
                                                       {"GenesysConnection", "gconn"},
                                                       {"PinPolicy", "pinpol"}}));
}

TEST(Crd, ColumnsAreTheContracts) {
  std::map<std::string, std::string> columns;
  for (const auto& [name, crd] : definitions()) {
    std::string& line = columns[crd["spec"]["names"]["kind"]];
    for (const auto& column : version(crd)["additionalPrinterColumns"]) {
      const bool wide = column.contains("priority");
      line += (line.empty() ? "" : " ") + column["name"].get<std::string>() + (wide ? "+" : "");
      // kubectl prints a time in the future as <invalid>.
      EXPECT_EQ(column["type"] == "date", column["name"] == "AGE");
    }
  }
  EXPECT_EQ(columns["EdgeCertificate"], "READY EDGE PHASE EXPIRES NEXT ISSUER+ SERIAL+ REVISION+ MESSAGE+ AGE");
  EXPECT_EQ(columns["Edge"], "READY EDGE-ID SITE ONLINE SIP CERT-EXPIRES CLOCK AGE");
  EXPECT_EQ(columns["RotationPolicy"], "READY STATE WAVE ROTATING AGE");
  EXPECT_EQ(columns["AcmeIssuer"], "READY SERVER LIMITED-UNTIL AGE");
  EXPECT_EQ(columns["GenesysConnection"], "READY REGION UPLOAD EDGES AGE");
  EXPECT_EQ(columns["PinPolicy"], "READY MODE ENDPOINT EDGES PINS OVERRIDE AGE");
}

TEST(Crd, EveryFieldIsDescribed) {
  walk_all([](const std::string& path, const Json& node) {
    EXPECT_TRUE(path.ends_with("[]") || !node.value("description", "").empty()) << path;
  });
}

void paths_of(const std::string& path, const json::Value& value, std::set<std::string>& found) {
  found.insert(path);
  if (!value.is_structured()) return;
  for (const auto& [name, member] : value.items()) {
    paths_of(value.is_array() ? path + "[]" : path + "." + name, member, found);
  }
}
// The golden objects leave no field out: what they prove holds for all fields.
TEST(Crd, GoldenObjectsSetEveryField) {
  std::set<std::string> set;
  for (const char* name : {"acmeissuer", "acmeissuer-zerossl", "edge", "edgecertificate", "edgecertificate-source",
                           "genesysconnection", "genesysconnection-endpoints", "pinpolicy", "rotationpolicy"}) {
    const json::Document document = golden(name);
    for (const char* part : {"spec", "status"}) {
      paths_of(document.root()["kind"].string_or("") + "." + part, json::to_value(document.root()[part]), set);
    }
  }
  walk_all([&](const std::string& path, const Json& /*node*/) {
    EXPECT_TRUE(set.contains(path)) << path << " is in no golden object";
  });
}

// CEL's cost estimate needs every length bounded, and nobody should store a megabyte in a name.
TEST(Crd, EveryLengthIsBounded) {
  walk_all([](const std::string& path, const Json& node) {
    EXPECT_TRUE(node["type"] != "string" || node.contains("maxLength") || node.contains("enum")) << path;
    EXPECT_TRUE(node["type"] != "array" || node.contains("maxItems")) << path;
    if (node.contains("additionalProperties")) {
      EXPECT_TRUE(node.contains("maxProperties")) << path;
      EXPECT_TRUE(node["additionalProperties"].contains("maxLength")) << path;
    }
  });
}

// A default counts as set: it may stand in no arm of a union, in nothing that is inherited, and in nothing that is
// refused beside another field. These are all there are.
TEST(Crd, DefaultsStandOnlyWhereTheyCannotBeMistakenForAWish) {
  std::set<std::string> defaulted;
  walk_all([&](const std::string& path, const Json& node) {
    if (node.contains("default")) defaulted.insert(path);
  });
  EXPECT_EQ(
      defaulted,
      (std::set<std::string>{
          "AcmeIssuer.spec.accountKeyRef.create", "AcmeIssuer.spec.accountKeyRef.key", "AcmeIssuer.status",
          "Edge.spec.sip.peers[].minVersion", "Edge.spec.sip.port", "Edge.spec.sip.probe", "Edge.spec.ssh.port",
          "Edge.spec.ssh.user", "Edge.status", "EdgeCertificate.status",
          "GenesysConnection.spec.certificateUpload.statusPath", "GenesysConnection.spec.certificateUpload.uploadPath",
          "GenesysConnection.spec.requestsPerMinute", "GenesysConnection.status", "PinPolicy.spec.endpoint.port",
          "PinPolicy.spec.mode", "PinPolicy.status", "RotationPolicy.status"}));
}

TEST(Crd, NoReferenceCrossesANamespace) {
  walk_all([](const std::string& path, const Json& /*node*/) { EXPECT_FALSE(path.ends_with(".namespace")) << path; });
}

// YAML 1.1 reads these as booleans, and the API server then refuses the object with a puzzling message.
TEST(Crd, NoEnumValueIsABooleanToYaml) {
  const std::set<std::string> booleans = {"y",  "Y",  "yes",  "Yes",  "YES",  "n",     "N",     "no",
                                          "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE",
                                          "on", "On", "ON",   "off",  "Off",  "OFF"};
  walk_all([&](const std::string& path, const Json& node) {
    // metav1.Condition.status is True, False or Unknown in all of Kubernetes; nobody writes it by hand.
    if (!node.contains("enum") || path.ends_with(".status.conditions[].status")) return;
    for (const auto& value : node["enum"]) EXPECT_FALSE(booleans.contains(value.get<std::string>())) << path;
  });
}

TEST(Crd, StatusIsAsReadersOfConditionsExpectIt) {
  for (const auto& [name, crd] : definitions()) {
    const Json& status = schema(crd)["properties"]["status"];
    EXPECT_EQ(status["default"].dump(), R"({"observedGeneration":-1})") << name;
    EXPECT_EQ(status["properties"]["observedGeneration"]["type"], "integer") << name;
    const Json& conditions = status["properties"]["conditions"];
    EXPECT_EQ(conditions["x-kubernetes-list-type"], "map") << name;
    EXPECT_EQ(conditions["x-kubernetes-list-map-keys"].dump(), R"(["type"])") << name;
    EXPECT_EQ(conditions["items"]["required"].dump(), R"(["type","status","reason","message","lastTransitionTime"])");
    EXPECT_EQ(schema(crd)["x-kubernetes-validations"][0]["rule"], "self.metadata.name.size() <= 200") << name;
    EXPECT_EQ(schema(crd)["required"].dump(), R"(["spec"])") << name;
  }
}

// A rule without a message would answer with CEL.
TEST(Crd, EveryRuleHasAMessage) {
  walk_all([](const std::string& path, const Json& node) {
    if (!node.contains("x-kubernetes-validations")) return;
    for (const auto& rule : node["x-kubernetes-validations"]) {
      EXPECT_FALSE(rule["rule"].get<std::string>().empty()) << path;
      EXPECT_GT(rule["message"].get<std::string>().size(), 10U) << path;
    }
  });
}

}  // namespace
}  // namespace edgetrust::api
