// The pin file of an Edge over SSH: libssh against OpenSSH's server, which stands for an Edge on loopback.
#include "edge_machine.hpp"
#include "edgetrust/base/encoding.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/probe/probe.hpp"
#include "support/loopback_server.hpp"
#include "support/tcp_proxy.hpp"
#include "support/test_ca.hpp"
#include "unit/probe/tls_server.hpp"

#include <atomic>
#include <future>
#include <iostream>

#include <fcntl.h>
#include <unistd.h>

namespace edgetrust::integration {
namespace {

using namespace std::chrono_literals;
using support::TcpProxy;
using testing::HasSubstr;
using testing::IsEmpty;

const SystemClock kClock;

ports::PinDocument document(std::string text) {
  std::string sha256 = to_hex(crypto::sha256(text));
  return {.text = std::move(text), .sha256 = std::move(sha256)};
}
ports::CaCertificate ca_certificate(const std::string& pem) {
  std::string body;
  for (const auto& line : split(pem, '\n')) body += line.starts_with('-') ? "" : line;
  return {.pem = pem, .sha256 = to_hex(crypto::sha256(from_base64(body).value()))};
}
std::string hash(std::string_view text) { return to_hex(crypto::sha256(text)); }

Result<std::vector<std::string>> no_names(const std::string& /*host*/, const net::Wait& /*wait*/) {
  return fail(ErrorKind::kNotFound, "no such name");
}
// More patient than in production: the machine may be loaded.
constexpr ssh::Patience kPatient{.step = 60s, .whole = 300s};
ssh::SessionLimit room(50);
std::unique_ptr<ports::EdgeHost> reach(ssh::HostLogin login, ssh::Patience patience = kPatient,
                                       ssh::SessionLimit& limit = room) {
  static const auto kProbe = probe::Probe::create(no_names, kClock).value();
  const auto handshake = [](const net::Socket& socket, const ports::ProbeTarget& target, const net::Wait& wait) {
    return kProbe->present_over(socket, target, wait);
  };
  return ssh::make_edge_host(std::move(login), no_names, handshake, kClock, limit, patience).value();
}

// Waits until it holds, for a minute at most.
bool becomes(const std::function<bool()>& condition) {
  for (int i = 0; i < 6000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

const std::string kOld = R"({"certificatePinning":{"enabled":false},"note":"old"})";
const std::string kNew = R"({"certificatePinning":{"enabled":true},"note":"new"})";

class EdgeHost : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (EdgeMachine::why_not().empty()) machine = std::make_unique<EdgeMachine>();
  }
  static void TearDownTestSuite() { machine.reset(); }
  void SetUp() override {
    if (const auto why = EdgeMachine::why_not(); !why.empty()) GTEST_SKIP() << why;
    ASSERT_TRUE(machine) << "it did not start";
    for (const char* name : {"running", "invocation", "restarts", "tracking", "ntp", "no-timers", "broken", "slow-stop",
                             "start-limit", "no-restarts", "deaf", "restore.log", "gone-at-stat"})
      std::filesystem::remove(machine->state(name));
    std::filesystem::remove_all(machine->file());
  }
  void TearDown() override {
    if (!machine) return;
    EXPECT_FALSE(std::filesystem::exists(machine->state("timer"))) << "a timer is left";
    EXPECT_THAT(machine->units(), IsEmpty());
    EXPECT_TRUE(becomes([] { return !machine->is_at_work(); })) << "a connection is left open";
  }
  static ports::HostState look_by(ports::EdgeHost& by) {
    auto state = by.look({});
    EXPECT_TRUE(state) << state.error().message();
    return std::move(state).value();
  }
  static ports::HostState look() { return look_by(*host); }
  // Whatever start of the service is the present one ends.
  static Status restart_by(ports::EdgeHost& by) { return by.restart(look_by(by).invocation, {}); }
  static Status restart() { return restart_by(*host); }
  // The same in a mount namespace's own words.
  static int inside(const std::string& command) {
    return system(("nsenter -t " + machine->pid() + " -m -r sh -c 'cd /; " + command + "'").c_str());
  }
  // A chronyd that disciplines no clock is a time server at that address, another one the Edge's.
  static void start_chronyd(const std::string& server) {
    std::ofstream(machine->at("etc/time-server.conf"))
        << "local stratum 5\nallow 127.0.0.0/8\nbindaddress " << server
        << "\nbindcmdaddress /\ncmdport 0\nuser root\npidfile /run/time-server.pid\n";
    ASSERT_EQ(inside("chronyd -x -f /etc/time-server.conf"), 0);
    ASSERT_EQ(inside("chronyd -x"), 0);
  }
  static void connect() { host = reach(machine->login()); }
  // Whether a script of ours runs on the machine: it goes on when the connection is gone.
  static bool has_script() { return machine->runs("umask 077\nfolder=/etc/purecloud"); }
  // What the service has read.
  static std::string running() { return contents(machine->state("running")); }
  static void touch(const std::string& name, const std::string& text = {}) {
    std::ofstream(machine->state(name)) << text;
  }
  // The time of the timer is over by now.
  static void let_timer_run_out() {
    const std::string waiter(trim(contents(machine->state("timer"))));
    std::string sleeper;
    ASSERT_TRUE(becomes([&] {
      sleeper = contents("/proc/" + waiter + "/task/" + waiter + "/children");
      return !sleeper.empty();
    }));
    ASSERT_EQ(kill(std::stoi(sleeper), SIGTERM), 0);
  }
  static bool is_there(const std::string& name) { return std::filesystem::exists(machine->state(name)); }
  template <class T>
  static void expect_under_way(const Result<T>& done) {
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::kConflict) << done.error().message();
    EXPECT_EQ(done.error().code, ports::kChangeUnderWay) << done.error().message();
    EXPECT_FALSE(done.error().maybe_executed);
  }
  // The change to `text` is whole: whoever does not confirm it gets the old file back.
  static void expect_safe(const std::string& text) {
    EXPECT_EQ(look().text, text);
    EXPECT_TRUE(look().restore_armed);
    const auto restored = host->restore(hash(text), {});
    EXPECT_TRUE(restored) << restored.error().message();
    EXPECT_EQ(contents(machine->file()), kOld);
    EXPECT_THAT(machine->leftovers(), IsEmpty());
  }

