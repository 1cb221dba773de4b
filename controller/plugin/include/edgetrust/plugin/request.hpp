#pragma once
// What a person asks of the operator, as a patch of one object: the annotations and fields of the API, nothing else.
// Pure: the object as it is and a time in, a patch and its meaning out. Errors: kInvalid, when it makes no sense now;
// the message says why and what to do instead.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/base/result.hpp"

#include <optional>
#include <string>

namespace edgetrust::plugin {

struct ChangeRequest {
  std::string patch;  // JSON merge patch (RFC 7396), with the resourceVersion that it was judged at
  std::string done;   // what was done, once it is
  std::string next;   // what comes next
};

struct ApproveOptions {
  std::optional<int> revision;  // empty: the one that waits
  std::string change;
  std::string by;  // who asks, as the API server knows him
};
Result<ChangeRequest> approve(const api::EdgeCertificate& certificate, const ApproveOptions& options, TimePoint now);

Result<ChangeRequest> hold(const api::EdgeCertificate& certificate, TimePoint until, const std::string& reason);
Result<ChangeRequest> release(const api::EdgeCertificate& certificate);

Result<ChangeRequest> renew(const api::EdgeCertificate& certificate, TimePoint now);
Result<ChangeRequest> rotate(const api::EdgeCertificate& certificate, TimePoint now);
Result<ChangeRequest> roll_back(const api::EdgeCertificate& certificate, TimePoint now);

Result<ChangeRequest> suspend(const api::EdgeCertificate& certificate);
Result<ChangeRequest> resume(const api::EdgeCertificate& certificate);
Result<ChangeRequest> resume(const api::RotationPolicy& policy, TimePoint now);

// The emergency override of a PinPolicy, and its end before its time.
Result<ChangeRequest> override_pins(const api::PinPolicy& policy, TimePoint until, const std::string& reason,
                                    TimePoint now);
Result<ChangeRequest> end_override(const api::PinPolicy& policy);

}  // namespace edgetrust::plugin
