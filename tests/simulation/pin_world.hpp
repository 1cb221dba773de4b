#pragma once
// What the simulations of pins share: the endpoint as it really is, and the machine of an Edge, whose service enforces
// the pin file that it has read.
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/pinfile/pin_files.hpp"
#include "edgetrust/ports/chain_view.hpp"
#include "edgetrust/ports/edge_hosts.hpp"
#include "edgetrust/ports/pin_announcements.hpp"
#include "edgetrust/ports/pki.hpp"
#include "edgetrust/ports/tls_probe.hpp"
#include "simulation/world.hpp"
#include "support/pin_machine.hpp"

#include <algorithm>

namespace edgetrust::simulation {

inline std::string hash(char of) { return to_hex(std::string(32, of)); }
inline std::string colons(char of) { return to_colon_hex(std::string(32, of)); }

// Of whoever inspects what is carried.
inline constexpr char kProxyCa = 'p';
inline constexpr std::string_view kNoRoot = "no root";  // a bundle of roots that holds none

// Its leaf is a letter, its key the same in upper case, its root is r. A chain of a digit is somebody else's, by the
// proxy's CA.
struct Endpoint final : ports::TlsProbe, ports::ChainViewer, ports::PinAnnouncements {
  char leaf = 'a';
  std::string problem;           // of its chain
  std::optional<Error> silence;  // it does not answer
  std::optional<ports::PinAnnouncement> announcement;
  std::optional<Error> announcement_error;
  int looks = 0;
  std::vector<std::string> asked;  // the leaf that had to be shown
  std::string roots;               // that it was judged by
  ports::TlsVersion newest = ports::TlsVersion::kTls13;
  std::set<std::string> suites{"ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256"};
  ErrorKind refuses_by = ErrorKind::kProtocol;  // how a handshake ends for which there is nothing in common

  // With a client that offers what is asked for and no more.
  template <class Request>
  [[nodiscard]] Result<ports::ServedChain> shake_hands(const Request& by, char shown) const {
    const auto takes = [&](bool tls13) {
      const auto version = tls13 ? ports::TlsVersion::kTls13 : ports::TlsVersion::kTls12;
      if (version < by.oldest || version > newest) return false;
      const auto is_of_version = [&](const std::string& suite) { return suite.starts_with("TLS_") == tls13; };
      const auto& named = by.cipher_suites;
      return std::ranges::none_of(named, is_of_version) || std::ranges::any_of(named, [&](const std::string& suite) {
               return is_of_version(suite) && suites.contains(suite);
             });
    };
    if (!takes(true) && !takes(false)) return fail(refuses_by, "they do not come together");
    return ports::ServedChain{.chain_pem = std::string(1, shown), .tls_version = takes(true) ? "TLSv1.3" : "TLSv1.2"};
  }

  Result<ports::ServedChain> present(const ports::ProbeTarget& target, std::stop_token /*stop*/) override {
    EXPECT_EQ(target.host, "api.example.com");
    EXPECT_EQ(target.server_name, "api.example.com");
    ++looks;
    if (silence) return fail(*silence);
    return shake_hands(target, leaf);
  }
  Result<ports::ChainView> view(const std::string& chain_pem, const ports::ViewRequirements& wanted) override {
    roots = wanted.roots_pem;
    if (roots == kNoRoot)
      return fail(Error{.kind = ErrorKind::kInvalid, .what = "no root", .code = std::string(ports::kRootsUnreadable)});
    const auto certificate = [](char of) {
      return ports::SeenCertificate{.subject = std::string("subject ") + of,
                                    .issuer = of < 'A' ? "Proxy CA" : "Issuing CA",
                                    .certificate_sha256 = hash(of),
                                    .public_key_sha256 = hash(static_cast<char>(of - 32)),
                                    .pem = std::string(1, of)};
    };
    const bool is_foreign = chain_pem[0] < 'A';
    const char root = is_foreign ? kProxyCa : 'r';
    const bool is_known = !is_foreign || wanted.roots_pem == std::string(1, kProxyCa);
    const std::string wrong = is_known ? problem : "\"Proxy CA\" is no known root";
    ports::ChainView view{.presented = {certificate(chain_pem[0])}, .problem = wrong, .leaf_pem = chain_pem};
    if (wrong.empty()) view.validated = {certificate(chain_pem[0]), certificate(root)};
    return view;
  }
  Result<std::optional<ports::PinAnnouncement>> ask(const ports::AnnouncementQuestion& question,
                                                    std::stop_token /*stop*/) override {
    asked.push_back(question.leaf_pem);
    if (announcement_error) return fail(*announcement_error);
    return announcement;
  }
};

// Every change of it is one of the world's moments.
struct Machine final : support::PinMachine, ports::EdgeHost {
  Machine(World& around, Endpoint& cloud) : PinMachine(around.clock.now()), world(around), endpoint(cloud) {}

  World& world;
  Endpoint& endpoint;
  bool broken_when_pinned = false;         // it does not come up with a file that pins
  std::optional<std::string> broken_with;  // nor with that one
  std::chrono::milliseconds clock_offset{0};
  bool is_synchronised = true;
  std::vector<std::string> time_servers;
  std::optional<Error> silence;        // of SSH
  std::optional<Error> disk;           // why nothing can be put there
  std::optional<Error> endpoint_out;   // why the endpoint is not seen from there
  std::map<std::string, Error> wrong;  // with a change of it, by its name
  std::string file_trouble;            // why the file cannot be read
  std::optional<Endpoint> way;         // by which TLS the endpoint is reached from there, where that is by another
  int loses = 0;                       // so many connections to the endpoint
  std::optional<char> instead;         // what it is presented in place of the endpoint's leaf
  std::set<std::string> anchors;       // hashes of CAs in its trust store
  std::set<std::string> trusted;       // those that its service has read, at its start
  int changes = 0;                     // that were made by SSH
  int looks = 0;
  int greetings = 0;
  int presented = 0;
  int failed_handshakes = 0;  // of its service, once a second
  std::unique_ptr<ports::PinFiles> files = pinfile::make_pin_files();

