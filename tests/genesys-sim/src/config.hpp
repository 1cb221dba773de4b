#pragma once
// What the simulator is told at start: one JSON file (see ../README.md for every field). Plain values.
#include "edgetrust/base/result.hpp"
#include "edgetrust/json/view.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::sim {

using std::chrono::milliseconds;

struct EdgeConfig {
  std::string id;
  std::string name;
  std::string site;                       // id
  std::string site_name;                  // default: the id
  std::string time_zone;                  // of the site's software-update window; empty: the site has none
  std::vector<std::string> time_servers;  // ntpSettings of the site; empty: it has none
  std::string host;                       // the name that its peers verify
  std::uint16_t sip_port = 0;
  bool factory = false;  // starts with a certificate that signed itself; else nothing listens until one is installed
};

struct KeyPairFiles {
  std::string chain_file;
  std::string key_file;
};

struct SbcConfig {
  std::string trust_file;
  std::string server_name = "{host}";  // {host} and {name} are the Edge's
  milliseconds interval{5'000};
};

struct Config {
  std::uint16_t api_port = 0;
  KeyPairFiles api_tls;  // both empty: a certificate of the simulator's own CA
  std::uint16_t control_port = 0;
  std::uint16_t cloud_port = 0;
  std::string client_id = "simulator";
  std::string client_secret = "simulator-secret";
  std::chrono::seconds token_life{86'400};
  std::vector<EdgeConfig> edges;
  SbcConfig sbc;
  std::map<std::string, KeyPairFiles> initial_certificates;  // by Edge id
  milliseconds restart{1'000};
  milliseconds slow_restart{10'000};
  milliseconds call_ends_every{1'000};  // while draining
  bool guide_api = true;
  bool published_api = true;
  int rate_per_minute = 300;  // what the rate-limit headers say is allowed
  bool enforce_rate = false;
};

// Errors: kInvalid, naming the field.
Result<Config> parse_config(std::string_view text);

// One element of "edges". Errors as above.
Result<EdgeConfig> parse_edge(json::View value);

// Errors: kNotFound, or kInvalid beyond a megabyte.
Result<std::string> read_file(const std::string& path);

}  // namespace edgetrust::sim
