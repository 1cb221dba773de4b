// What is asked of the API server, and what `doctor` makes of the answers.
#include "edgetrust/plugin/cluster.hpp"

#include "edgetrust/json/value.hpp"
#include "edgetrust/plugin/doctor.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_pauser.hpp"
#include "support/fake_transport.hpp"
#include "support/objects.hpp"
#include "support/test_ca.hpp"

#include <set>

namespace edgetrust::plugin {
namespace {

using support::answer;
using support::json_answer;
using testing::AllOf;
using testing::HasSubstr;

// An API server by path; what it does not know is not found.
struct ClusterTest : testing::Test {
  support::FakeClock clock{"2026-11-29T12:00:00Z"};
  support::FakePauser pauser{clock};
  std::shared_ptr<support::FakeTransport> transport = std::make_shared<support::FakeTransport>();
  kube::ClusterConfig config = [] {
    kube::ClusterConfig made;
    made.server = http::Url::parse("https://127.0.0.1:6443").value();
    made.ns = "voice";
    return made;
  }();
  kube::ApiClient client{config, transport, clock, pauser};
  Cluster cluster{client, "voice"};
  std::map<std::string, std::string> objects;  // JSON by path
  std::vector<std::string> patches;

  static std::string path_of(const http::Request& request) {
    return request.url.target.substr(0, request.url.target.find('?'));
  }
  static std::string kinds(const std::string& plural) {
    return "/apis/edgetrust.io/v1alpha1/namespaces/voice/" + plural;
  }
  static std::string list_of(const std::string& items) {
    return R"({"metadata":{"resourceVersion":"50"},"items":[)" + items + "]}";
  }
  static support::Answer failure(int code, const std::string& reason) {
    return json_answer(code, R"({"kind":"Status","status":"Failure","message":"no","reason":")" + reason +
                                 R"(","details":{"name":"a"},"code":)" + std::to_string(code) + "}");
  }
  static std::string certificate_json(const std::string& name, const std::string& edge,
                                      const std::string& status = kQuiet) {
    return R"({"metadata":{"namespace":"voice","name":")" + name +
           R"(","resourceVersion":"41","generation":1},"spec":{"edgeRef":{"name":")" + edge +
           R"("},"issuerRef":{"name":"le"},"dnsNames":["a.example"]},"status":)" + status + "}";
  }
  void SetUp() override {
    for (const char* plural :
         {"edgecertificates", "edges", "rotationpolicies", "acmeissuers", "genesysconnections", "pinpolicies"})
      objects[kinds(plural)] = list_of("");
    transport->otherwise([this](const http::Request& request) { return serve(request); });
  }
  virtual support::Answer serve(const http::Request& request) {
    if (request.method == http::Method::kPatch) patches.push_back(request.body);
    const auto found = objects.find(path_of(request));
    if (found == objects.end()) return failure(404, "NotFound");
    return json_answer(200, found->second, {{"Date", "Sun, 29 Nov 2026 12:00:01 GMT"}});
  }
};

TEST_F(ClusterTest, ACertificateIsFoundByItsNameAndByItsEdges) {
  objects[kinds("edgecertificates")] =
      list_of(certificate_json("sip-cert", "edge01") + "," + certificate_json("edge02", "edge02"));
  EXPECT_EQ(cluster.certificate("sip-cert")->meta.name, "sip-cert");
  EXPECT_EQ(cluster.certificate("edge01")->meta.name, "sip-cert");
  const auto none = cluster.certificate("edge10");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().message(),
            "there is no EdgeCertificate \"edge10\" in namespace voice; did you mean edge01 or edge02?");
}

TEST_F(ClusterTest, AnUnknownPolicyIsAnsweredWithWhatThereIs) {
  objects[kinds("pinpolicies")] =
      list_of(R"({"metadata":{"namespace":"voice","name":"cloud"},"spec":{"endpoint":{"host":"h"}}})");
  EXPECT_THAT(cluster.get<api::PinPolicy>("clod").error().message(), HasSubstr("did you mean cloud?"));
}

