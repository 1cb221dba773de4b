#include "edgetrust/plugin/doctor.hpp"

#include "edgetrust/api/codec.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/table.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/crypto/certificate.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/kube/api_error.hpp"
#include "edgetrust/kube/config_maps.hpp"
#include "edgetrust/kube/secrets.hpp"
#include "text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace edgetrust::plugin {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kPatience{10};

// What may be asked of a resource: the rows of docs/operations.md, "Permissions".
struct Right {
  std::string group;
  std::string resource;
  std::string subresource;
  std::vector<std::string> verbs;
  std::string name = {};  // empty: of all
};
const std::string kGroup(api::kGroup);
const std::vector<std::string> kKinds{"edgecertificates",   "edges",      "rotationpolicies", "acmeissuers",
                                      "genesysconnections", "pinpolicies"};

std::vector<Right> rights_of_operator() {
  std::vector<Right> rights;
  for (const auto& kind : kKinds) {
    rights.push_back({kGroup, kind, "", {"get", "list", "watch"}});
    rights.push_back({kGroup, kind, "status", {"patch"}});
  }
  for (const auto* held : {"edgecertificates", "edges", "pinpolicies"})  // by a finalizer
    rights.push_back({kGroup, held, "", {"patch"}});
  rights.push_back({"", "secrets", "", {"get", "list", "watch", "create", "patch", "delete"}});
  rights.push_back({"", "configmaps", "", {"get"}});
  rights.push_back({"coordination.k8s.io", "leases", "", {"get", "list", "watch", "create", "patch"}});
  rights.push_back({"events.k8s.io", "events", "", {"create", "patch"}});
  return rights;
}

// Of one that is started with --leader-elect, in the namespace of the Lease. Those in a watched namespace include them.
std::vector<Right> rights_of_candidate() {
  return {{"coordination.k8s.io", "leases", "", {"create"}},  // one that is made has no name yet
          {"coordination.k8s.io", "leases", "", {"get", "patch"}, "edgetrust"}};
}

// What the commands of this program need, and which do not work without it.
struct OwnRight {
  Right right;
  std::string without;
};
std::vector<OwnRight> own_rights() {
  std::vector<OwnRight> rights;
  rights.reserve(kKinds.size());
  for (const auto& kind : kKinds) rights.push_back({{kGroup, kind, "", {"get", "list", "watch"}}, "looking at them"});
  rights.push_back(
      {{kGroup, "edgecertificates", "", {"patch"}}, "approve, hold, renew, rotate, rollback, suspend, resume"});
  rights.push_back({{kGroup, "rotationpolicies", "", {"patch"}}, "resume --policy"});
  rights.push_back({{kGroup, "pinpolicies", "", {"patch"}}, "override"});
  // What the chart's ValidatingAdmissionPolicies ask for beside that.
  rights.push_back(
      {{kGroup, "edgecertificates", "", {"approve"}}, "approve, where the chart's admission policies are on"});
  rights.push_back(
      {{kGroup, "pinpolicies", "", {"override"}}, "override, where the chart's admission policies are on"});
  rights.push_back({{"events.k8s.io", "events", "", {"list"}}, "what happened, in status"});
  rights.push_back({{"", "secrets", "", {"get"}}, "inspect secret, plan, and the private CAs that doctor asks with"});
  return rights;
}

std::string look_up(const std::string& reason) {
  return "look up " + reason + " in controller/docs/operations.md, \"Every condition, reason and Event, by name\"";
}

// Nothing is wrong with a connection that nobody uses yet.
constexpr std::string_view kNoEdge = "NoEdge";

std::string advice_of_connection(const std::string& reason) {
  if (reason == "ConnectionForbidden")
    return "the OAuth client needs telephony:plugin:all for the division of the Edges";
  if (reason == "ConnectionCredentialsRefused")
    return "its Secret needs the clientId and the clientSecret of an OAuth client that is active";
  if (reason == "NoDeliveryChannel") return "set spec.certificateUpload";
  if (reason == kNoEdge) return "declare an Edge whose connectionRef names it";
  return look_up(reason);
}

