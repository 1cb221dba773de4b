// Whose machine it is.
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/pins/ownership.hpp"

namespace edgetrust::decide::pins {
namespace {

using namespace std::chrono_literals;
using Edges = std::vector<std::shared_ptr<const api::Edge>>;

constexpr TimePoint kLongAgo{};

api::Edge edge(const std::string& name, const std::string& host, std::chrono::hours age = 0h) {
  api::Edge made;
  made.meta.ns = "voice";
  made.meta.name = name;
  made.meta.uid = "uid-" + name;
  made.meta.creation_time = kLongAgo + 100h - age;
  made.spec.ssh = api::SshEndpoint{.host = host};
  return made;
}
// With a file that pins.
api::Edge pinned(api::Edge made) {
  made.status.pins = api::EdgePins{.file_sha256 = "f1", .enforced = true, .machine = machine_of(made)};
  return made;
}
std::string first(
    const api::Edge& asked, const std::vector<api::Edge>& others,
    const std::function<bool(const api::Edge&)>& writes = [](const api::Edge&) { return true; }) {
  Edges all{std::make_shared<api::Edge>(asked)};
  for (const auto& other : others) all.push_back(std::make_shared<api::Edge>(other));
  return goes_first(asked, all, writes);
}

TEST(PinOwnership, TheOlderOfTwoEdgesGoesFirst) {
  const api::Edge older = edge("older", "10.0.0.5", 2h);
  const api::Edge younger = edge("younger", "10.0.0.5", 1h);
  EXPECT_EQ(first(older, {younger}), "");
  EXPECT_EQ(first(younger, {older}), "voice/older");
  EXPECT_EQ(first(younger, {older, edge("oldest", "10.0.0.5", 3h)}), "voice/oldest");
}

TEST(PinOwnership, OfOneAgeTheSmallerUidDecidesForBoth) {
  EXPECT_EQ(first(edge("a", "10.0.0.5"), {edge("b", "10.0.0.5")}), "");
  EXPECT_EQ(first(edge("b", "10.0.0.5"), {edge("a", "10.0.0.5")}), "voice/a");
}

TEST(PinOwnership, WhoHasAFileThereGoesBeforeTheOlder) {
  const api::Edge older = edge("older", "10.0.0.5", 2h);
  const api::Edge younger = pinned(edge("younger", "10.0.0.5", 1h));
  EXPECT_EQ(first(older, {younger}), "voice/younger");
  EXPECT_EQ(first(younger, {older}), "");
  api::Edge elsewhere = younger;
  elsewhere.status.pins->machine = "10.0.0.6:22";
  EXPECT_EQ(first(older, {elsewhere}), "") << "its file is on another machine";
}

TEST(PinOwnership, AMachineIsHostAndPort) {
  const api::Edge asked = edge("younger", "Edge01.example.com", 1h);
  EXPECT_EQ(first(asked, {edge("older", "edge01.EXAMPLE.com", 2h)}), "voice/older");
  api::Edge other_port = edge("older", "edge01.example.com", 2h);
  other_port.spec.ssh->port = 2222;
  EXPECT_EQ(first(asked, {other_port}), "");
  api::Edge without = edge("older", "", 2h);
  without.spec.ssh.reset();
  EXPECT_EQ(first(asked, {without}), "");
}

TEST(PinOwnership, WhoWritesNothingIsInNobodysWay) {
  EXPECT_EQ(first(edge("younger", "10.0.0.5", 1h), {edge("older", "10.0.0.5", 2h)},
                  [](const api::Edge& other) { return other.meta.name != "older"; }),
            "");
}

TEST(PinOwnership, AFileThatIsElsewhereIsKnown) {
  api::Edge moved = pinned(edge("edge01", "10.0.0.5"));
  EXPECT_FALSE(has_moved(moved));
  moved.spec.ssh->host = "10.0.0.6";
  EXPECT_TRUE(has_moved(moved));
  moved.spec.ssh.reset();
  EXPECT_TRUE(has_moved(moved));
  moved.status.pins->enforced = false;
  EXPECT_FALSE(has_moved(moved));
  EXPECT_FALSE(has_moved(edge("new", "10.0.0.5")));
}

TEST(PinOwnership, TheVeryFileIsTheSameMachine) {
  api::EdgePins known{.file_sha256 = "f1"};
  ports::HostState host;
  EXPECT_FALSE(is_the_same(known, host)) << "no file";
  host.sha256 = "f2";
  EXPECT_FALSE(is_the_same(known, host));
  host.sha256 = "f1";
  EXPECT_TRUE(is_the_same(known, host));
  known.change = api::PinChange{.file_sha256 = "f3", .previous_sha256 = "f2"};
  for (const char* file : {"f2", "f3"}) {
    host.sha256 = file;
    EXPECT_TRUE(is_the_same(known, host)) << file;
  }
}

TEST(PinOwnership, OnlyTheMachineThatIsLeftCanBeForgotten) {
  api::Edge moved = pinned(edge("edge01", "10.0.0.5"));
  const auto forgets = [&](const std::string& value) {
    moved.meta.annotations[std::string(api::kForgetMachine)] = value;
    return is_forgotten(moved);
  };
  EXPECT_FALSE(forgets("10.0.0.5:22")) << "it is there still";
  moved.spec.ssh->host = "10.0.0.6";
  EXPECT_FALSE(forgets("10.0.0.6:22"));
  EXPECT_FALSE(forgets(""));
  EXPECT_TRUE(forgets("10.0.0.5:22"));
}

}  // namespace
}  // namespace edgetrust::decide::pins
