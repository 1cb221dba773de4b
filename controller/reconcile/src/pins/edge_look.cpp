// What a pass looks at: what the endpoint presents to the Edge, its clock, and what the file shall be.
#include "edgetrust/base/time_text.hpp"
#include "finding.hpp"
#include "pins/edge_pass.hpp"
#include "pins/sight.hpp"

namespace edgetrust::reconcile::edge_pins {

using namespace std::chrono_literals;

std::vector<Pin> pins_of(const ports::PinFile& file) {
  std::vector<Pin> pins;
  pins.reserve(file.accepted.size());
  for (const auto& pin : file.accepted)
    pins.push_back({pin.is_public_key ? api::PinType::kPublicKey : api::PinType::kCertificate, pin.sha256});
  return pins;
}

// The new file is there, and nobody has read it.
bool Pass::is_before_restart() const {
  const api::PinChange& change = *before()->change;
  const bool waits_for_it = change.step == api::PinStep::kRestarting && state_->invocation == change.invocation;
  return state_->sha256 == change.file_sha256 && (change.step == api::PinStep::kInstalling || waits_for_it);
}

// After the restart the proof is the look.
bool Pass::wants_sight() const {
  if (!state_) return false;
  if (changes() && state_->sha256 != before()->change->previous_sha256 && !is_before_restart()) return false;
  if (claim_.policy == nullptr) return false;  // nobody knows the endpoint
  // What is presented there is no reason to go on pinning, but one not to wait. Nor is an override waited for.
  if (is_leaving()) return file_ && !changes();
  if (is_overridden()) return !is_switched_on_ && !changes();
  if (is_enforcing()) return true;
  const auto& from = terms().observe_from;
  return claim_.goal == Goal::kReport && std::ranges::count(from, api::PinVantage::kEdge) > 0;
}

Result<Sight> Pass::sight(const TlsBounds& bounds) {
  const api::PinEndpoint& endpoint = terms().endpoint;
  ports::ViewRequirements wanted{.server_name = std::string(api::server_name(endpoint)), .at = now_, .roots_pem = {}};
  if (endpoint.ca_bundle_ref) {
    EDGETRUST_TRY_ASSIGN(wanted.roots_pem, world_.secrets.read_bundle(edge_->meta.ns, *endpoint.ca_bundle_ref, stop_));
  }
  const auto dial = [&](const TlsBounds& by) {
    return host_->present({.host = endpoint.host,
                           .port = static_cast<std::uint16_t>(endpoint.port),
                           .server_name = wanted.server_name,
                           .oldest = by.oldest,
                           .cipher_suites = by.cipher_suites},
                          stop_);
  };
  EDGETRUST_TRY_ASSIGN(const Presented presented, present(bounds, dial));
  const std::string& chain = presented.served.chain_pem;
  EDGETRUST_TRY_ASSIGN(ports::ChainView view, ports_.viewer.view(chain, wanted));
  if (!view.problem.empty() && !trusted_.empty()) {
    wanted.roots_pem.clear();
    for (const auto& ca : trusted_) wanted.roots_pem += ca.pem;
    EDGETRUST_TRY_ASSIGN(ports::ChainView by_them, ports_.viewer.view(chain, wanted));
    if (by_them.problem.empty()) view = std::move(by_them);
  }
  Sight sight = sight_of(view, edge_->meta.name);
  sight.tls = presented.refused;
  return sight;
}

void Pass::see() {
  if (!wants_sight()) return;
  auto found = sight(bounds_of(terms().tls));
  if (!found) {
    sight_error_ = std::move(found).error();
    board_.forget_sight(edge_->meta.key());
    return;
  }
  seen_ = *std::move(found);
}

std::vector<Pin> Pass::accepted() const { return decide::pins::with_intermediaries(in_force_->accepted, trusted_); }

// An intermediary makes leaves as it goes: its pin is that of its root.
api::PinMatch Pass::match_for(const Sight& sight) const {
  return decide::pins::intermediary_of(sight, trusted_) != nullptr ? api::PinMatch::kAnyInChain : terms().pins.match;
}

void Pass::find_wanted(FileSituation& s) {
  const auto take = [&](Result<ports::PinDocument> document) {
    if (document) {
      s.wanted = *std::move(document);
    } else {
      s.blocked = document.error().message();
    }
  };
  if (is_leaving() || is_overridden()) {
    auto document = ports_.files.switched_off(state_->text);
    take(std::move(document));
    return;
  }
  if (claim_.goal == Goal::kHold) {
    s.blocked = "the PinPolicy cannot be read or served by this version: nothing is changed";
    return;
  }
  const ports::PinFile file = wanted_file();
  if (in_force_->accepted.empty() || file.fingerprint.empty()) {
    s.blocked = in_force_->objection.empty() ? "no pin is accepted yet" : in_force_->objection;
    return;
  }
  auto document = ports_.files.render(file, state_->text);
  take(std::move(document));
}

// Where the pins stay the same, so does the leaf that the file names: an endpoint that has two in turn, or a new one
// under a root that is pinned, is no reason for a restart.
ports::PinFile Pass::wanted_file() const {
  ports::PinFile file{.allow_rotation = terms().rotation.allow,
                      .log_validation_failures = terms().log_validation_failures,
                      .fingerprint = in_force_->leaf,
                      .accepted = {},
                      .min_version = terms().tls.min_version == api::TlsVersion::kTls13 ? "TLS1.3" : "TLS1.2",
                      .cipher_suites = api::cipher_suites(terms().tls),
                      .strict_validation = terms().tls.strict_validation};
  for (const Pin& pin : accepted()) file.accepted.push_back({pin.type == api::PinType::kPublicKey, pin.sha256});
  if (!file_ || file_->fingerprint.empty() || file_->accepted != file.accepted) return file;
  const ports::FilePin named{.is_public_key = false, .sha256 = file_->fingerprint};
  const bool was_right = before() && before()->matched_sha256 == state_->sha256;
  if (was_right || std::ranges::count(file.accepted, named) > 0) file.fingerprint = file_->fingerprint;
  return file;
}

// What its machine needs before a file that pins is changed, and what goes when none is there any more: while it pins
// it may be by our CA alone that it reaches the endpoint. A CA whose time is over goes whatever else is the matter;
// nothing is put there while somebody else answers in place of the endpoint, or while pinning is overridden.
MachineEffect Pass::prepare(FileSituation& s) {
  const bool is_over = is_leaving() && has_left();
  note_what_a_change_has_read();
  if (!state_ || changes() || state_->restore_armed || !(is_enforcing() || is_over)) return {};
  MachineDecision clock =
      decide::pins::prepare_clock(is_over ? std::vector<std::string>{} : terms().clock.servers, *state_);
  MachineDecision anchors;  // where a CA cannot be read nobody knows which are wanted
  if (is_over || in_force_->intermediaries)
    anchors = decide::pins::prepare_anchors(
        is_over ? std::vector<ports::CaCertificate>{} : decide::pins::anchors_of(trusted_), *state_);
  const bool may_put = !is_overridden() && s.intercepted.empty();
  const auto acts = [&](const MachineDecision& found, MachineNote& known) {
    if (known.of != found.effect) known = {};  // what failed is another thing than what is to be done now
    if (std::holds_alternative<std::monostate>(found.effect)) return false;
    const bool takes_away = std::holds_alternative<machine_effect::Distrust>(found.effect);
    // A time server that stays behind does no harm; a CA may not.
    if (is_over) return takes_away || known.failures < decide::pins::kMostTries;
    return takes_away || (may_put && known.left_alone_until <= now_);
  };
  const bool sets_clock = acts(clock, notes_.clock);
  const bool sets_anchors = acts(anchors, notes_.anchors);
  if (is_enforcing() && !is_overridden()) {
    const auto* trust = std::get_if<machine_effect::Trust>(&anchors.effect);
    const bool is_missing =
        trust != nullptr ? !has_read(*trust) : std::holds_alternative<std::monostate>(anchors.effect);
    if (is_missing && !anchors.hindered.empty())
      s.missing = std::string(kUnread) + ": " + notes_.anchors.with(anchors.hindered);
    if (anchors.hindered.empty() && !has_unread()) {
      notes_.read_by = state_->invocation;
      notes_.read = state_->anchors;
    }
  }
  if (s.hindered.empty() && is_enforcing() && !is_overridden()) {
    // Who is out waits for no time server; the CA that its new file needs it has to have read when it is started, but
    // nobody goes on being refused because of one that cannot be put there.
    const bool is_tried = sets_anchors && notes_.anchors.failures < decide::pins::kMostTries;
    if (!s.refuses || is_tried) s.hindered = notes_.anchors.with(anchors.hindered);
    if (!s.refuses && s.hindered.empty()) s.hindered = notes_.clock.with(clock.hindered);
  }
  // What fails again and again is in nobody's way.
  if (sets_anchors && (!sets_clock || notes_.anchors.failures <= notes_.clock.failures))
    return std::move(anchors.effect);
  return sets_clock ? std::move(clock.effect) : MachineEffect{};
}

// Why nothing may be begun, as the Edge itself sees the endpoint.
void Pass::find_hindrance(FileSituation& s) {
  if (notes_.trouble_until > now_) s.hindered = notes_.trouble;
  if (is_leaving() || is_overridden()) return;
  if (sight_error_) {
    s.hindered = "what the endpoint presents to the Edge cannot be seen: " + sight_error_->message();
    return;
  }
  if (!seen_) return;
  if (!is_through_intermediary() &&
      decide::pins::is_intercepted(*seen_, in_force_->seen, in_force_->accepted, terms().pins.match)) {
    s.intercepted = "the Edge is presented a chain by \"" + seen_->issuer + "\"" +
                    (seen_->problem.empty() ? "" : " (" + seen_->problem + ")") +
                    " in place of the endpoint's: nothing is written there";
    return;
  }
  if (!is_enforcing()) return;
  const auto accepts = [&](const std::vector<Pin>& pins) {
    return decide::pins::matches(pins, match_for(*seen_), seen_->chain);
  };
  // The file that waits for its restart is judged as it is: the policy may not have been looked at since.
  const bool is_new_there = changes() && is_before_restart();
  const bool is_out = before() && before()->enforced && file_ && !accepts(pins_of(*file_));
  if (!is_new_there && !in_force_->objection.empty()) {
    s.hindered = in_force_->objection;
  } else if (!is_new_there && !is_out && !in_force_->no_backup.empty()) {
    s.hindered = in_force_->no_backup;
  } else if (!seen_->tls.empty()) {
    s.hindered = "as the Edge sees it, " + seen_->tls;
  } else if (!accepts(is_new_there && file_ ? pins_of(*file_) : accepted())) {
    s.hindered = seen_->valid() ? "the Edge is presented the leaf " +
                                      decide::pins::colon_hex(seen_->leaf().certificate) + ", which no pin accepts"
                                : "the Edge is presented a chain that does not validate: " + seen_->problem;
  }
}

bool Pass::is_through_intermediary() const {
  return seen_ && decide::pins::intermediary_of(*seen_, trusted_) != nullptr;
}

// What the Edge has would refuse what it is presented: it is out, or with its next connection. Its pins have to have
// accepted this endpoint once, by this match: else it is the spec that has changed, and not the endpoint. Of a chain
// that does not validate the leaf alone is known: that tells nothing where a pin may be that of another link.
bool Pass::refuses() const {
  const bool was_judged = before() && before()->endpoint == endpoint();
  if (!file_ || !seen_ || !was_judged) return false;
  const bool has_proxy = !trusted_.empty() || (state_ && !state_->anchors.empty());
  const bool leaf_decides = terms().pins.match == api::PinMatch::kLeaf && !has_proxy;
  if (!seen_->valid() && !leaf_decides) return false;
  return !decide::pins::matches(pins_of(*file_), match_for(*seen_), seen_->chain);
}

// Nothing is put there during a change: what is there when its service has been started anew was there before.
void Pass::note_what_a_change_has_read() {
  if (!state_ || !changes()) return;
  const api::PinChange& change = *before()->change;
  if (change.step == api::PinStep::kInstalling || change.invocation == state_->invocation) return;
  notes_.read_by = state_->invocation;
  notes_.read = state_->anchors;
}

// The service that runs had that CA at its start, as far as this process has seen: whoever takes it out of the trust
// store takes it from the next start.
bool Pass::has_read(const machine_effect::Trust& trust) const {
  return notes_.read_by == state_->invocation &&
         std::ranges::count(notes_.read, trust.certificate.sha256, &ports::HostAnchor::sha256) > 0;
}

// The service that runs was started before the CA of an intermediary was there.
bool Pass::has_unread() const {
  if (!state_ || !before() || trusted_.empty() || !is_enforcing() || is_overridden()) return false;
  if (const auto& change = before()->change)
    return change->file_sha256 == change->previous_sha256 && change->invocation == state_->invocation &&
           change->step == api::PinStep::kRestarting;
  const bool is_known = !notes_.unread_by.empty() || !notes_.read_by.empty();
  return is_known ? notes_.unread_by == state_->invocation : before()->message.find(kUnread) != std::string::npos;
}

// While the cloud sees it, it is not out. Without its policy nobody knows the endpoint, and the cloud's word is all.
bool Pass::is_locked_out() const {
  if (is_leaving() && claim_.policy == nullptr) return online() == api::Truth::kFalse;
  const bool knows_no_ca =
      file_ && has_unread() && is_through_intermediary() && before()->matched_sha256 == state_->sha256;
  return (refuses() || knows_no_ca) && !is_online();
}

api::Truth Pass::online() const {
  const auto* online = api::find(edge_->status.conditions, api::condition::kOnline);
  return online != nullptr ? online->status : api::Truth::kUnknown;
}

// Which endpoint, and by which match: "api.mypurecloud.ie:443 Leaf".
std::string Pass::endpoint() const {
  const api::PinEndpoint& is = terms().endpoint;
  const std::string_view name = api::server_name(is);
  return is.host + ":" + std::to_string(is.port) + (name == is.host ? "" : " (" + std::string(name) + ")") +
         (terms().pins.match == api::PinMatch::kLeaf ? " Leaf" : " AnyInChain");
}

void Pass::describe_sight(api::EdgePins& pins) const {
  if (!seen_) {
    if (state_ && !changes() && !sight_error_) pins.observed.reset();
    return;
  }
  api::EdgePinSight is{.fingerprint = decide::pins::colon_hex(seen_->leaf().certificate),
                       .public_key = decide::pins::colon_hex(seen_->leaf().public_key),
                       .issuer = seen_->issuer,
                       .root = seen_->root,
                       .at = std::chrono::floor<std::chrono::seconds>(now_)};
  const auto& was = pins.observed;
  if (was && was->fingerprint == is.fingerprint && was->root == is.root && was->at) is.at = was->at;
  pins.observed = is;
}

void Pass::describe_clock(api::Edge& next) const {
  if (!state_) return;
  const bool is_right = state_->clock_offset <= terms().clock.max_offset;
  const std::string message =
      (is_right ? "the Edge's clock is right within " : "the Edge's clock is off by more than ") +
      format_duration(terms().clock.max_offset) +
      decide::pins::other_servers(terms().clock.servers, edge_->status.time_servers);
  set_condition(next.status.conditions, api::condition::kClockInSync, is_right ? api::Truth::kTrue : api::Truth::kFalse,
                is_right ? "InSync" : "OffsetTooLarge", message, next.meta.generation, now_);
}

}  // namespace edgetrust::reconcile::edge_pins