class Examination {
 public:
  explicit Examination(const Doctor& doctor) : doctor_(doctor) {}

  std::vector<Finding> all() && {
    if (!look_at_cluster()) return std::move(findings_);
    look_at_own_rights();
    look_at_rights_of_operator();
    read_objects();
    look_at_objects();
    for (const auto& issuer : issuers_) look_at_issuer(issuer);
    look_at_challenges();
    for (const auto& connection : connections_) look_at_connection(connection);
    for (const auto& edge : edges_) look_at_edge(edge);
    return std::move(findings_);
  }

 private:
  void say(Verdict verdict, std::string area, std::string subject, std::string what, std::string todo = {}) {
    findings_.push_back({verdict, std::move(area), std::move(subject), std::move(what), std::move(todo)});
  }

  // --- the API server

  Result<http::Response> ask_server(const std::string& path) {
    http::Request request{.method = http::Method::kGet, .url = doctor_.config.server};
    std::string base = request.url.target;
    while (base.ends_with('/')) base.pop_back();
    request.url = request.url.with_target(base + path);
    request.headers.add("Accept", "application/json");
    if (doctor_.config.token) {
      EDGETRUST_TRY_ASSIGN(const Secret token, doctor_.config.token->token());
      request.headers.add("Authorization", "Bearer " + std::string(token.expose()));
    }
    request.timeout = kPatience;
    return doctor_.api->send(request, {});
  }

  bool look_at_cluster() {
    const std::string server = doctor_.config.server.authority();
    const auto version = ask_server("/version");
    if (!version) {
      say(Verdict::kBad, "cluster", server, version.error().message(),
          "look at the kubeconfig's server and CA, and at the network");
      return false;
    }
    if (version->status == 401) {
      say(Verdict::kBad, "cluster", server, "the credentials of the kubeconfig are refused", "log in anew");
      return false;
    }
    const auto document = json::Document::parse(version->body);
    say(Verdict::kGood, "cluster", server,
        "reached, Kubernetes " + (document
                                      ? printable(document->root()["gitVersion"].string_or("of no known version"), 64)
                                      : "of no known version"));
    look_at_clock(*version);
    return look_at_kinds();
  }

  void look_at_clock(const http::Response& answer) {
    constexpr auto kMost = 5s;  // PinPolicy's clock.maxOffset, by default
    const auto date = answer.headers.get("Date");
    const auto theirs = date ? parse_http_date(*date) : Result<TimePoint>(fail(ErrorKind::kProtocol, "no date"));
    if (!theirs) return say(Verdict::kUnknown, "clock", "this machine", "the API server does not say what time it is");
    // A Date has whole seconds, and the answer took its way.
    const auto off = std::chrono::floor<std::chrono::seconds>(std::chrono::abs(doctor_.clock.now() - *theirs));
    if (off <= kMost) return say(Verdict::kGood, "clock", "this machine", "agrees with the API server's");
    say(off > 5min ? Verdict::kBad : Verdict::kWarning, "clock", "this machine",
        "is " + describe_span(off) + " away from the API server's",
        "set the clock that is wrong: dates of certificates are judged by it");
  }

  bool look_at_kinds() {
    const auto answer = ask_server("/apis/" + kGroup + "/" + std::string(api::kVersion));
    if (!answer || (!answer->ok() && answer->status != 404)) {
      say(Verdict::kUnknown, "cluster", kGroup,
          answer ? "the API server answers " + std::to_string(answer->status) : answer.error().message());
      return true;
    }
    std::set<std::string> served;
    if (const auto document = json::Document::parse(answer->body); document && answer->ok()) {
      document->root()["resources"].for_each_element([&](json::View resource) {
        served.insert(resource["name"].string_or(""));
        return true;
      });
    }
    std::vector<std::string> missing;
    for (const auto& kind : kKinds) {
      if (!served.contains(kind)) missing.push_back(kind);
    }
    const std::string version = kGroup + "/" + std::string(api::kVersion);
    if (missing.empty()) {
      say(Verdict::kGood, "cluster", version, "all six kinds are served");
      return true;
    }
    say(Verdict::kBad, "cluster", version, "not served: " + join(missing, ", "),
        "install the CRDs of the operator's version (the chart's, or `kubectl apply -f crds/`)");
    return missing.size() < kKinds.size();
  }

