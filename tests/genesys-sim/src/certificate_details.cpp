#include "certificate_details.hpp"

#include "chain.hpp"
#include "vendor.hpp"

namespace edgetrust::sim {

std::optional<json::Value> certificate_details(const std::string& pem, TimePoint now) {
  const auto chain = read_chain(pem);
  if (!chain) return std::nullopt;
  json::Value details = json::Value::array();
  for (const auto& [facts, signature_valid] : *chain) {
    const bool expired = now >= facts.not_after;
    details.push_back({{"issuer", facts.issuer},
                       {"subject", facts.subject},
                       {"issueDate", time_text(facts.not_before)},
                       {"expirationDate", time_text(facts.not_after)},
                       {"expired", expired},
                       {"valid", !expired && now >= facts.not_before && signature_valid},
                       {"signatureValid", signature_valid}});
  }
  return details;
}

}  // namespace edgetrust::sim
