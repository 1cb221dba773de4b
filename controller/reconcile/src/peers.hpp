#pragma once
// What each peer of an Edge makes of a chain: its bundle is read, and pki asked with its roots, its name, its usages.
#include "edgetrust/decide/certificate/evidence.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <stop_token>
#include <utility>
#include <vector>

namespace edgetrust::reconcile {

class Peers {
 public:
  // Both outlive this.
  Peers(const World& world, const api::Edge& edge, std::stop_token stop)
      : world_(world), edge_(edge), stop_(std::move(stop)) {}

  decide::certificate::PeerLook judge(const api::Peer& peer, const std::string& chain_pem);
  std::vector<decide::certificate::PeerLook> judge_all(const std::string& chain_pem);

 private:
  // Each is read once, however many peers name it.
  const Result<std::string>& bundle(const api::CaBundleRef& ref);

  const World& world_;
  const api::Edge& edge_;
  std::stop_token stop_;
  std::vector<std::pair<api::CaBundleRef, Result<std::string>>> bundles_;
};

}  // namespace edgetrust::reconcile
