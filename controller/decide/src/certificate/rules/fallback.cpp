// The second issuer: after failures of the first, when little time is left; and back.
#include "certificate/ca_limits.hpp"
#include "certificate/rules/rules.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/decide/order_limits.hpp"

#include <algorithm>

namespace edgetrust::decide::certificate::rules {
namespace {

// About four minutes of trying (retry.cpp): no blip.
constexpr int kGivesUpAfter = 8;

// From when it may be asked: nothing that is served is no time at all.
TimePoint reached_at(const Observation& o) {
  const auto& end = o.object.status.not_after;
  return end ? *end - o.object.spec.fallback->when_remaining : TimePoint{};
}

// A certificate of its was refused by the peers, or did the Edge no good. Known as long as that is stored.
bool is_distrusted(const Observation& o, const api::AcmeIssuer& issuer) {
  return std::ranges::any_of(o.revisions, [&](const auto& entry) {
    const auto& [number, revision] = entry;
    return revision.server == issuer.spec.server && (revision.marked_rejected || is_rejected(o, number));
  });
}

bool can_issue(const Observation& o, const api::AcmeIssuer& issuer) {
  return !issuer.broken && !what_cannot_be_proved(o, issuer);
}

// Why nothing comes of the issuer that is asked now; empty: not known.
std::string what_fails(const Observation& o) {
  if (!o.issuer || o.issuer->broken) return "it cannot be used";
  if (const auto unprovable = what_cannot_be_proved(o, *o.issuer)) return unprovable->message;
  for (const auto effect : {effect::NewOrder::kName, effect::LookAtOrder::kName, effect::PresentRecord::kName,
                            effect::LookForRecords::kName, effect::AnswerChallenge::kName, effect::FinalizeOrder::kName,
                            effect::StoreBundle::kName}) {
    const Failure* failure = failure_of(o, effect);
    if (failure != nullptr && failure->count >= kGivesUpAfter) return failure->error.message();
  }
  const auto& order = o.object.status.order;
  if (order && !order->url.empty()) return {};
  if (limited_until(*o.issuer, o.now)) return "its CA wants no orders";
  // A limit of ours is waited for with the other issuer too, where that has any.
  const bool may_have_room = !api::uses_fallback(o.object) && !limits_of(o.other_issuer->spec).any();
  if (const auto wait = may_have_room ? wait_for_ca(o) : std::nullopt) return wait->message;
  // Orders of the first one that came to nothing; after those of the second one it is the first one's turn.
  return order && order->failures && order->issuer.empty() ? order->last_error : std::string{};
}

Decision change_over(const Observation& o, const std::string& why) {
  Draft draft(o);
  auto& order = draft.status().order;
  if (!order) order = api::OrderStatus{.revision = next_revision(o)};
  const std::string message =
      "AcmeIssuer " + o.other_issuer->meta.name + " is asked instead of " + api::issuer_in_use(o.object) + ": " + why;
  order->issuer = o.other_issuer->meta.name;
  order->replaces_refused = false;
  draft.status().next_attempt.reset();
  return draft.phase(api::Phase::kIssuing, "AskingOtherIssuer", message)
      .next("issues revision " + std::to_string(order->revision))
      .announce(true, "AskingOtherIssuer", message)
      .wake(o.now)
      .finish();
}

}  // namespace

Verdict issuer_changed_over(const Observation& o) {
  if (!o.object.spec.fallback || !o.other_issuer) return std::nullopt;
  const std::string why = what_fails(o);
  const auto from = why.empty() ? std::nullopt : next_change_over(o);
  if (!from || o.now < *from) return std::nullopt;
  const auto& order = o.object.status.order;
  if (order && !order->url.empty()) return order_lost(o, "OrderLost", "the order is given up: " + why);
  return change_over(o, why);
}

std::optional<TimePoint> next_change_over(const Observation& o) {
  if (!o.object.spec.fallback || !o.other_issuer || !can_issue(o, *o.other_issuer)) return std::nullopt;
  const TimePoint wants_orders = limited_until(*o.other_issuer, o.now).value_or(TimePoint{});
  if (api::uses_fallback(o.object)) return wants_orders;
  if (is_distrusted(o, *o.other_issuer)) return std::nullopt;
  // The second one's own order has just come to nothing: it gets its rest, whatever fails with the first.
  const auto& [order, next] = std::tie(o.object.status.order, o.object.status.next_attempt);
  const bool rests = order && !order->issuer.empty() && next && !is_too_far_ahead(o, *next);
  return std::max({wants_orders, reached_at(o), rests ? *next : TimePoint{}});
}

std::string issuer_after_failure(const Observation& o) {
  return api::uses_fallback(o.object) ? o.object.spec.issuer_ref->name : std::string{};
}

Verdict fallback_not_trusted(const Observation& o, int revision, const std::string& refusing) {
  const auto& spec = o.object.spec;
  const StoredRevision* kept = stored(o, revision);
  const auto& [asked, other] = std::tie(o.issuer, o.other_issuer);
  if (!spec.fallback || !spec.issuer_ref || kept == nullptr || !asked || !other) return std::nullopt;
  const auto& second = asked->meta.name == spec.fallback->issuer_ref.name ? *asked : *other;
  const auto& first = asked->meta.name == spec.fallback->issuer_ref.name ? *other : *asked;
  if (kept->server != second.spec.server || kept->server == first.spec.server) return std::nullopt;
  const std::string message = "revision " + std::to_string(revision) + " of AcmeIssuer " + second.meta.name +
                              ", the fallback, is not delivered: " + refusing;
  Draft draft(o);
  remember(draft.status(), o, revision, api::RevisionResult::kRejected, message);
  draft.status().order.reset();
  return draft.phase(api::Phase::kIssuing, "FallbackNotTrusted", message)
      .announce(true, "FallbackNotTrusted", message)
      .wake(o.now)
      .finish();
}

}  // namespace edgetrust::decide::certificate::rules
