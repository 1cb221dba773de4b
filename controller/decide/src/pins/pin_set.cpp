#include "edgetrust/decide/pins/pin_set.hpp"

#include "edgetrust/base/random.hpp"
#include "edgetrust/base/text.hpp"

#include <algorithm>

namespace edgetrust::decide::pins {
namespace {

using api::AcceptedPin;
using api::PinMatch;
using api::PinOrigin;
using api::PinSource;
using api::PinType;

constexpr std::size_t kMostLearned = 16;
constexpr std::size_t kMostAnnounced = 4;

Pin pin_of(const Link& link, PinType type) {
  return {type, type == PinType::kCertificate ? link.certificate : link.public_key};
}
Pin pin_of(const AcceptedPin& accepted) {
  return {accepted.type, parse_hash(accepted.fingerprint).value_or(std::string{})};
}
bool is(const Pin& pin, const Link& link) { return pin == pin_of(link, pin.type); }

bool is_seen(const Pin& pin, PinMatch match, const std::vector<Link>& chain) {
  const auto end = match == PinMatch::kLeaf ? chain.begin() + 1 : chain.end();
  return std::any_of(chain.begin(), end, [&](const Link& link) { return is(pin, link); });
}

Result<std::vector<Pin>> read(const std::vector<std::string>& texts, PinType type, const std::string& place) {
  std::vector<Pin> pins;
  for (const auto& text : texts) {
    const auto hash = parse_hash(text);
    if (!hash) return fail(within(place + "[" + std::to_string(pins.size()) + "]", hash.error()));
    pins.push_back({type, *hash});
  }
  return pins;
}

void add(std::vector<Pin>& pins, const Pin& pin) {
  if (std::ranges::find(pins, pin) == pins.end()) pins.push_back(pin);
}

// The set in the making.
class Set {
 public:
  Set(const PinSituation& situation, std::vector<Pin> declared, std::vector<Pin> ahead)
      : s_(situation), declared_(std::move(declared)), ahead_(std::move(ahead)) {
    for (const auto& pin : s_.current) {
      // What the spec declares is read from the spec; a text that is no pin is nobody's.
      const bool was_learned = pin.origin != PinOrigin::kStatic && pin.origin != PinOrigin::kPreset;
      if (was_learned && !pin_of(pin).sha256.empty()) learned_.push_back(pin);
    }
    for (const auto& pin : s_.next) {
      if (pin.origin == PinOrigin::kStatus && !pin_of(pin).sha256.empty()) announced_.push_back(pin);
    }
  }

  PinOutcome follow();

 private:
  [[nodiscard]] std::vector<Pin> accepted() const;
  [[nodiscard]] std::vector<Pin> lasting() const;
  [[nodiscard]] bool accepts(const Sight& sight) const { return matches(accepted(), s_.spec.pins.match, sight.chain); }
  [[nodiscard]] bool knows_nothing() const {
    return declared_.empty() && ahead_.empty() && learned_.empty() && announced_.empty();
  }
  [[nodiscard]] std::vector<Sight> leaves() const;
  [[nodiscard]] int votes(const Link& leaf) const;
  void keep(const Sight& sight);
  void learn(const Link& leaf, PinOrigin origin);
  void judge(const Sight& sight);
  void differs(const Sight& sight, Stand stand, const std::string& why);
  void retire();
  void take_announcement();
  void drop_announced(const std::string& certificate);
  void describe();

