// How large a status gets: it is read by everybody who lists EdgeCertificates, and one that breaks a limit of its CRD
// is not written at all.
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;

std::string encoded(const Observation& o, const Decision& decision) {
  api::EdgeCertificate written = o.object;
  written.status = decision.status;
  return api::encode_status(written);
}

std::string name_of_length(int number, std::size_t length) {
  std::string name = "edge" + std::to_string(100 + number);
  while (name.size() < length) name += name.size() % 64 == 63 ? '.' : 'x';
  if (name.back() == '.') name.back() = 'x';
  return name;
}

// An open order for so many names, after ten revisions of which this is said.
Observation ordered_for(int names, std::size_t length, bool by_http, const std::string& said, const std::string& seen) {
  Observation o = ordered(ports::OrderStatus::kPending);
  o.serves_http01 = true;
  o.object.spec.dns_names.clear();
  o.order->order.identifiers.clear();
  const auto one = o.order->order.authorizations.at(0);
  o.order->order.authorizations.clear();
  const std::string token(43, 't');
  for (int i = 0; i < names; ++i) {
    auto authorization = one;
    authorization.identifier = name_of_length(i, length);
    authorization.dns->record_name = "_acme-challenge." + authorization.identifier;
    authorization.dns->record_value = token;
    authorization.http = ports::HttpChallenge{.url = one.dns->url, .token = token, .account_thumbprint = token};
    o.object.spec.dns_names.push_back(authorization.identifier);
    o.order->order.identifiers.insert(authorization.identifier);
    o.order->order.authorizations.push_back(authorization);
  }
  if (by_http)
    change(o.issuer, [](auto& issuer) { issuer.spec.solvers = {api::Solver{.http01 = api::Http01Solver{}}}; });
  o.object.status.history.clear();
  for (int i = 0; i < 10; ++i) {
    o.object.status.history.push_back({.revision = 1 - i,
                                       .serial_number = std::string(40, 'a'),
                                       .fingerprint_sha256 = std::string(64, 'b'),
                                       .not_after = kNow,
                                       .result = api::RevisionResult::kSuperseded,
                                       .at = kNow,
                                       .evidence = seen,
                                       .message = said,
                                       .variant = "letsencrypt/ISRG Root X1/RSA 2048/1.0.0",
                                       .live_since = kNow});
  }
  return o;
}

TEST(StatusSize, OfAHundredNamesByHttpIsWithin16KiB) {
  const Observation o = ordered_for(100, 24, true, "replaced by revision 2", "state OK, SIP UP, 2 trunks up");
  const Decision decision = decide(o);
  EXPECT_EQ(decision.status.order->http_answers.size(), 100U);
  EXPECT_LE(encoded(o, decision).size(), 16U * 1024);
}

// All limits at once: names as long as DNS has them, of which the records are more than half; and messages that are
// cut.
TEST(StatusSize, HasABound) {
  const std::string long_text(20'000, 'y');
  Observation o = ordered_for(100, 230, false, std::string(api::kLongestNote, 'y'), std::string(320, 'z'));
  o.object.status.history.front().revision = -20;  // none that is stored
  o.object.status.history.front().result = api::RevisionResult::kRolledBack;
  o.object.status.history.front().message = long_text;
  auto& order = *o.object.status.order;
  order.abandoned.assign(20, {std::string(512, 'u'), name_of_length(0, 230)});
  order.last_error = long_text;
  for (const auto& authorization : o.order->order.authorizations)
    order.records.push_back({authorization.dns->record_name, authorization.dns->record_value});
  o.failures = failed("LookAtOrder", ErrorKind::kUnavailable, o.now);
  o.failures.begin()->second.error.what = long_text;
  const Decision decision = decide(o);
  EXPECT_EQ(reason_in(decision.status), "IssuerUnavailable");
  EXPECT_EQ(api::said(decision.status.conditions)->message.size(), api::kLongestMessage);
  EXPECT_EQ(decision.status.order->last_error.size(), api::kLongestMessage);
  EXPECT_EQ(decision.status.history.front().message.size(), api::kLongestNote);
  EXPECT_EQ(condition(decision, api::condition::kRolledBack)->message.size(), api::kLongestNote);
  EXPECT_LE(encoded(o, decision).size(), 96U * 1024);
}

// Each of them says why: together that is more than the CRD lets in.
TEST(StatusSize, WhatTheCaSaysOfAHundredNamesIsCut) {
  Observation o = ordered_for(100, 24, true, "replaced by revision 2", "");
  o.order->order.status = ports::OrderStatus::kInvalid;
  for (auto& authorization : o.order->order.authorizations)
    authorization.http->error = error(ErrorKind::kUnavailable, std::string(1000, 'e'));
  const Decision decision = decide(o);
  ASSERT_EQ(decision.announcements.at(0).reason, "OrderInvalid");
  EXPECT_LE(decision.status.order->last_error.size(), api::kLongestMessage);
}

}  // namespace
}  // namespace edgetrust::decide::certificate
