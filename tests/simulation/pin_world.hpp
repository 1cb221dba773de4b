#pragma once
// What the simulations of pins share: the endpoint as it really is, and the machine of an Edge, whose service enforces
// the pin file that it has read.
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/pinfile/pin_files.hpp"
#include "edgetrust/ports/chain_view.hpp"
#include "edgetrust/ports/edge_hosts.hpp"
#include "edgetrust/ports/pin_announcements.hpp"
#include "edgetrust/ports/tls_probe.hpp"
#include "simulation/world.hpp"

#include <algorithm>

namespace edgetrust::simulation {

inline std::string hash(char of) { return to_hex(std::string(32, of)); }
inline std::string colons(char of) { return to_colon_hex(std::string(32, of)); }

// Of whoever inspects what is carried.
inline constexpr char kProxyCa = 'p';

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

  Result<ports::ServedChain> present(const ports::ProbeTarget& target, std::stop_token /*stop*/) override {
    EXPECT_EQ(target.host, "api.example.com");
    EXPECT_EQ(target.server_name, "api.example.com");
    ++looks;
    if (silence) return fail(*silence);
    return ports::ServedChain{.chain_pem = std::string(1, leaf), .tls_version = "TLSv1.3"};
  }
  Result<ports::ChainView> view(const std::string& chain_pem, const ports::ViewRequirements& wanted) override {
    roots = wanted.roots_pem;
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
struct Machine final : ports::EdgeHost {
  explicit Machine(World& around, Endpoint& cloud) : world(around), endpoint(cloud) {}

  World& world;
  Endpoint& endpoint;
  std::optional<std::string> file;
  std::optional<std::optional<std::string>> previous;  // kept for the timer; inner empty: there was no file
  bool is_private = true;
  bool leftovers = false;
  struct Timer {
    TimePoint at;
    std::string sha256;
  };
  std::optional<Timer> timer;
  std::string unconfirmed;  // the hash of the file for which the previous one is kept
  int unread = 0;           // the invocation of the service that has not read it
  int invocation = 1;
  std::string running;              // what the service has read
  bool broken_when_pinned = false;  // it does not come up with a file that pins
  std::chrono::milliseconds comes_up_after{1000};
  TimePoint up_at = world.clock.now();
  std::chrono::milliseconds stops_after{0};  // how long a restart waits for the end of the one that runs
  std::optional<TimePoint> stopped_at;       // of a restart that waits
  int restarts = 0;
  std::chrono::milliseconds clock_offset{0};
  bool is_synchronised = true;
  std::vector<std::string> time_servers;
  std::optional<Error> silence;        // of SSH
  std::optional<Error> disk;           // why nothing can be put there
  std::optional<Error> endpoint_out;   // why the endpoint is not seen from there
  std::map<std::string, Error> wrong;  // with a change of it, by its name
  std::string file_trouble;            // why the file cannot be read
  std::optional<char> instead;         // what it is presented in place of the endpoint's leaf
  std::set<std::string> anchors;       // hashes of CAs in its trust store
  int changes = 0;                     // that were made by SSH
  int looks = 0;
  int failed_handshakes = 0;  // of its service, once a second
  std::unique_ptr<ports::PinFiles> files = pinfile::make_pin_files();

  [[nodiscard]] static std::string sha256_of(const std::string& text) {
    return text.empty() ? std::string{} : to_hex(crypto::sha256(text));
  }
  [[nodiscard]] std::string sha256() const { return sha256_of(file.value_or("")); }
  [[nodiscard]] bool is_up() const {
    return !stopped_at && world.clock.now() >= up_at && !(broken_when_pinned && files->read(running).value());
  }
  [[nodiscard]] bool accepts(char leaf) const {
    const auto pins = files->read(running).value();
    return !pins || std::ranges::any_of(pins->accepted, [&](const auto& pin) { return pin.sha256 == hash(leaf); });
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

  void start_service() {
    ++invocation;
    running = file.value_or("");
    up_at = world.clock.now() + comes_up_after;
    stopped_at.reset();
  }
  void restart_service() {
    ++restarts;
    if (stops_after.count() == 0) return start_service();
    stopped_at = world.clock.now() + stops_after;
  }
  void forget() {
    timer.reset();
    previous.reset();
    leftovers = false;
  }
  // Whether the file was the unconfirmed one.
  bool put_back() {
    const bool is_there = previous && sha256() == unconfirmed;
    if (is_there) file = *previous;
    forget();
    return is_there;
  }
  void restore_now() {
    if (put_back() && invocation != unread) restart_service();
  }
  // A timer does not outlive it; the previous file comes back before the service starts.
  void reboot() {
    if (previous) put_back();
    timer.reset();
    start_service();
  }
  // Called once for each second that passes.
  void second() {
    if (stopped_at && *stopped_at <= world.clock.now()) start_service();
    if (timer && timer->at <= world.clock.now()) restore_now();
    if (is_up() && !accepts(instead.value_or(endpoint.leaf))) ++failed_handshakes;
  }

  Result<ports::HostState> look(std::stop_token /*stop*/) override {
    ++looks;
    if (silence) return fail(*silence);
    ports::HostState state;
    state.has_file = file.has_value();
    state.text = file.value_or("");
    state.sha256 = sha256();
    if (!file_trouble.empty()) state.text = state.sha256 = "";
    state.file_trouble = file_trouble;
    state.is_private = is_private;
    state.restore_armed = timer.has_value();
    state.has_leftovers = leftovers || previous.has_value();
    state.service_active = is_up();
    state.service_busy = stopped_at.has_value();
    state.invocation = std::to_string(invocation);
    state.clock_offset = clock_offset;
    state.clock_synchronised = is_synchronised;
    state.time_service = ports::TimeService::kChrony;
    state.time_servers = time_servers;
    for (const auto& anchor : anchors) state.anchors.push_back({.sha256 = anchor, .in_force = true});
    return state;
  }
  Result<ports::ServedChain> present(const ports::PresentRequest& request, std::stop_token /*stop*/) override {
    EXPECT_EQ(request.host, "api.example.com");
    if (silence) return fail(*silence);
    if (endpoint_out) return fail(*endpoint_out);
    return ports::ServedChain{.chain_pem = std::string(1, instead.value_or(endpoint.leaf)), .tls_version = "TLSv1.3"};
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
  static tl::unexpected<Error> conflict(std::string_view code) {
    return fail(Error{.kind = ErrorKind::kConflict, .what = std::string(code), .code = std::string(code)});
  }
  Result<std::string> install(const ports::PinDocument& document, const std::string& replaces,
                              std::chrono::seconds restore_after, std::stop_token /*stop*/) override {
    const Status done = change("install", [&]() -> Status {
      if (disk) return fail(*disk);
      if (timer) return conflict(ports::kChangeUnderWay);
      if (sha256() != replaces) return conflict(ports::kFileChanged);
      previous = file;
      unconfirmed = document.sha256;
      unread = invocation;
      timer = Timer{world.clock.now() + restore_after, document.sha256};
      file = document.text;
      is_private = true;
      return {};
    });
    if (!done) return tl::unexpected(done.error());
    return std::to_string(invocation);
  }
  Status restart(const std::string& of, std::stop_token /*stop*/) override {
    return change("restart", [&]() -> Status {
      if (!stopped_at && std::to_string(invocation) == of) restart_service();
      return {};
    });
  }
  Status confirm(const std::string& sha256, std::stop_token /*stop*/) override {
    return change("confirm", [&]() -> Status {
      if (this->sha256() != sha256) return conflict(ports::kFileChanged);
      forget();
      return {};
    });
  }
  Status restore(const std::string& sha256, std::stop_token /*stop*/) override {
    return change("restore", [&]() -> Status {
      if (previous && unconfirmed != sha256) return conflict(ports::kFileChanged);
      restore_now();
      return {};
    });
  }
  Status clean(std::stop_token /*stop*/) override {
    return change("clean", [&]() -> Status {
      if (!timer) forget();
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
