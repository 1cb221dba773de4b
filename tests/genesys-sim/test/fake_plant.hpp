#pragma once
// A plant without sockets: remembers what it was told.
#include "sip_plant.hpp"

#include <map>
#include <vector>

namespace edgetrust::sim {

class FakePlant final : public SipPlant {
 public:
  struct Serving {
    std::string chain_pem;
    OptionsMode mode = OptionsMode::kAnswer;
    std::chrono::milliseconds restart{0};
    int times = 0;
  };
  Result<std::uint16_t> add_edge(SipEdge edge) override {
    edges.push_back(edge);
    return static_cast<std::uint16_t>(20'000 + edges.size());
  }
  void remove_edge(const std::string& edge) override { serving.erase(edge); }
  void serve(const std::string& edge, std::string chain_pem, Secret /*key_pem*/, OptionsMode mode,
             std::chrono::milliseconds restart) override {
    Serving& now = serving[edge];
    now = {std::move(chain_pem), mode, restart, now.times + 1};
  }
  void stop_serving(const std::string& edge) override { serving.erase(edge); }
  void set_mode(const std::string& edge, OptionsMode mode) override { serving[edge].mode = mode; }
  void catch_up() override {}
  Status set_trust(const std::string& trust_pem) override {
    if (trust_pem == "bad") return fail(ErrorKind::kInvalid, "bad");
    return {};
  }

  std::vector<SipEdge> edges;
  std::map<std::string, Serving> serving;
};

}  // namespace edgetrust::sim
