#include "http01_answers.hpp"

#include <algorithm>

namespace edgetrust {

void Http01Answers::changed(const api::ObjectKey& key, const api::EdgeCertificate* now) {
  const std::scoped_lock lock(mutex_);
  if (now != nullptr && now->status.order && !now->status.order->http_answers.empty())
    orders_[key] = *now->status.order;
  else
    orders_.erase(key);
}

http::Response Http01Answers::answer(const http::ServerRequest& request) const {
  http::Response response{.status = 404, .headers = {{"Cache-Control", "no-store"}}, .body = {}};
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads || !request.path.starts_with(api::kAcmeChallengePath)) return response;
  const std::string_view token = std::string_view(request.path).substr(api::kAcmeChallengePath.size());
  const std::scoped_lock lock(mutex_);
  for (const auto& [key, order] : orders_) {
    const auto found = std::ranges::find(order.http_answers, token, &api::HttpAnswer::token);
    if (found == order.http_answers.end()) continue;
    response.status = 200;
    response.headers.add("Content-Type", "application/octet-stream");  // section 8.3
    response.body = api::key_authorization(token, order.account_thumbprint);
    break;
  }
  return response;
}

}  // namespace edgetrust
