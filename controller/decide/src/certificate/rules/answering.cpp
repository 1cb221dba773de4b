// How the challenges of an order are answered: by TXT records (RFC 8555 section 8.4) or by HTTP (section 8.3), as the
// solvers of the issuer say; an order may need both.
#include "certificate/rules/rules.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate::rules {
namespace {

using namespace std::chrono_literals;
using ports::AuthorizationStatus;
using ports::ChallengeStatus;

// What is still to be proved, and how.
struct Answers {
  std::vector<api::TxtRecord> records;
  api::Duration wait{};     // between their writing and the CA's look
  api::Duration timeout{};  // for all name servers to have them
  std::vector<api::HttpAnswer> http;
  std::vector<api::HttpAnswer> http_untold;  // those of which the CA has not been told
  std::string account_thumbprint;            // in all of them
  std::vector<std::string> untold;           // challenges that it has not been told of
};

bool is_untold(const Observation& o, const auto& challenge) {
  return challenge.status == ChallengeStatus::kPending && !o.answered.contains(challenge.url);
}

void add_record(Answers& answers, const Observation& o, const api::Solver& solver, const ports::DnsChallenge& dns) {
  const auto propagation = solver.dns01 && solver.dns01->propagation ? *solver.dns01->propagation : api::Propagation{};
  answers.records.push_back({dns.record_name, dns.record_value});
  answers.wait = std::max(answers.wait, propagation.wait.value_or(api::kDefaultPropagationWait));
  answers.timeout = std::max(answers.timeout, propagation.timeout.value_or(api::kDefaultPropagationTimeout));
  if (is_untold(o, dns)) answers.untold.push_back(dns.url);
}

void add_http(Answers& answers, const Observation& o, const std::string& host, const ports::HttpChallenge& http) {
  answers.http.push_back({host, http.token});
  answers.account_thumbprint = http.account_thumbprint;
  if (!is_untold(o, http)) return;
  answers.http_untold.push_back(answers.http.back());
  answers.untold.push_back(http.url);
}

// The answers to what is open of an order; or why there is none.
tl::expected<Answers, Decision> answers_for(const Observation& o, const ports::Order& order) {
  const auto wanted = wanted_identifiers(o.object.spec);
  Answers answers;
  for (const auto& authorization : order.authorizations) {
    if (authorization.status != AuthorizationStatus::kPending) continue;
    const std::string& name = authorization.identifier;
    const api::Solver* solver = api::solver_for(o.issuer->spec, name);
    if (solver == nullptr) {
      return tl::unexpected(
          order_failed(o, "NoSolver", "no solver of AcmeIssuer " + o.issuer->meta.name + " serves " + name));
    }
    // It would be looked for at a host that nobody here has named.
    if (solver->http01 && !wanted.contains(name))
      return tl::unexpected(
          order_failed(o, "NoHttpChallenge", "the CA wants a proof for " + name + ", which is not asked for"));
    if (solver->http01 && !authorization.http)
      return tl::unexpected(order_failed(o, "NoHttpChallenge", "the CA offers no http-01 challenge for " + name));
    if (!solver->http01 && !authorization.dns)
      return tl::unexpected(order_failed(o, "NoDnsChallenge", "the CA offers no dns-01 challenge for " + name));
    if (solver->http01)
      add_http(answers, o, name, *authorization.http);
    else
      add_record(answers, o, *solver, *authorization.dns);
  }
  return answers;
}

// What was written once has to be removed: it stays.
void note_records(api::OrderStatus& order, const Answers& answers) {
  for (const auto& record : answers.records) {
    if (std::ranges::find(order.records, record) == order.records.end()) order.records.push_back(record);
  }
}

// Of the answers to a host the CA wants the last alone.
void note_answers(api::OrderStatus& order, const Answers& answers) {
  for (const auto& answer : answers.http) {
    const auto earlier = std::ranges::find(order.http_answers, answer.host, &api::HttpAnswer::host);
    if (earlier == order.http_answers.end())
      order.http_answers.push_back(answer);
    else
      *earlier = answer;
  }
  if (!answers.http.empty()) order.account_thumbprint = answers.account_thumbprint;
}

// dns-01: the records are written, and seen everywhere, and the floor is waited out.
Verdict wait_for_records(const Observation& o, Draft& draft, const Answers& answers) {
  if (answers.records.empty()) return std::nullopt;
  note_records(*draft.status().order, answers);
  if (draft.status().order->records.size() > api::kMostRecords)
    return order_failed(o, "TooManyRecords", "the CA asks for other TXT records again and again");
  if (!holds_finalizer(o)) return draft.effect(effect::SetFinalizer{true}).finish();
  for (const auto& record : answers.records) {
    if (!o.presented.contains(record_id(record))) return draft.effect(effect::PresentRecord{record}).finish();
  }
  auto& since = draft.status().order->records_since;
  if (!since || *since > o.now) since = std::chrono::floor<std::chrono::seconds>(o.now);
  if (!o.records || !o.records->everywhere) {
    const Failure* lookup_failed = failure_of(o, effect::LookForRecords::kName);
    if ((o.records || lookup_failed != nullptr) && o.now > *since + answers.timeout) {
      return order_failed(o, "PropagationTimeout",
                          "a TXT record did not reach every name server in " + format_duration(answers.timeout) + ": " +
                              (o.records ? o.records->missing : lookup_failed->error.message()));
    }
    if (o.records && o.records->at <= o.now && o.now < o.records->at + kPollEvery)
      return draft.wake(o.records->at + kPollEvery).finish();
    return draft.effect(effect::LookForRecords{answers.records}).finish();
  }
  if (const TimePoint floor = *since + answers.wait; o.now < floor) return draft.wake(floor).finish();
  return std::nullopt;
}

// How long it has to look like that before the CA is asked: other operators read the answers a moment later than this
// one, and a load balancer may send the CA to them, as it may send the look at the end. Where nobody here can tell, the
// CA can.
api::Duration patience(AnswersSeen seen) { return seen == AnswersSeen::kRight ? 2s : 10s; }
// And before it is given up, for a failed proof counts against the CA's limits.
constexpr api::Duration kWrongForGood = 2min;

// http-01: the answers are in the status, from which they are given; and nothing says that the CA would not find them.
Verdict wait_for_answers(const Observation& o, Draft& draft, const Answers& answers) {
  if (answers.http_untold.empty()) return std::nullopt;
  const effect::LookForAnswers look_again{answers.http_untold, answers.account_thumbprint};
  const auto& look = o.answers;
  if (!look || look->at > o.now) return draft.effect(look_again).finish();
  const bool is_wrong = look->seen == AnswersSeen::kWrong;
  if (is_wrong && look->at >= look->since + kWrongForGood) {
    return order_failed(o, "HttpChallengeNotServed",
                        "the answer to http-01 is not found where the CA will look: " + look->trouble +
                            "; port 80 of the name has to lead to --http01-port of the operator");
  }
  const TimePoint enough = look->since + patience(look->seen);
  if (!is_wrong && look->at >= enough) return std::nullopt;
  // A look at a host that hangs takes seconds of a worker: no more of them than are needed.
  const TimePoint again = is_wrong ? look->at + kPollEvery : enough;
  if (o.now < again) return draft.wake(again).finish();
  return draft.effect(look_again).finish();
}

}  // namespace