TEST_F(ClusterTest, AChangeThatSomebodyElseWasFasterWithIsJudgedAgain) {
  const std::string path = kinds("edgecertificates");
  objects[path] = list_of(certificate_json("a", "a"));
  objects[path + "/a"] = certificate_json("a", "a");
  int judged = 0;
  int refusals = 2;
  transport->otherwise([&](const http::Request& request) -> support::Answer {
    if (request.method == http::Method::kPatch && refusals-- > 0) return failure(409, "Conflict");
    return serve(request);
  });
  const auto request = cluster.change<api::EdgeCertificate>([&] { return cluster.certificate("a"); },
                                                            [&](const api::EdgeCertificate& seen) {
                                                              ++judged;
                                                              return suspend(seen);
                                                            });
  ASSERT_TRUE(request.has_value()) << request.error().message();
  EXPECT_EQ(judged, 3);
  EXPECT_EQ(patches.size(), 1U);
}

TEST_F(ClusterTest, WhatMakesNoSenseIsNotSent) {
  objects[kinds("edgecertificates")] = list_of(certificate_json("a", "a"));
  const auto request = cluster.change<api::EdgeCertificate>(
      [&] { return cluster.certificate("a"); }, [](const api::EdgeCertificate& seen) { return resume(seen); });
  EXPECT_FALSE(request.has_value());
  EXPECT_TRUE(patches.empty());
}

TEST_F(ClusterTest, WhoAsksIsWhatTheServerSays) {
  objects["/apis/authentication.k8s.io/v1/selfsubjectreviews"] = R"({"status":{"userInfo":{"username":"ada"}}})";
  EXPECT_EQ(cluster.whoami(), "ada");
  objects.clear();
  EXPECT_EQ(cluster.whoami(), "");
}

// --- doctor

struct DoctorTest : ClusterTest {
  std::shared_ptr<support::FakeTransport> outside = std::make_shared<support::FakeTransport>();
  DoctorTools tools{
      .transport = [this](http::TlsOptions) -> Result<std::shared_ptr<http::Transport>> { return outside; }};
  std::string forbidden;  // what nobody may do, as "verb resource"

  void SetUp() override {
    ClusterTest::SetUp();
    objects["/version"] = R"({"gitVersion":"v1.36.3"})";
    objects["/apis/edgetrust.io/v1alpha1"] =
        R"({"resources":[{"name":"edgecertificates"},{"name":"edges"},{"name":"rotationpolicies"},{"name":"acmeissuers"},{"name":"genesysconnections"},{"name":"pinpolicies"}]})";
  }
  support::Answer serve(const http::Request& request) override {
    if (path_of(request).find("subjectaccessreviews") == std::string::npos) return ClusterTest::serve(request);
    const auto body = json::Document::parse(request.body).value();
    const auto wanted = body.root()["spec"]["resourceAttributes"];
    const std::string asked = wanted["verb"].string_or("") + " " + wanted["resource"].string_or("");
    const bool allowed = asked != forbidden || wanted["subresource"].present();
    return json_answer(201, std::string(R"({"status":{"allowed":)") + (allowed ? "true" : "false") + "}}");
  }
  std::vector<Finding> findings() {
    return examine({.cluster = cluster,
                    .config = config,
                    .api = transport,
                    .tools = tools,
                    .clock = clock,
                    .service_account = "edgetrust"});
  }
  static Finding only(const std::vector<Finding>& all, const std::string& area, const std::string& subject) {
    Finding found;
    int count = 0;
    for (const auto& one : all) {
      if (one.area != area || one.subject != subject) continue;
      found = one;
      ++count;
    }
    EXPECT_EQ(count, 1) << area << ", " << subject << "\n" << print(all, {});
    return found;
  }
};

TEST_F(DoctorTest, WhereAllIsWellItSaysSo) {
  const auto all = findings();
  EXPECT_TRUE(is_well(all)) << print(all, {});
  EXPECT_EQ(only(all, "cluster", "127.0.0.1:6443").what, "reached, Kubernetes v1.36.3");
  EXPECT_EQ(only(all, "clock", "this machine").verdict, Verdict::kGood);
  EXPECT_EQ(only(all, "permissions", "you").verdict, Verdict::kGood);
  EXPECT_EQ(only(all, "permissions", "voice:edgetrust").verdict, Verdict::kGood);
  EXPECT_THAT(print(all, {}), HasSubstr("0 wrong, 0 warnings, 0 unknown, 5 ok\n"));
}

TEST_F(DoctorTest, AnUnreachableServerIsTheOnlyFinding) {
  transport->otherwise([](const http::Request&) { return support::no_connection(); });
  const auto all = findings();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].verdict, Verdict::kBad);
  EXPECT_THAT(all[0].todo, HasSubstr("kubeconfig"));
}