  static inline std::unique_ptr<EdgeMachine> machine;
  static inline std::unique_ptr<ports::EdgeHost> host;
};

TEST_F(EdgeHost, TellsWhatIsThere) {
  connect();
  ports::HostState state = look();
  EXPECT_EQ(state.folder_trouble, "");
  EXPECT_FALSE(state.has_file);
  EXPECT_FALSE(state.service_active);
  EXPECT_EQ(state.invocation, "");
  EXPECT_FALSE(state.restore_armed);
  EXPECT_FALSE(state.has_leftovers);

  const std::string text = "{\"a\":\"ü'\\\"$(reboot)\"}\n\n" + std::string(60'000, ' ');
  machine->put(text);
  ASSERT_TRUE(restart());
  state = look();
  EXPECT_EQ(state.text, text);
  EXPECT_EQ(state.sha256, hash(text));
  EXPECT_TRUE(state.is_private);
  EXPECT_TRUE(state.service_active);
  EXPECT_EQ(state.invocation.size(), 32U);
  chmod(machine->file().c_str(), 0644);
  EXPECT_FALSE(look().is_private);
}

TEST_F(EdgeHost, SaysWhyNothingMayBeWritten) {
  connect();
  machine->put(std::string(ports::kLargestPinFile + 1, 'x'));
  EXPECT_THAT(look().file_trouble, HasSubstr("larger than 64 KiB"));
  std::filesystem::remove(machine->file());
  std::filesystem::create_symlink("/etc/shadow", machine->file());
  ports::HostState state = look();
  EXPECT_THAT(state.file_trouble, HasSubstr("a link or no plain file"));
  EXPECT_EQ(state.text, "");
  std::filesystem::remove(machine->file());

  chmod(machine->security().c_str(), 0775);
  EXPECT_THAT(look().folder_trouble, HasSubstr("nobody else may write"));
  EXPECT_EQ(host->install(document(kNew), "", 60s, {}).error().kind, ErrorKind::kInvalid);
  chmod(machine->security().c_str(), 0755);
  ASSERT_EQ(chown(machine->security().c_str(), 1, 0), 0);
  EXPECT_THAT(look().folder_trouble, HasSubstr("must belong to root"));
  EXPECT_EQ(host->install(document(kNew), "", 60s, {}).error().kind, ErrorKind::kInvalid);
  ASSERT_EQ(chown(machine->security().c_str(), 0, 0), 0);
  EXPECT_THAT(machine->leftovers(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(machine->file()));

  const auto away = machine->security().parent_path() / "away";
  std::filesystem::rename(machine->security(), away);
  EXPECT_THAT(look().folder_trouble, HasSubstr("does not exist"));
  EXPECT_EQ(host->install(document(kNew), "", 60s, {}).error().kind, ErrorKind::kInvalid);
  EXPECT_FALSE(std::filesystem::exists(machine->security())) << "the folder is never made";
  std::filesystem::rename(away, machine->security());
}

TEST_F(EdgeHost, TellsTheClock) {
  connect();
  const ports::HostState without = look();
  EXPECT_FALSE(without.clock_synchronised);
  EXPECT_LT(without.clock_offset, 10s) << "both are this machine's clock";
  std::ofstream(machine->state("tracking"))
      << "C0A80001,192.168.0.1,3,1795000000.1,-3600.25,0.1,0.1,-1.0,0.0,0.1,0.01,0.001,64.2,Normal\n";
  EXPECT_TRUE(look().clock_synchronised);
  EXPECT_EQ(look().clock_offset, 3600'250ms);
  std::ofstream(machine->state("tracking"))
      << "00000000,,0,0.0,0.000000000,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n";
  EXPECT_FALSE(look().clock_synchronised);
}

TEST_F(EdgeHost, WhereNtpdRunsItIsAsked) {
  connect();
  std::ofstream(machine->state("ntp")) << "leap=00,\noffset=-1500.250\n";
  ports::HostState state = look();
  EXPECT_EQ(state.time_service, ports::TimeService::kNtpd);
  EXPECT_TRUE(state.clock_synchronised);
  EXPECT_EQ(state.clock_offset, 1500ms) << "it says milliseconds";
  EXPECT_THAT(state.time_servers_trouble, HasSubstr("chrony does not run"));
  EXPECT_EQ(host->set_time_servers({"ntp.example.com"}, {}).error().kind, ErrorKind::kInvalid);
  std::ofstream(machine->state("ntp")) << "leap=11, offset=0.000\n";
  state = look();
  EXPECT_EQ(state.time_service, ports::TimeService::kNtpd);
  EXPECT_FALSE(state.clock_synchronised);
  std::filesystem::remove(machine->state("ntp"));
  EXPECT_EQ(look().time_service, ports::TimeService::kNone);
}

TEST_F(EdgeHost, TimeServersAreChronysAndItIsInSyncWithThem) {
  connect();
  const std::string server = "127.0.0.77";
  ASSERT_NO_FATAL_FAILURE(start_chronyd(server));
  EXPECT_EQ(look().time_servers_trouble, "");
  EXPECT_FALSE(look().clock_synchronised);
  ASSERT_TRUE(host->set_time_servers({server, "2001:db8::1"}, {}));
  EXPECT_THAT(look().time_servers, testing::ElementsAre(server, "2001:db8::1"));
  EXPECT_TRUE(becomes([] { return look().clock_synchronised; })) << "it has read them";
  EXPECT_EQ(look().time_service, ports::TimeService::kChrony);
  EXPECT_LT(look().clock_offset, 1s);

  for (const char* bad : {"", "a b", "$(reboot)", "ntp.example.com\nserver evil.example.com", "-x"})
    EXPECT_EQ(host->set_time_servers({bad}, {}).error().kind, ErrorKind::kInvalid) << bad;
  EXPECT_THAT(look().time_servers, testing::ElementsAre(server, "2001:db8::1"));
  ASSERT_TRUE(host->set_time_servers({}, {}));
  EXPECT_THAT(look().time_servers, IsEmpty());
  EXPECT_THAT(contents(machine->at("etc/chrony/chrony.conf")), HasSubstr("sourcedir")) << "chrony's own is left alone";

  std::ofstream(machine->at("etc/chrony/chrony.conf")) << "user root\n";
  EXPECT_THAT(look().time_servers_trouble, HasSubstr("needs the line sourcedir"));
  EXPECT_EQ(host->set_time_servers({server}, {}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(inside("kill $(cat /run/time-server.pid /run/chrony/chronyd.pid)"), 0);
}

TEST_F(EdgeHost, ACaIsTrustedAndNoLonger) {
  connect();
  const support::TestCa first("first");
  const support::TestCa second("second");
  const auto one = ca_certificate(first.certificate_pem());
  const auto two = ca_certificate(second.certificate_pem());
  using Anchor = ports::HostAnchor;
  for (const std::string store : {"debian", "red hat"}) {
    const bool is_debian = store == "debian";
    const auto anchors = machine->at(is_debian ? "usr/local/share/ca-certificates" : "etc/pki/ca-trust/source/anchors");
    const auto bundle = machine->at(is_debian ? "etc/ssl/certs/ca-certificates.crt"
                                              : "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem");
    std::filesystem::create_directories(anchors);
    std::ofstream(anchors / "vendor.crt") << support::TestCa("vendor").certificate_pem();

    ASSERT_TRUE(host->trust(one, {})) << store;
    const auto trusted = host->trust(two, {});
    ASSERT_TRUE(trusted) << store << ": " << trusted.error().message();
    EXPECT_THAT(look().anchors, testing::UnorderedElementsAre(Anchor{one.sha256, true}, Anchor{two.sha256, true}));
    EXPECT_THAT(contents(bundle), HasSubstr(one.pem));

    // An update of the Edge's software has brought its own bundle; somebody has written into our file.
    std::ofstream(bundle) << "";
    std::ofstream(anchors / ("edgetrust-" + two.sha256 + ".crt")) << first.certificate_pem();
    EXPECT_THAT(look().anchors, testing::UnorderedElementsAre(Anchor{one.sha256, false}, Anchor{two.sha256, false}));
    ASSERT_TRUE(host->trust(two, {}));
    EXPECT_THAT(look().anchors, testing::UnorderedElementsAre(Anchor{one.sha256, true}, Anchor{two.sha256, true}));

    ASSERT_TRUE(host->distrust(one.sha256, {}));
    ASSERT_TRUE(host->distrust(one.sha256, {})) << "a second time, after a lost answer";
    EXPECT_THAT(look().anchors, testing::ElementsAre(Anchor{two.sha256, true}));
    EXPECT_THAT(contents(bundle), testing::Not(HasSubstr(one.pem)));
    // A bundle that cannot be written has it still, and that is seen.
    const std::string of_bundle = is_debian ? "/etc/ssl/certs" : "/etc/pki/ca-trust/extracted/pem";
    ASSERT_EQ(inside("mount --bind " + of_bundle + " " + of_bundle + " && mount -o remount,bind,ro " + of_bundle), 0);
    EXPECT_FALSE(host->distrust(two.sha256, {}));
    EXPECT_THAT(contents(bundle), HasSubstr(two.pem));
    EXPECT_THAT(look().anchors, testing::ElementsAre(Anchor{two.sha256, false}));
    ASSERT_EQ(inside("umount " + of_bundle), 0);
    ASSERT_TRUE(host->distrust(two.sha256, {}));
    EXPECT_THAT(look().anchors, IsEmpty());
    EXPECT_THAT(contents(bundle), testing::Not(HasSubstr(two.pem)));
    EXPECT_THAT(contents(bundle), HasSubstr("BEGIN CERTIFICATE")) << "the vendor's own stays";
    EXPECT_TRUE(std::filesystem::exists(anchors / "vendor.crt"));
  }
  std::filesystem::remove_all(machine->at("etc/pki"));
}

TEST_F(EdgeHost, ANewFileIsPutInPlaceAndConfirmed) {
  connect();
  for (const auto& before : {std::string(), kOld}) {
    if (!before.empty()) machine->put(before);
    const std::string replaces = before.empty() ? "" : hash(before);
    ASSERT_TRUE(host->install(document(kNew), replaces, 60s, {})) << before;
    ports::HostState state = look();
    EXPECT_EQ(state.text, kNew);
    EXPECT_TRUE(state.is_private);
    EXPECT_TRUE(state.restore_armed);
    EXPECT_TRUE(state.has_leftovers) << "the previous file, for the timer";
    ASSERT_TRUE(host->confirm(hash(kNew), {}));
    state = look();
    EXPECT_EQ(state.text, kNew);
    EXPECT_FALSE(state.restore_armed);
    EXPECT_THAT(machine->leftovers(), IsEmpty());
    std::filesystem::remove(machine->file());
  }
  EXPECT_EQ(machine->restarts(), 0U) << "a restart is asked for by itself";
}

TEST_F(EdgeHost, ANewFileTakesThePlaceOfAWiderOneAndIsPrivate) {
  connect();
  machine->put(kOld);
  chmod(machine->file().c_str(), 0644);
  ASSERT_EQ(chown(machine->file().c_str(), 1, 1), 0);
  ASSERT_TRUE(host->install(document(kNew), hash(kOld), 60s, {}));
  EXPECT_TRUE(look().is_private);
  ASSERT_TRUE(host->restore(hash(kNew), {}));
  EXPECT_EQ(contents(machine->file()), kOld);
}

TEST_F(EdgeHost, WhoDiesBeforeTheRestartLeavesTheOldFileAndNoRestart) {
  connect();
  machine->put(kOld);
  ASSERT_TRUE(restart());
  ASSERT_TRUE(host->install(document(kNew), hash(kOld), 1s, {}));
  ASSERT_TRUE(becomes([] { return look().sha256 == hash(kOld) && !look().restore_armed; }));
  EXPECT_EQ(machine->restarts(), 1U);
  EXPECT_THAT(machine->leftovers(), IsEmpty());
}

TEST_F(EdgeHost, WhoDiesAfterTheRestartLocksNobodyOut) {
  connect();
  for (const auto& before : {std::string(), kOld}) {
    std::filesystem::remove(machine->file());
    std::filesystem::remove(machine->state("restarts"));
    if (!before.empty()) machine->put(before);
    ASSERT_TRUE(host->install(document(kNew), before.empty() ? "" : hash(before), 600s, {}));
    ASSERT_TRUE(restart());
    ASSERT_NO_FATAL_FAILURE(let_timer_run_out());
    ASSERT_TRUE(becomes([] { return !look().restore_armed; }));
    EXPECT_EQ(look().text, before);
    EXPECT_EQ(look().has_file, !before.empty());
    EXPECT_EQ(machine->restarts(), 2U) << "one with the new file, one with the old";
    EXPECT_EQ(contents(machine->state("restore.log")), "");
    EXPECT_THAT(machine->leftovers(), IsEmpty());
    EXPECT_EQ(host->confirm(hash(kNew), {}).error().code, ports::kFileChanged) << "too late";
  }
}

TEST_F(EdgeHost, AFileThatGoesWhileItIsLookedAtIsNotThere) {
  connect();
  machine->put(kOld);
  touch("gone-at-stat", "pinning-config.json");
  const ports::HostState state = look();
  EXPECT_FALSE(std::filesystem::exists(machine->file())) << "it went meanwhile";
  EXPECT_FALSE(state.has_file);
  EXPECT_EQ(state.sha256, "");
  EXPECT_EQ(state.file_trouble, "");
}

TEST_F(EdgeHost, APreviousFileComesBackWhenAsked) {
  connect();
  machine->put(kOld);
  ASSERT_TRUE(restart());
  ASSERT_TRUE(host->install(document(kNew), hash(kOld), 60s, {}));
  ASSERT_TRUE(restart());
  ASSERT_TRUE(host->restore(hash(kNew), {}));
  EXPECT_EQ(look().text, kOld);
  EXPECT_FALSE(look().restore_armed);
  EXPECT_EQ(machine->restarts(), 3U);
  ASSERT_TRUE(host->restore(hash(kNew), {})) << "a second time, after a lost answer";
  EXPECT_EQ(look().text, kOld);
  EXPECT_EQ(machine->restarts(), 3U);
}

TEST_F(EdgeHost, AServiceThatHasNeverRunIsNotStartedByARestore) {
  connect();
  machine->put(kOld);
  ASSERT_EQ(look().invocation, "");
  ASSERT_TRUE(host->install(document(kNew), hash(kOld), 60s, {}));
  ASSERT_TRUE(host->restore(hash(kNew), {}));
  EXPECT_EQ(look().text, kOld);
  EXPECT_EQ(machine->restarts(), 0U);
}

TEST_F(EdgeHost, SomebodyElsesEditIsSeenAndKept) {
  connect();
  for (const auto& [before, expected] : {std::pair<std::string, std::string>{kOld, kNew}, {"", kOld}, {kOld, ""}}) {
    std::filesystem::remove(machine->file());
    if (!before.empty()) machine->put(before);
    const auto installed = host->install(document("{}"), expected.empty() ? "" : hash(expected), 60s, {});
    ASSERT_FALSE(installed);
    EXPECT_EQ(installed.error().kind, ErrorKind::kConflict);
    EXPECT_EQ(installed.error().code, ports::kFileChanged);
    EXPECT_FALSE(installed.error().maybe_executed);
    EXPECT_EQ(contents(machine->file()), before);
    EXPECT_THAT(machine->leftovers(), IsEmpty());
    EXPECT_FALSE(look().restore_armed);
  }
  machine->put(kOld);
  EXPECT_EQ(host->confirm(hash(kNew), {}).error().code, ports::kFileChanged);
}

TEST_F(EdgeHost, ALinkIsNeverFollowed) {
  connect();
  machine->put(kOld);
  const auto precious = machine->security() / "precious";
  std::ofstream(precious) << "precious";
  std::filesystem::create_symlink("precious", machine->security() / ".pinning-config.json.edgetrust-new");
  std::filesystem::create_symlink("precious", machine->security() / ".pinning-config.json.edgetrust-previous");
  ASSERT_TRUE(host->install(document(kNew), hash(kOld), 60s, {}));
  EXPECT_EQ(contents(machine->file()), kNew);
  ASSERT_TRUE(host->confirm(hash(kNew), {}));
  EXPECT_EQ(contents(precious), "precious");
  std::filesystem::remove(precious);

  std::filesystem::remove(machine->file());
  std::filesystem::create_symlink("/etc/hostname", machine->file());
  const std::string name = contents(machine->file());
  EXPECT_EQ(host->install(document(kNew), hash(name), 60s, {}).error().code, ports::kFileChanged);
  EXPECT_EQ(host->install(document(kNew), "", 60s, {}).error().code, ports::kFileChanged);
  EXPECT_TRUE(std::filesystem::is_symlink(machine->file()));
}

TEST_F(EdgeHost, WithoutATimerNothingIsChanged) {
  connect();
  machine->put(kOld);
  std::ofstream(machine->state("no-timers")) << "";
  const auto installed = host->install(document(kNew), hash(kOld), 60s, {});
  ASSERT_FALSE(installed);
  EXPECT_THAT(installed.error().message(), HasSubstr("cannot be armed: Failed to start transient timer unit"));
  EXPECT_EQ(contents(machine->file()), kOld);
  EXPECT_THAT(machine->leftovers(), IsEmpty());
}

TEST_F(EdgeHost, AFullOrReadOnlyDiskKeepsTheOldFile) {
  connect();
  const std::string folder = "/etc/purecloud/edge/conf/security";
  for (const bool full : {true, false}) {
    ASSERT_EQ(inside("mount -t tmpfs -o size=16k,mode=755 tmpfs " + folder), 0);
    machine->put(kOld);
    const std::string fill = "dd if=/dev/zero of=" + folder + "/filler bs=1k count=64 2>/dev/null || :";
    ASSERT_EQ(inside(full ? fill : "mount -o remount,ro " + folder), 0);
    const auto installed = host->install(document(kNew + std::string(20'000, ' ')), hash(kOld), 60s, {});
    ASSERT_FALSE(installed);
    EXPECT_EQ(installed.error().kind, ErrorKind::kInvalid) << installed.error().message();
    EXPECT_EQ(contents(machine->file()), kOld);
    for (const auto& name : machine->leftovers()) EXPECT_EQ(name, "filler");
    EXPECT_FALSE(look().restore_armed);
    ASSERT_EQ(inside("umount " + folder), 0);
  }
}

// --- two at work

const std::string kOther = R"({"certificatePinning":{"enabled":true},"note":"other"})";

TEST_F(EdgeHost, NoChangeIsBegunOverOneThatIsNotConfirmed) {
  connect();
  machine->put(kOld);
  ASSERT_TRUE(host->install(document(kNew), hash(kOld), 60s, {}));
  const auto second = host->install(document(kOther), hash(kNew), 60s, {});
  expect_under_way(second);
  expect_safe(kNew);
}

// The document of the first never comes whole, and the end of its connection comes late.
TEST_F(EdgeHost, WhatASilentConnectionLeavesAtWorkUndoesNothingOfALaterChange) {
  connect();
  machine->put(kOld);
  const auto large = document(kNew + std::string(40'000, '\n'));
  TcpProxy proxy(machine->port());
  const auto through = reach(machine->login(proxy.port()));
  ASSERT_TRUE(through->install(large, hash(kOld), 60s, {}));
  const std::size_t silent_after = proxy.carried(TcpProxy::From::kClient) - 20'000;
  ASSERT_TRUE(host->restore(large.sha256, {}));

  proxy.end_after(silent_after, TcpProxy::From::kClient, TcpProxy::End::kSilent);
  std::stop_source stop;
  Result<std::string> first;
  std::jthread installs([&] { first = through->install(large, hash(kOld), 60s, stop.get_token()); });
  EXPECT_TRUE(becomes([&] { return proxy.carried(TcpProxy::From::kClient) == silent_after && has_script(); }));
  stop.request_stop();
  installs.join();
  ASSERT_FALSE(first);
  EXPECT_TRUE(first.error().maybe_executed);
  EXPECT_EQ(contents(machine->file()), kOld);

  const auto second = host->install(document(kOther), hash(kOld), 60s, {});
  ASSERT_TRUE(second) << second.error().message();
  ASSERT_TRUE(has_script()) << "the first waits for its document";
  proxy.cut();
  ASSERT_TRUE(becomes([] { return !machine->is_at_work(); }));
  expect_safe(kOther);
}

TEST_F(EdgeHost, WhoIsLateByASlowDiskUndoesNothingOfALaterChange) {
  connect();
  machine->put(kOld);
  touch("hold-sync", "edgetrust-new");
  Result<std::string> first;
  std::jthread installs([&] { first = reach(machine->login())->install(document(kNew), hash(kOld), 60s, {}); });
  ASSERT_TRUE(becomes([] { return is_there("held-sync"); }));
  EXPECT_TRUE(host->install(document(kOther), hash(kOld), 60s, {}));
  std::filesystem::remove(machine->state("held-sync"));
  installs.join();
  expect_under_way(first);
  expect_safe(kOther);
}

TEST_F(EdgeHost, WhileOneIsAtWorkAllOthersDoNothing) {
  connect();
  machine->put(kOld);
  touch("hold-sync", "edgetrust-previous");
  Result<std::string> first;
  std::jthread installs([&] { first = reach(machine->login())->install(document(kNew), hash(kOld), 60s, {}); });
  ASSERT_TRUE(becomes([] { return is_there("held-sync"); }));
  expect_under_way(host->install(document(kOther), hash(kOld), 60s, {}));
  expect_under_way(host->restart(look().invocation, {}));
  expect_under_way(host->confirm(hash(kOld), {}));
  expect_under_way(host->restore(hash(kOld), {}));
  expect_under_way(host->clean({}));
  EXPECT_EQ(machine->restarts(), 0U);
  std::filesystem::remove(machine->state("held-sync"));
  installs.join();
  ASSERT_TRUE(first) << first.error().message();
  expect_safe(kNew);
}

TEST_F(EdgeHost, ATimerThatRunsOutWhileTheFileIsPutInPlaceStillPutsThePreviousOneBack) {
  connect();
  machine->put(kOld);
  touch("hold-timer");
  Result<std::string> first;
  std::jthread installs([&] { first = reach(machine->login())->install(document(kNew), hash(kOld), 1s, {}); });
  ASSERT_TRUE(becomes([] { return is_there("held-timer") && is_there("restoring"); }));
  EXPECT_EQ(contents(machine->file()), kOld);
  std::filesystem::remove(machine->state("held-timer"));
  installs.join();
  EXPECT_TRUE(first) << first.error().message();
  ASSERT_TRUE(becomes([] { return !look().restore_armed; }));
  EXPECT_EQ(contents(machine->file()), kOld);
  EXPECT_THAT(machine->leftovers(), IsEmpty());
}

TEST_F(EdgeHost, AChangeOfAnotherFileIsNotRestored) {
  connect();
  machine->put(kOld);
  ASSERT_TRUE(host->install(document(kNew), hash(kOld), 60s, {}));
  for (const auto& other : {kOther, kOld}) {
    const auto restored = host->restore(hash(other), {});
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, ports::kFileChanged);
    EXPECT_EQ(host->confirm(hash(other), {}).error().code, ports::kFileChanged);
  }
  expect_safe(kNew);
}

// --- the service

TEST_F(EdgeHost, ASlowServiceIsRestartedOnce) {
  connect();
  ASSERT_TRUE(restart());
  const std::string before = look().invocation;
  touch("slow-stop", "5");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(host->restart(before, {}));
  const ports::HostState state = look();
  EXPECT_TRUE(state.service_busy || state.invocation != before);
  ASSERT_TRUE(becomes([] { return !look().service_busy; }));
  EXPECT_NE(look().invocation, before);
  EXPECT_TRUE(look().service_active);
  ASSERT_TRUE(host->restart(before, {})) << "late";
  EXPECT_EQ(machine->restarts(), 2U);
}

TEST_F(EdgeHost, AServiceThatIsStartedMeanwhileMayHaveReadEitherFile) {
  connect();
  machine->put(kOld);
  ASSERT_TRUE(restart());
  const std::string before = look().invocation;
  touch("hold-timer");
  Result<std::string> installed;
  std::jthread installs([&] { installed = reach(machine->login())->install(document(kNew), hash(kOld), 60s, {}); });
  ASSERT_TRUE(becomes([] { return is_there("held-timer"); }));
  EXPECT_EQ(inside("systemctl restart purecloud-edge"), 0);
  std::filesystem::remove(machine->state("held-timer"));
  installs.join();
  ASSERT_TRUE(installed) << installed.error().message();
  EXPECT_NE(*installed, before);
  EXPECT_EQ(*installed, look().invocation);
  EXPECT_EQ(running(), kOld);
  ASSERT_TRUE(host->restart(*installed, {}));
  EXPECT_EQ(running(), kNew);
  ASSERT_TRUE(host->restore(hash(kNew), {}));
  EXPECT_EQ(running(), kOld);
}

TEST_F(EdgeHost, AServiceThatCameUpInVainTooOftenIsStartedWithThePreviousFileAllTheSame) {
  connect();
  machine->put(kOld);
  ASSERT_TRUE(restart());
  ASSERT_TRUE(host->install(document(kNew), hash(kOld), 60s, {}));
  touch("broken");
  ASSERT_TRUE(restart());
  EXPECT_FALSE(look().service_active);
  touch("start-limit");
  std::filesystem::remove(machine->state("broken"));
  ASSERT_TRUE(host->restore(hash(kNew), {}));
  EXPECT_TRUE(look().service_active);
  EXPECT_EQ(running(), kOld);
}

TEST_F(EdgeHost, ThePreviousFileIsNotForgottenBeforeTheServiceLearnsOfIt) {
  connect();
  machine->put(kOld);
  ASSERT_TRUE(restart());
  for (const std::string way : {"no-restarts", "deaf", "by timer"}) {
    const bool by_timer = way == "by timer";
    const std::string trouble = by_timer ? "no-restarts" : way;
    ASSERT_TRUE(host->install(document(kNew), hash(kOld), 600s, {}));
    ASSERT_TRUE(restart());
    touch(trouble);
    if (by_timer) {
      ASSERT_NO_FATAL_FAILURE(let_timer_run_out());
      ASSERT_TRUE(becomes([] { return !look().restore_armed; }));
    } else {
      EXPECT_THAT(host->restore(hash(kNew), {}).error().message(), HasSubstr("systemd does not answer"));
    }
    std::filesystem::remove(machine->state(trouble));
    EXPECT_EQ(contents(machine->file()), kOld);
    EXPECT_TRUE(look().has_leftovers);
    EXPECT_EQ(running(), kNew);
    ASSERT_TRUE(by_timer ? host->clean({}) : host->restore(hash(kNew), {}));
    EXPECT_EQ(running(), kOld);
    EXPECT_THAT(machine->leftovers(), IsEmpty());
  }
}

// Whose timer is gone without having undone it: nobody forgets what the Edge had before.
TEST_F(EdgeHost, WhatNobodyHasConfirmedIsUndoneByWhoTidiesUp) {
  connect();
  machine->put(kOld);
  ASSERT_TRUE(restart());
  for (const bool restarted : {false, true}) {
    ASSERT_TRUE(host->install(document(kNew), hash(kOld), 600s, {}));
    ASSERT_TRUE(!restarted || restart());
    ASSERT_EQ(inside("systemctl stop edgetrust-pin-restore.timer"), 0);
    ASSERT_FALSE(look().restore_armed);
    ASSERT_TRUE(look().has_leftovers);
    const auto restarts = machine->restarts();
    ASSERT_TRUE(host->clean({}));
    EXPECT_EQ(contents(machine->file()), kOld);
    EXPECT_EQ(machine->restarts() - restarts, restarted ? 1U : 0U) << "whoever has read the new file";
    EXPECT_EQ(running(), kOld);
    EXPECT_THAT(machine->leftovers(), IsEmpty());
    EXPECT_THAT(machine->units(), IsEmpty());
  }
}

TEST_F(EdgeHost, AMachineSaysWhichItIsAndNotItsId) {
  connect();
  const auto named = [](const std::string& id) {
    std::ofstream(machine->at("etc/machine-id"), std::ios::trunc) << id;
    return look().machine_id;
  };
  const std::string id(32, 'a');
  const std::string first = named(id + "\n");
  EXPECT_EQ(first.size(), 32U);
  EXPECT_NE(first, id);
  EXPECT_NE(named(std::string(32, 'b') + "\n"), first);
  EXPECT_EQ(named(id + "\n"), first);
  EXPECT_EQ(named(""), "") << "before its first boot";
}

// --- a reboot

TEST_F(EdgeHost, ARebootPutsAFileBackThatNobodyHasConfirmed) {
  connect();
  for (const auto& before : {std::string(), kOld}) {
    for (const bool restarted : {false, true}) {
      std::filesystem::remove(machine->file());
      if (!before.empty()) machine->put(before);
      ASSERT_TRUE(host->install(document(kNew), before.empty() ? "" : hash(before), 600s, {}));
      ASSERT_TRUE(!restarted || restart());
      std::filesystem::remove(machine->state("restarts"));
      ASSERT_EQ(inside("edge-reboot"), 0);
      EXPECT_EQ(running(), before) << "the service starts when the file is back";
      EXPECT_EQ(contents(machine->file()), before);
      EXPECT_EQ(machine->restarts(), 1U) << "that of the boot";
      EXPECT_FALSE(look().restore_armed);
      EXPECT_FALSE(look().has_leftovers);
      EXPECT_THAT(machine->leftovers(), IsEmpty());
      EXPECT_EQ(contents(machine->state("restore.log")), "");
    }
  }
}

TEST_F(EdgeHost, ARebootKeepsWhatWasConfirmedOrEditedByHand) {
  connect();
  machine->put(kOld);
  ASSERT_TRUE(host->install(document(kNew), hash(kOld), 600s, {}));
  ASSERT_TRUE(host->confirm(hash(kNew), {}));
  ASSERT_EQ(inside("edge-reboot"), 0);
  EXPECT_EQ(running(), kNew);
  ASSERT_TRUE(host->install(document(kOther), hash(kNew), 600s, {}));
  machine->put(kOld);
  ASSERT_EQ(inside("edge-reboot"), 0);
  EXPECT_EQ(running(), kOld) << "an admin has put it there";
  EXPECT_THAT(machine->leftovers(), IsEmpty());
}

TEST_F(EdgeHost, SystemdUnderstandsTheUnitForTheBoot) {
  connect();
  ASSERT_TRUE(host->install(document(kNew), "", 600s, {}));
  const auto units = machine->units();
  ASSERT_THAT(units, testing::SizeIs(2));
  const auto copy = std::filesystem::path(testing::TempDir()) / std::filesystem::path(units[0]).filename();
  std::ofstream(copy) << contents(units[0]);
  const auto said = std::filesystem::path(testing::TempDir()) / "verify.log";
  EXPECT_EQ(system(("systemd-analyze verify " + copy.string() + " 2>" + said.string()).c_str()), 0);
  EXPECT_EQ(contents(said), "");
  EXPECT_EQ(std::filesystem::read_symlink(std::filesystem::is_symlink(units[0]) ? units[0] : units[1]),
            "../" + copy.filename().string());
  EXPECT_THAT(contents(units[0]), HasSubstr("Before=purecloud-edge.service\n"));
  ASSERT_TRUE(host->restore(hash(kNew), {}));
}

// --- what the endpoint presents from there

class FromTheEdge : public EdgeHost {
 protected:
  static Result<ports::ServedChain> present(ports::EdgeHost& edge, std::uint16_t port, const std::string& name = {},
                                            const std::string& at = "127.0.0.1") {
    return edge.present({.host = at, .port = port, .server_name = name}, {});
  }
  const support::TestCa ca_{"root"};
  const support::TestCertificate identity_ = ca_.intermediate("inter").issue({.dns = {"cloud.example.com"}});
};

TEST_F(FromTheEdge, TheEndpointsChainIsTold) {
  connect();
  probe::TlsServer server(identity_);
  const std::size_t before = machine->log().size();
  const auto served = present(*host, server.port(), "cloud.example.com");
  ASSERT_TRUE(served) << served.error().message();
  EXPECT_EQ(served->chain_pem, identity_.chain_pem);
  EXPECT_EQ(served->tls_version, "TLSv1.3");
  EXPECT_EQ(server.server_name(), "cloud.example.com");
  EXPECT_NE(machine->log().find("direct-tcpip", before), std::string::npos) << "the Edge has dialled";
}

// The bounds of a pin file: what is offered from the Edge is that, and no more.
TEST_F(FromTheEdge, OnlyTheTlsThatIsAskedForIsSpoken) {
  connect();
  const support::TestCertificate rsa = ca_.issue({.dns = {"cloud.example.com"}, .key = support::TestKey::kRsa2048});
  struct Cell {
    probe::TlsBehaviour endpoint;
    ports::TlsVersion oldest;
    std::vector<std::string> suites;
    const char* speaks;  // empty: they do not come together
  };
  const probe::TlsBehaviour old{.newest = TLS1_2_VERSION, .ciphers = "ECDHE-RSA-AES256-GCM-SHA384"};
  const std::string rsa128 = "ECDHE-RSA-AES128-GCM-SHA256";
  const std::string rsa256 = "ECDHE-RSA-AES256-GCM-SHA384";
  const std::vector<Cell> cells{
      {old, ports::TlsVersion::kTls12, {rsa128, rsa256}, "TLSv1.2"},
      {old, ports::TlsVersion::kTls12, {rsa128}, ""},
      {old, ports::TlsVersion::kTls13, {rsa256}, ""},
      {{}, ports::TlsVersion::kTls13, {rsa256}, "TLSv1.3"},
      {{.tls13_suites = "TLS_AES_128_GCM_SHA256"}, ports::TlsVersion::kTls13, {"TLS_AES_256_GCM_SHA384"}, ""},
  };
  for (std::size_t i = 0; i < cells.size(); ++i) {
    probe::TlsServer server(rsa, cells[i].endpoint);
    const auto served = host->present({.host = "127.0.0.1",
                                       .port = server.port(),
                                       .server_name = {},
                                       .oldest = cells[i].oldest,
                                       .cipher_suites = cells[i].suites},
                                      {});
    EXPECT_EQ(served ? served->tls_version : "", cells[i].speaks) << i;
    if (served) continue;
    EXPECT_EQ(served.error().kind, ErrorKind::kProtocol) << i;
    EXPECT_EQ(served.error().code, ports::kEndpointUnreached) << i;
  }
}

TEST_F(FromTheEdge, ANameIsResolvedThere) {
  ASSERT_EQ(inside("echo 127.0.0.1 only-the-edge-knows.example >>/etc/hosts"), 0);
  connect();
  probe::TlsServer server(identity_);
  const auto served = present(*host, server.port(), {}, "only-the-edge-knows.example");
  ASSERT_TRUE(served) << served.error().message();
  EXPECT_EQ(server.server_name(), "only-the-edge-knows.example");

  const auto unknown = present(*host, 443, {}, "nobody-knows.example");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(unknown.error().code, ports::kEndpointUnreached) << unknown.error().message();
}

TEST_F(FromTheEdge, ALongChainComesWhole) {
  connect();
  support::TestCertificate identity = identity_;
  const std::string one = ca_.certificate_pem();
  for (int i = 0; i < 7; ++i) identity.chain_pem += one;
  std::vector<std::string> names;
  for (int i = 0; i < 1500; ++i) names.push_back("a-name-that-makes-it-long-" + std::to_string(i) + ".example.com");
  const support::TestCertificate large = ca_.issue({.dns = names});
  for (const auto& shown : {identity, large}) {
    probe::TlsServer server(shown);
    const auto served = present(*host, server.port());
    ASSERT_TRUE(served) << served.error().message();
    EXPECT_EQ(served->chain_pem, shown.chain_pem);
  }
}

TEST_F(FromTheEdge, WhatGoesWrongBeyondTheEdgeIsSaidSo) {
  connect();
  std::uint16_t closed = 0;
  {
    support::LoopbackServer server(nullptr, [](support::LoopbackConnection&) {});
    closed = server.port();
  }
  const auto refused = present(*host, closed);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(refused.error().code, ports::kEndpointUnreached);
  EXPECT_THAT(refused.error().message(), HasSubstr("Connection refused"));

  struct Peer {
    support::LoopbackServer::OnConnection script;
    ErrorKind kind;
  };
  for (const auto& [script, kind] :
       {Peer{[](support::LoopbackConnection& c) { c.reset(); }, ErrorKind::kUnavailable},
        Peer{[](support::LoopbackConnection& c) { c.read_some(); }, ErrorKind::kUnavailable},
        Peer{[](support::LoopbackConnection& c) {
               c.write("HTTP/1.1 400 Bad Request\r\n\r\n");
               c.hold();
             },
             ErrorKind::kProtocol}}) {
    support::LoopbackServer server(nullptr, script);
    const auto served = present(*host, server.port());
    ASSERT_FALSE(served);
    EXPECT_EQ(served.error().kind, kind) << served.error().message();
    EXPECT_EQ(served.error().code, ports::kEndpointUnreached) << served.error().message();
  }
}

TEST_F(FromTheEdge, ASilentEndpointIsLeftWhenItsTimeIsOverOrWeAreAskedToStop) {
  support::LoopbackServer server(nullptr, [](support::LoopbackConnection& c) { c.hold(); });
  const auto late = present(*reach(machine->login(), {.step = 2s, .whole = 20s}), server.port());
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(late.error().code, ports::kEndpointUnreached) << late.error().message();

  std::stop_source stop;
  support::LoopbackServer stopper(nullptr, [&](support::LoopbackConnection& c) {
    c.read_some();
    stop.request_stop();
    c.hold();
  });
  const auto stopped =
      reach(machine->login())
          ->present({.host = "127.0.0.1", .port = stopper.port(), .server_name = {}}, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled) << stopped.error().message();
}

TEST_F(FromTheEdge, AnSshConnectionThatEndsMeanwhileIsNotTheEndpointsFault) {
  TcpProxy proxy(machine->port());
  support::LoopbackServer server(nullptr, [&](support::LoopbackConnection& c) {
    c.read_some();
    proxy.cut();
    c.hold();
  });
  const auto served = present(*reach(machine->login(proxy.port())), server.port());
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(served.error().code, "") << served.error().message();
}

TEST_F(FromTheEdge, AServerThatDialsNobodyNamesTheSettings) {
  probe::TlsServer server(identity_);
  for (const std::string setting : {"AllowTcpForwarding no", "DisableForwarding yes", "PermitOpen 127.0.0.1:1"}) {
    const EdgeMachine strict(setting + "\n");
    const auto served = present(*reach(strict.login()), server.port());
    ASSERT_FALSE(served) << setting;
    EXPECT_EQ(served.error().kind, ErrorKind::kForbidden);
    EXPECT_EQ(served.error().code, ports::kForwardingRefused);
    for (const char* name : {"AllowTcpForwarding", "PermitOpen", "permitopen"})
      EXPECT_THAT(served.error().message(), HasSubstr(name));
  }
}

// --- a key that may do nothing else

class ForcedCommand : public EdgeHost {
 protected:
  static const std::filesystem::path& sample() {
    static const auto kFolder = std::filesystem::path(EDGE_HOST).parent_path() / "../../../manifests/edge";
    return kFolder;
  }
  // The sample's line, with our key, program and endpoint in it.
  static void use_sample(std::uint16_t endpoint) {
    std::string line = contents(sample() / "authorized_keys");
    line = line.substr(line.rfind("\nrestrict") + 1);
    const auto put = [&](const std::string& from, const std::string& to) {
      ASSERT_NE(line.find(from), std::string::npos) << from;
      line.replace(line.find(from), from.size(), to);
    };
    const auto program = machine->at("usr/local/sbin") / "edgetrust-edge-command";
    std::filesystem::copy_file(sample() / "edgetrust-edge-command", program,
                               std::filesystem::copy_options::overwrite_existing);
    put("api.mypurecloud.ie:443", "127.0.0.1:" + std::to_string(endpoint));
    put("ssh-ed25519 AAAA…", std::string(trim(machine->login_public_key())));
    std::ofstream(machine->authorized_keys()) << line;
  }
  static int by_hand(const std::string& command) {
    return WEXITSTATUS(
        system(("ssh -F none -i " + machine->login_key_file().string() + " -p " + std::to_string(machine->port()) +
                " -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
                "-o LogLevel=ERROR root@127.0.0.1 " +
                command + " </dev/null >/dev/null 2>&1")
                   .c_str()));
  }
};

TEST_F(ForcedCommand, TheSampleLetsThroughWhatWeRunAndNothingElse) {
  probe::TlsServer endpoint(support::TestCa("root").issue({.dns = {"cloud.example.com"}}));
  ASSERT_NO_FATAL_FAILURE(use_sample(endpoint.port()));
  const auto edge = reach(machine->login());
  const auto did = [](const auto& done) { EXPECT_TRUE(done) << done.error().message(); };
  machine->put(kOld);
  did(restart_by(*edge));
  did(edge->install(document(kNew), hash(kOld), 1s, {}));
  ASSERT_TRUE(becomes([&] { return !look_by(*edge).restore_armed; })) << "the timer runs by itself";
  EXPECT_EQ(contents(machine->file()), kOld);
  did(edge->install(document(kNew), hash(kOld), 60s, {}));
  did(edge->confirm(hash(kNew), {}));
  did(edge->install(document(kOld), hash(kNew), 60s, {}));
  did(edge->restore(hash(kOld), {}));
  EXPECT_EQ(contents(machine->file()), kNew);
  did(edge->clean({}));
  did(edge->set_time_servers({}, {}));
  const auto ca = ca_certificate(support::TestCa("ca").certificate_pem());
  did(edge->trust(ca, {}));
  did(edge->distrust(ca.sha256, {}));
  const auto served = edge->present({.host = "127.0.0.1", .port = endpoint.port(), .server_name = {}}, {});
  EXPECT_TRUE(served) << served.error().message();

  EXPECT_EQ(edge->present({.host = "127.0.0.1", .port = 1, .server_name = {}}, {}).error().code,
            ports::kForwardingRefused);
  for (const char* other :
       {"", "id", "/bin/sh -c id", "\"/bin/sh -c 'id' edgetrust\"", "\"/bin/sh -c '' edgetrust; id\"", "-s sftp"})
    EXPECT_EQ(by_hand(other), 126) << other;
  std::ofstream(machine->authorized_keys()) << machine->login_public_key();
  EXPECT_EQ(by_hand("true"), 0) << "it is the sample that refuses";
}

// --- whom we talk to

TEST_F(EdgeHost, AHostWithAnotherKeyIsToldNothing) {
  const std::string ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJnXNhHL9lLkzv/x2uBS6HUCxEFrF3fMc/u9tTfyPNd";
  const std::size_t before = machine->log().size();
  auto login = machine->login();
  login.host_keys = {ed25519};
  const auto looked = reach(std::move(login))->look({});
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().kind, ErrorKind::kForbidden);
  EXPECT_EQ(looked.error().code, ports::kHostKeyRefused);
  ASSERT_TRUE(becomes([&] { return machine->log().find("[preauth]", before) != std::string::npos; }));
  EXPECT_EQ(machine->log().find("userauth-request", before), std::string::npos) << "not even the user's name";

  login = machine->login();
  login.host_keys = {ed25519, machine->host_key()};
  EXPECT_TRUE(reach(std::move(login))->look({})) << "one of them is the host's: so a key is changed";
}

TEST_F(EdgeHost, EachKindOfHostKeyCanBeTheKnownOne) {
  for (const char* kind : {"ed25519", "ecdsa", "rsa"}) {
    auto login = machine->login();
    login.host_keys = {machine->host_key(kind)};
    const auto looked = reach(std::move(login))->look({});
    EXPECT_TRUE(looked) << kind << ": " << looked.error().message();
  }
}

TEST_F(EdgeHost, AWrongKeyOrUserIsRefused) {
  auto login = machine->login();
  login.user = "nobody";
  EXPECT_EQ(reach(std::move(login))->look({}).error().kind, ErrorKind::kUnauthorized);
}

TEST(EdgeHostAlgorithms, WhatIsNotGoodEnoughIsNotSpoken) {
  if (const auto why = EdgeMachine::why_not(); !why.empty()) GTEST_SKIP() << why;
  for (const char* weak :
       {"Ciphers chacha20-poly1305@openssh.com", "Ciphers aes256-cbc", "KexAlgorithms diffie-hellman-group14-sha1",
        "MACs hmac-sha1\nCiphers aes256-ctr", "HostKeyAlgorithms ssh-rsa"}) {
    const EdgeMachine machine(std::string(weak) + "\n");
    const auto looked = reach(machine.login())->look({});
    ASSERT_FALSE(looked) << weak;
    EXPECT_TRUE(looked.error().kind == ErrorKind::kProtocol || looked.error().code == ports::kHostKeyRefused)
        << weak << ": " << looked.error().message();
    EXPECT_EQ(machine.log().find("userauth-request"), std::string::npos);
  }
}

TEST_F(EdgeHost, AnAnswerWithoutEndIsNotRead) {
  connect();
  std::ofstream(machine->state("tracking")) << std::string(300'000, 'x');
  EXPECT_EQ(host->look({}).error().kind, ErrorKind::kProtocol);
}

TEST_F(EdgeHost, ASilentHostIsLeftWhenItsTimeIsOver) {
  TcpProxy proxy(machine->port());
  for (const auto from : {TcpProxy::From::kServer, TcpProxy::From::kClient}) {
    // Silence in the middle of the key exchange: the proxy stops, and closes nothing.
    const auto silent = reach(machine->login(proxy.port()), {.step = 300ms, .whole = 5s});
    std::atomic<bool> over = false;
    std::jthread freezer([&] {
      while (!over) {
        if (proxy.carried(from) > 0) proxy.freeze();
        std::this_thread::yield();
      }
    });
    const auto looked = silent->look({});
    over = true;
    ASSERT_FALSE(looked);
    EXPECT_EQ(looked.error().kind, ErrorKind::kTimeout) << looked.error().message();
  }
}

TEST_F(EdgeHost, AGreetingIsNoSession) {
  connect();
  const std::size_t before = machine->log().size();
  const auto greeted = host->greet({});
  EXPECT_TRUE(greeted) << greeted.error().message();
  EXPECT_EQ(machine->log().find("Accepted publickey", before), std::string::npos);

  support::LoopbackServer silent(nullptr, [](support::LoopbackConnection& c) { c.hold(); });
  const auto waited = reach(machine->login(silent.port()), {.step = 300ms, .whole = 5s})->greet({});
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().kind, ErrorKind::kTimeout) << waited.error().message();
  support::LoopbackServer closing(nullptr, [](support::LoopbackConnection&) {});
  EXPECT_EQ(reach(machine->login(closing.port()))->greet({}).error().kind, ErrorKind::kUnavailable);
}

TEST_F(EdgeHost, AHostThatHungHoldsUpNoOtherTheNextTime) {
  ssh::SessionLimit limit(2);
  support::LoopbackServer silent(nullptr, [](support::LoopbackConnection& c) { c.hold(); });
  const auto hanging = reach(machine->login(silent.port()), {.step = 300ms, .whole = 5s}, limit);
  EXPECT_EQ(hanging->look({}).error().kind, ErrorKind::kTimeout);
  auto other = limit.enter(ssh::SessionLimit::Host::kHangs, {});
  auto again = std::async(std::launch::async, [&] { return hanging->look({}).error().kind; });
  ASSERT_TRUE(becomes([&] { return limit.waiting() == 1; })) << "all the room for such hosts is taken";
  look_by(*reach(machine->login(), kPatient, limit));
  EXPECT_EQ(limit.waiting(), 1);
  other.reset();
  EXPECT_EQ(again.get(), ErrorKind::kTimeout);
}

TEST_F(EdgeHost, AStopEndsItAtOnce) {
  TcpProxy proxy(machine->port());
  std::stop_source stop;
  std::jthread stopper([&] {
    while (proxy.carried(TcpProxy::From::kServer) == 0) std::this_thread::yield();
    proxy.freeze();
    stop.request_stop();
  });
  const auto looked = reach(machine->login(proxy.port()))->look(stop.get_token());
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().kind, ErrorKind::kCancelled) << looked.error().message();
}

// Right after each piece that the host says, when the answer to it is being made: libssh finds the connection closed as
// it writes, and must not wait for an answer then. More than once each, for it is a matter of microseconds.
TEST_F(EdgeHost, AStopBetweenAnyTwoMessagesEndsIt) {
  constexpr int kMostPieces = 200;
  constexpr int kTimesEach = 6;
  const auto look_until = [&](int pieces) {
    TcpProxy proxy(machine->port());
    std::stop_source stop;
    std::atomic<bool> over = false;
    std::jthread stopper([&] {
      std::size_t before = 0;
      for (int said = 0; said < pieces && !over;) {
        const std::size_t now = proxy.carried(TcpProxy::From::kServer);
        said += now != before ? 1 : 0;
        before = now;
      }
      stop.request_stop();
    });
    auto look =
        std::async(std::launch::async, [&] { return reach(machine->login(proxy.port()))->look(stop.get_token()); });
    EXPECT_EQ(look.wait_for(30s), std::future_status::ready) << "stopped after piece " << pieces;
    over = true;
    return look.get();
  };
  int pieces = 0;
  for (bool answered = false; !answered && pieces < kMostPieces;) {
    ++pieces;
    for (int i = 0; i < kTimesEach && !HasFailure(); ++i) {
      const auto state = look_until(pieces);
      answered = answered || state;
      if (!state) {
        EXPECT_EQ(state.error().kind, ErrorKind::kCancelled) << state.error().message();
      }
    }
  }
  EXPECT_GT(pieces, 5);
  EXPECT_LT(pieces, kMostPieces);
}

// --- keys that cannot be used

TEST(EdgeHostKeys, WhatCannotBeReadIsRefusedBeforeAnyConnection) {
  ssh::SessionLimit limit(1);
  const auto made = [&](std::string key, std::vector<std::string> known) {
    return ssh::make_edge_host(
        {.host = "127.0.0.1", .port = 1, .user = "root", .private_key = Secret(key), .host_keys = std::move(known)},
        no_names, nullptr, kClock, limit);
  };
  const std::string good = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJnXNhHL9lLkzv/x2uBS6HUCxEFrF3fMc/u9tTfyPNd";
  EXPECT_THAT(made("x", {}).error().what, HasSubstr("no host key is known"));
  for (const char* bad : {"", "ssh-ed25519", "ssh-dss AAAA", "ssh-ed25519 AAAA", "@revoked ssh-ed25519 AAAA",
                          "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIGJnXNhHL9lLkzv/x2uBS6HUCxEFrF3fMc/u9tTfyPNd"})
    EXPECT_THAT(made("x", {good, bad}).error().what, HasSubstr("host key 2")) << bad;
  EXPECT_THAT(made("x", {good}).error().what, HasSubstr("private key cannot be read"));
}

// --- the cut sweep

// Opens the file a thousand times a second, as whoever reads it on the Edge would.
class Reader {
 public:
  Reader(std::filesystem::path path, std::vector<std::string> whole)
      : path_(std::move(path)), whole_(std::move(whole)) {}
  ~Reader() { stop(); }
  void stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  std::atomic<int> reads = 0;
  std::atomic<int> partial = 0;
  std::atomic<int> not_private = 0;

 private:
  void read() {
    const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
      ++partial;
      return;
    }
    struct stat facts {};
    ::fstat(file, &facts);
    std::string text(static_cast<std::size_t>(facts.st_size) + 1, '\0');
    const ssize_t got = ::read(file, text.data(), text.size());
    ::close(file);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    ++reads;
    if (std::find(whole_.begin(), whole_.end(), text) == whole_.end()) ++partial;
    if ((facts.st_mode & 07777) != 0600 || facts.st_uid != 0 || facts.st_gid != 0) ++not_private;
  }

  const std::filesystem::path path_;
  const std::vector<std::string> whole_;
  std::jthread thread_{[this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      read();
      std::this_thread::sleep_for(1ms);
    }
  }};
};

class CutConnection : public EdgeHost {
 protected:
  static void TearDownTestSuite() {
    EdgeHost::TearDownTestSuite();
    if (cuts > 0)
      std::cout << "test-pins: " << cuts << " cut points, " << reads << " reads, " << partial << " partial reads\n";
  }
  // What carries so many octets one way is cut at so many points, from the first to the last.
  struct Way {
    TcpProxy::From from;
    std::size_t bytes;
    std::size_t points;
  };
  static std::string name(const Way& way) { return way.from == TcpProxy::From::kClient ? "client " : "server "; }
  static void expect_whole(Reader& reader, int at_least) {
    reader.stop();
    EXPECT_EQ(reader.partial, 0);
    EXPECT_EQ(reader.not_private, 0);
    EXPECT_GT(reader.reads, at_least);
    reads += reader.reads;
    partial += reader.partial;
  }

  static inline int cuts = 0;
  static inline int reads = 0;
  static inline int partial = 0;
};

TEST_F(CutConnection, LeavesTheOldFileOrTheNewOne) {
  connect();
  const std::string old_text = kOld + std::string(30'000, ' ');
  const auto next = document(kNew + std::string(40'000, '\n'));
  TcpProxy proxy(machine->port());
  const auto through = reach(machine->login(proxy.port()));
  machine->put(old_text);
  ASSERT_TRUE(through->install(next, hash(old_text), 600s, {}));
  // What the Edge says are short answers, one a step.
  const std::array ways = {Way{TcpProxy::From::kClient, proxy.carried(TcpProxy::From::kClient), 64},
                           Way{TcpProxy::From::kServer, proxy.carried(TcpProxy::From::kServer), 16}};
  ASSERT_TRUE(host->restore(next.sha256, {}));

  Reader reader(machine->file(), {old_text, next.text});
  int installed = 0;
  const auto cut_after = [&](std::size_t after, TcpProxy::From from, TcpProxy::End end) {
    proxy.end_after(after, from, end);
    const auto cut = through->install(next, hash(old_text), 600s, {});
    ++cuts;
    ASSERT_TRUE(becomes([] { return !machine->is_at_work(); }));
    // The next pass: it looks, and goes on from what it sees.
    const ports::HostState state = look();
    ASSERT_TRUE(state.sha256 == hash(old_text) || state.sha256 == next.sha256);
    ASSERT_EQ(state.restore_armed, state.sha256 == next.sha256) << "armed before the file, disarmed without it";
    if (state.restore_armed) {
      ASSERT_TRUE(cut || cut.error().maybe_executed);
      installed += cut ? 0 : 1;
      ASSERT_TRUE(host->restore(next.sha256, {}));
    } else {
      ASSERT_FALSE(cut);
      ASSERT_TRUE(!state.has_leftovers || host->clean({}));
    }
    ASSERT_THAT(machine->leftovers(), IsEmpty());
    ASSERT_EQ(contents(machine->file()), old_text);
  };
  for (const auto& way : ways) {
    for (const auto end : {TcpProxy::End::kReset, TcpProxy::End::kClean}) {
      for (std::size_t point = 0; point < way.points; ++point) {
        SCOPED_TRACE(name(way) + std::to_string(point));
        ASSERT_NO_FATAL_FAILURE(cut_after(1 + (way.bytes - 1) * point / way.points, way.from, end));
      }
    }
  }
  // The last words of the Edge are about a file that is in place. How many octets they are differs from run to run.
  const std::size_t all = ways[1].bytes;
  for (std::size_t before = 4; installed == 0 && before < all / 2; before += 16)
    ASSERT_NO_FATAL_FAILURE(cut_after(all - before, TcpProxy::From::kServer, TcpProxy::End::kReset));
  expect_whole(reader, cuts);
  EXPECT_GT(installed, 0) << "some cuts come after the file is in place";
}

// What else is asked of an Edge: whatever comes of it when the connection is cut, a second time makes it whole, and
// once.
TEST_F(CutConnection, IsMadeGoodByASecondTime) {
  connect();
  TcpProxy proxy(machine->port());
  const auto through = reach(machine->login(proxy.port()));
  std::string invocation;
  const auto nothing = [] {};
  const auto install = [] { ASSERT_TRUE(host->install(document(kNew), hash(kOld), 600s, {})); };
  const auto leave = [] {
    for (const char* name : {"new.1", "previous"})
      std::ofstream(machine->security() / (".pinning-config.json.edgetrust-" + std::string(name))) << kOther;
  };
  struct Asked {
    const char* name;
    std::function<void()> before;
    std::function<Status(ports::EdgeHost&)> ask;
    std::string file;      // in the end
    std::string read;      // by the service
    std::size_t restarts;  // in all
  };
  const std::vector<Asked> all = {
      {"restart", nothing, [&](ports::EdgeHost& edge) { return edge.restart(invocation, {}); }, kOld, kOld, 1},
      {"confirm", install, [](ports::EdgeHost& edge) { return edge.confirm(hash(kNew), {}); }, kNew, kOld, 0},
      {"restore",
       [&] {
         install();
         ASSERT_TRUE(restart());
       },
       [](ports::EdgeHost& edge) { return edge.restore(hash(kNew), {}); }, kOld, kOld, 2},
      {"clean", leave, [](ports::EdgeHost& edge) { return edge.clean({}); }, kOld, kOld, 0}};
  const auto once = [&](const Asked& asked, const std::function<void()>& prepare_cut) {
    machine->put(kOld);
    ASSERT_EQ(inside("systemctl restart purecloud-edge"), 0);
    std::filesystem::remove(machine->state("restarts"));
    invocation = look().invocation;
    ASSERT_NO_FATAL_FAILURE(asked.before());
    prepare_cut();
    const Status done = asked.ask(*through);
    ASSERT_TRUE(becomes([] { return !machine->is_at_work(); }));
    const ports::HostState state = look();
    const bool is_new = state.sha256 == hash(kNew);
    ASSERT_TRUE(is_new || state.sha256 == hash(kOld));
    ASSERT_TRUE(is_new || !state.restore_armed) << "an old file has no timer";
    ASSERT_TRUE(is_new == (asked.file == kNew) || state.restore_armed) << "a new one has, until it is confirmed";
    const Status again = asked.ask(*host);
    ASSERT_TRUE(again) << again.error().message();
    ASSERT_EQ(contents(machine->file()), asked.file);
    ASSERT_EQ(running(), asked.read);
    ASSERT_EQ(machine->restarts(), asked.restarts);
    ASSERT_FALSE(look().restore_armed);
    ASSERT_THAT(machine->leftovers(), IsEmpty());
    ASSERT_THAT(machine->units(), IsEmpty());
  };
  machine->put(kOld);
  Reader reader(machine->file(), {kOld, kNew});
  const int before = cuts;
  for (const auto& asked : all) {
    ASSERT_NO_FATAL_FAILURE(once(asked, nothing));
    for (const auto& way : {Way{TcpProxy::From::kClient, proxy.carried(TcpProxy::From::kClient), 8},
                            Way{TcpProxy::From::kServer, proxy.carried(TcpProxy::From::kServer), 4}}) {
      for (const auto end : {TcpProxy::End::kReset, TcpProxy::End::kClean}) {
        for (std::size_t point = 0; point < way.points; ++point) {
          SCOPED_TRACE(asked.name + (" " + name(way)) + std::to_string(point));
          ASSERT_NO_FATAL_FAILURE(
              once(asked, [&] { proxy.end_after(way.bytes - way.bytes * point / way.points, way.from, end); }));
          ++cuts;
        }
      }
    }
  }
  EXPECT_EQ(cuts - before, 96);
  expect_whole(reader, 96);
}

// What is put there besides the pin file is read by chrony and by the whole Edge: it is what it was, or what it is to
// be, and nothing else lies beside it.
TEST_F(CutConnection, LeavesNoHalfACaAndNoHalfAListOfTimeServers) {
  connect();
  TcpProxy proxy(machine->port());
  const auto through = reach(machine->login(proxy.port()));
  const std::string server = "127.0.0.78";
  ASSERT_NO_FATAL_FAILURE(start_chronyd(server));
  const auto ca = ca_certificate(support::TestCa("cut").certificate_pem());
  const std::string anchor = "usr/local/share/ca-certificates/edgetrust-" + ca.sha256 + ".crt";
  const std::string sources = "etc/chrony/sources.d/edgetrust.sources";
  std::filesystem::create_directories(machine->at(anchor).parent_path());

  const auto distrust = [&](ports::EdgeHost& edge) { return edge.distrust(ca.sha256, {}); };
  const auto trust = [&](ports::EdgeHost& edge) { return edge.trust(ca, {}); };
  const auto one = [&](ports::EdgeHost& edge) { return edge.set_time_servers({server}, {}); };
  const auto two = [&](ports::EdgeHost& edge) { return edge.set_time_servers({server, "2001:db8::1"}, {}); };
  ASSERT_TRUE(one(*host));
  ASSERT_TRUE(becomes([] { return look().clock_synchronised; })) << "then nobody waits for that again";
  struct Asked {
    const char* name;
    std::function<Status(ports::EdgeHost&)> before;
    std::function<Status(ports::EdgeHost&)> ask;
    std::string file;
  };
  const std::vector<Asked> all = {
      {"trust", distrust, trust, anchor}, {"distrust", trust, distrust, anchor}, {"time servers", one, two, sources}};
  const auto names = [&](const std::string& file) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(machine->at(file).parent_path())) {
      if (entry.path() != machine->at(file)) found.push_back(entry.path().filename());
    }
    std::ranges::sort(found);
    return found;
  };
  const int before = cuts;
  for (const auto& asked : all) {
    ASSERT_TRUE(asked.before(*host));
    const std::string was = contents(machine->at(asked.file));
    const auto others = names(asked.file);
    ASSERT_TRUE(asked.ask(*through));
    const std::string is = contents(machine->at(asked.file));
    ASSERT_NE(is, was);
    for (const auto& way : {Way{TcpProxy::From::kClient, proxy.carried(TcpProxy::From::kClient), 6},
                            Way{TcpProxy::From::kServer, proxy.carried(TcpProxy::From::kServer), 2}}) {
      for (const auto end : {TcpProxy::End::kReset, TcpProxy::End::kClean}) {
        for (std::size_t point = 0; point < way.points; ++point) {
          SCOPED_TRACE(asked.name + (" " + name(way)) + std::to_string(point));
          ASSERT_TRUE(asked.before(*host));
          proxy.end_after(way.bytes - way.bytes * point / way.points, way.from, end);
          const Status done = asked.ask(*through);
          ASSERT_TRUE(becomes([] { return !machine->is_at_work(); }));
          ASSERT_THAT(contents(machine->at(asked.file)), testing::AnyOf(was, is));
          ASSERT_TRUE(!done || contents(machine->at(asked.file)) == is);
          ASSERT_EQ(names(asked.file), others);
          const Status again = asked.ask(*host);
          ASSERT_TRUE(again) << again.error().message();
          ASSERT_EQ(contents(machine->at(asked.file)), is);
          ++cuts;
        }
      }
    }
  }
  EXPECT_EQ(cuts - before, 48);
  ASSERT_TRUE(distrust(*host));
  EXPECT_THAT(look().anchors, IsEmpty());
  ASSERT_TRUE(host->set_time_servers({}, {}));
  EXPECT_EQ(inside("kill $(cat /run/time-server.pid /run/chrony/chronyd.pid)"), 0);
}

}  // namespace
}  // namespace edgetrust::integration
