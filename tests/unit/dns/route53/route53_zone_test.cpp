#include "edgetrust/dns/route53/route53_zone.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

#include <sstream>

#include <pugixml.hpp>

namespace edgetrust::dns {
namespace {

using namespace std::chrono_literals;
using http::Method;
using support::answer;
using testing::HasSubstr;
using testing::Not;

const std::string kName = "_acme-challenge.edge01.example.com";
const std::string kApi = "https://route53.amazonaws.com/2013-04-01";
const std::string kZones = kApi + "/hostedzonesbyname?dnsname=example.com.";
const std::string kSts = "https://sts.eu-west-1.amazonaws.com/";

std::string list_url(const std::string& zone = "Z1") {
  return kApi + "/hostedzone/" + zone + "/rrset?name=" + kName + ".&type=TXT&maxitems=1";
}
std::string change_url(const std::string& zone = "Z1") { return kApi + "/hostedzone/" + zone + "/rrset/"; }
std::string error_document(const std::string& code, const std::string& message = "m") {
  return "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + message +
         "</Message></Error><RequestId>r</RequestId></ErrorResponse>";
}
std::string zone_document(const std::string& id, const std::string& name, bool is_private = false) {
  return "<HostedZone><Id>/hostedzone/" + id + "</Id><Name>" + name + "</Name><Config><PrivateZone>" +
         (is_private ? "true" : "false") + "</PrivateZone></Config></HostedZone>";
}
std::string zones(const std::string& list) {
  return "<?xml version=\"1.0\"?><ListHostedZonesByNameResponse><HostedZones>" + list +
         "</HostedZones></ListHostedZonesByNameResponse>";
}

// Record sets as Route 53 keeps them: a batch is carried out as a whole, and deletes only what is exactly there.
struct Server {
  struct Set {
    int ttl = 0;
    std::vector<std::string> values;
    bool operator==(const Set&) const = default;
  };
  std::optional<Set> set;
  std::function<void()> before_change = [] {};

  [[nodiscard]] std::string listed() const {
    std::string text = "<ListResourceRecordSetsResponse><ResourceRecordSets>";
    if (set) {
      text += "<ResourceRecordSet><Name>" + kName + ".</Name><Type>TXT</Type><TTL>" + std::to_string(set->ttl) +
              "</TTL><ResourceRecords>";
      for (const auto& value : set->values) text += "<ResourceRecord><Value>" + value + "</Value></ResourceRecord>";
      text += "</ResourceRecords></ResourceRecordSet>";
    } else {  // the list goes on with what comes after the name
      text += "<ResourceRecordSet><Name>edge01.example.com.</Name><Type>TXT</Type><TTL>1</TTL></ResourceRecordSet>";
    }
    return text + "</ResourceRecordSets></ListResourceRecordSetsResponse>";
  }
  support::Answer change(const std::string& body) {
    before_change();
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string(body.c_str()));
    const auto root = document.document_element();
    EXPECT_STREQ(root.attribute("xmlns").value(), "https://route53.amazonaws.com/doc/2013-04-01/");
    std::optional<Set> now = set;
    for (const auto& change : root.child("ChangeBatch").child("Changes").children("Change")) {
      const auto given = change.child("ResourceRecordSet");
      EXPECT_EQ(std::string(given.child_value("Name")), kName + ".");
      Set asked{given.child("TTL").text().as_int(), {}};
      for (const auto& record : given.child("ResourceRecords").children("ResourceRecord"))
        asked.values.emplace_back(record.child_value("Value"));
      const std::string action = change.child_value("Action");
      const bool possible = action == "DELETE" ? now == asked : action == "CREATE" && !now;
      if (!possible)
        return answer(
            400, "<InvalidChangeBatch><Messages><Message>it does not match</Message></Messages></InvalidChangeBatch>");
      action == "DELETE" ? now.reset() : void(now = asked);
    }
    set = now;
    return answer(200, "<ChangeResourceRecordSetsResponse/>");
  }
  support::Answer serve(const http::Request& request) {
    const std::string url = request.url.to_string();
    EXPECT_THAT(std::string(request.headers.get("Authorization").value_or("")),
                HasSubstr("/us-east-1/route53/aws4_request"));
    if (url == kZones)
      return answer(200, zones(zone_document("Z1", "example.com.") + zone_document("Z2", "example.net.")));
    if (url == list_url()) return answer(200, listed());
    EXPECT_EQ(url, change_url());
    return change(request.body);
  }
};

struct Route53 : testing::Test {
  support::FakeClock clock;
  Server server;
  std::shared_ptr<support::FakeTransport> transport = std::make_shared<support::FakeTransport>();