  // --- rights

  static json::Value attributes(const Right& right, const std::string& verb, const std::string& ns) {
    json::Value wanted{{"namespace", ns}, {"group", right.group}, {"resource", right.resource}, {"verb", verb}};
    if (!right.subresource.empty()) wanted["subresource"] = right.subresource;
    if (!right.name.empty()) wanted["name"] = right.name;
    return wanted;
  }
  // `ns`: of a review that is made in one; empty: of one that is not.
  Result<bool> review(const std::string& kind, const std::string& plural, const std::string& ns, json::Value spec) {
    const kube::Resource resource{
        .group = "authorization.k8s.io", .version = "v1", .plural = plural, .kind = kind, .namespaced = !ns.empty()};
    json::Value body{{"apiVersion", resource.api_version()}, {"kind", kind}, {"spec", std::move(spec)}};
    if (!ns.empty()) body["metadata"]["namespace"] = ns;
    EDGETRUST_TRY_ASSIGN(const auto answer, doctor_.cluster.client().create(resource, ns, json::dump(body), {}));
    return answer.root()["status"]["allowed"].boolean().value_or(false);
  }
  static std::string name_of(const Right& right) {
    return right.resource + (right.subresource.empty() ? "" : "/" + right.subresource) +
           (right.group.empty() ? "" : "." + right.group) + (right.name.empty() ? "" : " \"" + right.name + "\"");
  }
  // The verbs that are missing; an error when nobody can tell.
  template <class Ask>
  static Result<std::vector<std::string>> missing_verbs(const Right& right, const Ask& ask) {
    std::vector<std::string> missing;
    for (const auto& verb : right.verbs) {
      EDGETRUST_TRY_ASSIGN(const bool allowed, ask(verb));
      if (!allowed) missing.push_back(verb);
    }
    return missing;
  }

  void look_at_own_rights() {
    std::size_t lacking = 0;
    for (const auto& [right, without] : own_rights()) {
      const auto missing = missing_verbs(right, [&](const std::string& verb) {
        return review("SelfSubjectAccessReview", "selfsubjectaccessreviews", "",
                      {{"resourceAttributes", attributes(right, verb, doctor_.cluster.ns())}});
      });
      if (!missing) return say(Verdict::kUnknown, "permissions", "you", missing.error().message());
      if (missing->empty()) continue;
      ++lacking;
      say(Verdict::kWarning, "permissions", "you",
          "may not " + join(*missing, ", ") + " " + name_of(right) + " in " + doctor_.cluster.ns(),
          "without it there is no: " + without);
    }
    if (lacking == 0)
      say(Verdict::kGood, "permissions", "you", "may do all that this program does in " + doctor_.cluster.ns());
  }

  void look_at_rights_of_operator() {
    const auto colon = doctor_.service_account.find(':');
    const std::string account =
        colon == std::string::npos ? doctor_.cluster.ns() + ":" + doctor_.service_account : doctor_.service_account;
    const std::string& own = doctor_.leader_elect_namespace;
    const std::string lease_ns = own.empty() ? account.substr(0, account.find(':')) : own;
    look_at_rights_of(account, rights_of_operator(), doctor_.cluster.ns(), Verdict::kBad, "all that the operator does",
                      "grant it, as manifests/operator/rbac.yaml does; if the operator has another account, name it by "
                      "--service-account");
    if (lease_ns == doctor_.cluster.ns()) return;
    // One that is started without needs none of it, and how it is started nobody can ask.
    look_at_rights_of(account, rights_of_candidate(), lease_ns, Verdict::kWarning, "what it takes to lead",
                      "grant it, as the chart does, or an operator with --leader-elect never works; if its Lease is in "
                      "another namespace, name that by --leader-elect-namespace");
  }

