#pragma once
// What a connection counts: its Edge objects, what happens to them, and the Edges in Genesys that nobody has an object
// for. Costs no request.
#include "edgetrust/reconcile/world.hpp"

namespace edgetrust::reconcile {

using Edges = std::vector<std::shared_ptr<const api::Edge>>;

// The Edge objects that name this connection.
Edges edges_of(const World& world, const api::ObjectKey& connection);

// EdgeCertificates of those Edges, without those that are being deleted; and those that cannot be read far enough to
// know their Edge.
std::vector<std::shared_ptr<const api::EdgeCertificate>> certificates_of(const World& world, const std::string& ns,
                                                                         const Edges& edges);

// All but `unmanaged`.
api::EdgeCounts count(const Edges& edges, const std::vector<std::shared_ptr<const api::EdgeCertificate>>& certificates);

// Names of the appliances among `listed` without an Edge object in any of the namespaces; sorted.
std::vector<std::string> unmanaged_among(const World& world, const std::vector<std::string>& namespaces,
                                         const std::vector<ports::EdgeInfo>& listed);

}  // namespace edgetrust::reconcile
