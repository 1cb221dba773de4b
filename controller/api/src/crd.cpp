#include "edgetrust/api/crd.hpp"

#include "edgetrust/api/kinds.hpp"
#include "edgetrust/json/schema.hpp"
#include "fields/acme_issuer.hpp"
#include "fields/edge.hpp"
#include "fields/edge_certificate.hpp"
#include "fields/genesys_connection.hpp"
#include "fields/pin_policy.hpp"

namespace edgetrust::api {
namespace {

using json::OrderedValue;

struct Column {
  std::string_view name;
  std::string_view path;
  std::string_view description;
  bool wide = false;  // shown by `kubectl get -o wide` only
};

constexpr Column kReadyColumn{"READY", R"(.status.conditions[?(@.type=="Ready")].status)",
                              "Whether what the object asks for holds."};

OrderedValue printer_columns(const std::vector<Column>& columns) {
  OrderedValue list = OrderedValue::array();
  for (const auto& column : columns) {
    OrderedValue entry = {
        {"name", column.name}, {"type", "string"}, {"jsonPath", column.path}, {"description", column.description}};
    if (column.wide) entry["priority"] = 1;
    list.push_back(std::move(entry));
  }
  // Only an age may be of type date: kubectl prints a time in the future as <invalid>.
  list.push_back({{"name", "AGE"},
                  {"type", "date"},
                  {"jsonPath", ".metadata.creationTimestamp"},
                  {"description", "Time since the object was made."}});
  return list;
}

// A rule that needs the object's own name, which no rule below spec can see.
struct ObjectRule {
  std::string_view rule;
  std::string_view message;
};
constexpr ObjectRule kShortName{"self.metadata.name.size() <= 200",
                                "metadata.name must be at most 200 characters: names of Secrets are made from it"};
constexpr ObjectRule kSourceIsAnothers{
    "!has(self.spec.sourceSecretRef) || self.spec.sourceSecretRef.name != (has(self.spec.secretName) ? "
    "self.spec.secretName : self.metadata.name + '-tls')",
    "spec.sourceSecretRef must not name the Secret of spec.secretName, by default <name>-tls: what the Edge serves is "
    "written there"};

OrderedValue object_rules(const std::vector<ObjectRule>& rules) {
  OrderedValue list = OrderedValue::array();
  for (const auto& rule : rules) list.push_back({{"rule", rule.rule}, {"message", rule.message}});
  return list;
}

template <class Kind>
CrdFile definition(std::string_view description, const std::vector<Column>& columns,
                   const std::vector<ObjectRule>& rules = {kShortName}) {
  constexpr KindInfo kInfo = kKind<Kind>;
  const json::SchemaOptions options;
  OrderedValue spec = json::schema_of<typename Kind::Spec>(options, json::FieldInfo{.doc = "What is asked for."});
  OrderedValue status =
      json::schema_of<typename Kind::Status>(options, json::FieldInfo{.doc = "What the operator has seen and done."});
  // kstatus, and so Flux, reads an object without status as done: this says that nobody has looked yet.
  status["default"] = {{"observedGeneration", -1}};
  OrderedValue schema = {{"description", description},
                         {"type", "object"},
                         {"required", OrderedValue::array({"spec"})},
                         {"properties",
                          {{"apiVersion", {{"type", "string"}, {"description", "edgetrust.io/v1alpha1."}}},
                           {"kind", {{"type", "string"}, {"description", std::string(kInfo.kind) + "."}}},
                           {"metadata", {{"type", "object"}}},
                           {"spec", std::move(spec)},
                           {"status", std::move(status)}}},
                         {"x-kubernetes-validations", object_rules(rules)}};
  const std::string name = std::string(kInfo.plural) + "." + std::string(kGroup);
  const OrderedValue version = {{"name", kVersion},
                                {"served", true},
                                {"storage", true},
                                {"subresources", {{"status", OrderedValue::object()}}},
                                {"additionalPrinterColumns", printer_columns(columns)},
                                {"schema", {{"openAPIV3Schema", std::move(schema)}}}};
  const OrderedValue names = {{"kind", kInfo.kind},
                              {"listKind", std::string(kInfo.kind) + "List"},
                              {"plural", kInfo.plural},
                              {"singular", kInfo.singular},
                              {"shortNames", OrderedValue::array({kInfo.short_name})},
                              {"categories", OrderedValue::array({"edgetrust"})}};
  const OrderedValue crd = {
      {"apiVersion", "apiextensions.k8s.io/v1"},
      {"kind", "CustomResourceDefinition"},
      {"metadata", {{"name", name}}},
      {"spec",
       {{"group", kGroup}, {"names", names}, {"scope", "Namespaced"}, {"versions", OrderedValue::array({version})}}}};
  return {name, crd.dump()};
}

}  // namespace

std::vector<CrdFile> custom_resource_definitions() {
  std::vector<CrdFile> files;
  files.push_back(
      definition<AcmeIssuer>("A certificate authority that speaks ACME, and how its challenges are answered.",
                             {kReadyColumn,
                              {"SERVER", ".spec.server", "The ACME directory."},
                              {"LIMITED-UNTIL", ".status.limitedUntil", "Until when the CA wants no orders."}}));
  files.push_back(definition<EdgeCertificate>(
      "The certificate of one Edge: issued, delivered in a window, proved, and rolled back when the Edge is not well "
      "with it.",
      {kReadyColumn,
       {"EDGE", ".spec.edgeRef.name", "The Edge."},
       {"PHASE", ".status.phase", "Where the rotation stands."},
       {"EXPIRES", ".status.expires", "Until when the served certificate is valid."},
       {"NEXT", ".status.next", "What comes next and when."},
       {"ISSUER", ".status.issuer", "Who issued the served certificate.", true},
       {"SERIAL", ".status.serialNumber", "Its serial number.", true},
       {"REVISION", ".status.revision", "Its revision.", true},
       {"MESSAGE", R"(.status.conditions[?(@.type=="Ready")].message)", "Why it is ready or not.", true}},
      {kShortName, kSourceIsAnothers}));
  files.push_back(definition<Edge>(
      "One Genesys Cloud Edge appliance: where it is reached and who dials in.",
      {kReadyColumn,
       {"EDGE-ID", ".spec.edgeId", "The Edge's id in Genesys Cloud."},
       {"SITE", ".status.site", "Its site."},
       {"ONLINE", R"(.status.conditions[?(@.type=="Online")].status)", "Whether the cloud sees it."},
       {"SIP", R"(.status.conditions[?(@.type=="SipHealthy")].status)", "Whether SIP works."},
       {"CERT-EXPIRES", ".status.servedCertificate.notAfter", "When the served certificate expires."},
       {"CLOCK", R"(.status.conditions[?(@.type=="ClockInSync")].status)", "Whether its clock is right."}}));
  files.push_back(definition<GenesysConnection>(
      "One Genesys Cloud organisation, and the endpoint that takes certificates for its Edges.",
      {kReadyColumn,
       {"REGION", ".spec.region", "Domain of the published API."},
       {"UPLOAD", ".status.uploadHost", "Host that takes certificates."},
       {"EDGES", ".status.edges.total", "Edge objects of this connection."}}));
  files.push_back(definition<PinPolicy>(
      "Which certificate or key the cloud endpoint must present to an Edge, and how a change of it "
      "is followed. The vendor does not support pinning: by default it only reports.",
      {kReadyColumn,
       {"MODE", ".spec.mode", "Disabled, ReportOnly or Enforce."},
       {"ENDPOINT", ".spec.endpoint.host", "The pinned endpoint."},
       {"EDGES", ".status.matchedOfTotal", "Edges that are right, of those selected."},
       {"PINS", ".status.pins", "Pins that are accepted."},
       {"OVERRIDE", ".status.override", "Until when pinning is switched off."}}));
  files.push_back(definition<RotationPolicy>(
      "How a fleet may be changed: when, how many at a time, in which order, and what rolls back.",
      {kReadyColumn,
       {"STATE", ".status.state", "Open, Frozen or Halted."},
       {"WAVE", ".status.wave", "The wave that may rotate now."},
       {"ROTATING", ".status.rotating", "Who rotates."}}));
  return files;
}

}  // namespace edgetrust::api