  void look_at_rights_of(const std::string& account, const std::vector<Right>& rights, const std::string& ns,
                         Verdict lacking, const std::string& all, const std::string& todo) {
    const std::string group = "system:serviceaccounts:" + account.substr(0, account.find(':'));
    bool whole = true;
    for (const auto& right : rights) {
      const auto missing = missing_verbs(right, [&](const std::string& verb) {
        return review("LocalSubjectAccessReview", "localsubjectaccessreviews", ns,
                      {{"user", "system:serviceaccount:" + account},
                       {"groups", {"system:authenticated", "system:serviceaccounts", group}},
                       {"resourceAttributes", attributes(right, verb, ns)}});
      });
      if (!missing) {
        const bool forbidden = missing.error().kind == ErrorKind::kForbidden;
        return say(Verdict::kUnknown, "permissions", account,
                   forbidden
                       ? "you may not ask what the operator may do in " + ns + " (create localsubjectaccessreviews)"
                       : missing.error().message());
      }
      if (missing->empty()) continue;
      whole = false;
      say(lacking, "permissions", account, "may not " + join(*missing, ", ") + " " + name_of(right) + " in " + ns,
          todo);
    }
    if (whole) say(Verdict::kGood, "permissions", account, "may do " + all + " in " + ns);
  }

  // --- objects

  template <class Kind>
  void read(std::vector<Kind>& into) {
    auto found = doctor_.cluster.list<Kind>();
    if (found) {
      into = std::move(*found);
    } else {
      say(Verdict::kUnknown, "cluster", std::string(api::kKind<Kind>.plural), found.error().message());
    }
  }
  void read_objects() {
    read(certificates_);
    read(edges_);
    read(issuers_);
    read(connections_);
    read(rotation_policies_);
    read(pin_policies_);
  }

  template <class Kind>
  void look_at(const std::vector<Kind>& objects) {
    for (const Kind& object : objects) {
      const std::string name = std::string(api::kKind<Kind>.kind) + " " + object.meta.name;
      ++objects_;
      if (object.broken) {
        say(Verdict::kBad, "operator", name, "cannot be read: " + object.broken->message(), "correct it");
        continue;
      }
      if (object.status.observed_generation < object.meta.generation) {
        ++unseen_;
        if (first_unseen_.empty()) first_unseen_ = name;
        continue;
      }
      const api::Condition* stalled = api::find(object.status.conditions, api::condition::kStalled);
      const api::Condition* ready = api::find(object.status.conditions, api::condition::kReady);
      if (stalled != nullptr && stalled->status == api::Truth::kTrue) {
        say(Verdict::kBad, "operator", name, stalled->reason + ": " + stalled->message, look_up(stalled->reason));
      } else if (ready != nullptr && ready->status == api::Truth::kFalse) {
        say(Verdict::kWarning, "operator", name, ready->reason + ": " + ready->message, look_up(ready->reason));
      }
    }
  }
  void look_at_objects() {
    look_at(certificates_);
    look_at(edges_);
    look_at(issuers_);
    look_at(connections_);
    look_at(rotation_policies_);
    look_at(pin_policies_);
    if (unseen_ > 0) {
      say(Verdict::kBad, "operator",
          first_unseen_ + (unseen_ > 1 ? " and " + std::to_string(unseen_ - 1) + " more" : ""),
          "no operator has looked at what they are now",
          "look whether it runs, whether it watches " + doctor_.cluster.ns() + " (--namespaces), and at its log");
    } else if (objects_ > 0) {
      say(Verdict::kGood, "operator", std::to_string(objects_) + " objects",
          "an operator has looked at each as it is now");
    }
  }