TEST_F(DoctorTest, AClockThatIsWrongIsMeasured) {
  clock.jump_wall(std::chrono::minutes{3});
  EXPECT_EQ(only(findings(), "clock", "this machine").verdict, Verdict::kWarning);
  clock.jump_wall(std::chrono::hours{3});
  const Finding wrong = only(findings(), "clock", "this machine");
  EXPECT_EQ(wrong.verdict, Verdict::kBad);
  EXPECT_EQ(wrong.what, "is 3 h away from the API server's");
}

TEST_F(DoctorTest, MissingKindsAreNamed) {
  objects["/apis/edgetrust.io/v1alpha1"] = R"({"resources":[{"name":"edgecertificates"}]})";
  EXPECT_THAT(only(findings(), "cluster", "edgetrust.io/v1alpha1").what, HasSubstr("pinpolicies"));
  objects.erase("/apis/edgetrust.io/v1alpha1");
  EXPECT_THAT(only(findings(), "cluster", "edgetrust.io/v1alpha1").todo, HasSubstr("install the CRDs"));
}

TEST_F(DoctorTest, AMissingRightIsNamedWithWhatDoesNotWorkWithoutIt) {
  forbidden = "patch edgecertificates";
  const auto all = findings();
  EXPECT_THAT(only(all, "permissions", "you").todo, HasSubstr("approve, hold"));
  const Finding of_operator = only(all, "permissions", "voice:edgetrust");
  EXPECT_EQ(of_operator.verdict, Verdict::kBad);
  EXPECT_EQ(of_operator.what, "may not patch edgecertificates.edgetrust.io in voice");
}

TEST_F(DoctorTest, TheVerbsOfTheAdmissionPoliciesAreAskedForOfYouAlone) {
  for (const auto& [verb, kind] : {std::pair{"approve", "edgecertificates"}, std::pair{"override", "pinpolicies"}}) {
    forbidden = std::string(verb) + " " + kind;
    const auto all = findings();
    const Finding yours = only(all, "permissions", "you");
    EXPECT_EQ(yours.verdict, Verdict::kWarning);
    EXPECT_EQ(yours.what, "may not " + std::string(verb) + " " + kind + ".edgetrust.io in voice");
    EXPECT_EQ(yours.todo,
              "without it there is no: " + std::string(verb) + ", where the chart's admission policies are on");
    EXPECT_EQ(only(all, "permissions", "voice:edgetrust").verdict, Verdict::kGood) << "the operator does neither";
  }
}

TEST_F(DoctorTest, TheOperatorHasToHoldEdgesAndPinPoliciesToo) {
  for (const std::string kind : {"edges", "pinpolicies"}) {
    forbidden = "patch " + kind;
    EXPECT_EQ(only(findings(), "permissions", "voice:edgetrust").what,
              "may not patch " + kind + ".edgetrust.io in voice");
  }
}

