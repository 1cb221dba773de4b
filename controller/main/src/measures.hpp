#pragma once
// What the metrics say of objects and calls: read from their status, never remembered beside it.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/http/observed_transport.hpp"
#include "edgetrust/kube/client.hpp"
#include "edgetrust/telemetry/metrics.hpp"

#include <optional>
#include <string>

namespace edgetrust {

telemetry::Kind metric_kind(const std::string& kind);
telemetry::Verb metric_verb(http::Method method);
// A request of a driver, counted and timed.
void measure(telemetry::Metrics& metrics, telemetry::Api api, const http::Exchange& exchange);
void measure(telemetry::Metrics& metrics, const kube::CallReport& call);
// How a revision ended, where that counts as a rotation.
std::optional<telemetry::Rotation> metric_rotation(api::RevisionResult result);

void measure(telemetry::Metrics& metrics, const api::EdgeCertificate& certificate);
void measure(telemetry::Metrics& metrics, const api::RotationPolicy& policy);
void measure(telemetry::Metrics& metrics, const api::Edge& edge);
void measure(telemetry::Metrics& metrics, const api::GenesysConnection& connection);
void measure(telemetry::Metrics& metrics, const api::PinPolicy& policy);
void measure(telemetry::Metrics& metrics, const api::AcmeIssuer& issuer);

// The object is gone: so are its samples.
void forget(telemetry::Metrics& metrics, const api::EdgeCertificate& certificate);
void forget(telemetry::Metrics& metrics, const api::RotationPolicy& policy);
void forget(telemetry::Metrics& metrics, const api::Edge& edge);
void forget(telemetry::Metrics& metrics, const api::GenesysConnection& connection);
void forget(telemetry::Metrics& metrics, const api::PinPolicy& policy);
void forget(telemetry::Metrics& metrics, const api::AcmeIssuer& issuer);

}  // namespace edgetrust
