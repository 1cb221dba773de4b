#pragma once
// How revisions are kept as Secrets: names, labels, and which Secret is ours.
//
// A revision is two immutable Secrets: <name>-r<N>-key (tls.key) before anything is ordered, <name>-r<N> (tls.crt)
// before anything is pushed. Both are found by label, so that a cluster restored from a backup finds them again.
#include "edgetrust/api/edge_certificate.hpp"
#include "edgetrust/ports/cluster.hpp"

#include <optional>
#include <set>
#include <string>

namespace edgetrust::reconcile {

using api::kCertificateLabel;
inline constexpr std::string_view kRevisionLabel = "edgetrust.io/revision";
inline constexpr std::string_view kPartLabel = "edgetrust.io/part";
inline constexpr std::string_view kNameAnnotation = "edgetrust.io/certificate-name";  // the whole name
inline constexpr std::string_view kAskedForAnnotation =
    "edgetrust.io/asked-for";  // names that the bundle was ordered with, by comma
inline constexpr std::string_view kIssuedByAnnotation =
    "edgetrust.io/issued-by";  // directory of the CA that issued the bundle
inline constexpr std::string_view kRejectedAnnotation = "edgetrust.io/rejected";  // why the bundle is not pushed again
inline constexpr std::string_view kSourceAnnotation =
    "edgetrust.io/source-fingerprint";  // SHA-256 of the leaf in somebody else's Secret that key and bundle come from
inline constexpr std::string_view kPartKey = "key";
inline constexpr std::string_view kPartBundle = "bundle";
inline constexpr std::string_view kPartServing = "serving";

inline constexpr const char* kTlsCrt = "tls.crt";
inline constexpr const char* kTlsKey = "tls.key";
inline constexpr const char* kCaCrt = "ca.crt";  // roots, where whoever issues tells them

// The name itself, or its beginning and a hash of it where it is longer than a label may be.
std::string label_value(const std::string& name);

// Metadata of one of our Secrets for this object.
api::ObjectMeta secret_meta(const api::EdgeCertificate& object, const std::string& secret_name, std::string_view part,
                            std::optional<int> revision);
// Ours, for this object (by name: a recreated object takes its Secrets over).
bool is_ours(const api::ObjectMeta& meta, const std::string& certificate_name);
std::optional<int> revision_of(const api::ObjectMeta& meta);
std::string_view part_of(const api::ObjectMeta& meta);
std::string asked_for_text(const api::EdgeCertificateSpec& spec);
std::set<std::string> asked_for_of(const api::ObjectMeta& meta);  // empty: not known

}  // namespace edgetrust::reconcile
