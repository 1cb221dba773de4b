// Random walks of an object that is fed by somebody else's Secret: whatever happens on the way, what is good and in the
// Secret in the end is on the Edge in the end.
#include "story.hpp"
#include "support/fake_random.hpp"

namespace edgetrust::decide::certificate {
namespace {

using namespace std::chrono_literals;

constexpr int kLeaves = 6;

class SourceWalk {
 public:
  explicit SourceWalk(std::uint64_t seed) : random_(seed) {
    story.o.object.spec.revision_history_limit = 2;
    story.o.look.reset();
    story.o.object.status = {};
    story.fate = [this](const std::string& effect) {
      if (calm_) return Fate::kDone;
      if (pushes_fail_ && effect.starts_with("Push")) return Fate::kFails;
      switch (random_.below(30)) {
        case 0: return Fate::kFails;
        case 1: return Fate::kAnswerLost;
        case 2: return Fate::kCrashBefore;
        case 3: return Fate::kCrashAfter;
        default: return Fate::kDone;
      }
    };
  }

  void go(int passes) {
    for (int i = 0; i < passes && !testing::Test::HasFailure(); ++i) {
      if (chance(12)) something_happens();
      if (!story.pass()) wait();
    }
  }
  // All is well again, and the Secret holds a certificate that works. Returns its fingerprint.
  std::string calm_down() {
    calm_ = true;
    story.edge_is_down = false;
    story.sick.clear();
    story.o.failures.clear();
    story.o.source = Source{.exists = true, .chain = leaf(0)};
    ++story.o.object.meta.generation;
    return fingerprint(0);
  }

 private:
  bool calm_ = false;  // read by leaf(), which makes the story

 public:
  Story story{sourced(fresh(), leaf(1))};

 private:
  bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }
  void wait() {
    const TimePoint soon = story.o.now + std::chrono::minutes{1 + random_.below(600)};
    story.o.now = story.wake_at ? std::min(std::max(*story.wake_at, story.o.now), soon) : soon;
  }
  [[nodiscard]] static std::string fingerprint(int n) { return support::fingerprint(100 + n); }
  [[nodiscard]] ports::ChainFacts leaf(int n) const { return chain(100 + n, now_of_leaves()); }
  [[nodiscard]] TimePoint now_of_leaves() const { return calm_ ? story.o.now - 1h : kNow - 1h; }

  void something_happens() {
    Observation& o = story.o;
    const std::string value = std::to_string(++events_);
    switch (random_.below(15)) {
      case 0: story.crash(); break;
      case 1: annotate(o, api::kRenewRequestedAt, value); break;
      case 2: annotate(o, api::kRotateRequestedAt, value); break;
      case 3: annotate(o, api::kRollbackRequestedAt, value); break;
      case 4:
      case 5:
      case 6: o.source = Source{.exists = true, .chain = leaf(1 + static_cast<int>(random_.below(kLeaves)))}; break;
      case 7: o.source = Source{}; break;
      case 8:
        if (o.source->chain) o.source->defect = error(ErrorKind::kInvalid, "its tls.key is another's");
        break;
      case 9:
        if (o.source->chain) o.source->unjudged = error(ErrorKind::kUnavailable);
        break;
      case 10: story.edge_is_down = chance(3); break;
      case 11: story.sick.insert(101 + static_cast<int>(random_.below(kLeaves))); break;
      case 12: o.now += 24h * static_cast<int>(random_.below(5)); break;
      case 13: pushes_fail_ = chance(2); break;
      case 14:  // restored from Git: the Secrets are there, the status is not
        if (!chance(4)) break;
        o.object.status = {};
        story.crash();
        break;
      default: break;
    }
  }
  support::FakeRandom random_;
  int events_ = 0;
  bool pushes_fail_ = false;
};

TEST(SourceWalks, WhatIsGoodAndInTheSecretEndsOnTheEdge) {
  std::map<std::string, int> effects;
  std::set<std::string> reasons;
  for (std::uint64_t seed = 1; seed <= 50 && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    SourceWalk walk(seed);
    walk.go(120);
    const std::string wanted = walk.calm_down();
    ASSERT_TRUE(walk.story.run(40h, 5000)) << walk.story.last_lines(30);
    const Observation& o = walk.story.o;
    EXPECT_EQ(walk.story.served, wanted) << walk.story.last_lines(40);
    EXPECT_FALSE(o.object.status.delivery);
    EXPECT_TRUE(o.object.meta.finalizers.empty());
    EXPECT_EQ(o.object.status.fingerprint_sha256, wanted) << walk.story.last_lines(40);
    for (const auto& [number, revision] : o.revisions) {
      if (revision.chain) {
        EXPECT_EQ(revision.source, revision.chain->fingerprint_sha256) << "put together from two: revision " << number;
      }
    }
    for (const auto& effect : walk.story.done) ++effects[effect.substr(0, effect.find(' '))];
    for (const auto& said : walk.story.said) reasons.insert(said.reason);
  }
  // The walks have been everywhere.
  for (const char* effect : {"StoreSource", "Push", "WriteServingSecret", "DeleteRevision", "MarkRejected"})
    EXPECT_GT(effects[effect], 20) << effect;
  EXPECT_EQ(effects["CreateKey"] + effects["NewOrder"], 0) << "no CA is asked";
  for (const char* reason : {"Copying", "Rotated", "RolledBack", "RollbackImpossible", "SourceRefused",
                             "SourceNotFound", "NothingToRenew", "Adopted"}) {
    EXPECT_TRUE(reasons.contains(reason)) << reason;
  }
}

}  // namespace
}  // namespace edgetrust::decide::certificate
