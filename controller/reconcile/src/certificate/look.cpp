#include "certificate/look.hpp"

#include "edgetrust/base/text.hpp"
#include "peers.hpp"

#include <map>

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;
using decide::certificate::Answer;
using decide::certificate::EdgeLook;
using decide::certificate::Evidence;
using decide::certificate::Observation;

// 30 s for a login and the status call, 5 s for the port. Whoever needs longer than 10 s for these is not asked for
// more: 5 s for the peers, then 20 s for a login and the trunks.
constexpr auto kProbeTimeout = 5s;
constexpr auto kTimeForMore = 10s;
constexpr auto kPeersTimeout = 5s;

// A handshake, as far as peers differ in it.
using Manner = std::pair<std::string, ports::TlsVersion>;  // server name, oldest version

ports::TlsVersion to_port(api::TlsVersion version) {
  return version == api::TlsVersion::kTls13 ? ports::TlsVersion::kTls13 : ports::TlsVersion::kTls12;
}

class Look {
 public:
  Look(const World& world, const Observation& o, std::stop_token stop)
      : world_(world), edge_(*o.edge), connection_(*o.connection), stop_(std::move(stop)) {}

  EdgeLook take(bool closely) {
    const SteadyPoint began = world_.clock.steady();
    EdgeLook look{.probed = edge_.spec.sip.probe != api::SipProbe::kNone};
    if (auto health = ask_health()) {
      look.health = std::move(*health);
    } else {
      look.health_error = std::move(health).error();
    }
    if (look.probed) ask_port(look, closely);
    if (closely) {
      const bool in_time = world_.clock.steady() - began <= kTimeForMore;
      look.evidence = in_time ? evidence(look.health.has_value()) : no_time();
      if (own_) look.evidence->options_status = own_->sip_status;
      if (own_) look.evidence->options_error = own_->sip_error;
    }
    look.at = world_.clock.now();
    return look;
  }

 private:
  Result<ports::EdgeHealth> ask_health() {
    if (!connection_.spec.certificate_upload)
      return fail(ErrorKind::kUnsupported, "the GenesysConnection has no certificateUpload");
    EDGETRUST_TRY_ASSIGN(const auto fleet, world_.backends.fleet(connection_, stop_));
    return fleet->health(ports::EdgeId{lower(edge_.spec.edge_id)}, stop_);
  }

  Result<ports::ServedChain> shake_hands(const Manner& manner, std::chrono::milliseconds timeout, bool ask_options) {
    return world_.probe.present({.host = edge_.spec.sip.host,
                                 .port = static_cast<std::uint16_t>(edge_.spec.sip.port),
                                 .server_name = manner.first,
                                 .timeout = timeout,
                                 .oldest = manner.second,
                                 .ask_options = ask_options},
                                stop_);
  }

  void ask_port(EdgeLook& look, bool closely) {
    const bool ask_options = closely && edge_.spec.sip.probe == api::SipProbe::kOptions;
    own_ = shake_hands({{}, ports::TlsVersion::kTls12}, kProbeTimeout, ask_options);
    auto chain = own_ ? world_.pki.inspect(own_->chain_pem) : tl::unexpected(own_.error());
    if (chain) {
      look.served = std::move(*chain);
    } else {
      look.served_error = std::move(chain).error();
    }
  }

  Evidence evidence(bool status_answered) {
    Evidence seen;
    ask_peers(seen);
    // Without the status call the look says nothing in any case.
    auto trunks =
        status_answered
            ? ask_trunks()
            : Result<std::vector<ports::Trunk>>(fail(ErrorKind::kUnavailable, "the status call was not answered"));
    if (trunks) {
      seen.trunks = std::move(*trunks);
    } else {
      seen.trunks_error = std::move(trunks).error();
    }
    return seen;
  }

  Evidence no_time() const {
    const Error late{.kind = ErrorKind::kTimeout, .what = "there was no time left to ask"};
    Evidence seen{.options_status = {}, .options_error = {}, .peers = {}, .trunks = {}, .trunks_error = late};
    for (const auto& peer : edge_.spec.sip.peers) seen.peers.push_back({peer.name, Answer::kUnknown, late.what});
    return seen;
  }

  Result<std::vector<ports::Trunk>> ask_trunks() {
    EDGETRUST_TRY_ASSIGN(const auto fleet, world_.backends.fleet(connection_, stop_));
    return fleet->trunks(ports::EdgeId{lower(edge_.spec.edge_id)}, stop_);
  }

  // Peers that shake hands in the same manner see the same.
  void ask_peers(Evidence& seen) {
    const SteadyPoint end = world_.clock.steady() + kPeersTimeout;
    std::map<Manner, Result<ports::ServedChain>> shown;
    Peers peers(world_, edge_, stop_);
    for (const auto& peer : edge_.spec.sip.peers) {
      const Manner manner{api::name_dialled(edge_, peer), to_port(peer.min_version)};
      auto found = shown.find(manner);
      if (found == shown.end()) found = shown.emplace(manner, shown_to(manner, end)).first;
      const auto& served = found->second;
      if (served) {
        seen.peers.push_back(peers.judge(peer, served->chain_pem));
      } else {
        // What our own deadline cut short says nothing about the Edge: our own handshake has all the time.
        const bool not_tried =
            served.error().kind == ErrorKind::kCancelled || served.error().kind == ErrorKind::kTimeout;
        seen.peers.push_back({peer.name, not_tried ? Answer::kUnknown : Answer::kNo, served.error().message()});
      }
    }
  }

  Result<ports::ServedChain> shown_to(const Manner& manner, SteadyPoint end) {
    if (edge_.spec.sip.probe == api::SipProbe::kNone)
      return fail(ErrorKind::kCancelled, "sip.probe is None, so that nobody looks at the port");
    // Where nothing answers us, nothing answers them.
    const bool silent = !own_ && own_.error().kind != ErrorKind::kProtocol;
    if (silent) return own_;
    if (own_ && manner == Manner{api::name_dialled(edge_, {}), ports::TlsVersion::kTls12}) return own_;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - world_.clock.steady());
    if (left <= 0ms) return fail(ErrorKind::kCancelled, "there was no time left to ask");
    return shake_hands(manner, left, false);
  }

  const World& world_;
  const api::Edge& edge_;
  const api::GenesysConnection& connection_;
  std::stop_token stop_;
  Result<ports::ServedChain> own_ = fail(ErrorKind::kCancelled, "the port was not looked at");
};

}  // namespace

Result<EdgeLook> look_at_edge(const World& world, const Observation& o, bool closely, std::stop_token stop) {
  EdgeLook look = Look(world, o, stop).take(closely);
  if (stop.stop_requested()) return fail(ErrorKind::kCancelled, "shutting down");  // half a look is none
  return look;
}

}  // namespace edgetrust::reconcile