  // --- servers

  // The octets of a bundle; empty for none. An error when it may not be read from here.
  Result<std::string> bundle(const std::optional<api::CaBundleRef>& ref) {
    if (!ref) return std::string{};
    const api::ObjectKey key{doctor_.cluster.ns(), ref->name};
    if (ref->kind == api::BundleKind::kConfigMap) {
      EDGETRUST_TRY_ASSIGN(const auto map, kube::read_config_map(doctor_.cluster.client(), key, {}));
      const auto found = map.data.find(ref->key);
      if (found != map.data.end()) return found->second;
    } else {
      EDGETRUST_TRY_ASSIGN(const auto secret, kube::SecretClient(doctor_.cluster.client()).read(key, {}));
      const auto found = secret.data.find(ref->key);
      if (found != secret.data.end()) return std::string(found->second.expose());
    }
    return fail(ErrorKind::kInvalid, key.to_string() + " has no key " + ref->key);
  }

  Result<http::Response> ask(const std::string& address, const std::optional<api::CaBundleRef>& trust) {
    EDGETRUST_TRY_ASSIGN(const http::Url url, http::Url::parse(address));
    if (!url.is_https()) return fail(ErrorKind::kInvalid, address + " is not https");
    EDGETRUST_TRY_ASSIGN(std::string pem, bundle(trust));
    EDGETRUST_TRY_ASSIGN(const auto transport,
                         doctor_.tools.transport({.public_roots = !trust, .ca_pem = std::move(pem)}));
    return transport->send(
        {.method = http::Method::kGet, .url = url, .headers = {{"Accept", "application/json"}}, .timeout = kPatience},
        {});
  }

  static bool is_about_us(const Error& error) { return error.kind == ErrorKind::kForbidden; }

  // Whether it answered; what is said otherwise is said here.
  std::optional<http::Response> reach(const std::string& area, const std::string& subject, const std::string& address,
                                      const std::optional<api::CaBundleRef>& trust) {
    auto answer = ask(address, trust);
    if (answer) return std::move(*answer);
    if (is_about_us(answer.error())) {
      say(Verdict::kUnknown, area, subject,
          "you may not read its CA bundle, so it was not asked: " + answer.error().message());
    } else {
      say(Verdict::kBad, area, subject, "from here " + address + " cannot be reached: " + answer.error().message(),
          "look at the address, at the network (firewall, proxy, name), and where TLS is named at caBundleRef");
    }
    return std::nullopt;
  }

  void look_at_issuer(const api::AcmeIssuer& issuer) {
    if (issuer.broken) return;
    const auto answer =
        reach("issuer", "AcmeIssuer " + issuer.meta.name, issuer.spec.server, issuer.spec.ca_bundle_ref);
    if (!answer) return;
    const auto document = json::Document::parse(answer->body);
    // RFC 8555 section 7.1.1.
    const bool is_directory =
        answer->ok() && document && document->root()["newOrder"].string() && document->root()["newNonce"].string();
    if (is_directory)
      return say(Verdict::kGood, "issuer", "AcmeIssuer " + issuer.meta.name, "its directory is reached");
    say(Verdict::kBad, "issuer", "AcmeIssuer " + issuer.meta.name,
        issuer.spec.server + " answers, and not with an ACME directory (" + std::to_string(answer->status) + ")",
        "spec.server must be the URL of the directory");
  }

  void look_at_challenges() {
    constexpr std::size_t kMostNames = 50;
    if (doctor_.tools.dns == nullptr) return;
    std::map<std::string, std::vector<std::string>> asked;  // the servers by the name; none: the zone's own
    for (const auto& certificate : certificates_) {
      if (!certificate.spec.issuer_ref) continue;
      const auto issuer = std::ranges::find_if(
          issuers_, [&](const auto& one) { return one.meta.name == certificate.spec.issuer_ref->name; });
      if (issuer == issuers_.end()) continue;
      for (const auto& name : certificate.spec.dns_names) {
        const api::Solver* solver = api::solver_for(issuer->spec, name);  // as the operator chooses it
        if (solver == nullptr || !solver->dns01 || asked.size() >= kMostNames) continue;
        const auto& propagation = solver->dns01->propagation;
        asked.emplace(name, propagation ? propagation->nameservers : std::vector<std::string>{});
      }
    }
    for (const auto& [name, servers] : asked) look_at_zone(name, servers);
  }