TEST_F(DoctorTest, ADirectoryThatIsNoneIsFound) {
  objects[kinds("acmeissuers")] = list_of(
      R"({"metadata":{"namespace":"voice","name":"le","generation":1},"spec":{"server":"https://ca.example/directory","accountKeyRef":{"name":"k"},"solvers":[{"http01":{}}]},"status":{"observedGeneration":1}})");
  outside->expect(http::Method::kGet, "https://ca.example/directory",
                  json_answer(200, R"({"newNonce":"n","newOrder":"o"})"));
  EXPECT_EQ(only(findings(), "issuer", "AcmeIssuer le").verdict, Verdict::kGood);
  outside->expect(http::Method::kGet, "https://ca.example/directory", answer(200, "<html>"));
  EXPECT_THAT(only(findings(), "issuer", "AcmeIssuer le").what, HasSubstr("not with an ACME directory"));
  outside->expect(http::Method::kGet, "https://ca.example/directory", support::no_connection());
  EXPECT_THAT(only(findings(), "issuer", "AcmeIssuer le").what, HasSubstr("cannot be reached"));
}

// Name servers that answer as they are told to, and note who was asked for what.
class AskedServers final : public ports::DnsLookup {
 public:
  std::map<std::string, std::vector<std::string>> asked;  // the servers by the name
  Result<std::vector<ports::ServerAnswer>> answers = std::vector<ports::ServerAnswer>{{.server = "192.0.2.1:53"}};
  Result<std::vector<ports::ServerAnswer>> find_txt(const std::string& name, const std::string&,
                                                    const std::vector<std::string>& servers, std::stop_token) override {
    asked[name] = servers;
    return answers;
  }
};

TEST_F(DoctorTest, TheNameServersAreThoseOfTheSolverThatProvesTheName) {
  AskedServers servers;
  tools.dns = &servers;
  outside->otherwise([](const http::Request&) { return support::no_connection(); });
  objects[kinds("edgecertificates")] = list_of(
      R"({"metadata":{"namespace":"voice","name":"a","generation":1},"spec":{"edgeRef":{"name":"a"},"issuerRef":{"name":"le"},
      "dnsNames":["edge.a.example","edge.b.example","*.b.example","edge.c.example","*.c.example","edge.d.example"]},"status":{"observedGeneration":1}})");
  const auto issuer = [](const std::string& rest) {
    return R"({"metadata":{"namespace":"voice","name":"le","generation":1},"spec":{"server":"https://ca.example/directory","accountKeyRef":{"name":"k"},"solvers":[
    {"selector":{"dnsZones":["a.example"]},"dns01":{"cloudflare":{"apiTokenRef":{"name":"t","key":"t"}},"propagation":{"nameservers":["10.0.0.53:53"]}}},
    {"selector":{"dnsZones":["b.example"]},"dns01":{"cloudflare":{"apiTokenRef":{"name":"t","key":"t"}}}},
    {"selector":{"dnsZones":["c.example"]},"http01":{}})" +
           rest + R"(]},"status":{"observedGeneration":1}})";
  };
  using Asked = std::map<std::string, std::vector<std::string>>;
  objects[kinds("acmeissuers")] = list_of(issuer(""));
  Asked wanted{{"_acme-challenge.edge.a.example", {"10.0.0.53:53"}},
               {"_acme-challenge.edge.b.example", {}},
               {"_acme-challenge.b.example", {}}};
  EXPECT_EQ(only(findings(), "dns", "edge.b.example").verdict, Verdict::kGood);
  EXPECT_EQ(servers.asked, wanted) << "nothing is asked for http01, nor for what no solver proves";
  servers.asked.clear();
  objects[kinds("acmeissuers")] = list_of(issuer(
      R"(,{"dns01":{"cloudflare":{"apiTokenRef":{"name":"t","key":"t"}},"propagation":{"nameservers":["10.0.0.54:53"]}}})"));
  wanted["_acme-challenge.c.example"] = {"10.0.0.54:53"};  // http01 proves no wildcard
  wanted["_acme-challenge.edge.d.example"] = {"10.0.0.54:53"};
  EXPECT_EQ(only(findings(), "dns", "*.c.example").verdict, Verdict::kGood);
  EXPECT_EQ(servers.asked, wanted);
}

TEST_F(DoctorTest, ADnsThatWillNotCarryAProofIsWrongAndWhatToDoIsSaid) {
  AskedServers servers;
  tools.dns = &servers;
  outside->otherwise([](const http::Request&) { return support::no_connection(); });
  objects[kinds("edgecertificates")] = list_of(certificate_json("a", "a"));
  objects[kinds("acmeissuers")] = list_of(
      R"({"metadata":{"namespace":"voice","name":"le","generation":1},"spec":{"server":"https://ca.example/directory","accountKeyRef":{"name":"k"},
      "solvers":[{"dns01":{"cloudflare":{"apiTokenRef":{"name":"t","key":"t"}}}}]},"status":{"observedGeneration":1}})");
  EXPECT_EQ(only(findings(), "dns", "a.example").verdict, Verdict::kGood);

  servers.answers = fail(ErrorKind::kNotFound, "a.example does not exist");
  const Finding lost = only(findings(), "dns", "a.example");
  EXPECT_EQ(lost.verdict, Verdict::kBad);
  EXPECT_EQ(lost.what, "from here its name servers are not found: a.example does not exist");
  EXPECT_EQ(lost.todo, "look at the delegation of the zone, and at this machine's resolver");

  servers.answers = std::vector<ports::ServerAnswer>{{.server = "192.0.2.1:53"},
                                                     {.server = "192.0.2.2:53", .problem = "no answer in time"},
                                                     {.server = "192.0.2.3:53", .problem = "REFUSED"}};
  const Finding partly = only(findings(), "dns", "a.example");
  EXPECT_EQ(partly.verdict, Verdict::kBad);
  EXPECT_EQ(partly.what,
            "not all of its name servers answer: 192.0.2.2:53 (no answer in time), 192.0.2.3:53 (REFUSED)");
  EXPECT_THAT(partly.todo, AllOf(HasSubstr("open port 53 to them, by UDP and TCP"),
                                 HasSubstr("name others in propagation.nameservers")));
}

