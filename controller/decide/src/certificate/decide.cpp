#include "edgetrust/decide/certificate/decide.hpp"

#include "certificate/rules/rules.hpp"

#include <array>

namespace edgetrust::decide::certificate {
namespace {

struct Rule {
  std::string_view name;
  std::string_view ensures;
  rules::Verdict (*apply)(const Observation&);
};

// Read from the top; the first rule that speaks decides the pass.
constexpr std::array kRules = {
    Rule{"deleted", "a deleted object takes its own records with it and then lets go", rules::deleted},
    Rule{"readable", "the object can be read by this version", rules::readable},
    Rule{"delivery_under_way",
         "a change of the Edge that has begun is watched to its end, and undone if the Edge is not well",
         rules::delivery_under_way},
    Rule{"edge_back_in_service",
         "an Edge that was taken out of service for a push is in service again, whatever came of it",
         rules::edge_back_in_service},
    Rule{"slots_returned", "a slot of the budget is held for a delivery and no longer", rules::slots_returned},
    Rule{"source_is_anothers", "the Secret that somebody else renews is none that is written here",
         rules::source_is_anothers},
    Rule{"not_suspended", "nobody asked for a pause", rules::not_suspended},
    Rule{"only_claim_on_edge", "no other EdgeCertificate holds this Edge", rules::only_claim_on_edge},
    Rule{"references_exist", "the Edge, its connection and a named policy exist and are usable",
         rules::references_exist},
    Rule{"order_cleaned_up", "an order that has ended has left no record behind", rules::order_cleaned_up},
    Rule{"finalizer_released", "no finalizer is held when nothing is left to be undone", rules::finalizer_released},
    Rule{"served_certificate_known", "it is known what the Edge serves, and a foreign certificate is treated as asked",
         rules::served_certificate_known},
    Rule{"rollback_asked_for", "a rollback that a person asks for is made, or said to be impossible",
         rules::rollback_asked_for},
    Rule{"revocation_asked_for", "a certificate that a person wants revoked is, as soon as the Edge can do without it",
         rules::revocation_asked_for},
    Rule{"rejections_marked", "what was rejected says so itself, for the day when the status is lost",
         rules::rejections_marked},
    Rule{"serving_secret_right", "secretName holds what the Edge serves", rules::serving_secret_right},
    Rule{"revision_issued", "if a new certificate is due, it is stored: key first, then order, then bundle",
         rules::revision_issued},
    Rule{"source_taken", "if somebody else has renewed the certificate, it is stored: key first, then bundle",
         rules::source_taken},
    Rule{"revision_delivered", "a stored revision that is newer than the served one is pushed, when it may be",
         rules::revision_delivered},
    Rule{"old_revisions_pruned", "no more revisions are kept than asked for", rules::old_revisions_pruned},
    Rule{"renewal_info_known", "it is known when the CA would have the served certificate renewed",
         rules::renewal_info_known},
};

constexpr std::string_view kLast = "rest";

}  // namespace

Decision decide(const Observation& observation) {
  for (const Rule& rule : kRules) {
    if (auto decision = rule.apply(observation)) {
      decision->rule = rule.name;
      return std::move(*decision);
    }
  }
  Decision decision = rules::rest(observation);
  decision.rule = kLast;
  return decision;
}

std::vector<RuleInfo> rule_list() {
  std::vector<RuleInfo> list;
  list.reserve(kRules.size() + 1);
  for (const Rule& rule : kRules) list.push_back({rule.name, rule.ensures});
  list.push_back({kLast, "nothing is left to do until the certificate is due"});
  return list;
}

std::string_view name_of(const Effect& effect) {
  return std::visit([](const auto& e) { return std::decay_t<decltype(e)>::kName; }, effect);
}

bool is_guarded(const Effect& effect) {
  return std::visit(
      [](const auto& e) {
        return requires { std::decay_t<decltype(e)>::kGuarded; };
      },
      effect);
}

}  // namespace edgetrust::decide::certificate