  void look_at_zone(const std::string& name, const std::vector<std::string>& servers) {
    const std::string plain = name.starts_with("*.") ? name.substr(2) : name;
    const auto answers = doctor_.tools.dns->find_txt("_acme-challenge." + plain, "", servers, {});
    if (!answers)
      return say(Verdict::kBad, "dns", name, "from here its name servers are not found: " + answers.error().message(),
                 "look at the delegation of the zone, and at this machine's resolver");
    std::vector<std::string> troubles;
    for (const auto& answer : *answers) {
      if (!answer.problem.empty()) troubles.push_back(answer.server + " (" + answer.problem + ")");
    }
    if (troubles.empty())
      return say(Verdict::kGood, "dns", name, std::to_string(answers->size()) + " name servers answer");
    say(Verdict::kBad, "dns", name, "not all of its name servers answer: " + join(troubles, ", "),
        "each of them is asked before the CA is: open port 53 to them, by UDP and TCP, or name others in "
        "propagation.nameservers");
  }

  void look_at_connection(const api::GenesysConnection& connection) {
    if (connection.broken) return;
    const auto& spec = connection.spec;
    const std::string subject = "GenesysConnection " + connection.meta.name;
    const auto trust = spec.endpoints ? spec.endpoints->ca_bundle_ref : std::nullopt;
    std::vector<std::string> reached;
    for (const auto& [what, address] : {std::pair{"API", spec.api_url()}, std::pair{"login", spec.login_url()}}) {
      if (reach("genesys", subject, address, trust)) reached.emplace_back(what);
    }
    if (const auto& upload = spec.certificate_upload) {
      if (reach("genesys", subject, upload->endpoint, upload->ca_bundle_ref)) reached.emplace_back("upload endpoint");
    } else {
      say(Verdict::kWarning, "genesys", subject, "it has no certificateUpload, so nothing can be delivered",
          "set spec.certificateUpload.endpoint; the published API has no such call");
    }
    if (!reached.empty()) say(Verdict::kGood, "genesys", subject, join(reached, ", ") + " reached");
    for (const auto type : {api::condition::kCredentialsValid, api::condition::kEndpointsAvailable}) {
      const api::Condition* condition = api::find(connection.status.conditions, type);
      if (condition == nullptr || condition->status == api::Truth::kTrue) continue;
      say(condition->reason == kNoEdge ? Verdict::kWarning : Verdict::kBad, "genesys", subject,
          std::string(type) + " " + std::string(api::to_string(condition->status)) + ", " + condition->reason + ": " +
              condition->message,
          advice_of_connection(condition->reason));
    }
  }

