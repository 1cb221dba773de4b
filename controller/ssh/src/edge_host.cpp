#include "edgetrust/ssh/edge_host.hpp"

#include "commands.hpp"
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "host_state.hpp"
#include "session.hpp"
#include "time_sources.hpp"

#include <atomic>

namespace edgetrust::ssh {
namespace {

Error with_code(ErrorKind kind, std::string what, std::string_view code) {
  return {.kind = kind, .what = std::move(what), .code = std::string(code)};
}

// What a script's status means; success is 0.
Status verdict(const Output& output) {
  switch (static_cast<Exit>(output.status)) {
    case Exit::kFolder:
      return fail(ErrorKind::kInvalid, "the folder of the pin file is not there, or others than root may write to it");
    case Exit::kUploadDiffers: return fail(ErrorKind::kUnavailable, "what has arrived is not what was sent");
    case Exit::kFileChanged:
      return fail(with_code(ErrorKind::kConflict, "the pin file is another one by now: somebody has edited it",
                            ports::kFileChanged));
    case Exit::kArmed:
      return fail(with_code(ErrorKind::kConflict, "a change is under way on the Edge: its timer is armed",
                            ports::kChangeUnderWay));
    case Exit::kAtWork:
      return fail(
          with_code(ErrorKind::kConflict, "another script of ours is at work on the Edge", ports::kChangeUnderWay));
    case Exit::kNoTimer:
      return fail(ErrorKind::kInvalid,
                  "the timer that restores the previous file cannot be armed: " + output.complaint);
    case Exit::kNoPrevious: return fail(ErrorKind::kInvalid, "the previous file is gone: " + output.complaint);
    case Exit::kNotTrusted:
      return fail(ErrorKind::kInvalid, "the CA certificate did not get into the Edge's bundle: " + output.complaint);
    case Exit::kNoSuchPlace:
      return fail(ErrorKind::kInvalid, "the Edge has no place for it: its trust store, or chrony's sources");
  }
  if (output.status == 0) return {};
  return fail(ErrorKind::kInvalid, "a command on the Edge ended with status " + std::to_string(output.status) +
                                       (output.complaint.empty() ? "" : ": " + output.complaint));
}

bool may_be_another_address(const Error& error) {
  return error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kTimeout;
}

class SshEdgeHost final : public ports::EdgeHost {
 public:
  SshEdgeHost(net::Endpoint address, HostLogin login, HostKeys known, KeyPtr key, ResolveHost resolve,
              Handshake handshake, const Clock& clock, SessionLimit& limit, Patience patience)
      : address_(std::move(address)),
        user_(std::move(login.user)),
        known_(std::move(known)),
        key_(std::move(key)),
        resolve_(std::move(resolve)),
        handshake_(std::move(handshake)),
        clock_(clock),
        limit_(limit),
        patience_(patience) {}