TEST_F(DoctorTest, WhatNoOperatorHasLookedAtIsFound) {
  objects[kinds("edges")] = list_of(
      R"({"metadata":{"namespace":"voice","name":"edge01","generation":2},"spec":{"connectionRef":{"name":"prod"},"edgeId":"x","sip":{"host":"h"}},"status":{"observedGeneration":1}})");
  EXPECT_THAT(only(findings(), "operator", "Edge edge01").todo, HasSubstr("--namespaces"));
}

TEST_F(DoctorTest, WhatIsStalledIsToldWithItsWords) {
  objects[kinds("edgecertificates")] = list_of(certificate_json(
      "a", "a",
      R"({"observedGeneration":1,"phase":"Failed","conditions":[{"type":"Stalled","status":"True","reason":"RollbackImpossible","message":"nothing is stored","lastTransitionTime":"2026-11-29T00:00:00Z"}]})"));
  const Finding stalled = only(findings(), "operator", "EdgeCertificate a");
  EXPECT_EQ(stalled.verdict, Verdict::kBad);
  EXPECT_EQ(stalled.what, "RollbackImpossible: nothing is stored");
}

// --- Genesys

struct DoctorOfGenesysTest : DoctorTest {
  std::set<std::string> answering{"https://api.mypurecloud.ie/", "https://login.mypurecloud.ie/",
                                  "https://upload.example/v1"};

  void SetUp() override {
    DoctorTest::SetUp();
    outside->otherwise([this](const http::Request& request) {
      return answering.contains(request.url.to_string()) ? answer(404) : support::no_connection();
    });
    connection("");
  }
  void connection(const std::string& conditions,
                  const std::string& upload = R"(,"certificateUpload":{"endpoint":"https://upload.example/v1"})") {
    objects[kinds("genesysconnections")] = list_of(
        R"({"metadata":{"namespace":"voice","name":"prod","generation":1},"spec":{"region":"mypurecloud.ie","credentialsRef":{"name":"oauth"})" +
        upload + R"(},"status":{"observedGeneration":1,"conditions":[)" + conditions + "]}}");
  }
  static std::string condition(const std::string& type, const std::string& status, const std::string& reason) {
    return R"({"type":")" + type + R"(","status":")" + status + R"(","reason":")" + reason +
           R"(","message":"in the vendor's words","lastTransitionTime":"2026-11-29T00:00:00Z"})";
  }
  // What is said of the connection: of it a server each and a condition each may be wrong.
  std::vector<Finding> said() {
    auto all = findings();
    std::erase_if(all, [](const Finding& one) { return one.area != "genesys"; });
    for (const auto& one : all) EXPECT_EQ(one.subject, "GenesysConnection prod");
    return all;
  }
};

TEST_F(DoctorOfGenesysTest, WhereAllIsWellItSaysWhatWasReached) {
  connection(condition("CredentialsValid", "True", "LoggedIn") + "," +
             condition("EndpointsAvailable", "True", "Answered"));
  const auto all = said();
  ASSERT_EQ(all.size(), 1U) << print(all, {});
  EXPECT_EQ(all[0].verdict, Verdict::kGood);
  EXPECT_EQ(all[0].what, "API, login, upload endpoint reached");
}

TEST_F(DoctorOfGenesysTest, EachServerThatCannotBeReachedIsNamed) {
  answering.erase("https://login.mypurecloud.ie/");
  auto all = said();
  ASSERT_EQ(all.size(), 2U) << print(all, {});
  EXPECT_EQ(all[0].verdict, Verdict::kBad);
  EXPECT_EQ(all[0].what, "from here https://login.mypurecloud.ie cannot be reached: connection refused");
  EXPECT_THAT(all[0].todo, HasSubstr("the network (firewall, proxy, name)"));
  EXPECT_EQ(all[1].what, "API, upload endpoint reached");

  answering.clear();
  all = said();
  ASSERT_EQ(all.size(), 3U) << print(all, {});
  for (const auto& one : all) {
    EXPECT_EQ(one.verdict, Verdict::kBad);
    EXPECT_THAT(one.what, HasSubstr("cannot be reached"));
  }
}

