#include "session.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/ports/edge_host.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace edgetrust::ssh {
namespace {

// Without chacha20 and without encrypt-then-MAC: what a host that does not know of strict key exchange could be made to
// lose messages with (CVE-2023-48795).
constexpr const char* kKeyExchange =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
    "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512";
constexpr const char* kCiphers = "aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes128-ctr";
constexpr const char* kMacs = "hmac-sha2-256,hmac-sha2-512";
constexpr int kSmallestRsa = 2048;
constexpr std::chrono::milliseconds kMoment{100};
constexpr int kLargePart = 4;  // of what a step may take
constexpr std::size_t kPiece = std::size_t{16} * 1024;

std::string printable_error(ssh_session session) { return printable(ssh_get_error(session), 200); }

}  // namespace

Session::Session(net::Socket socket, SessionLimit::Place place, const Clock& clock, Patience patience,
                 std::stop_token stop)
    : place_(std::move(place)),
      patience_(patience),
      socket_(std::move(socket)),
      session_(ssh_new()),
      watchdog_(socket_.fd(), clock, patience.whole, std::move(stop)) {}

// Without ssh_disconnect(): it forgets the descriptor that it was given, and leaves it open. ssh_free() closes it, and
// that is the end of the session for the host.
Session::~Session() {
  if (watchdog_.fired() == ErrorKind::kTimeout) place_.was_slow(true);
}

tl::unexpected<Error> Session::failed(std::string_view doing) const {
  Error error{.kind = watchdog_.fired().value_or(ErrorKind::kUnavailable), .what = {}};
  switch (error.kind) {
    case ErrorKind::kTimeout: error.what = "no answer in time"; break;
    case ErrorKind::kCancelled: error.what = "asked to stop"; break;
    default: error.what = printable_error(session_.get());
  }
  return fail(within(std::string(doing), std::move(error)));
}

Result<std::unique_ptr<Session>> Session::open(net::Socket socket, SessionLimit::Place place, const HostKeys& known,
                                               const std::string& user, ssh_key key, const Clock& clock,
                                               Patience patience, std::stop_token stop) {
  const SteadyPoint began = clock.steady();
  std::unique_ptr<Session> session(new Session(std::move(socket), std::move(place), clock, patience, std::move(stop)));
  EDGETRUST_TRY(session->set_up(known, user));
  EDGETRUST_TRY(session->meet(known));
  EDGETRUST_TRY(session->log_in(key));
  session->place_.was_slow(clock.steady() - began > patience.step / kLargePart);
  return session;
}

Status Session::set_up(const HostKeys& known, const std::string& user) {
  ssh_session session = session_.get();
  // libssh closes the descriptor that it is given, and the watchdog needs one of its own.
  socket_t fd = fcntl(socket_.fd(), F_DUPFD_CLOEXEC, 0);
  if (session == nullptr || fd < 0) return fail(ErrorKind::kUnavailable, "no file descriptor is left");
  const std::string host_keys = known.algorithms();
  const bool no = false;
  const bool set =
      ssh_options_set(session, SSH_OPTIONS_FD, &fd) == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no) == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_HOST, "edge") == SSH_OK &&  // only a name for the library's own files
      ssh_options_set(session, SSH_OPTIONS_USER, user.c_str()) == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null") == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_HOSTKEYS, host_keys.c_str()) == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, kSignatures) == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_KEY_EXCHANGE, kKeyExchange) == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_CIPHERS_C_S, kCiphers) == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_CIPHERS_S_C, kCiphers) == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_HMAC_C_S, kMacs) == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_HMAC_S_C, kMacs) == SSH_OK &&
      ssh_options_set(session, SSH_OPTIONS_RSA_MIN_SIZE, &kSmallestRsa) == SSH_OK;
  if (!set) return fail(ErrorKind::kInternal, "SSH cannot be set up: " + printable_error(session));
  wait_at_most(patience_.whole);
  return {};
}