  void look_at_edge(const api::Edge& edge) {
    if (edge.broken || doctor_.tools.probe == nullptr || edge.spec.sip.probe == api::SipProbe::kNone ||
        edge.spec.sip.host.empty())
      return;
    const std::string subject = "Edge " + edge.meta.name;
    const std::string address = edge.spec.sip.host + ":" + std::to_string(edge.spec.sip.port);
    const auto chain = doctor_.tools.probe->present({.host = edge.spec.sip.host,
                                                     .port = static_cast<std::uint16_t>(edge.spec.sip.port),
                                                     .server_name = {},
                                                     .timeout = kPatience},
                                                    {});
    if (!chain) {
      say(Verdict::kBad, "edge", subject,
          "from here " + address + " does not complete a TLS handshake: " + chain.error().message(),
          "look at spec.sip, at the network, and at the Edge itself");
      return;
    }
    const auto leaf = crypto::parse_chain(chain->chain_pem);
    if (!leaf)
      return say(Verdict::kBad, "edge", subject,
                 address + " presents what is no certificate: " + leaf.error().message());
    const auto& facts = leaf->front().facts();
    if (doctor_.clock.now() >= facts.not_after)
      return say(Verdict::kBad, "edge", subject,
                 address + " presents a certificate that expired " + format_rfc3339(facts.not_after),
                 "`kubectl edgetrust status " + edge.meta.name + "`");
    const auto ours = std::ranges::find_if(certificates_, [&](const auto& one) {
      return one.spec.edge_ref.name == edge.meta.name && one.status.revision;
    });
    const bool foreign = ours != certificates_.end() && ours->status.fingerprint_sha256 != facts.fingerprint_sha256;
    if (foreign) {
      return say(
          Verdict::kWarning, "edge", subject,
          address + " presents serial " + facts.serial_number + ", and EdgeCertificate " + ours->meta.name +
              " knows of " + ours->status.serial_number,
          "`kubectl edgetrust status " + edge.meta.name + "`: a rotation is under way, or somebody else put it there");
    }
    say(Verdict::kGood, "edge", subject,
        address + " presents serial " + facts.serial_number + ", until " + format_rfc3339(facts.not_after));
  }

  const Doctor& doctor_;
  std::vector<Finding> findings_;
  std::vector<api::EdgeCertificate> certificates_;
  std::vector<api::Edge> edges_;
  std::vector<api::AcmeIssuer> issuers_;
  std::vector<api::GenesysConnection> connections_;
  std::vector<api::RotationPolicy> rotation_policies_;
  std::vector<api::PinPolicy> pin_policies_;
  std::size_t objects_ = 0;
  std::size_t unseen_ = 0;
  std::string first_unseen_;
};

std::string to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood: return "ok";
    case Verdict::kUnknown: return "unknown";
    case Verdict::kWarning: return "warning";
    case Verdict::kBad: return "wrong";
  }
  return {};
}

Tone tone_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood: return Tone::kGood;
    case Verdict::kUnknown: return Tone::kFaint;
    case Verdict::kWarning: return Tone::kWarn;
    case Verdict::kBad: return Tone::kBad;
  }
  return Tone::kPlain;
}

auto count(const std::vector<Finding>& findings, Verdict verdict) {
  return std::ranges::count(findings, verdict, &Finding::verdict);
}

}  // namespace

std::vector<Finding> examine(const Doctor& doctor) { return Examination(doctor).all(); }

std::string print(const std::vector<Finding>& findings, Style style) {
  std::vector<Finding> sorted = findings;
  std::ranges::stable_sort(sorted, std::greater<>(), &Finding::verdict);
  std::string out;
  for (const auto& finding : sorted) {
    std::string word = to_text(finding.verdict);
    word.resize(8, ' ');
    append_line(out,
                {style.paint(tone_of(finding.verdict), word), finding.area, ", ", finding.subject, ": ", finding.what});
    if (!finding.todo.empty()) append_line(out, {"        -> ", finding.todo});
  }
  return out + std::to_string(count(findings, Verdict::kBad)) + " wrong, " +
         std::to_string(count(findings, Verdict::kWarning)) + " warnings, " +
         std::to_string(count(findings, Verdict::kUnknown)) + " unknown, " +
         std::to_string(count(findings, Verdict::kGood)) + " ok\n";
}

json::Value as_value(const std::vector<Finding>& findings) {
  json::Value items = json::Value::array();
  for (const auto& finding : findings) {
    items.push_back({{"verdict", to_text(finding.verdict)},
                     {"area", finding.area},
                     {"subject", finding.subject},
                     {"what", finding.what},
                     {"todo", finding.todo}});
  }
  return {{"findings", std::move(items)}};
}

bool is_well(const std::vector<Finding>& findings) { return count(findings, Verdict::kBad) == 0; }

}  // namespace edgetrust::plugin
