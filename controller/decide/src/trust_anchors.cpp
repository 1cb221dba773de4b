#include "edgetrust/decide/trust_anchors.hpp"

#include <algorithm>

namespace edgetrust::decide {
namespace {

constexpr std::size_t kOfFingerprint = 16;  // characters of it in a name

std::vector<std::string> sorted(std::vector<std::string> services) {
  std::ranges::sort(services);
  services.erase(std::unique(services.begin(), services.end()), services.end());
  return services;
}

std::string name_for(const Anchor& anchor, const std::string& mark) {
  return mark + anchor.fingerprint_sha256.substr(0, kOfFingerprint);
}

// By its certificate; ours also by its name, should the vendor list it without one, or write it in another form.
bool is_for(const KnownAuthority& one, const Anchor& anchor, const std::string& mark) {
  return one.fingerprints.contains(anchor.fingerprint_sha256) || one.authority.name == name_for(anchor, mark);
}

std::optional<AnchorStep> step_for(const Anchor& anchor, const std::vector<KnownAuthority>& known,
                                   const std::vector<std::string>& services, const std::string& mark) {
  const KnownAuthority* ours = nullptr;
  for (const KnownAuthority& one : known) {
    if (!is_for(one, anchor, mark)) continue;
    const auto serves = sorted(one.authority.services);
    const bool is_ours = one.authority.name.starts_with(mark);
    if (is_ours ? serves == services : std::ranges::includes(serves, services)) return std::nullopt;
    if (is_ours) ours = &one;
  }
  if (ours != nullptr) {
    AnchorStep step{AnchorStep::Kind::kUpdate, ours->authority};
    step.authority.services = services;
    return step;
  }
  return AnchorStep{
      AnchorStep::Kind::kCreate,
      {.id = {}, .name = name_for(anchor, mark), .version = 0, .services = services, .certificate_pem = anchor.pem}};
}

// Made twice, as it may be when the vendor's list is late: one is enough.
bool is_double(const KnownAuthority& one, const std::vector<KnownAuthority>& known,
               const std::vector<std::string>& services, const std::string& mark) {
  return std::ranges::any_of(known, [&](const KnownAuthority& other) {
    if (other.authority.id == one.authority.id || !other.authority.name.starts_with(mark)) return false;
    if (sorted(other.authority.services) != services) return false;
    if (!std::ranges::includes(other.fingerprints, one.fingerprints)) return false;
    return sorted(one.authority.services) != services || other.authority.id < one.authority.id;
  });
}

bool is_for_any(const KnownAuthority& known, const std::vector<Anchor>& wanted, const std::string& mark) {
  return std::ranges::any_of(wanted, [&](const Anchor& anchor) { return is_for(known, anchor, mark); });
}

}  // namespace

std::string anchor_mark(const std::string& ns, const std::string& connection) {
  return "edgetrust " + ns + "/" + connection + " ";
}

std::optional<AnchorStep> next_anchor_step(const std::vector<Anchor>& wanted, const std::vector<KnownAuthority>& known,
                                           const std::vector<std::string>& services, const std::string& mark) {
  const auto right = sorted(services);
  for (const Anchor& anchor : wanted) {
    if (auto step = step_for(anchor, known, right, mark)) return step;
  }
  // Only when all that is wanted is there: nothing is taken away before its successor has come.
  for (const KnownAuthority& one : known) {
    if (!one.authority.name.starts_with(mark)) continue;
    if (!is_for_any(one, wanted, mark) || is_double(one, known, right, mark))
      return AnchorStep{AnchorStep::Kind::kRemove, one.authority};
  }
  return std::nullopt;
}

}  // namespace edgetrust::decide
