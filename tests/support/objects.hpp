#pragma once
// Objects as the API server would hand them out.
#include "edgetrust/api/codec.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/kube/kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgetrust {

inline TimePoint at(std::string_view text) { return parse_rfc3339(text).value(); }

template <class Kind>
Kind object(const std::string& name, const std::string& spec, const std::string& status = "{}",
            const std::string& metadata = "") {
  const auto document = json::Document::parse(R"({"metadata":{"namespace":"voice","name":")" + name +
                                              R"(","resourceVersion":"41","generation":1)" + metadata + R"(},"spec":)" +
                                              spec + R"(,"status":)" + status + "}");
  EXPECT_TRUE(document.has_value()) << document.error().message();
  Kind kind = kube::decode_kind<Kind>(api::decode_meta(document->root()["metadata"]), document->root());
  EXPECT_FALSE(kind.broken) << kind.broken->message();
  return kind;
}

inline api::EdgeCertificate certificate(const std::string& name, const std::string& status = "{}",
                                        const std::string& more = "", const std::string& metadata = "") {
  return object<api::EdgeCertificate>(name,
                                      R"({"edgeRef":{"name":"edge-of-)" + name +
                                          R"("},"issuerRef":{"name":"le"},"dnsNames":["a.example"])" + more + "}",
                                      status, metadata);
}

// One that is quiet: revision 3, from the first of November to the end of January.
inline const std::string kQuiet = R"({"observedGeneration":1,"phase":"Ready","revision":3,"serialNumber":"0a1b",
  "notBefore":"2026-11-01T00:00:00Z","notAfter":"2027-01-30T00:00:00Z","fingerprintSha256":"f0","issuer":"R11",
  "renewalTime":"2026-12-31T00:00:00Z","next":"renews 2026-12-31",
  "conditions":[{"type":"Ready","status":"True","reason":"Ready","message":"revision 3 is live","lastTransitionTime":"2026-11-01T02:10:00Z"}],
  "history":[{"revision":3,"serialNumber":"0a1b","notAfter":"2027-01-30T00:00:00Z","result":"Active","at":"2026-11-01T02:10:00Z"},
             {"revision":2,"serialNumber":"09ff","notAfter":"2026-12-30T00:00:00Z","result":"Superseded","at":"2026-10-02T02:10:00Z"}]})";

}  // namespace edgetrust