  Route53() {
    transport->otherwise([this](const http::Request& request) { return server.serve(request); });
  }
  static Route53Options options() {
    const AwsPartition partition = aws_partition("eu-west-1");
    Route53Options made{
        .api = partition.route53, .signing_region = partition.signing_region, .credential = "Secret aws key id"};
    made.login.sts = partition.sts;
    made.login.region = "eu-west-1";
    made.login.keys = AwsKeys{.access_key_id = "AKIA1", .secret_access_key = Secret("s3cret"), .session_token = {}};
    return made;
  }
  std::unique_ptr<Route53Zone> make(Route53Options chosen = options()) {
    return Route53Zone::create(
               std::move(chosen), transport,
               [](const std::string&, std::stop_token) -> Result<std::string> { return "example.com"; }, clock)
        .value();
  }
  Error refusal(int status, const std::string& body, http::Headers headers = {}) {
    transport->expect(Method::kGet, kZones, answer(status, body, std::move(headers)));
    const auto done = make()->present(kName, "v", {});
    EXPECT_FALSE(done.has_value());
    return done ? Error{} : done.error();
  }
};

TEST_F(Route53, MakesASetAndDeletesItWithItsLastValue) {
  const auto zone = make();
  const auto done = zone->present("_acme-challenge.Edge01.example.com", "v", {});
  ASSERT_TRUE(done.has_value()) << done.error().message();
  EXPECT_EQ(server.set, (Server::Set{60, {"\"v\""}}));
  EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  EXPECT_EQ(transport->count(Method::kPost, change_url()), 1U) << "a repeat changes nothing";
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
  EXPECT_FALSE(server.set.has_value());
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
  EXPECT_EQ(transport->count(Method::kPost, change_url()), 2U);
}

TEST_F(Route53, OtherValuesAndTheTtlStayAsTheyStand) {
  const Server::Set foreign{300, {"\"foreign\"", "\"in two \" \"strings\""}};
  server.set = foreign;
  const auto zone = make();
  EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  EXPECT_EQ(server.set, (Server::Set{300, {"\"foreign\"", "\"in two \" \"strings\"", "\"v\""}}));
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
  EXPECT_EQ(server.set, foreign);
}

TEST_F(Route53, AWriterInBetweenLosesNothing) {
  int others = 0;
  server.before_change = [&] {
    if (++others > 2) return;
    if (!server.set) server.set = Server::Set{300, {}};
    server.set->values.push_back("\"other " + std::to_string(others) + "\"");
  };
  EXPECT_TRUE(make()->present(kName, "v", {}).has_value());
  EXPECT_EQ(server.set->values, (std::vector<std::string>{"\"other 1\"", "\"other 2\"", "\"v\""}));
  server.before_change = [&] { ++server.set->ttl; };
  EXPECT_EQ(make()->remove(kName, "v", {}).error().kind, ErrorKind::kConflict) << "not for ever";
  EXPECT_EQ(server.set->values.size(), 3U);
}

TEST_F(Route53, WhatIsInTheWayIsNamed) {
  transport->otherwise([&](const http::Request& request) {
    if (request.url.to_string() != change_url()) return server.serve(request);
    return answer(400,
                  "<InvalidChangeBatch><Messages><Message>a conflicting RRSet of type CNAME "
                  "exists</Message></Messages></InvalidChangeBatch>");
  });
  const Error refused = make()->present(kName, "v", {}).error();
  EXPECT_EQ(refused.kind, ErrorKind::kConflict);
  EXPECT_THAT(refused.message(), HasSubstr("a conflicting RRSet of type CNAME exists"));
}

TEST_F(Route53, TheZoneIsFoundByNameAmongThePublicOnes) {
  transport->expect(
      Method::kGet, kZones,
      answer(200, zones(zone_document("Z9", "example.com.", true) + zone_document("Z1", "example.com."))));
  EXPECT_TRUE(make()->present(kName, "v", {}).has_value());
  const Error none = refusal(200, zones(zone_document("Z2", "example.net.")));
  EXPECT_EQ(none.kind, ErrorKind::kNotFound);
  EXPECT_THAT(none.message(), HasSubstr("no public hosted zone example.com"));
  const Error two = refusal(200, zones(zone_document("Z1", "example.com.") + zone_document("Z2", "example.com.")));
  EXPECT_EQ(two.kind, ErrorKind::kInvalid);
  EXPECT_THAT(two.message(), HasSubstr("(Z1, Z2): set hostedZoneId"));
}

TEST_F(Route53, AHostedZoneThatIsNamedIsNotLookedFor) {
  Route53Options chosen = options();
  chosen.hosted_zone_id = "Z1";
  EXPECT_TRUE(make(std::move(chosen))->present(kName, "v", {}).has_value());
  EXPECT_EQ(transport->count(Method::kGet, kZones), 0U);
  chosen = options();
  chosen.hosted_zone_id = "../Z1";
  EXPECT_EQ(Route53Zone::create(std::move(chosen), transport, {}, clock).error().kind, ErrorKind::kInvalid);
}

TEST_F(Route53, WhatItRefusesSaysWhatToChange) {
  for (const char* code : {"InvalidClientTokenId", "SignatureDoesNotMatch"}) {
    const Error refused = refusal(403, error_document(code));
    EXPECT_EQ(refused.kind, ErrorKind::kUnauthorized);
    EXPECT_THAT(refused.message(), HasSubstr("Secret aws key id"));
    EXPECT_EQ(refused.code, code);
  }
  const Error denied =
      refusal(403, error_document("AccessDenied", "not authorized to perform: route53:ListHostedZonesByName"));
  EXPECT_EQ(denied.kind, ErrorKind::kForbidden);
  EXPECT_THAT(denied.message(), HasSubstr("route53:ListHostedZonesByName"));
  EXPECT_EQ(refusal(400, error_document("Throttling", "Rate exceeded")).kind, ErrorKind::kRateLimited);
  EXPECT_EQ(refusal(400, error_document("PriorRequestNotComplete")).kind, ErrorKind::kConflict);
  EXPECT_EQ(refusal(404, error_document("NoSuchHostedZone")).kind, ErrorKind::kNotFound);
  EXPECT_EQ(refusal(503, "<html>", {{"Retry-After", "5"}}).retry_after, 5s);
  EXPECT_THAT(refusal(403, error_document("SignatureDoesNotMatch", "s3cret is wrong")).message(),
              Not(HasSubstr("s3cret")));
}

TEST_F(Route53, HostileAnswersAreErrors) {
  EXPECT_EQ(refusal(200, "no XML").kind, ErrorKind::kProtocol);
  EXPECT_EQ(refusal(200, "<a><b>").kind, ErrorKind::kProtocol);
  EXPECT_EQ(refusal(200, R"(<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>)").kind,
            ErrorKind::kNotFound);
  EXPECT_EQ(refusal(200, zones(zone_document("Z1?x=y", "example.com."))).kind, ErrorKind::kProtocol);
  transport->expect(
      Method::kGet, list_url(),
      answer(
          200,
          "<R><ResourceRecordSets><ResourceRecordSet><Name>" + kName +
              ".</Name><Type>TXT</Type><SetIdentifier>a</SetIdentifier></ResourceRecordSet></ResourceRecordSets></R>"));
  EXPECT_EQ(make()->present(kName, "v", {}).error().kind, ErrorKind::kConflict);
}

// --- logging in

std::string session(const std::string& id, const std::string& expiration) {
  return "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" + id +
         "</AccessKeyId><SecretAccessKey>tempkey</SecretAccessKey><SessionToken>t0ken" + id +
         "</SessionToken><Expiration>" + expiration +
         "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
}

struct Route53Login : Route53 {
  int tokens_read = 0;

