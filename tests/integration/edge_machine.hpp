#pragma once
// The stand-in for an Edge's machine, tests/support/edge_host, as a test sees it.
#include "child.hpp"
#include "edgetrust/base/secret.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/ssh/edge_host.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include <sys/stat.h>

namespace edgetrust::integration {

// Empty: there is no such file, or the process of which it tells is over.
inline std::string contents(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class EdgeMachine {
 public:
  // Why there can be none here; empty: there can.
  static std::string why_not() {
    const std::unique_ptr<FILE, int (*)(FILE*)> said(popen(EDGE_HOST " --why-not", "r"), pclose);
    if (!said) throw std::runtime_error("no program can be run");
    std::array<char, 200> line{};
    return std::fgets(line.data(), line.size(), said.get()) == nullptr ? std::string() : std::string(trim(line.data()));
  }

  // `sshd_config`: lines that come before all others, and win.
  explicit EdgeMachine(const std::string& sshd_config = {}) {
    std::string pattern = testing::TempDir() + "edge-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for the machine of an Edge");
    folder_ = pattern;
    std::ofstream(folder_ / "sshd_config.extra") << sshd_config;
    program_ = std::make_unique<Child>(std::vector<std::string>{EDGE_HOST, folder_});
    const auto words = split(program_->first_line(), ' ');
    if (words.size() != 3 || words[0] != "ready") throw std::runtime_error("the machine of an Edge does not start");
    port_ = static_cast<std::uint16_t>(std::stoi(words[1]));
    root_ = "/proc/" + words[2] + "/root";
    pid_ = words[2];
  }
  ~EdgeMachine() {
    program_->terminate();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  EdgeMachine(const EdgeMachine&) = delete;
  EdgeMachine& operator=(const EdgeMachine&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& pid() const { return pid_; }
  // The folder of the pin file, and the file.
  [[nodiscard]] std::filesystem::path security() const { return root_ / "etc/purecloud/edge/conf/security"; }
  [[nodiscard]] std::filesystem::path file() const { return security() / "pinning-config.json"; }
  // A file of the machine.
  [[nodiscard]] std::filesystem::path at(const std::string& path) const { return root_ / path; }
  [[nodiscard]] std::filesystem::path state(const std::string& name) const { return folder_ / "state" / name; }
  [[nodiscard]] std::string log() const { return contents(folder_ / "sshd.log"); }
  // "ssh-ed25519 AAAA… ed25519"
  [[nodiscard]] std::string host_key(const std::string& kind = "ed25519") const {
    return contents(folder_ / "keys" / ("host_" + kind + ".pub"));
  }
  [[nodiscard]] std::filesystem::path login_key_file() const { return folder_ / "keys/login"; }
  [[nodiscard]] Secret login_key() const { return Secret(contents(login_key_file())); }
  [[nodiscard]] std::string login_public_key() const { return contents(folder_ / "keys/login.pub"); }
  [[nodiscard]] std::filesystem::path authorized_keys() const { return folder_ / "keys/authorized_keys"; }
  [[nodiscard]] ssh::HostLogin login(std::uint16_t port) const {
    return {.host = "127.0.0.1",
            .port = port,
            .user = "root",
            .private_key = login_key(),
            .host_keys = {std::string(trim(host_key()))}};
  }
  [[nodiscard]] ssh::HostLogin login() const { return login(port_); }

  // As an editor does that never leaves half a file.
  void put(const std::string& text) const {
    const std::filesystem::path whole = file().string() + ".by-hand";
    std::ofstream(whole, std::ios::binary | std::ios::trunc) << text;
    chmod(whole.c_str(), 0600);
    std::filesystem::rename(whole, file());
  }
  // Of what systemd reads at a boot, what is ours.
  [[nodiscard]] std::vector<std::string> units() const {
    std::vector<std::string> names;
    for (const char* folder : {"etc/systemd/system", "etc/systemd/system/multi-user.target.wants"}) {
      for (const auto& entry : std::filesystem::directory_iterator(at(folder))) {
        if (entry.path().filename().string().starts_with("edgetrust")) names.push_back(entry.path());
      }
    }
    return names;
  }
  // Whether anything that came over SSH is at work. A process that has just been begun has no name yet that would tell,
  // and another parent when that is gone: so it is whatever is not known to wait, which are the machine itself, its SSH
  // server and the timer.
  [[nodiscard]] bool is_at_work() const {
    const std::string timer(trim(contents(state("timer"))));
    const std::array<std::string, 3> waiting{pid_, std::string(trim(contents(state("sshd")))), timer};
    return count_processes([&](const std::filesystem::path& process) {
             const std::string status = contents(process / "status");
             const bool is_over = status.empty();
             const bool is_the_timers = !timer.empty() && status.find("\nPPid:\t" + timer + "\n") != std::string::npos;
             return !is_over && !is_the_timers && std::ranges::count(waiting, process.filename().string()) == 0;
           }) > 0;
  }
  // Whether there is a shell of it with these words in its command line.
  [[nodiscard]] bool runs(const std::string& words) const {
    return count_processes([&](const std::filesystem::path& process) {
             return contents(process / "cmdline").find(words) != std::string::npos;
           }) > 0;
  }
  // Names in the folder that are not the pin file's.
  [[nodiscard]] std::vector<std::string> leftovers() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(security())) {
      if (entry.path().filename() != "pinning-config.json") names.push_back(entry.path().filename());
    }
    return names;
  }
  [[nodiscard]] std::size_t restarts() const {
    const std::string lines = contents(state("restarts"));
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
  }

 private:
  // Of those in the machine's mount namespace.
  template <class Predicate>
  [[nodiscard]] std::size_t count_processes(Predicate is_one) const {
    std::error_code gone;
    std::size_t count = 0;
    const auto of_it = std::filesystem::read_symlink("/proc/" + pid_ + "/ns/mnt");
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      if (std::filesystem::read_symlink(entry.path() / "ns/mnt", gone) == of_it && is_one(entry.path())) ++count;
    }
    return count;
  }

  std::filesystem::path folder_;
  std::filesystem::path root_;
  std::unique_ptr<Child> program_;
  std::uint16_t port_ = 0;
  std::string pid_;
};

}  // namespace edgetrust::integration