TEST_F(DoctorOfGenesysTest, WithoutAnUploadNothingCanBeDelivered) {
  connection("", "");
  const auto all = said();
  ASSERT_EQ(all.size(), 2U) << print(all, {});
  EXPECT_EQ(all[0].verdict, Verdict::kWarning);
  EXPECT_THAT(all[0].todo, HasSubstr("set spec.certificateUpload.endpoint"));
}

TEST_F(DoctorOfGenesysTest, WhatAConnectionLacksIsSaidInTheWordsOfWhoGrantsIt) {
  struct Case {
    std::string type;
    std::string status;
    std::string reason;
    std::string todo;
  };
  for (const auto& [type, status, reason, todo] :
       {Case{"CredentialsValid", "Unknown", "ConnectionForbidden",
             "the OAuth client needs telephony:plugin:all for the division of the Edges"},
        Case{"CredentialsValid", "False", "ConnectionCredentialsRefused",
             "its Secret needs the clientId and the clientSecret of an OAuth client that is active"},
        Case{"EndpointsAvailable", "False", "NoDeliveryChannel", "set spec.certificateUpload"},
        Case{"EndpointsAvailable", "Unknown", "EndpointUnavailable",
             "look up EndpointUnavailable in controller/docs/operations.md, \"Every condition, reason and Event, by "
             "name\""}}) {
    connection(condition(type, status, reason));
    const auto all = said();
    ASSERT_EQ(all.size(), 2U) << print(all, {});
    EXPECT_EQ(all[1].verdict, Verdict::kBad);
    EXPECT_EQ(all[1].what, type + " " + status + ", " + reason + ": in the vendor's words");
    EXPECT_EQ(all[1].todo, todo);
  }
}

TEST_F(DoctorOfGenesysTest, AConnectionThatNobodyUsesYetIsNotWrong) {
  connection(condition("EndpointsAvailable", "Unknown", "NoEdge"));
  const auto all = said();
  ASSERT_EQ(all.size(), 2U) << print(all, {});
  EXPECT_EQ(all[1].verdict, Verdict::kWarning);
  EXPECT_EQ(all[1].todo, "declare an Edge whose connectionRef names it");
}

// --- Edges

class PresentedChain final : public ports::TlsProbe {
 public:
  std::string chain_pem;
  Result<ports::ServedChain> present(const ports::ProbeTarget& target, std::stop_token) override {
    if (chain_pem.empty()) return fail(ErrorKind::kUnavailable, target.host + " refuses");
    return ports::ServedChain{.chain_pem = chain_pem, .tls_version = "TLSv1.3"};
  }
};

TEST_F(DoctorTest, AnEdgeIsAskedForItsCertificate) {
  PresentedChain probe;
  tools.probe = &probe;
  objects[kinds("edges")] = list_of(
      R"({"metadata":{"namespace":"voice","name":"edge01","generation":1},"spec":{"connectionRef":{"name":"prod"},"edgeId":"x","sip":{"host":"h"}},"status":{"observedGeneration":1}})");
  EXPECT_THAT(only(findings(), "edge", "Edge edge01").what,
              HasSubstr("h:5061 does not complete a TLS handshake: h refuses"));
  const auto leaf = support::TestCa("root").issue({.dns = {"a.example"}});
  probe.chain_pem = leaf.chain_pem;
  EXPECT_EQ(only(findings(), "edge", "Edge edge01").verdict, Verdict::kGood);
  objects[kinds("edgecertificates")] = list_of(certificate_json("a", "edge01"));
  EXPECT_THAT(only(findings(), "edge", "Edge edge01").what, HasSubstr("EdgeCertificate a knows of 0a1b"))
      << "another certificate than the operator has seen";
  clock.jump_wall(std::chrono::years{40});
  EXPECT_THAT(only(findings(), "edge", "Edge edge01").what, HasSubstr("expired"));
}

TEST_F(DoctorTest, FindingsAreADocumentToo) {
  const auto value = as_value(findings());
  EXPECT_EQ(value["findings"][0]["area"], "cluster");
  EXPECT_EQ(value["findings"][0]["verdict"], "ok");
}

}  // namespace
}  // namespace edgetrust::plugin
