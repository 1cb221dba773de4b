#pragma once
// An ApiClient on a scripted transport.
#include "edgetrust/kube/client.hpp"
#include "support/fake_pauser.hpp"
#include "support/fake_watch_transport.hpp"

namespace edgetrust::kube {

using support::query_of;

inline ClusterConfig test_cluster(const std::string& server = "https://127.0.0.1:6443") {
  ClusterConfig config;
  config.server = http::Url::parse(server).value();
  return config;
}

struct ClientFixture : testing::Test {
  support::FakeClock clock;
  support::FakePauser pauser{clock};
  std::shared_ptr<support::FakeWatchTransport> transport = std::make_shared<support::FakeWatchTransport>();
  ApiClient client{test_cluster(), transport, clock, pauser};

  static std::string path_of(const http::Request& request) {
    return request.url.target.substr(0, request.url.target.find('?'));
  }
  static json::Document parsed(const std::string& text) { return json::Document::parse(text).value(); }
  static std::string failure(int code, const std::string& reason) {
    return R"({"kind":"Status","status":"Failure","message":"no","reason":")" + reason +
           R"(","details":{"name":"a"},"code":)" + std::to_string(code) + "}";
  }
};

}  // namespace edgetrust::kube
