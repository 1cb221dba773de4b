#include "connection/census.hpp"

#include "edgetrust/api/conditions.hpp"
#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <set>

namespace edgetrust::reconcile {
namespace {

bool is_ready(const api::Edge& edge) {
  const auto* ready = api::find(edge.status.conditions, api::condition::kReady);
  return ready != nullptr && ready->status == api::Truth::kTrue;
}

bool is_rotating(const api::EdgeCertificate& certificate) {
  using api::Phase;
  const auto phase = certificate.status.phase;
  return phase == Phase::kDraining || phase == Phase::kDelivering || phase == Phase::kObserving ||
         phase == Phase::kRollingBack;
}

bool is_rolled_back(const api::EdgeCertificate& certificate) {
  return certificate.status.phase == api::Phase::kRolledBack;
}

}  // namespace

Edges edges_of(const World& world, const api::ObjectKey& connection) {
  Edges edges = world.edges.list(connection.ns);
  std::erase_if(edges, [&](const auto& edge) { return edge->spec.connection_ref.name != connection.name; });
  return edges;
}

std::vector<std::shared_ptr<const api::EdgeCertificate>> certificates_of(const World& world, const std::string& ns,
                                                                         const Edges& edges) {
  std::set<std::string> names;
  for (const auto& edge : edges) names.insert(edge->meta.name);
  auto certificates = world.certificates.list(ns);
  std::erase_if(certificates, [&](const auto& certificate) {
    const std::string& edge = certificate->spec.edge_ref.name;
    // Whose Edge is gone may be anybody's: it runs out as well.
    const bool may_be_one = (certificate->broken && edge.empty()) || !world.edges.get({ns, edge});
    return certificate->meta.deletion_time || (!names.contains(edge) && !may_be_one);
  });
  return certificates;
}

api::EdgeCounts count(const Edges& edges,
                      const std::vector<std::shared_ptr<const api::EdgeCertificate>>& certificates) {
  const auto those = [](const auto& all, const auto& which) {
    return static_cast<int>(std::ranges::count_if(all, [&](const auto& one) { return which(*one); }));
  };
  return {.total = static_cast<int>(edges.size()),
          .ready = those(edges, is_ready),
          .rotating = those(certificates, is_rotating),
          .rolled_back = those(certificates, is_rolled_back),
          .unmanaged = {}};
}

std::vector<std::string> unmanaged_among(const World& world, const std::vector<std::string>& namespaces,
                                         const std::vector<ports::EdgeInfo>& listed) {
  std::set<std::string> managed;  // ids are UUIDs: no two organisations share one
  for (const auto& ns : namespaces) {
    for (const auto& edge : world.edges.list(ns)) managed.insert(lower(edge->spec.edge_id));
  }
  std::vector<std::string> names;
  for (const ports::EdgeInfo& edge : listed) {
    if (!edge.appliance || !edge.active || managed.contains(lower(edge.id.value))) continue;
    names.push_back(edge.name.empty() ? edge.id.value : edge.name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace edgetrust::reconcile
