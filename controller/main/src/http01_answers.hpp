#pragma once
// The answers to http-01 (RFC 8555 section 8.3) that stand in the status of EdgeCertificates, as a web server gives
// them: this operator's or any other's, for whoever stands by has read the same objects. A token is as good as the
// host it is asked at: it is the CA's random number, and its answer names our account.
//
// Called by: wiring, which tells of each change, and a server of its own port. Threads: any. Errors: none.
#include "edgetrust/api/edge_certificate.hpp"
#include "edgetrust/http/server.hpp"

#include <map>
#include <mutex>
#include <vector>

namespace edgetrust {

class Http01Answers {
 public:
  // The object as it is now; null: it is gone.
  void changed(const api::ObjectKey& key, const api::EdgeCertificate* now);
  // 404 for everything but GET and HEAD of an answer that stands somewhere.
  [[nodiscard]] http::Response answer(const http::ServerRequest& request) const;

 private:
  mutable std::mutex mutex_;
  std::map<api::ObjectKey, api::OrderStatus> orders_;  // those that have some
};

}  // namespace edgetrust
