#pragma once
// The kinds and where they live in the Kubernetes API.
#include "edgetrust/api/acme_issuer.hpp"
#include "edgetrust/api/edge.hpp"
#include "edgetrust/api/edge_certificate.hpp"
#include "edgetrust/api/genesys_connection.hpp"
#include "edgetrust/api/pin_policy.hpp"
#include "edgetrust/api/rotation_policy.hpp"

#include <array>
#include <string_view>

namespace edgetrust::api {

inline constexpr std::string_view kGroup = "edgetrust.io";
inline constexpr std::string_view kVersion = "v1alpha1";
inline constexpr std::string_view kApiVersion = "edgetrust.io/v1alpha1";

struct KindInfo {
  std::string_view kind;
  std::string_view plural;
  std::string_view singular;
  std::string_view short_name;
};

template <class T>
struct KindOf;
template <>
struct KindOf<EdgeCertificate> {
  static constexpr KindInfo kInfo{"EdgeCertificate", "edgecertificates", "edgecertificate", "ecert"};
};
template <>
struct KindOf<Edge> {
  static constexpr KindInfo kInfo{"Edge", "edges", "edge", "gedge"};
};
template <>
struct KindOf<RotationPolicy> {
  static constexpr KindInfo kInfo{"RotationPolicy", "rotationpolicies", "rotationpolicy", "rotpol"};
};
template <>
struct KindOf<AcmeIssuer> {
  static constexpr KindInfo kInfo{"AcmeIssuer", "acmeissuers", "acmeissuer", "acmei"};
};
template <>
struct KindOf<GenesysConnection> {
  static constexpr KindInfo kInfo{"GenesysConnection", "genesysconnections", "genesysconnection", "gconn"};
};

template <>
struct KindOf<PinPolicy> {
  static constexpr KindInfo kInfo{"PinPolicy", "pinpolicies", "pinpolicy", "pinpol"};
};

template <class T>
inline constexpr KindInfo kKind = KindOf<T>::kInfo;

}  // namespace edgetrust::api
