#pragma once
// A program of ours, started by a test: says one line when it is ready, ends on SIGTERM. For tests on loopback.
#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace edgetrust::integration {

class Child {
 public:
  explicit Child(std::vector<std::string> command) {
    int ends[2];
    if (pipe(ends) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    output_ = ends[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    terminate();
    if (output_ >= 0) close(output_);
  }

  // The first line of its standard output; empty when it ended, or said nothing for half a minute.
  std::string first_line() {
    std::string line;
    pollfd ready{output_, POLLIN, 0};
    char letter = 0;
    while (poll(&ready, 1, 30'000) == 1 && read(output_, &letter, 1) == 1 && letter != '\n') line += letter;
    return letter == '\n' ? line : std::string{};
  }
  // Asks it to end, and gives its exit status; -1 when a signal ended it, or it had been ended before.
  int terminate() {
    if (pid_ <= 0) return -1;
    kill(pid_, SIGTERM);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

}  // namespace edgetrust::integration