// How long one call of libssh may wait.
void Session::wait_at_most(std::chrono::microseconds patience) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(patience);
  const long seconds = whole.count();
  const long rest = (patience - whole).count();
  ssh_options_set(session_.get(), SSH_OPTIONS_TIMEOUT, &seconds);
  ssh_options_set(session_.get(), SSH_OPTIONS_TIMEOUT_USEC, &rest);
}

// The key exchange, and whether this is the host that it should be.
Status Session::meet(const HostKeys& known) {
  watchdog_.step(patience_.step);
  const auto refuse = [](std::string what) {
    return fail({.kind = ErrorKind::kForbidden, .what = std::move(what), .code = std::string(ports::kHostKeyRefused)});
  };
  if (ssh_connect(session_.get()) != SSH_OK) {
    const std::string said = printable_error(session_.get());
    if (watchdog_.fired() || !said.starts_with("kex error")) return failed("the SSH key exchange");
    if (said.find("server host key") != std::string::npos)
      return refuse("the host has no key of the kinds that hostKeys names: it is another host, or has a new key");
    return fail(ErrorKind::kProtocol, "the host offers no algorithm that is good enough: " + said);
  }
  ssh_key shown = nullptr;
  if (ssh_get_server_publickey(session_.get(), &shown) != SSH_OK) return failed("the SSH host key");
  const KeyPtr owned(shown);
  if (!known.contain(shown))
    return refuse("the host shows a key that is not among hostKeys: it is another host, or has a new key");
  return {};
}

// A moment at a time: of all its waits this is the one in which libssh (0.10.6) does not see that it has closed the
// connection itself, as it does where it cannot write, and it would wait for the answer as long as it may.
Status Session::log_in(ssh_key key) {
  watchdog_.step(patience_.step);
  wait_at_most(kMoment);
  int answer = SSH_AUTH_AGAIN;
  while (answer == SSH_AUTH_AGAIN) {
    answer = ssh_userauth_publickey(session_.get(), nullptr, key);
    if (answer == SSH_AUTH_AGAIN && (watchdog_.fired() || ssh_is_connected(session_.get()) == 0)) break;
  }
  wait_at_most(patience_.whole);
  switch (answer) {
    case SSH_AUTH_SUCCESS: return {};
    case SSH_AUTH_DENIED:
    case SSH_AUTH_PARTIAL: return fail(ErrorKind::kUnauthorized, "the host refuses the private key for this user");
    default: return failed("the SSH login");
  }
}

Result<Output> Session::run(const std::string& command, std::string_view input) {
  watchdog_.step(patience_.step);
  const ChannelPtr channel(ssh_channel_new(session_.get()));
  if (!channel || ssh_channel_open_session(channel.get()) != SSH_OK) return failed("opening an SSH channel");
  if (ssh_channel_request_exec(channel.get(), command.c_str()) != SSH_OK) return failed("running a command");
  // Who does not want it is over before it is written, and says why.
  if (!input.empty()) {
    ssh_channel_write(channel.get(), input.data(), static_cast<std::uint32_t>(input.size()));
    ssh_channel_send_eof(channel.get());
  }
  Output output;
  std::array<char, kPiece> piece;
  for (;;) {
    const int got = ssh_channel_read(channel.get(), piece.data(), piece.size(), 0);
    if (got < 0) return failed("reading what a command says");
    if (got == 0) break;
    output.text.append(piece.data(), static_cast<std::size_t>(got));
    if (output.text.size() > kMostOutput) return fail(ErrorKind::kProtocol, "a command says more than is read");
  }
  const int got = ssh_channel_read(channel.get(), piece.data(), kMostComplaint, 1);
  if (got > 0) output.complaint = printable(trim({piece.data(), static_cast<std::size_t>(got)}), kMostComplaint);
  if (input.empty()) ssh_channel_send_eof(channel.get());
  // The end of the stream alone is what a cut connection looks like: only a status proves that the command is over.
  output.status = ssh_channel_get_exit_status(channel.get());
  if (output.status < 0 || watchdog_.fired()) return failed("waiting for the end of a command");
  return output;
}