  const PinSituation& s_;
  const std::vector<Pin> declared_;
  const std::vector<Pin> ahead_;
  std::vector<AcceptedPin> learned_;
  std::vector<AcceptedPin> announced_;
  PinOutcome outcome_;
};

std::vector<Pin> Set::accepted() const {
  std::vector<Pin> all;
  for (const auto& pin : declared_) add(all, pin);
  for (const auto& pin : learned_) add(all, pin_of(pin));
  for (const auto& pin : ahead_) add(all, pin);
  for (const auto& pin : announced_) add(all, pin_of(pin));
  return all;
}

std::vector<Pin> Set::lasting() const {
  std::vector<Pin> all;
  for (const auto* pins : {&declared_, &ahead_}) {
    for (const auto& pin : *pins) add(all, pin);
  }
  for (const auto* pins : {&learned_, &announced_}) {
    for (const auto& pin : *pins) {
      if (!pin.until) add(all, pin_of(pin));
    }
  }
  return all;
}

// One valid sight for each leaf, in the order of the vantages.
std::vector<Sight> Set::leaves() const {
  std::vector<Sight> distinct;
  for (const auto& sight : s_.sights) {
    const auto is_the_same = [&](const Sight& other) { return other.leaf() == sight.leaf(); };
    if (sight.valid() && std::ranges::none_of(distinct, is_the_same)) distinct.push_back(sight);
  }
  return distinct;
}

int Set::votes(const Link& leaf) const {
  return static_cast<int>(std::ranges::count_if(
      s_.sights, [&](const Sight& sight) { return sight.valid() && sight.leaf().certificate == leaf.certificate; }));
}

void Set::learn(const Link& leaf, PinOrigin origin) {
  const Pin pin = pin_of(leaf, s_.spec.pins.type);
  AcceptedPin learned{.fingerprint = colon_hex(pin.sha256),
                      .type = pin.type,
                      .origin = origin,
                      .certificate = {},
                      .since = s_.now,
                      .until = {}};
  if (pin.type == PinType::kPublicKey) learned.certificate = colon_hex(leaf.certificate);
  learned_.push_back(std::move(learned));
  drop_announced(leaf.certificate);
}

void Set::drop_announced(const std::string& certificate) {
  std::erase_if(announced_, [&](const AcceptedPin& pin) { return pin_of(pin).sha256 == certificate; });
}

// A leaf that is accepted. What was announced and is here now is current, also when nobody announces it any longer.
void Set::keep(const Sight& sight) {
  const Link& leaf = sight.leaf();
  for (auto& pin : learned_) {
    if (pin.type == PinType::kPublicKey && is(pin_of(pin), leaf)) pin.certificate = colon_hex(leaf.certificate);
  }
  const auto of_leaf = [&](const Pin& pin) { return is(pin, leaf); };
  const auto of_leaf_too = [&](const AcceptedPin& pin) { return is(pin_of(pin), leaf); };
  const Pin wanted = pin_of(leaf, s_.spec.pins.type);
  if (std::ranges::any_of(declared_, of_leaf)) return;
  if (std::ranges::any_of(learned_, [&](const AcceptedPin& pin) { return pin_of(pin) == wanted; })) return;
  if (std::ranges::any_of(ahead_, of_leaf)) return learn(leaf, PinOrigin::kNext);
  if (std::ranges::any_of(announced_, of_leaf_too)) return learn(leaf, PinOrigin::kStatus);
  // Learned by the other kind of hash, before spec.pins.type was changed.
  const auto before = std::ranges::find_if(learned_, of_leaf_too);
  if (before != learned_.end()) learn(leaf, before->origin);
}

void Set::differs(const Sight& sight, Stand stand, const std::string& why) {
  if (outcome_.stand != Stand::kMatched) return;  // the first that differs is told of
  outcome_.stand = stand;
  outcome_.why = sight.vantage + " is presented the leaf " + colon_hex(sight.leaf().certificate) + " of \"" +
                 sight.issuer + "\", which no pin accepts; " + why;
}

// A leaf that is not accepted.
void Set::judge(const Sight& sight) {
  const api::PinRotation& rotation = s_.spec.rotation;
  const Link& leaf = sight.leaf();
  if (!rotation.allow) return differs(sight, Stand::kNotFollowed, "rotation.allow is false, so it is only reported");
  // Of a key that `next` names by the certificate.
  const Pin by_certificate{s_.spec.pins.type, leaf.certificate};
  if (std::ranges::find(ahead_, by_certificate) != ahead_.end()) return learn(leaf, PinOrigin::kNext);
  if (!rotation.follows(PinSource::kHandshake))
    return differs(sight, Stand::kNotFollowed, "rotation.sources follows what is announced alone");
  // Whom an Edge sees by, nobody can judge who does not see the endpoint.
  if (!s_.sights.front().valid())
    return differs(sight, Stand::kUnconfirmed,
                   "the operator itself sees no chain that validates, so nobody's word is taken for it");
  const int votes_for = votes(leaf);
  if (votes_for < rotation.confirmations)
    return differs(sight, Stand::kUnconfirmed,
                   std::to_string(votes_for) + " of the " + std::to_string(rotation.confirmations) +
                       " vantages that rotation.confirmations asks for have seen it. If it is right, add it to "
                       "pins.static or pins.next");
  if (knows_nothing()) {
    outcome_.first = colon_hex(leaf.certificate);
  } else {
    outcome_.unannounced.push_back(colon_hex(leaf.certificate));
  }
  learn(leaf, PinOrigin::kHandshake);
}

// What is no longer seen goes when something else that is accepted has been seen for the length of the overlap. While
// nothing that is accepted is seen, or nothing at all, nothing goes.
void Set::retire() {
  const auto seen = leaves();
  const auto is_here = [&](const AcceptedPin& pin) {
    return std::ranges::any_of(
        seen, [&](const Sight& sight) { return is_seen(pin_of(pin), s_.spec.pins.match, sight.chain); });
  };
  const bool something_matches = std::ranges::any_of(seen, [&](const Sight& sight) { return accepts(sight); });
  for (auto& pin : learned_) {
    if (is_here(pin)) {
      pin.until.reset();
    } else if (something_matches && !pin.until) {
      pin.until = s_.now + s_.spec.rotation.overlap;
    }
  }
  if (something_matches)
    std::erase_if(learned_, [&](const AcceptedPin& pin) { return pin.until && *pin.until <= s_.now; });
  // Of too many the one that would go first.
  while (learned_.size() > kMostLearned) {
    const auto first = std::ranges::min_element(
        learned_, {}, [](const AcceptedPin& pin) { return pin.until.value_or(TimePoint::max()); });
    if (!first->until) break;
    learned_.erase(first);
  }
}

void Set::take_announcement() {
  const api::PinRotation& rotation = s_.spec.rotation;
  if (!rotation.allow || !rotation.follows(PinSource::kStatus)) {
    announced_.clear();
    return;
  }
  // Whoever holds the key of an accepted leaf may announce the next one; the word of anybody else is worth nothing.
  const bool is_trusted = !s_.sights.empty() && s_.sights.front().valid() && accepts(s_.sights.front());
  if (!s_.announced || !is_trusted) return;
  std::vector<std::string> named{s_.announced->certificate};
  if (s_.announced->next) named.push_back(*s_.announced->next);
  for (auto& pin : announced_) {
    if (std::ranges::find(named, pin_of(pin).sha256) != named.end()) {
      pin.until.reset();
    } else if (!pin.until) {
      pin.until = s_.now + rotation.overlap;
    }
  }
  std::erase_if(announced_, [&](const AcceptedPin& pin) { return pin.until && *pin.until <= s_.now; });
  for (const auto& hash : named) {
    const Pin pin{PinType::kCertificate, hash};
    const bool is_present = std::ranges::any_of(
        s_.sights, [&](const Sight& sight) { return sight.valid() && sight.leaf().certificate == hash; });
    const auto all = accepted();
    if (is_present || std::ranges::find(all, pin) != all.end() || announced_.size() >= kMostAnnounced) continue;
    announced_.push_back({.fingerprint = colon_hex(hash),
                          .type = PinType::kCertificate,
                          .origin = PinOrigin::kStatus,
                          .certificate = {},
                          .since = s_.now,
                          .until = {}});
  }
}

void Set::describe() {
  // Of what is declared, what is seen now.
  const auto seen = leaves();
  for (const auto& pin : declared_) {
    const bool is_here =
        std::ranges::any_of(seen, [&](const Sight& sight) { return is_seen(pin, s_.spec.pins.match, sight.chain); });
    const auto& preset = amazon_trust_services();
    const bool of_preset =
        s_.spec.pins.preset == api::PinPreset::kAmazonTrustServices && std::ranges::find(preset, pin) != preset.end();
    if (is_here && outcome_.current.size() < 4)
      outcome_.current.push_back({.fingerprint = colon_hex(pin.sha256),
                                  .type = pin.type,
                                  .origin = of_preset ? PinOrigin::kPreset : PinOrigin::kStatic,
                                  .certificate = {},
                                  .since = {},
                                  .until = {}});
  }
  for (const auto* pins : {&learned_, &announced_}) {
    for (const auto& pin : *pins) {
      if (pin.until && (!outcome_.wake_at || *pin.until < *outcome_.wake_at)) outcome_.wake_at = pin.until;
    }
  }
  std::ranges::move(learned_, std::back_inserter(outcome_.current));
  outcome_.next = std::move(announced_);
}

PinOutcome Set::follow() {
  const auto seen = leaves();
  outcome_.stand = Stand::kMatched;
  for (const auto& sight : seen) accepts(sight) ? keep(sight) : judge(sight);
  retire();
  take_announcement();
  outcome_.accepted = accepted();
  outcome_.lasting = lasting();
  if (seen.empty()) {
    outcome_.stand = Stand::kUnknown;
    outcome_.why = s_.sights.empty() ? "nobody has looked at the endpoint yet" : s_.sights.front().problem;
  }
  describe();
  return std::move(outcome_);
}

}  // namespace

bool matches(const std::vector<Pin>& pins, PinMatch match, const std::vector<Link>& chain) {
  return !chain.empty() && std::ranges::any_of(pins, [&](const Pin& pin) {
    // A hash of a whole certificate is of the leaf: further up it would be a CA that nobody meant.
    const auto where = pin.type == PinType::kCertificate ? PinMatch::kLeaf : match;
    return is_seen(pin, where, chain);
  });
}

std::string name_of(const ports::PinFile& file) {
  std::vector<std::string> pins;
  pins.reserve(file.accepted.size());
  for (const auto& pin : file.accepted) pins.push_back((pin.is_public_key ? "k" : "c") + pin.sha256);
  std::ranges::sort(pins);
  std::string text = join(pins, "") + "/" + file.min_version + "/" + join(file.cipher_suites, ":") + "/";
  for (const bool flag : {file.enabled, file.allow_rotation, file.log_validation_failures, file.strict_validation})
    text += flag ? "+" : "-";
  auto hash = static_cast<std::uint64_t>(stable_fraction(text) * 0x1p48);
  std::string digits;
  for (int i = 0; i < 12; ++i, hash >>= 4) digits += "0123456789abcdef"[hash & 15U];
  return digits;
}

Result<PinOutcome> follow(const PinSituation& situation) {
  const api::PinsSpec& pins = situation.spec.pins;
  EDGETRUST_TRY_ASSIGN(auto declared, read(pins.static_pins, pins.type, "spec.pins.static"));
  EDGETRUST_TRY_ASSIGN(auto ahead, read(pins.next, pins.type, "spec.pins.next"));
  if (pins.preset == api::PinPreset::kAmazonTrustServices) {
    for (const auto& root : amazon_trust_services()) add(declared, root);
  }
  return Set(situation, std::move(declared), std::move(ahead)).follow();
}

std::string objection(const api::PinPolicySpec& spec, const std::vector<Pin>& accepted, const Sight& seen) {
  if (!seen.valid()) return "the endpoint is not seen to present a chain that validates: " + seen.problem;
  if (!matches(accepted, spec.pins.match, seen.chain))
    return "no pin accepts what the endpoint presents, so every Edge would be locked out";
  return seen.tls;
}

std::string never_confirmed(const api::PinPolicySpec& spec, const std::vector<Pin>& lasting, const Sight& seen,
                            int vantages) {
  if (!seen.valid() || !spec.rotation.allow) return {};
  const bool outlives_leaf = std::ranges::any_of(lasting, [&](const Pin& pin) {
    return pin.type == PinType::kPublicKey && spec.pins.match == PinMatch::kAnyInChain &&
           std::any_of(seen.chain.begin() + 1, seen.chain.end(), [&](const Link& link) { return is(pin, link); });
  });
  const bool follows = spec.rotation.follows(PinSource::kHandshake);
  if (outlives_leaf || (follows && vantages >= spec.rotation.confirmations)) return {};
  return "a new leaf that is neither in pins.next nor announced will be followed by nobody: " +
         (follows ? "rotation.confirmations asks for " + std::to_string(spec.rotation.confirmations) +
                        " vantages, and there " + (vantages == 1 ? "is 1" : "are " + std::to_string(vantages))
                  : std::string("rotation.sources follows what is announced alone"));
}

std::string missing_backup(const api::PinPolicySpec& spec, const std::vector<Pin>& lasting, const Sight& seen) {
  if (!seen.valid()) return {};
  const bool has_backup =
      std::ranges::any_of(lasting, [&](const Pin& pin) { return !is_seen(pin, spec.pins.match, seen.chain); });
  if (!has_backup && spec.pins.require_backup)
    return "every pin is of what the endpoint presents now: add a backup to pins.static or pins.next, or set "
           "pins.requireBackup to false";
  if (!has_backup && !spec.rotation.allow)
    return "every pin is of what the endpoint presents now, and rotation.allow is false: the next change would lock "
           "every Edge out";
  return {};
}

bool is_intercepted(const Sight& edge, const Sight& from_operator, const std::vector<Pin>& accepted, PinMatch match) {
  if (edge.chain.empty()) return false;  // nothing was seen
  // The same leaf as the operator's comes from the endpoint, and its chain is wrong for everybody.
  const bool is_the_endpoints = !from_operator.chain.empty() && edge.leaf() == from_operator.leaf();
  if (!edge.valid()) return !is_the_endpoints;
  if (matches(accepted, match, edge.chain)) return false;
  return from_operator.valid() && edge.chain.back().public_key != from_operator.chain.back().public_key;
}

}  // namespace edgetrust::decide::pins
