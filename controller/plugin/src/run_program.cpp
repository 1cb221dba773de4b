#include "run_program.hpp"

#include "edgetrust/base/text.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace edgetrust::plugin {
namespace {

constexpr std::size_t kMost = std::size_t{1} << 20;

std::vector<std::string> with_variables(std::vector<std::string> environment, const kube::CredentialProgram& program) {
  for (const auto& [name, value] : program.variables) {
    std::erase_if(environment, [&](const std::string& one) { return one.starts_with(name + "="); });
    environment.push_back(name + "=" + value);
  }
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (auto& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

// All that is written until the other end is closed; what is too much is read and thrown away.
Secret read_all(int fd) {
  Secret whole;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; (got = read(fd, part.data(), part.size())) != 0;) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0 && whole.size() <= kMost) whole.append({part.data(), static_cast<std::size_t>(got)});
  }
  cleanse(part.data(), part.size());
  return whole;
}

tl::unexpected<Error> failed(const kube::CredentialProgram& program, const std::string& how) {
  return fail(ErrorKind::kUnauthorized, printable(program.path, 200) + " " + how +
                                            (program.install_hint.empty() ? "" : "; " + program.install_hint));
}

}  // namespace

Result<Secret> run_program(const kube::CredentialProgram& program, const std::vector<std::string>& environment) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return failed(program, "cannot be run: no pipe");
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
  std::vector<std::string> words{program.path};
  words.insert(words.end(), program.arguments.begin(), program.arguments.end());
  std::vector<std::string> variables = with_variables(environment, program);
  pid_t child = 0;
  posix_spawnattr_t attributes;  // this process ignores SIGPIPE; others count on it
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const int error = posix_spawnp(&child, program.path.c_str(), &actions, &attributes, pointers(words).data(),
                                 pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  writing.reset();
  if (error != 0) return failed(program, std::string("cannot be run: ") + std::strerror(error));
  Secret printed = read_all(reading.get());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return failed(program, "failed");
  if (printed.size() > kMost) return failed(program, "printed more than a mebibyte");
  return printed;
}

}  // namespace edgetrust::plugin
