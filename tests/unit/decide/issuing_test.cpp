// From the key to the stored bundle: revision_issued, order_cleaned_up.
#include "sane.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;
using namespace support;
using api::RevisionResult;
using ports::OrderStatus;

// The record is on every server, and has been there for so long.
void seen_everywhere(Observation& o, api::Duration written_ago) {
  o.records = RecordsLook{.everywhere = true, .at = o.now};
  o.object.status.order->records_since = o.now - written_ago;
}

template <class Effect>
const Effect& effect_of(const Decision& decision) {
  return std::get<Effect>(decision.effect.value());
}
void change_spec(Observation& o) { ++o.object.meta.generation; }

// --- when a new revision is begun

TEST(RevisionIssued, BeginsWhenACertificateIsDue) {
  const auto names = [](auto& o) {
    o.object.spec.dns_names.push_back("sip.example.com");
    change_spec(o);
  };
  check({{"not due", ready(), "rest Ready/Ready +renewal"},
         {"no certificate at all", with(fresh(), [](auto& o) { o.look = empty_look(); }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"due", due(), "revision_issued CreateKey Issuing/CreatingKey R"},
         {"one moment before", with(ready(), [](auto& o) { o.now = *o.object.status.renewal_time - 1ms; }),
          "rest Ready/Ready +renewal"},
         {"at that moment", with(ready(), [](auto& o) { o.now = *o.object.status.renewal_time; }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"asked for", with(ready(), [](auto& o) { annotate(o, api::kRenewRequestedAt); }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"other names", with(ready(), names), "revision_issued CreateKey Issuing/CreatingKey R"},
         {"the same names in another order",
          with(ready(),
               [](auto& o) {
                 o.revisions[1].chain->dns_names = {"b", "a"};
                 o.object.spec.dns_names = {"a", "b"};
               }),
          "rest Ready/Ready +renewal"},
         {"another kind of key",
          with(ready(),
               [](auto& o) {
                 o.object.spec.private_key = api::PrivateKeySpec{.algorithm = api::KeyAlgorithm::kEcdsa};
                 change_spec(o);
               }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"its key is lost", with(ready(), [](auto& o) { o.revisions[1].has_key = false; }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"it was rejected, and the Edge serves it for want of another",
          with(ready(),
               [](auto& o) {
                 o.object.status.history[0].result = RevisionResult::kRejected;
                 o.revisions[1].marked_rejected = true;
               }),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"renewBefore",
          with(ready(),
               [](auto& o) {
                 o.object.spec.renew_before = 1h;
                 change_spec(o);
                 o.now = kNow + 70 * 24h;
               }),
          "rest Ready/Ready +renewal"}});
}

TEST(RevisionIssued, TheIntentionIsWrittenBeforeTheKeyIsMade) {
  const Decision decision = decide(due());
  ASSERT_TRUE(decision.status.order);
  EXPECT_EQ(decision.status.order->revision, 2);
  EXPECT_EQ(effect_of<effect::CreateKey>(decision).revision, 2);
  EXPECT_EQ(effect_of<effect::CreateKey>(decision).key, (ports::KeySpec{ports::KeyAlgorithm::kRsa, 2048}));
  EXPECT_EQ(effect_of<effect::CreateKey>(decision).copy_from, std::nullopt);
  ASSERT_EQ(decision.announcements.size(), 1U);
  EXPECT_EQ(decision.announcements[0].message, "begins revision 2: renewal is due");
  EXPECT_EQ(condition(decision, api::condition::kIssued)->status, api::Truth::kFalse);
}

TEST(RevisionIssued, NumbersAreNeverUsedTwice) {
  const auto number = [](Observation o) { return decide(o).status.order->revision; };
  EXPECT_EQ(number(with(fresh(), [](auto& o) { o.look = empty_look(); })), 1);
  EXPECT_EQ(number(with(due(),
                        [](auto& o) {
                          o.object.status.history.insert(o.object.status.history.begin(),
                                                         {.revision = 6, .result = RevisionResult::kRejected});
                        })),
            7);
  EXPECT_EQ(number(with(due(),
                        [](auto& o) {  // stored, but for other names
                          o.revisions[9] = whole(9);
                          o.revisions[9].chain->dns_names = {"old.example.com"};
                        })),
            10);
}

TEST(RevisionIssued, TheKeyIsKeptWhereTheSpecSaysSoAndItFits) {
  const auto never = [](auto& o) {
    o.object.spec.private_key = api::PrivateKeySpec{.rotation_policy = api::KeyRotation::kNever};
  };
  const auto copied = [](const Observation& o) { return effect_of<effect::CreateKey>(decide(o)).copy_from; };
  EXPECT_EQ(copied(with(due(), never)), 1);
  EXPECT_EQ(copied(with(with(due(), never), [](auto& o) { o.object.spec.private_key->size = 3072; })), std::nullopt);
  EXPECT_EQ(copied(with(with(due(), never), [](auto& o) { o.revisions[1].has_key = false; })), std::nullopt);
  EXPECT_EQ(copied(with(with(fresh(), never), [](auto& o) { o.look = empty_look(); })), std::nullopt);
  // Also when the first try to make it failed, or the operator died before it was made.
  EXPECT_EQ(copied(with(with(ordering(), never), [](auto& o) { o.revisions.erase(2); })), 1);
}

TEST(RevisionIssued, WithoutAUsableIssuerNothingIsBegun) {
  check({{"none", with(due(), [](auto& o) { o.issuer.reset(); }), "revision_issued Issuing/IssuerNotFound R"},
         {"none named",
          with(due(),
               [](auto& o) {
                 o.issuer.reset();
                 o.object.spec.issuer_ref.reset();
               }),
          "revision_issued Issuing/IssuerNotFound R"},
         {"a broken one",
          with(due(), [](auto& o) { change(o.issuer, [](auto& i) { i.broken = error(ErrorKind::kInvalid); }); }),
          "revision_issued Issuing/IssuerInvalid R"},
         {"one without a solver for the name",
          with(due(),
               [](auto& o) {
                 change(o.issuer,
                        [](auto& i) { i.spec.solvers[0].selector = api::SolverSelector{.dns_zones = {"net"}}; });
               }),
          "revision_issued Issuing/NoSolver R"},
         {"gone in the middle of an order", with(answering(), [](auto& o) { o.issuer.reset(); }),
          "revision_issued Issuing/IssuerNotFound R"}});
  Observation asked = with(due(), [](auto& o) { o.issuer.reset(); });
  annotate(asked, api::kRenewRequestedAt);
  EXPECT_FALSE(decide(asked).status.handled_requests) << "what was not begun is still to be done";
}

// --- step by step

TEST(RevisionIssued, GoesOnFromWhateverIsThere) {
  const Observation pending = ordered(OrderStatus::kPending);
  check({
      {"the key is missing", with(ordering(), [](auto& o) { o.revisions.erase(2); }),
       "revision_issued CreateKey Issuing/CreatingKey R"},
      {"a key without an order, found again after a restore",
       with(ordering(), [](auto& o) { o.object.status.order.reset(); }),
       "revision_issued CreateKey Issuing/CreatingKey R"},
      {"the key is stored", ordering(), "revision_issued NewOrder Issuing/Ordering R"},
      {"the order is answered and not written down", with(ordering(), [](auto& o) { o.new_order_url = kOrderUrl; }),
       "revision_issued Issuing/Ordered R +0s"},
      {"the order is written down, not looked at", with(pending, [](auto& o) { o.order.reset(); }),
       "revision_issued LookAtOrder Issuing/Ordered R"},
      {"another order was looked at", with(pending, [](auto& o) { o.order->order.url = "https://ca.example/order/0"; }),
       "revision_issued LookAtOrder Issuing/Ordered R"},
      {"pending, without finalizer", pending, "revision_issued SetFinalizer Issuing/Answering R"},
      {"pending, with finalizer", with(answering(), [](auto& o) { o.presented.clear(); }),
       "revision_issued PresentRecord Issuing/Answering R"},
      {"the record is written", answering(), "revision_issued LookForRecords Issuing/Answering R"},
      {"not everywhere yet",
       with(answering(), [](auto& o) { o.records = RecordsLook{.everywhere = false, .missing = "ns1", .at = o.now}; }),
       "revision_issued Issuing/Answering R +2s"},
      {"not everywhere yet, and the clock was set back",
       with(answering(),
            [](auto& o) { o.records = RecordsLook{.everywhere = false, .missing = "ns1", .at = o.now + 1h}; }),
       "revision_issued LookForRecords Issuing/Answering R"},
      {"not everywhere yet, a while later",
       with(answering(),
            [](auto& o) { o.records = RecordsLook{.everywhere = false, .missing = "ns1", .at = o.now - 2s}; }),
       "revision_issued LookForRecords Issuing/Answering R"},
      {"everywhere, before the floor", with(answering(), [](auto& o) { seen_everywhere(o, 119s); }),
       "revision_issued Issuing/Answering R +1s"},
      {"everywhere, the floor waited out", with(answering(), [](auto& o) { seen_everywhere(o, 120s); }),
       "revision_issued AnswerChallenge Issuing/Answering R"},
      {"answered",
       with(answering(),
            [](auto& o) {
              seen_everywhere(o, 120s);
              o.answered = {"https://ca.example/challenge/1"};
            }),
       "revision_issued Issuing/Validating R +2s"},
      {"answered, a while later",
       with(answering(),
            [](auto& o) {
              seen_everywhere(o, 120s);
              o.answered = {"https://ca.example/challenge/1"};
              o.order->at = o.now - 2s;
            }),
       "revision_issued LookAtOrder Issuing/Validating R"},
      {"answered in an earlier life",
       with(answering(),
            [](auto& o) {
              seen_everywhere(o, 120s);
              o.order->order.authorizations[0].dns->status = ports::ChallengeStatus::kProcessing;
            }),
       "revision_issued Issuing/Validating R +2s"},
      {"no authorization is open",
       with(pending, [](auto& o) { o.order->order.authorizations[0].status = ports::AuthorizationStatus::kValid; }),
       "revision_issued Issuing/Validating R +2s"},
      {"ready", ordered(OrderStatus::kReady), "revision_issued FinalizeOrder Issuing/Finalizing R"},
      {"processing", ordered(OrderStatus::kProcessing), "revision_issued Issuing/Processing R +2s"},
      {"processing, the CA asks for patience",
       with(ordered(OrderStatus::kProcessing), [](auto& o) { o.order->order.retry_after = 30s; }),
       "revision_issued Issuing/Processing R +30s"},
      {"processing, the CA asks for too much",
       with(ordered(OrderStatus::kProcessing), [](auto& o) { o.order->order.retry_after = std::chrono::hours{87600}; }),
       "revision_issued Issuing/Processing R +1h"},
      {"processing, the CA asks for none",
       with(ordered(OrderStatus::kProcessing), [](auto& o) { o.order->order.retry_after = 0s; }),
       "revision_issued Issuing/Processing R +1s"},
      {"processing, the clock was set back",
       with(ordered(OrderStatus::kProcessing), [](auto& o) { o.order->at = o.now + 24h; }),
       "revision_issued LookAtOrder Issuing/Processing R"},
      {"valid", ordered(OrderStatus::kValid), "revision_issued StoreBundle Issuing/Downloading R"},
      {"stored", deliverable(), "revision_delivered SetFinalizer Delivering/Pushing R"},
  });
}

TEST(RevisionIssued, TheRecordIsWrittenDownBeforeItIsWritten) {
  const Decision decision = decide(ordered(OrderStatus::kPending));
  EXPECT_EQ(decision.status.order->records, std::vector<api::TxtRecord>{kRecord});
  EXPECT_FALSE(decision.status.order->records_since);
  const Decision looking = decide(with(answering(), [](auto& o) { o.object.status.order->records_since.reset(); }));
  EXPECT_EQ(looking.status.order->records_since, answering().now) << "the floor counts from when all were written";
}

TEST(RevisionIssued, TheFloorOfTheWaitIsTheSolvers) {
  Observation o = answering();
  change(o.issuer, [](auto& issuer) {
    issuer.spec.solvers[0].dns01->propagation = api::Propagation{.wait = 300s, .timeout = 20min};
  });
  o.records = RecordsLook{.everywhere = true, .at = o.now};
  EXPECT_EQ(decided(o), "revision_issued Issuing/Answering R +5m");
  // A crash does not make it longer: what was seen is lost, when the records were written is not.
  o.now += 200s;
  crash(o);
  o.order = OrderLook{order(OrderStatus::kPending), o.now};
  EXPECT_EQ(decided(o), "revision_issued PresentRecord Issuing/Answering R");
  o.presented = {record_id(kRecord)};
  o.records = RecordsLook{.everywhere = true, .at = o.now};
  EXPECT_EQ(decided(o), "revision_issued Issuing/Answering R +1m40s");
}

TEST(RevisionIssued, AllNamesAreAnsweredTogether) {
  Observation o = ordered(OrderStatus::kPending);
  o.object.spec.dns_names = {kName, "*.edge01.example.com", "sip.example.com"};
  o.order->order.identifiers = {kName, "*.edge01.example.com", "sip.example.com"};
  auto second = o.order->order.authorizations[0];  // the wildcard: the same name, another value
  second.dns->url = "https://ca.example/challenge/2";
  second.dns->record_value = "value2";
  auto third = second;
  third.identifier = "sip.example.com";
  third.dns->url = "https://ca.example/challenge/3";
  third.dns->record_name = "_acme-challenge.sip.example.com";
  o.order->order.authorizations.push_back(second);
  o.order->order.authorizations.push_back(third);

  Decision decision = decide(o);
  EXPECT_TRUE(effect_of<effect::SetFinalizer>(decision).present);
  ASSERT_EQ(decision.status.order->records.size(), 3U);
  o.object.meta.finalizers = {std::string(api::kFinalizer)};
  o.object.status = decision.status;
  for (const auto& record : o.object.status.order->records) {
    EXPECT_EQ(effect_of<effect::PresentRecord>(decide(o)).record, record);
    o.presented.insert(record_id(record));
    decision = decide(o);
  }
  EXPECT_EQ(effect_of<effect::LookForRecords>(decision).records.size(), 3U);
  o.object.status = decision.status;
  o.records = RecordsLook{.everywhere = true, .at = o.now};
  o.now += 120s;
  o.order->order.authorizations[2].status = ports::AuthorizationStatus::kValid;  // known to the CA from before
  std::vector<std::string> answered;
  for (int i = 0; i < 2; ++i) {
    decision = decide(o);
    answered.push_back(effect_of<effect::AnswerChallenge>(decision).url);
    o.answered.insert(answered.back());
  }
  EXPECT_EQ(answered, (std::vector<std::string>{"https://ca.example/challenge/1", "https://ca.example/challenge/2"}));
  EXPECT_EQ(decided(o), "revision_issued LookAtOrder Issuing/Validating R");
}

TEST(RevisionIssued, AnOrderWhoseAnswerMayBeLostIsLookedForFirst) {
  const auto look_first = [](const Observation& o) { return effect_of<effect::NewOrder>(decide(o)).look_first; };
  EXPECT_FALSE(look_first(ordering())) << "this process made the key a moment ago and has not asked yet";
  EXPECT_TRUE(look_first(with(ordering(), [](auto& o) { o.key_made.reset(); }))) << "an earlier life may have asked";
  EXPECT_TRUE(look_first(with(ordering(), [](auto& o) { o.order_asked_for = true; }))) << "and so did this one";
}

TEST(RevisionIssued, TheOrderIsAsTheSpecAndTheIssuerSay) {
  Observation o = ordering();
  o.object.spec.dns_names = {kName, "sip.example.com"};
  change(o.issuer, [](auto& issuer) { issuer.spec.profile = "shortlived"; });
  const auto request = effect_of<effect::NewOrder>(decide(o)).request;
  EXPECT_EQ(request.dns_names, o.object.spec.dns_names);
  EXPECT_EQ(request.profile, "shortlived");
  o = with(ordered(OrderStatus::kReady), [](auto& ready) { ready.object.spec.common_name = kName; });
  const auto finalize = effect_of<effect::FinalizeOrder>(decide(o));
  EXPECT_EQ(finalize.names.common_name, kName);
  EXPECT_EQ(finalize.names.dns_names, std::vector<std::string>{kName});
}

// An order is for the names it was made with. Finalizing it with others would be refused again and again.
TEST(RevisionIssued, WhenTheNamesInTheSpecChangeAnotherOrderIsMade) {
  for (const auto status :
       {OrderStatus::kPending, OrderStatus::kReady, OrderStatus::kProcessing, OrderStatus::kValid}) {
    Observation o = ordered(status);
    o.object.spec.dns_names = {kName, "new.example.com"};
    change_spec(o);
    const Decision decision = decide(o);
    expect_sane(o, decision);
    EXPECT_EQ(support::summary(o, decision), "revision_issued Issuing/Ordering R +0s");
    EXPECT_EQ(decision.status.order->url, "");
    const bool key_is_unused = status == OrderStatus::kPending;
    EXPECT_EQ(decision.status.order->revision, key_is_unused ? 2 : 3) << "I1: never two certificates for one key";
    EXPECT_FALSE(decision.status.next_attempt) << "nobody failed";
    o.object.status = decision.status;
    EXPECT_EQ(o.object.status.order->abandoned.size(), key_is_unused ? 1U : 0U);
    o.object.status.order->abandoned.clear();  // deactivated meanwhile
    EXPECT_EQ(decided(o), key_is_unused ? "revision_issued NewOrder Issuing/Ordering R"
                                        : "revision_issued CreateKey Issuing/CreatingKey R");
  }
  Observation wildcard = ordered(OrderStatus::kReady);
  wildcard.object.spec.dns_names = {"*." + kName};
  wildcard.order->order.identifiers = {"*." + kName};
  EXPECT_EQ(decided(wildcard), "revision_issued FinalizeOrder Issuing/Finalizing R");
}

// --- what goes wrong

TEST(RevisionIssued, APassingFailureIsWaitedForAndTriedAgain) {
  const auto failing = [](Observation o, const char* effect_name, ErrorKind kind, int count = 1) {
    o.failures = failed(effect_name, kind, o.now, count);
    return o;
  };
  check({{"no answer", failing(ordering(), "NewOrder", ErrorKind::kTimeout),
          "revision_issued Issuing/IssuerUnavailable R +916ms"},
         {"no answer, the fourth time", failing(ordering(), "NewOrder", ErrorKind::kTimeout, 4),
          "revision_issued Issuing/IssuerUnavailable R +7s328ms"},
         {"no answer, the hundredth time", failing(ordering(), "NewOrder", ErrorKind::kTimeout, 100),
          "revision_issued Issuing/IssuerUnavailable R +4m34s802ms"},
         {"the account is refused", failing(ordering(), "NewOrder", ErrorKind::kUnauthorized),
          "revision_issued Issuing/IssuerCredentialsRefused R +13s740ms"},
         {"forbidden, the hundredth time", failing(ordering(), "NewOrder", ErrorKind::kForbidden, 100),
          "revision_issued Issuing/IssuerForbidden R +9m9s604ms"},
         {"the DNS is refused", failing(answering(), "PresentRecord", ErrorKind::kInvalid),
          "revision_issued Issuing/DnsRefused R +13s740ms"},
         {"a Secret cannot be written",
          failing(with(ordering(), [](auto& o) { o.revisions.erase(2); }), "CreateKey", ErrorKind::kConflict),
          "revision_issued Issuing/ClusterConflict R +916ms"},
         {"over: what is said stays until it is known how it went",
          with(failing(ordering(), "NewOrder", ErrorKind::kTimeout), [](auto& o) { o.now += 1s; }),
          "revision_issued NewOrder Issuing/IssuerUnavailable R"},
         {"the clock was set back",
          with(failing(ordering(), "NewOrder", ErrorKind::kTimeout), [](auto& o) { o.now -= 1h; }),
          "revision_issued NewOrder Issuing/Ordering R"},
         {"the spec changed meanwhile", with(failing(ordering(), "NewOrder", ErrorKind::kUnauthorized), change_spec),
          "revision_issued NewOrder Issuing/Ordering R"}});

  Observation refused = failing(ordering(), "NewOrder", ErrorKind::kUnauthorized);
  const Decision told = decide(refused);
  ASSERT_EQ(told.announcements.size(), 1U);
  EXPECT_EQ(told.announcements[0].reason, "IssuerCredentialsRefused");
  refused.object.status = told.status;
  refused.now += 1s;
  EXPECT_TRUE(decide(refused).announcements.empty()) << "once";

  Observation limited = failing(ordering(), "NewOrder", ErrorKind::kRateLimited);
  limited.failures.begin()->second.error.retry_after = 3600s;
  EXPECT_EQ(decided(limited), "revision_issued Issuing/IssuerRateLimited R +1h");
  limited.failures.begin()->second.error.retry_after = std::chrono::hours{87600};
  EXPECT_EQ(decided(limited), "revision_issued Issuing/IssuerRateLimited R +24h") << "never longer than a day";
}

struct Lost {
  std::string name;
  Observation o;
  std::string announced;
  std::string message;
};
TEST(RevisionIssued, AnOrderThatCameToNothingIsTriedAgainAfterAnHour) {
  const std::vector<Lost> cases = {
      {"invalid, the CA says why",
       with(ordered(OrderStatus::kInvalid),
            [](auto& o) {
              o.order->order.authorizations[0].dns->error = error(ErrorKind::kInvalid, "no TXT record found");
            }),
       "OrderInvalid", "the CA refused the order: edge01.example.com: no TXT record found"},
      {"invalid, only the order says why",
       with(ordered(OrderStatus::kInvalid), [](auto& o) { o.order->order.error = error(ErrorKind::kInvalid, "caa"); }),
       "OrderInvalid", "the CA refused the order: caa"},
      {"invalid, nobody says why", ordered(OrderStatus::kInvalid), "OrderInvalid",
       "the CA refused the order: the CA gave no reason"},
      {"forgotten",
       with(ordered(OrderStatus::kPending),
            [](auto& o) {
              o.failures = failed("LookAtOrder", ErrorKind::kNotFound, o.now - 1min);
              o.order.reset();
            }),
       "OrderLost", "the order cannot be found: no luck"},
      {"expired", with(ordered(OrderStatus::kPending), [](auto& o) { o.object.status.order->expires = o.now - 1s; }),
       "OrderLost", "the order has expired"},
      {"no dns-01", with(ordered(OrderStatus::kPending), [](auto& o) { o.order->order.authorizations[0].dns.reset(); }),
       "NoDnsChallenge", "the CA offers no dns-01 challenge for edge01.example.com"},
      {"the record never got everywhere",
       with(answering(),
            [](auto& o) {
              o.records = RecordsLook{.everywhere = false, .missing = "ns1: the value is not there yet", .at = o.now};
              o.now += 10min + 1ms;
            }),
       "PropagationTimeout", "a TXT record did not reach every name server in 10m: ns1: the value is not there yet"},
      {"nobody could ever be asked for the record",
       with(answering(),
            [](auto& o) {
              o.failures = failed("LookForRecords", ErrorKind::kUnavailable, o.now, 9);
              o.now += 10min + 1ms;
            }),
       "PropagationTimeout", "a TXT record did not reach every name server in 10m: no luck"},
      {"refused at once",
       with(ordering(),
            [](auto& o) {
              o.failures = failed("NewOrder", ErrorKind::kInvalid, o.now);
              o.failures.begin()->second.error.code = "urn:ietf:params:acme:error:rejectedIdentifier";
            }),
       "OrderRefused", "no luck"},
  };
  for (const auto& lost : cases) {
    SCOPED_TRACE(lost.name);
    const Decision decision = decide(lost.o);
    expect_sane(lost.o, decision);
    EXPECT_EQ(decision.rule, "revision_issued");
    EXPECT_FALSE(decision.effect);
    ASSERT_EQ(decision.announcements.size(), 1U);
    EXPECT_EQ(decision.announcements[0].reason, lost.announced);
    EXPECT_EQ(decision.announcements[0].message, lost.message);
    ASSERT_TRUE(decision.status.order);
    EXPECT_EQ(decision.status.order->url, "");
    EXPECT_EQ(decision.status.order->failures, 1);
    EXPECT_EQ(decision.status.order->revision, lost.announced == "OrderLost" ? 3 : 2)
        << "I1: of an order that is lost nobody knows whether the key has a certificate";
    EXPECT_EQ(decision.status.next_attempt, std::chrono::floor<std::chrono::seconds>(lost.o.now + 1h));
    const bool is_clean = decision.status.order->records.empty() && decision.status.order->abandoned.empty();
    EXPECT_EQ(decision.wake_at, is_clean ? *decision.status.next_attempt : lost.o.now)
        << "what it leaves is removed at once";
    EXPECT_FALSE(decision.status.failures) << "the Edge had no part in this";
    EXPECT_EQ(reason_in(decision.status), "OrderFailed");
    // The reason stays to be read as long as it is waited for.
    Observation later = lost.o;
    later.object.status = decision.status;
    later.object.status.order->records.clear();  // removed meanwhile
    later.object.status.order->abandoned.clear();
    later.object.meta.finalizers.clear();
    later.now += 30min;
    const Decision waiting = decide(later);
    expect_sane(later, waiting);
    EXPECT_EQ(waiting.rule, "revision_issued");
    EXPECT_EQ(condition(waiting, api::condition::kReconciling)->message, lost.message);
    EXPECT_EQ(waiting.wake_at, decision.status.next_attempt);
    EXPECT_TRUE(waiting.announcements.empty()) << "said once";
  }
}

// I7: orders per object are at most 1 + elapsed / backoff, with a backoff of an hour that doubles to 32 hours.
TEST(RevisionIssued, OrdersThatFailAreMadeLessAndLessOften) {
  Observation o = ordered(OrderStatus::kInvalid);
  o.object.status.not_after = o.now + 1000 * 24h;  // far away
  o.revisions[1].chain->not_after = *o.object.status.not_after;
  std::vector<int> hours;
  for (int i = 0; i < 8; ++i) {
    o.object.status.order->url = kOrderUrl;
    const Decision decision = decide(o);
    hours.push_back(static_cast<int>((*decision.wake_at - o.now) / 1h));
    o.object.status = decision.status;
    o.now = *decision.wake_at;
  }
  EXPECT_EQ(hours, (std::vector<int>{1, 2, 4, 8, 16, 32, 32, 32}));
}

TEST(RevisionIssued, CloseToExpiryItIsTriedSooner) {
  Observation o = ordered(OrderStatus::kInvalid);
  o.object.status.order->failures = 6;
  o.now = o.revisions[1].chain->not_after - 100min;
  o.order->at = o.now;
  o.object.status.not_after = o.revisions[1].chain->not_after;
  EXPECT_EQ(decided(o), "revision_issued Issuing/OrderFailed R +11m");
}

void refuse_order(Observation& o, std::string code = "urn:ietf:params:acme:error:rejectedIdentifier") {
  o.failures = failed("NewOrder", ErrorKind::kInvalid, o.now);
  o.failures.begin()->second.error.code = std::move(code);
}
// The decision's status is written.
void write(Observation& o) {
  const api::EdgeCertificateStatus before = o.object.status;
  o.object.status = decide(o).status;
  note_written(o, before, o.object.status);
}

TEST(RevisionIssued, ARefusedOrderIsCountedOnceForEachTry) {
  Observation o = ordering();
  refuse_order(o);
  write(o);
  EXPECT_EQ(o.object.status.order->failures, 1);
  EXPECT_EQ(decided(o), "revision_issued Issuing/OrderFailed R +1h");
  o.now += 1h;
  EXPECT_EQ(decided(o), "revision_issued NewOrder Issuing/Ordering R") << "an hour later it is asked again";
  refuse_order(o, std::string(ports::kOrderForOtherNames));
  write(o);
  EXPECT_EQ(o.object.status.order->failures, 2) << "an order for other names is as good as none";
  EXPECT_EQ(decided(o), "revision_issued Issuing/OrderFailed R +2h");
}

TEST(RevisionIssued, AfterARefusedOrderARenewalThatIsAskedForAsksAtOnce) {
  Observation o = ordering();
  refuse_order(o);
  write(o);
  o.now += 5s;  // sooner than any wait after a failure ends
  annotate(o, api::kRenewRequestedAt);
  EXPECT_EQ(decided(o), "revision_issued NewOrder Issuing/Ordering R");
  write(o);
  EXPECT_EQ(o.object.status.order->failures, 1) << "nothing was refused meanwhile";
  EXPECT_EQ(decided(o), "revision_issued NewOrder Issuing/Ordering R") << "crashed before it was asked";
}

// --- requests

TEST(RevisionIssued, ARenewalThatIsAskedForIsBegunOnce) {
  Observation o = ready();
  annotate(o, api::kRenewRequestedAt, "today");
  Decision decision = decide(o);
  EXPECT_EQ(decision.status.handled_requests->renew, "today");
  o.object.status = decision.status;
  o.object.status.order.reset();
  EXPECT_EQ(decided(o), "rest Ready/Ready +renewal");
  annotate(o, api::kRenewRequestedAt, "tomorrow");
  EXPECT_EQ(decided(o), "revision_issued CreateKey Issuing/CreatingKey R");
  annotate(o, api::kRenewRequestedAt, "");
  EXPECT_EQ(decided(o), "rest Ready/Ready +renewal") << "empty asks for nothing";
}

TEST(RevisionIssued, ARequestCutsTheWaitAfterAFailureOnceAndNotForEver) {
  Observation o = ordered(OrderStatus::kInvalid);
  o.object.status = decide(o).status;
  annotate(o, api::kRenewRequestedAt, "now");
  Decision decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "revision_issued NewOrder Issuing/Ordering R");
  EXPECT_EQ(decision.status.handled_requests->renew, "now");
  EXPECT_FALSE(decision.status.next_attempt) << "the order that was asked for is followed without waiting";
  // It fails as well: then it is waited for, whatever the annotation says.
  o.object.status = decision.status;
  o.object.status.order->url = kOrderUrl;
  o.object.status = decide(o).status;
  EXPECT_EQ(decided(o), "revision_issued Issuing/OrderFailed R +2h");
}

TEST(RevisionIssued, ARequestInTheMiddleOfAnOrderIsAnsweredByThatOrder) {
  Observation o = ordered(OrderStatus::kInvalid);
  annotate(o, api::kRenewRequestedAt, "now");
  const Decision decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "revision_issued Issuing/OrderFailed R +1h");
  EXPECT_EQ(decision.status.handled_requests->renew, "now");
  o.object.status = decision.status;
  EXPECT_EQ(decided(o), "revision_issued Issuing/OrderFailed R +1h") << "no loop of failing orders";
}

// --- after a rollback or a refusal

TEST(RevisionIssued, AfterARollbackANewRevisionIsTriedAsThePolicySays) {
  const auto retry = [](api::RetryRule rule) {
    return [rule](Observation& o) {
      o.object.spec.rotation->retry = rule;
      o.serving_fingerprint = fingerprint(1);
    };
  };
  const auto later = [](Observation o, api::Duration by) {
    o.now += by;
    return o;
  };
  const Observation next_window = with(rolled_back(), retry({}));
  const Observation never = with(rolled_back(), retry({.policy = api::RetryPolicy::kNever}));
  const Observation on_change = with(rolled_back(), retry({.policy = api::RetryPolicy::kOnChange}));
  const Observation once = with(rolled_back(), retry({.max_attempts = 1}));
  const auto asked = [](auto& o) { annotate(o, api::kRenewRequestedAt); };
  check({{"NextWindow waits a day", next_window, "revision_issued RolledBack/RolledBack R +24h"},
         {"NextWindow, a day later", later(next_window, 24h), "revision_issued CreateKey Issuing/CreatingKey R"},
         {"another backoff was written down with the rollback",
          with(next_window, [](auto& o) { o.object.status.next_attempt = o.now + 1h; }),
          "revision_issued RolledBack/RolledBack R +1h"},
         {"NextWindow, no attempt left", later(once, 24h), "revision_issued RolledBack/RolledBack S +360h"},
         {"NextWindow, no attempt left, and what is served runs out", later(once, 24h + 360h),
          "revision_issued CreateKey Issuing/CreatingKey R"},
         {"Never, and what is served runs out", later(never, 24h + 360h), "revision_issued RolledBack/RolledBack S"},
         {"Never", later(never, 24h), "revision_issued RolledBack/RolledBack S"},
         {"OnChange", later(on_change, 24h), "revision_issued RolledBack/RolledBack S"},
         {"OnChange, changed", with(on_change, change_spec), "revision_issued CreateKey Issuing/CreatingKey R"},
         {"Never, changed", with(never, change_spec), "revision_issued CreateKey Issuing/CreatingKey R"},
         {"Never, asked for", with(never, asked), "revision_issued CreateKey Issuing/CreatingKey R"},
         {"NextWindow, asked for", with(next_window, asked), "revision_issued CreateKey Issuing/CreatingKey R"},
         {"what is served is not due", with(next_window, [](auto& o) { o.revisions[1] = whole(1, o.now - 24h); }),
          "rest RolledBack/RolledBack S +renewal"}});
  // The nearer the end, the shorter the rest: a quarter of what is left, and an hour at least.
  for (const auto& [left, rest] : {std::pair<api::Duration, api::Duration>{96h, 24h}, {40h, 10h}, {2h, 1h}}) {
    Observation o = rolling_back();
    o.object.spec.rotation->observe = api::Observe{.settle = 0s, .period = 1min};
    o.object.status.not_after = o.revisions[1].chain->not_after = o.now + left;
    o.pushed = 1;
    o.look = look(1, o.now);
    EXPECT_EQ(decide(o).status.next_attempt, o.now + rest) << format_duration(left);
  }
  EXPECT_NE(ready_message(decide(never)).find("set the annotation edgetrust.io/renew-requested-at to try again"),
            std::string::npos);
  EXPECT_EQ(decide(next_window).status.next, "tries again 2027-02-01T12:00:00Z");
}

TEST(RevisionIssued, AChangeOfTheSpecForgetsWhatFailedUnderTheOldOne) {
  Observation o = rolled_back();
  o.serving_fingerprint = fingerprint(1);
  o.object.status.failures = 2;
  EXPECT_EQ(decided(o), "revision_issued RolledBack/RolledBack S +384h");
  change_spec(o);
  const Decision decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "revision_issued CreateKey Issuing/CreatingKey R");
  EXPECT_FALSE(decision.status.failures);
  EXPECT_FALSE(decision.status.next_attempt);
  EXPECT_EQ(decision.status.order->revision, 3) << "the rejected number is not used again";
}

// One failed order after one rollback does not use up the attempts: it is the Edge that they are about.
TEST(RevisionIssued, FailedOrdersAndRollbacksAreCountedApart) {
  Observation o = rolled_back();
  o.serving_fingerprint = fingerprint(1);
  o.now += 24h;
  o.object.status.order = api::OrderStatus{.revision = 3, .url = kOrderUrl};
  o.revisions[3] = key_only(3);
  o.order = OrderLook{order(OrderStatus::kInvalid), o.now};
  Decision decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "revision_issued Issuing/OrderFailed R +1h");
  EXPECT_EQ(decision.status.failures, 1);
  EXPECT_EQ(decision.status.order->failures, 1);
  o.object.status = decision.status;
  o.now += 1h;
  EXPECT_EQ(decided(o), "revision_issued NewOrder Issuing/Ordering R") << "not stalled";

  // And many failed orders before a rollback do not take its retry away.
  o = rolling_back();
  o.object.status.order = api::OrderStatus{.revision = 3, .failures = 5};
  o.pushed = 1;
  o.look = look(1, o.now);
  decision = decide(o);
  EXPECT_EQ(support::summary(o, decision), "delivery_under_way RolledBack/RolledBack R +0s");
  EXPECT_EQ(decision.status.failures, 1);
  EXPECT_EQ(decision.status.next_attempt, o.now + 24h);
}

// --- order_cleaned_up

TEST(OrderCleanedUp, AnOrderThatHasEndedLeavesNoRecordBehind) {
  const Observation issued = with(answering(), [](auto& o) {
    o.revisions[2] = whole(2, o.now - 1h);
    o.object.status.order->records.push_back({"_acme-challenge.other", "v"});
  });
  const auto removed_all = [](auto& o) { o.removed = {record_id(kRecord), "_acme-challenge.other v"}; };
  const Observation given_up = with(answering(), [](auto& o) {
    o.object.status.order->url.clear();
    o.object.status.order->failures = 1;
    o.object.status.next_attempt = o.now + 1h;
  });
  const Observation superseded = with(answering(), [](auto& o) { o.revisions[3] = whole(3, o.now - 1h); });
  check({{"under way", answering(), "revision_issued LookForRecords Issuing/Answering R"},
         {"issued", issued, "order_cleaned_up RemoveRecord Issuing/Ready R"},
         {"issued, one is removed", with(issued, [](auto& o) { o.removed = {record_id(kRecord)}; }),
          "order_cleaned_up RemoveRecord Issuing/Ready R"},
         {"issued, all are removed", with(issued, removed_all), "order_cleaned_up Issuing/Ready R +0s"},
         {"issued without records", with(issued, [](auto& o) { o.object.status.order->records.clear(); }),
          "order_cleaned_up Issuing/Ready R +0s"},
         {"given up", given_up, "order_cleaned_up RemoveRecord Issuing/Ready R"},
         {"given up, removed", with(given_up, removed_all), "order_cleaned_up Issuing/Ready R +0s"},
         {"superseded", superseded, "order_cleaned_up RemoveRecord Issuing/Ready R"},
         {"of a revision that was rejected",
          with(answering(),
               [](auto& o) {
                 o.object.status.history.insert(o.object.status.history.begin(),
                                                {.revision = 2, .result = RevisionResult::kRejected});
               }),
          "order_cleaned_up RemoveRecord Issuing/Ready R"},
         {"nobody knows how to reach the zone", with(issued, [](auto& o) { o.issuer.reset(); }),
          "order_cleaned_up Issuing/Ready R +0s"},
         {"a removal that failed is waited for",
          with(issued, [](auto& o) { o.failures = failed("RemoveRecord", ErrorKind::kTimeout, o.now, 7); }),
          "order_cleaned_up Issuing/DnsUnavailable R +58s624ms"},
         {"but not for ever",
          with(issued, [](auto& o) { o.failures = failed("RemoveRecord", ErrorKind::kTimeout, o.now, 8); }),
          "order_cleaned_up Issuing/Ready R +0s"},
         {"another failure does not hold it up",
          with(issued, [](auto& o) { o.failures = failed("StoreBundle", ErrorKind::kTimeout, o.now, 7); }),
          "order_cleaned_up RemoveRecord Issuing/Ready R"}});

  EXPECT_FALSE(decide(with(issued, removed_all)).status.order);
  const auto after = decide(with(given_up, removed_all)).status;
  ASSERT_TRUE(after.order) << "how often it failed is not forgotten";
  EXPECT_EQ(after.order->failures, 1);
  EXPECT_TRUE(after.order->records.empty());
  const Decision left =
      decide(with(issued, [](auto& o) { o.failures = failed("RemoveRecord", ErrorKind::kTimeout, o.now, 8); }));
  ASSERT_EQ(left.announcements.size(), 2U);
  EXPECT_EQ(left.announcements[0].reason, "RecordLeftBehind");
}

// --- no certificate is so short, and no wish so long, that one order follows the other

TEST(RevisionIssued, ALongRenewBeforeMakesNoLoop) {
  Observation o = ready();
  o.object.spec.renew_before = 720h;
  o.object.meta.generation = 1;
  int orders = 0;
  int revision = 1;
  const TimePoint end = kNow + 60 * 24h;
  while (o.now < end) {
    // A certificate of six days, issued with a start an hour ago.
    o.revisions = {{revision, whole(revision, o.now - 1h)}};
    o.revisions[revision].chain->not_after = o.now - 1h + 6 * 24h;
    o.object.status.revision = revision;
    o.object.status.order.reset();
    o.look.reset();
    o.serving_fingerprint = fingerprint(revision);
    const Decision resting = decide(o);
    ASSERT_EQ(resting.rule, "rest") << "a fresh certificate is not due";
    o.object.status = resting.status;
    o.now = *resting.wake_at;
    ASSERT_EQ(decide(o).rule, "revision_issued");
    ++orders;
    ++revision;
  }
  EXPECT_LE(orders, 21);
}

// --- what is left at the CA

TEST(OrderCleanedUp, DeactivatesWhatAFailedOrderLeftPending) {
  Observation o = ordered(OrderStatus::kInvalid);
  auto open = o.order->order.authorizations[0];
  open.url = "https://ca.example/authz/2";
  open.status = ports::AuthorizationStatus::kPending;
  o.order->order.authorizations.push_back(open);
  const Decision failing = decide(o);
  EXPECT_EQ(failing.status.order->abandoned,
            (std::vector<api::AbandonedAuthorization>{{"https://ca.example/authz/2", kName}}));
  EXPECT_EQ(failing.wake_at, o.now);
  o.object.status = failing.status;
  const Decision decision = decide(o);
  expect_sane(o, decision);
  EXPECT_EQ(effect_of<effect::DeactivateAuthorization>(decision).authorization.url, "https://ca.example/authz/2");
  for (const bool done : {true, false}) {
    Observation after = o;
    if (done) after.deactivated = {"https://ca.example/authz/2"};
    if (!done) after.failures = failed("DeactivateAuthorization", ErrorKind::kUnavailable, o.now);
    const Decision clean = decide(after);
    EXPECT_TRUE(clean.status.order->abandoned.empty()) << "a courtesy is not tried twice";
    EXPECT_EQ(clean.status.order->failures, 1) << "what is known of its failures stays";
  }
}

TEST(OrderCleanedUp, AnotherCasAuthorizationsAreLeftAlone) {
  Observation o = ordered(OrderStatus::kPending);
  o.object.status.order->server = "https://other.example/dir";
  EXPECT_TRUE(decide(o).status.order->abandoned.empty());
}

TEST(RevisionIssued, AnAddressIsTheSameInEveryForm) {
  Observation o = ordered(OrderStatus::kReady);
  o.serves_http01 = true;
  change(o.issuer, [](auto& issuer) { issuer.spec.solvers.push_back({.http01 = api::Http01Solver{}}); });
  o.object.spec.ip_addresses = {"2001:db8:0::7"};
  o.order->order.identifiers.insert("2001:db8::7");
  EXPECT_EQ(decided(o), "revision_issued FinalizeOrder Issuing/Finalizing R");
}

// badCSR, badPublicKey, caa …: what was refused once is refused again. Another order, with another key, may do.
TEST(RevisionIssued, ARefusedRequestEndsTheOrder) {
  Observation o = ordered(OrderStatus::kReady);
  o.failures = failed("FinalizeOrder", ErrorKind::kInvalid, o.now);
  EXPECT_THAT(decided(o), testing::StartsWith("revision_issued Issuing/IssuerRefused R")) << "no problem of the CA's";
  o.failures.begin()->second.error.code = "urn:ietf:params:acme:error:badPublicKey";
  const Decision decision = decide(o);
  EXPECT_EQ(decision.announcements[0].reason, "OrderRefused");
  EXPECT_EQ(decision.status.order->url, "");
  EXPECT_EQ(decision.status.order->revision, 3) << "I1: never two requests for one key";
  EXPECT_EQ(decision.status.next_attempt, o.now + 1h);
}

TEST(RevisionIssued, ACertificateThatIsGoneEndsTheOrder) {
  Observation o = ordered(OrderStatus::kValid);
  Error gone = error(ErrorKind::kNotFound);
  gone.context = "certificate";
  for (const int count : {1, 2, 3}) {
    o.failures = {{"StoreBundle", {.effect = "StoreBundle", .error = gone, .count = count, .at = o.now}}};
    EXPECT_EQ(decide(o).status.order->url.empty(), count == 3) << count;
  }
  o.failures.begin()->second.error.context = "Secret";
  EXPECT_FALSE(decide(o).status.order->url.empty()) << "not the CA's doing";
}

}  // namespace
}  // namespace edgetrust::decide::certificate