Status Session::dial(const net::Endpoint& to, const std::function<void(const net::Socket& socket)>& talk) {
  watchdog_.step(patience_.step);
  const ChannelPtr channel(ssh_channel_new(session_.get()));
  if (!channel) return failed("opening an SSH channel");
  // Who asks the host to dial is told to it, too: nobody it could reach.
  if (ssh_channel_open_forward(channel.get(), to.host.c_str(), to.port, "127.0.0.1", 0) != SSH_OK)
    return not_dialled(to);
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) != 0)
    return fail(ErrorKind::kUnavailable, "no file descriptor is left");
  const net::Socket near(pair[0]);
  const std::jthread talker([&talk, far = net::Socket(pair[1])]() mutable {
    const net::Socket ours = std::move(far);  // closed when the talk is over: so carry() learns of that
    talk(ours);
  });
  watchdog_.step(2 * patience_.step);  // the talk has a deadline of its own, a step
  return carry(channel.get(), near);
}

// RFC 4254 section 5.1 has the reasons; libssh tells them in words alone.
tl::unexpected<Error> Session::not_dialled(const net::Endpoint& to) const {
  if (watchdog_.fired() || ssh_is_connected(session_.get()) == 0) return failed("having the Edge dial");
  const std::string said = printable_error(session_.get());
  if (said.find("error (1)") != std::string::npos)
    return fail({.kind = ErrorKind::kForbidden,
                 .what = "the SSH server refuses to dial " + to.to_string() +
                         " for us: AllowTcpForwarding, DisableForwarding and PermitOpen of its sshd_config, and "
                         "port-forwarding and permitopen of our key in authorized_keys must allow it",
                 .code = std::string(ports::kForwardingRefused)});
  const auto words = said.rfind(')');  // of the reason's number
  return fail({.kind = ErrorKind::kUnavailable,
               .what = "the Edge cannot reach " + to.to_string() + ": " +
                       std::string(trim(words == std::string::npos ? said : said.substr(words + 1))),
               .code = std::string(ports::kEndpointUnreached)});
}

// Between the channel and a socket, until the other end of that is closed. That end is read as long as it is open, so
// what comes for it can wait for room without a deadline of its own.
Status Session::carry(ssh_channel channel, const net::Socket& near) {
  constexpr auto kDoing = "what is carried through the SSH connection";
  const auto to_near = [&](std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(near.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 && errno == EAGAIN) {
        pollfd room{near.fd(), POLLOUT, 0};
        ::poll(&room, 1, -1);
      } else if (sent < 0 && errno != EINTR) {
        return;  // it was closed: the next look at it says so
      }
    }
  };
  std::array<char, kPiece> piece;
  for (bool far_is_open = true;;) {
    while (far_is_open) {
      const int got = ssh_channel_read_nonblocking(channel, piece.data(), piece.size(), 0);
      if (got > 0) to_near({piece.data(), static_cast<std::size_t>(got)});
      if (got == 0 || got == SSH_AGAIN) break;
      if (got < 0) {
        far_is_open = false;
        net::end_sending(near);
      }
    }
    std::array<pollfd, 2> watched{pollfd{near.fd(), POLLIN, 0},
                                  pollfd{far_is_open ? ssh_get_fd(session_.get()) : -1, POLLIN, 0}};
    ::poll(watched.data(), watched.size(), -1);
    if (watched[0].revents == 0) continue;
    const ssize_t got = ::recv(near.fd(), piece.data(), piece.size(), 0);
    if (got == 0) break;
    if (got > 0 && far_is_open && ssh_channel_write(channel, piece.data(), static_cast<std::uint32_t>(got)) != got) {
      far_is_open = false;
      net::end_sending(near);
    }
  }
  if (watchdog_.fired() || ssh_is_connected(session_.get()) == 0) return failed(kDoing);
  return {};
}

}  // namespace edgetrust::ssh