  Result<ports::HostState> look(std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const auto session, open(stop));
    const TimePoint asked = clock_.now();
    EDGETRUST_TRY_ASSIGN(const Output output, told(session->run(command::look())));
    EDGETRUST_TRY(told(verdict(output)));
    auto state = told(read_state(output.text, asked, clock_.now()));
    if (state) changes_ = state->restore_armed;
    return state;
  }
  // Both sides speak without being asked (RFC 4253 section 4.2). Who does so may hang all the same.
  Status greet(std::stop_token stop) override {
    return named([&]() -> Status {
      const net::Wait wait(clock_, std::min<std::chrono::milliseconds>(patience_.step, ports::kGreetsWithin), stop);
      EDGETRUST_TRY_ASSIGN(const net::Socket socket, connect(wait));
      EDGETRUST_TRY_ASSIGN(const std::string word, net::receive_some(socket, 1, wait));
      return word.empty() ? fail(ErrorKind::kUnavailable, "it closes the connection without a word") : Status{};
    }());
  }
  Result<ports::ServedChain> present(const ports::PresentRequest& request, std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const net::Endpoint endpoint, net::Endpoint::of(request.host, request.port));
    EDGETRUST_TRY_ASSIGN(const auto session, open(stop));
    const ports::ProbeTarget target{.host = endpoint.host,
                                    .port = endpoint.port,
                                    .server_name = request.server_name,
                                    .timeout = patience_.step,
                                    .oldest = request.oldest,
                                    .cipher_suites = request.cipher_suites};
    Result<ports::ServedChain> served = fail(ErrorKind::kUnavailable, "it was not asked");
    EDGETRUST_TRY(told(session->dial(endpoint, [&](const net::Socket& socket) {
      served = handshake_(socket, target, net::Wait(clock_, target.timeout, stop));
    })));
    if (served) return served;
    Error error = within("from the Edge", std::move(served).error());
    error.code = ports::kEndpointUnreached;
    return told(Result<ports::ServedChain>(fail(std::move(error))));
  }
  Result<std::string> install(const ports::PinDocument& document, const std::string& replaces,
                              std::chrono::seconds restore_after, std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const Word sha256, Word::hex(document.sha256));
    EDGETRUST_TRY_ASSIGN(const Word old, Word::hex(replaces));
    EDGETRUST_TRY_ASSIGN(const auto session, open(stop));
    const Word seconds = Word::number(static_cast<std::uint64_t>(restore_after.count()));
    changes_ = true;
    EDGETRUST_TRY_ASSIGN(const Output output, run(*session, command::install(sha256, old, seconds), document.text));
    auto invocation = read_invocation(trim(output.text));
    if (!invocation) invocation.error().maybe_executed = true;
    return told(std::move(invocation));
  }
  Status restart(const std::string& invocation, std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const Word service, Word::hex(invocation));
    EDGETRUST_TRY_ASSIGN(const auto session, open(stop));
    return change(*session, command::restart(service));
  }
  Status confirm(const std::string& sha256, std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const Word hash, Word::hex(sha256));
    EDGETRUST_TRY_ASSIGN(const auto session, open(stop));
    return change(*session, command::confirm(hash));
  }
  Status restore(const std::string& sha256, std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const Word hash, Word::hex(sha256));
    EDGETRUST_TRY_ASSIGN(const auto session, open(stop));
    return change(*session, command::restore(hash));
  }
  Status clean(std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const auto session, open(stop));
    return change(*session, command::clean());
  }
  Status set_time_servers(const std::vector<std::string>& servers, std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const std::string sources, time_sources(servers));
    const std::string hash = sources.empty() ? "" : to_hex(crypto::sha256(sources));
    EDGETRUST_TRY_ASSIGN(const Word sha256, Word::hex(hash));
    EDGETRUST_TRY_ASSIGN(const auto session, open(stop));
    return change(*session, command::time_servers(sha256), sources);
  }
  Status trust(const ports::CaCertificate& certificate, std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const Word of_text, Word::hex(to_hex(crypto::sha256(certificate.pem))));
    EDGETRUST_TRY_ASSIGN(const Word sha256, Word::hex(certificate.sha256));
    EDGETRUST_TRY_ASSIGN(const auto session, open(stop));
    return change(*session, command::trust(of_text, sha256), certificate.pem);
  }
  Status distrust(const std::string& sha256, std::stop_token stop) override {
    EDGETRUST_TRY_ASSIGN(const Word hash, Word::hex(sha256));
    EDGETRUST_TRY_ASSIGN(const auto session, open(stop));
    return change(*session, command::distrust(hash));
  }

 private:
  Result<std::unique_ptr<Session>> open(const std::stop_token& stop) {
    return told([&]() -> Result<std::unique_ptr<Session>> {
      using Host = SessionLimit::Host;
      auto place = limit_.enter(hangs_ ? Host::kHangs : changes_ ? Host::kChanges : Host::kAnswers, stop);
      if (!place) return fail(ErrorKind::kCancelled, "asked to stop");
      const net::Wait wait(clock_, patience_.whole, stop);
      auto socket = connect(wait.at_most(patience_.step));
      if (!socket) {
        if (socket.error().kind == ErrorKind::kTimeout) place->was_slow(true);
        return tl::unexpected(std::move(socket).error());
      }
      return Session::open(*std::move(socket), *std::move(place), known_, user_, key_.get(), clock_,
                           {.step = patience_.step, .whole = wait.left()}, stop);
    }());
  }

  Result<net::Socket> connect(const net::Wait& wait) {
    std::vector<std::string> addresses{address_.host};
    if (!address_.is_address()) {
      EDGETRUST_TRY_ASSIGN(addresses, resolve_(address_.host, wait));
    }
    Result<net::Socket> socket = fail(ErrorKind::kUnavailable, "the host has no address");
    for (std::size_t i = 0; i < addresses.size() && !socket; ++i) {
      const auto share = wait.left() / static_cast<int>(addresses.size() - i);
      socket = net::connect_tcp({addresses[i], address_.port}, wait.at_most(share));
      if (!socket && !may_be_another_address(socket.error())) break;
    }
    return socket;
  }

  // A command that changes something: when its end is not seen, it may have been run.
  Result<Output> run(Session& session, const std::string& command, std::string_view input) const {
    auto output = session.run(command, input);
    if (!output) {
      output.error().maybe_executed = true;
      return told(std::move(output));
    }
    EDGETRUST_TRY(told(verdict(*output)));
    return output;
  }
  Status change(Session& session, const std::string& command, std::string_view input = {}) const {
    return run(session, command, input).map([](const Output&) {});
  }

  template <class T>
  [[nodiscard]] Result<T> told(Result<T> result) const {
    hangs_ = !result && result.error().kind == ErrorKind::kTimeout && result.error().code != ports::kEndpointUnreached;
    return named(std::move(result));
  }
  template <class T>
  [[nodiscard]] Result<T> named(Result<T> result) const {
    if (result) return result;
    Error error = within("SSH to " + address_.to_string(), std::move(result).error());
    if (error.kind == ErrorKind::kNotFound) error.kind = ErrorKind::kUnavailable;  // a name without an address
    return fail(std::move(error));
  }

  const net::Endpoint address_;
  const std::string user_;
  const HostKeys known_;
  const KeyPtr key_;
  const ResolveHost resolve_;
  const Handshake handshake_;
  const Clock& clock_;
  SessionLimit& limit_;
  const Patience patience_;
  mutable std::atomic<bool> hangs_ = false;  // it did not answer in time, the last time
  std::atomic<bool> changes_ = false;        // a timer is armed there, as far as anybody knows
};

}  // namespace

Result<std::unique_ptr<ports::EdgeHost>> make_edge_host(HostLogin login, ResolveHost resolve, Handshake handshake,
                                                        const Clock& clock, SessionLimit& limit, Patience patience) {
  EDGETRUST_TRY_ASSIGN(net::Endpoint address, net::Endpoint::of(login.host, login.port));
  EDGETRUST_TRY_ASSIGN(HostKeys known, HostKeys::parse(login.host_keys));
  EDGETRUST_TRY_ASSIGN(KeyPtr key, private_key(login.private_key));
  return std::make_unique<SshEdgeHost>(std::move(address), std::move(login), std::move(known), std::move(key),
                                       std::move(resolve), std::move(handshake), clock, limit, patience);
}

}  // namespace edgetrust::ssh