std::optional<Unprovable> what_cannot_be_proved(const Observation& o, const api::AcmeIssuer& issuer) {
  const std::string the_issuer = "AcmeIssuer " + issuer.meta.name;
  for (const auto& name : wanted_identifiers(o.object.spec)) {
    const api::Solver* solver = api::solver_for(issuer.spec, name);
    if (solver != nullptr && solver->http01 && !o.serves_http01) {
      return Unprovable{"NoHttpEndpoint", the_issuer + " has " + name +
                                              " proved by http-01, and this operator gives no answers: start it with "
                                              "--http01-port, or use a dns01 solver"};
    }
    if (solver != nullptr) continue;
    if (!canonical_address(name).empty()) {
      return Unprovable{"AddressNotProved", "only http-01 proves an IP address (RFC 8738), and no such solver of " +
                                                the_issuer + " serves " + name + ": add one, http01: {}"};
    }
    const bool is_wildcard = name.starts_with("*.");
    if (is_wildcard && api::solver_for(issuer.spec, std::string_view(name).substr(2)) != nullptr) {
      return Unprovable{"WildcardNotProved", "http-01 proves no wildcard, and no dns01 solver of " + the_issuer +
                                                 " serves " + name + ": add one, or ask for the names themselves"};
    }
    return Unprovable{"NoSolver", "no solver of " + the_issuer + " serves " + name};
  }
  return std::nullopt;
}

Decision challenges_answered(const Observation& o, const ports::Order& order) {
  const auto answers = answers_for(o, order);
  if (!answers) return answers.error();
  Draft draft = issuing(o, "Answering", "answering the challenges of the order");
  note_answers(*draft.status().order, *answers);
  if (auto waiting = wait_for_answers(o, draft, *answers)) return *waiting;
  if (auto waiting = wait_for_records(o, draft, *answers)) return *waiting;
  if (!answers->untold.empty()) return draft.effect(effect::AnswerChallenge{answers->untold.front()}).finish();
  return poll(o, "Validating", "the CA is looking at the answers");
}

bool is_open(const ports::Order& order) {
  return std::ranges::any_of(order.authorizations, [](const auto& authorization) {
    return authorization.status == AuthorizationStatus::kPending;
  });
}

std::string why_invalid(const ports::Order& order) {
  std::string why;
  const auto add = [&](const std::string& identifier, const auto& challenge) {
    if (challenge && challenge->error)
      why += (why.empty() ? "" : "; ") + identifier + ": " + challenge->error->message();
  };
  for (const auto& authorization : order.authorizations) {
    add(authorization.identifier, authorization.dns);
    add(authorization.identifier, authorization.http);
  }
  if (!why.empty()) return why;
  return order.error ? order.error->message() : "the CA gave no reason";
}

}  // namespace edgetrust::decide::certificate::rules
