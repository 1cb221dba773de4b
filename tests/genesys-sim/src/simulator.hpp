#pragma once
// The whole simulator: its ports, and what they share. Started by main and by nobody else.
#include "api.hpp"
#include "authority.hpp"
#include "control.hpp"

namespace edgetrust::sim {

class Simulator {
 public:
  // Errors: of a file that cannot be read, a port that is taken. `clock` and `random` outlive it.
  static Result<std::unique_ptr<Simulator>> start(Config config, const Clock& clock, Random& random);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  // {"ready":true,"api":…,"control":…,"cloud":…,"edges":[{"id","sipPort"}]}
  [[nodiscard]] std::string ready_line() const;

 private:
  Simulator(Config config, std::string trust_pem, const Clock& clock, Random& random);
  Status start_plant(const std::string& trust_pem);
  Status start_servers();
  Status start_api();
  Status start_cloud(std::uint16_t port);
  Status install_initial();
  Answer cloud_answer(const http::ServerRequest& request) const;

  // For the control port.
  Status rotate_cloud(bool notify, bool same_key);
  Status add_edges(const std::vector<EdgeConfig>& edges);
  Status reset();

  const Config config_;
  const Clock& clock_;
  const Authority authority_;
  CloudIdentity cloud_identity_;
  Pause pause_;
  FaultTable faults_;
  Journal journal_;
  OAuthDesk oauth_;
  EdgeBook book_;
  Api api_;
  Front api_front_;
  Front cloud_front_;
  std::unique_ptr<SipPlant> plant_;
  Control control_;
  std::unique_ptr<http::Server> api_server_;
  std::mutex cloud_mutex_;
  std::unique_ptr<http::Server> cloud_server_;
  std::unique_ptr<http::Server> control_server_;
};

}  // namespace edgetrust::sim