  [[nodiscard]] bool comes_up(const std::string& text) const override {
    return text != broken_with && !(broken_when_pinned && files->read(text).value());
  }
  void start_service() override {
    PinMachine::start_service();
    trusted = anchors;
  }
  [[nodiscard]] std::string sha256_of(const std::string& text) const override { return to_hex(crypto::sha256(text)); }
  // Whether its service connects, with what it has read.
  [[nodiscard]] bool accepts(char leaf) const {
    const auto pins = files->read(running).value();
    if (!pins) return true;
    ports::PresentRequest by{.host = {}, .server_name = {}, .cipher_suites = pins->cipher_suites};
    if (pins->min_version == "TLS1.3") by.oldest = ports::TlsVersion::kTls13;
    return way.value_or(endpoint).shake_hands(by, leaf) &&
           std::ranges::any_of(pins->accepted, [&](const auto& pin) { return pin.sha256 == hash(leaf); });
  }
  // The pins of the file, as letters.
  [[nodiscard]] std::string pins() const {
    std::string letters;
    const auto found = files->read(file.value_or("")).value();
    for (char of = 'a'; found && of <= 'z'; ++of) {
      if (std::ranges::any_of(found->accepted, [&](const auto& pin) { return pin.sha256 == hash(of); })) letters += of;
    }
    return letters;
  }

  void second() {
    advance(std::chrono::seconds{1});
    if (is_up() && !accepts(instead.value_or(endpoint.leaf))) ++failed_handshakes;
  }

  Result<ports::HostState> look(std::stop_token /*stop*/) override {
    ++looks;
    if (silence) return fail(*silence);
    ports::HostState state = this->state();
    if (!file_trouble.empty()) state.text = state.sha256 = "";
    state.file_trouble = file_trouble;
    state.clock_offset = clock_offset;
    state.clock_synchronised = is_synchronised;
    state.time_service = ports::TimeService::kChrony;
    state.time_servers = time_servers;
    for (const auto& anchor : anchors) state.anchors.push_back({.sha256 = anchor, .in_force = true});
    return state;
  }
  Status greet(std::stop_token /*stop*/) override {
    ++greetings;
    return silence ? Status(fail(*silence)) : Status{};
  }
  Result<ports::ServedChain> present(const ports::PresentRequest& request, std::stop_token /*stop*/) override {
    EXPECT_EQ(request.host, "api.example.com");
    if (silence) return fail(*silence);
    if (endpoint_out) return fail(*endpoint_out);
    ++presented;
    if (loses > 0) {
      --loses;
      return fail(Error{.kind = ErrorKind::kUnavailable,
                        .what = "it closed the connection during the TLS handshake",
                        .code = std::string(ports::kEndpointUnreached)});
    }
    auto served = way.value_or(endpoint).shake_hands(request, instead.value_or(endpoint.leaf));
    if (!served) served.error().code = ports::kEndpointUnreached;
    return served;
  }
  template <class Commit>
  Status change(const char* what, Commit commit) {
    if (silence) return fail(*silence);
    if (const auto found = wrong.find(what); found != wrong.end()) return fail(found->second);
    return world.moments.change(what, [&]() -> Status {
      ++changes;
      return commit();
    });
  }
  Result<std::string> install(const ports::PinDocument& document, const std::string& replaces,
                              std::chrono::seconds restore_after, std::stop_token /*stop*/) override {
    const Status done = change("install", [&]() -> Status {
      if (disk) return fail(*disk);
      return put(document, replaces, restore_after);
    });
    if (!done) return tl::unexpected(done.error());
    return std::to_string(invocation);
  }
  Status restart(const std::string& of, std::stop_token /*stop*/) override {
    return change("restart", [&]() -> Status {
      restart_once(of);
      return {};
    });
  }
  Status confirm(const std::string& sha256, std::stop_token /*stop*/) override {
    return change("confirm", [&] { return keep(sha256); });
  }
  Status restore(const std::string& sha256, std::stop_token /*stop*/) override {
    return change("restore", [&] { return take_back(sha256); });
  }
  Status clean(std::stop_token /*stop*/) override {
    return change("clean", [&]() -> Status {
      tidy();
      return {};
    });
  }
  Status set_time_servers(const std::vector<std::string>& servers, std::stop_token /*stop*/) override {
    return change("time servers", [&]() -> Status {
      time_servers = servers;
      return {};
    });
  }
  Status trust(const ports::CaCertificate& certificate, std::stop_token /*stop*/) override {
    return change("trust", [&]() -> Status {
      anchors.insert(certificate.sha256);
      return {};
    });
  }
  Status distrust(const std::string& sha256, std::stop_token /*stop*/) override {
    return change("distrust", [&]() -> Status {
      anchors.erase(sha256);
      return {};
    });
  }
};

// The machines by the name of their Edge.
struct Machines final : ports::EdgeHosts {
  std::map<std::string, std::shared_ptr<Machine>> all;
  Result<std::shared_ptr<ports::EdgeHost>> host(const api::Edge& edge, std::stop_token /*stop*/) override {
    const auto found = all.find(edge.meta.name);
    if (found == all.end()) return fail(ErrorKind::kNotFound, "Secret ssh is missing");
    return std::shared_ptr<ports::EdgeHost>(found->second);
  }
};

}  // namespace edgetrust::simulation