  Route53Options with_pod(const std::string& pod_role, const std::string& role = {}) {
    Route53Options chosen = options();
    chosen.login.keys.reset();
    chosen.login.role_arn = role;
    chosen.login.web_identity = AwsWebIdentity{.role_arn = pod_role, .token = [this]() -> Result<Secret> {
                                                 return Secret("jwt" + std::to_string(++tokens_read));
                                               }};
    return chosen;
  }
  [[nodiscard]] std::vector<http::Request> to_sts() const {
    std::vector<http::Request> found;
    for (const auto& request : transport->requests())
      if (request.url.to_string() == kSts) found.push_back(request);
    return found;
  }
};

TEST_F(Route53Login, ThePodsTokenIsExchangedForKeysThatAreKept) {
  transport->expect(Method::kPost, kSts, answer(200, session("ASIA1", "2026-11-22T13:00:00Z")));
  const auto zone = make(with_pod("arn:aws:iam::123456789012:role/pod"));
  ASSERT_TRUE(zone->present(kName, "v", {}).has_value());
  EXPECT_TRUE(zone->remove(kName, "v", {}).has_value());
  const auto asked = to_sts();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(
      asked[0].body,
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fpod&"
      "RoleSessionName=edgetrust&WebIdentityToken=jwt1");
  EXPECT_EQ(asked[0].headers.get("Authorization"), std::nullopt) << "the token is what proves it";
  const auto sent = transport->requests();
  EXPECT_EQ(sent.back().headers.get("X-Amz-Security-Token"), "t0kenASIA1");
  EXPECT_THAT(std::string(*sent.back().headers.get("Authorization")), HasSubstr("Credential=ASIA1/"));
  clock.advance(56min);
  transport->expect(Method::kPost, kSts, answer(200, session("ASIA2", "2026-11-22T14:00:00Z")));
  EXPECT_TRUE(zone->present(kName, "v", {}).has_value());
  EXPECT_THAT(to_sts().at(1).body, HasSubstr("WebIdentityToken=jwt2"));
}

TEST_F(Route53Login, ARoleIsAssumedWithKeys) {
  Route53Options chosen = options();
  chosen.login.role_arn = "arn:aws:iam::123456789012:role/dns";
  transport->expect(Method::kPost, kSts, answer(200, session("ASIA1", "2026-11-22T13:00:00Z")));
  EXPECT_TRUE(make(std::move(chosen))->present(kName, "v", {}).has_value());
  const auto asked = to_sts();
  EXPECT_EQ(asked.at(0).body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fdns&"
            "RoleSessionName=edgetrust");
  EXPECT_THAT(std::string(*asked[0].headers.get("Authorization")),
              HasSubstr("Credential=AKIA1/20261122/eu-west-1/sts/"));
}

TEST_F(Route53Login, ARoleIsAssumedFromThePods) {
  transport->expect(Method::kPost, kSts, answer(200, session("ASIA1", "2026-11-22T13:00:00Z")));
  transport->expect(Method::kPost, kSts, answer(200, session("ASIA2", "2026-11-22T13:00:00Z")));
  EXPECT_TRUE(make(with_pod("arn:aws:iam::123456789012:role/pod", "arn:aws:iam::123456789012:role/dns"))
                  ->present(kName, "v", {})
                  .has_value());
  const auto asked = to_sts();
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_THAT(std::string(*asked[1].headers.get("Authorization")), HasSubstr("Credential=ASIA1/"));
  EXPECT_THAT(std::string(*transport->requests().back().headers.get("Authorization")), HasSubstr("Credential=ASIA2/"));
}

TEST_F(Route53Login, WithoutARoleOfThePodTheOneThatIsNamedIsAssumedByItsToken) {
  transport->expect(Method::kPost, kSts, answer(200, session("ASIA1", "2026-11-22T13:00:00Z")));
  EXPECT_TRUE(make(with_pod("", "arn:aws:iam::123456789012:role/dns"))->present(kName, "v", {}).has_value());
  EXPECT_THAT(to_sts().at(0).body, HasSubstr("role%2Fdns"));
}

TEST_F(Route53Login, KeysThatAreRefusedAreFetchedAnewOnce) {
  transport->expect(Method::kPost, kSts, answer(200, session("ASIA1", "2026-11-22T13:00:00Z")));
  transport->expect(Method::kPost, kSts, answer(200, session("ASIA2", "2026-11-22T13:00:00Z")));
  transport->expect(Method::kGet, kZones, answer(403, error_document("ExpiredToken")));
  transport->expect(Method::kGet, kZones, answer(403, error_document("ExpiredToken", "t0kenASIA2 is old")));
  const Error refused = make(with_pod("arn:aws:iam::123456789012:role/pod"))->present(kName, "v", {}).error();
  EXPECT_EQ(refused.kind, ErrorKind::kUnauthorized);
  EXPECT_THAT(refused.message(), Not(HasSubstr("t0ken")));
}

TEST_F(Route53Login, WhatStsRefusesSaysSo) {
  const auto refused = [&](int status, const std::string& body) {
    transport->expect(Method::kPost, kSts, answer(status, body));
    return make(with_pod("arn:aws:iam::123456789012:role/pod"))->present(kName, "v", {}).error();
  };
  EXPECT_EQ(refused(400, error_document("InvalidIdentityToken", "No OpenIDConnect provider found")).kind,
            ErrorKind::kUnauthorized);
  const Error denied =
      refused(403, error_document("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"));
  EXPECT_EQ(denied.kind, ErrorKind::kForbidden);
  EXPECT_THAT(denied.message(), HasSubstr("AWS STS"));
  EXPECT_EQ(refused(200, "<AssumeRoleResponse/>").kind, ErrorKind::kProtocol);
  EXPECT_EQ(refused(200, session("", "2026-11-22T13:00:00Z")).kind, ErrorKind::kProtocol);
  EXPECT_EQ(refused(200, session("ASIA1", "soon")).kind, ErrorKind::kProtocol);
}

TEST_F(Route53Login, WithoutKeysAndPodIdentityThereIsNothingToLogInWith) {
  Route53Options chosen = options();
  chosen.login.keys.reset();
  const auto made = Route53Zone::create(std::move(chosen), transport, {}, clock);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(made.error().what, HasSubstr("AWS_WEB_IDENTITY_TOKEN_FILE"));
  chosen = options();
  chosen.login.keys = AwsKeys{.access_key_id = "", .secret_access_key = Secret("x"), .session_token = {}};
  EXPECT_THAT(Route53Zone::create(std::move(chosen), transport, {}, clock).error().what,
              HasSubstr("Secret aws key id"));
}

TEST(Partition, ChinaAndGovCloudHaveServersOfTheirOwn) {
  EXPECT_EQ(aws_partition("cn-north-1").sts, "https://sts.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(aws_partition("cn-north-1").route53, "https://route53.amazonaws.com.cn");
  EXPECT_EQ(aws_partition("us-gov-east-1").signing_region, "us-gov-west-1");
  EXPECT_EQ(aws_partition("ap-south-1").signing_region, "us-east-1");
}

}  // namespace
}  // namespace edgetrust::dns
