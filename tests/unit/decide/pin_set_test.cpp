// Which pins are accepted while the endpoint's certificate changes, step by step in virtual time.
#include "edgetrust/decide/pins/pin_set.hpp"

#include "edgetrust/base/encoding.hpp"
#include "support/fake_clock.hpp"

namespace edgetrust::decide::pins {
namespace {

using namespace std::chrono_literals;
using api::PinMatch;
using api::PinOrigin;
using api::PinSource;
using api::PinType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string hash(char of) { return to_hex(std::string(32, of)); }
// Certificate 'a' with key 'A', and so on. A reissue has another certificate and the old key.
Link link(char certificate) { return {hash(certificate), hash(static_cast<char>(certificate - 32))}; }
Link reissue(char certificate, char key) { return {hash(certificate), hash(key)}; }

Sight sight(std::string vantage, Link leaf, char root = 'r') {
  return {.vantage = std::move(vantage),
          .chain = {leaf, link('i'), link(root)},
          .issuer = "Issuing CA",
          .root = "Root",
          .not_after = {},
          .problem = {}};
}
Sight by_operator(char leaf) { return sight(std::string(kOperatorVantage), link(leaf)); }
Sight blind(std::string vantage) {
  return {
      .vantage = std::move(vantage), .chain = {}, .issuer = {}, .root = {}, .not_after = {}, .problem = "no answer"};
}

Pin certificate(char of) { return {PinType::kCertificate, hash(of)}; }
Pin key(char of) { return {PinType::kPublicKey, hash(of)}; }

// A policy and its status, carried from pass to pass.
struct Story {
  api::PinPolicySpec spec;
  std::vector<api::AcceptedPin> current;
  std::vector<api::AcceptedPin> next;
  TimePoint now = parse_rfc3339("2026-11-22T12:00:00Z").value();

  Story() { spec.pins.static_pins = {colon_hex(hash('a'))}; }

  PinOutcome pass(std::vector<Sight> sights, std::optional<Announcement> announced = {}) {
    auto outcome = follow({spec, current, next, std::move(sights), std::move(announced), now}).value();
    current = outcome.current;
    next = outcome.next;
    return outcome;
  }
  // The same in which the leaf has been learned, not declared.
  static Story learned() {
    Story story;
    story.spec.pins.static_pins.clear();
    story.pass({by_operator('a'), sight("edge01", link('a'))});
    return story;
  }
};

// --- what is known at first

TEST(PinSet, WhatTheSpecDeclaresIsAccepted) {
  Story story;
  story.spec.pins.static_pins.push_back(to_base64(std::string(32, 'b')));
  story.spec.pins.next = {colon_hex(hash('c'))};
  const auto outcome = story.pass({by_operator('a')});
  EXPECT_EQ(outcome.stand, Stand::kMatched);
  EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a'), certificate('b'), certificate('c')));
  ASSERT_EQ(outcome.current.size(), 1U) << "of those declared the one that is seen";
  EXPECT_EQ(outcome.current.front().origin, PinOrigin::kStatic);
  EXPECT_EQ(outcome.wake_at, std::nullopt);
  EXPECT_FALSE(outcome.first);
  EXPECT_THAT(outcome.unannounced, IsEmpty());
}

TEST(PinSet, ATextThatIsNoPinIsNamedByItsPlace) {
  Story story;
  story.spec.pins.next = {colon_hex(hash('b')), "null"};
  const auto outcome = follow({story.spec, story.current, story.next, {}, {}, story.now});
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message(), HasSubstr("spec.pins.next[1]: a pin is 32 octets"));
}

TEST(PinSet, OneAnswerAloneTeachesNothing) {
  Story story;
  story.spec.pins.static_pins.clear();
  const auto outcome = story.pass({by_operator('a')});
  EXPECT_EQ(outcome.stand, Stand::kUnconfirmed);
  EXPECT_THAT(outcome.why, HasSubstr("1 of the 2 vantages"));
  EXPECT_THAT(outcome.why, HasSubstr(colon_hex(hash('a')))) << "to be pasted, once it is compared";
  EXPECT_THAT(outcome.accepted, IsEmpty());
}

TEST(PinSet, ThoseWhoAgreeTeachTheFirstPin) {
  Story story;
  story.spec.pins.static_pins.clear();
  const auto outcome = story.pass({by_operator('a'), sight("edge01", link('a'))});
  EXPECT_EQ(outcome.stand, Stand::kMatched);
  EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a')));
  EXPECT_EQ(outcome.first, colon_hex(hash('a')));
  EXPECT_THAT(outcome.unannounced, IsEmpty()) << "nothing has changed";
  EXPECT_EQ(outcome.current.front().origin, PinOrigin::kHandshake);
  EXPECT_EQ(outcome.current.front().since, story.now);
}

TEST(PinSet, WhoSeesNothingOrAnInvalidChainHasNoVote) {
  for (const bool shows_a_leaf : {false, true}) {
    Story story;
    story.spec.pins.static_pins.clear();
    Sight invalid = shows_a_leaf ? sight("edge01", link('a')) : blind("edge01");
    invalid.problem = "no known root";
    const auto outcome = story.pass({by_operator('a'), invalid});
    EXPECT_EQ(outcome.stand, Stand::kUnconfirmed);
    EXPECT_THAT(outcome.accepted, IsEmpty());
  }
}

TEST(PinSet, WhileNobodySeesAnythingNothingChanges) {
  Story story = Story::learned();
  story.pass({by_operator('b'), sight("edge01", link('b'))});
  const auto before = story.current;
  story.now += 1000h;  // far beyond the overlap of 'a'
  for (const auto& sights : {std::vector<Sight>{}, std::vector{blind("Operator")}}) {
    const auto outcome = story.pass(sights);
    EXPECT_EQ(outcome.stand, Stand::kUnknown);
    EXPECT_EQ(outcome.why, sights.empty() ? "nobody has looked at the endpoint yet" : "no answer");
    EXPECT_EQ(story.current, before);
    EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a'), certificate('b')));
  }
}

// --- a change that nobody announced

struct Change {
  bool allow;
  std::vector<PinSource> sources;
  int confirmations;
  std::vector<Sight> sights;
  Stand stand;
  bool accepted;
};

TEST(PinSet, AChangeThatNobodyAnnouncedIsAcceptedOnlyWhenEnoughSeeIt) {
  const Sight edge_b = sight("edge01", link('b'));
  const Sight edge_a = sight("edge02", link('a'));
  const Sight edge_c = sight("edge03", link('c'));
  const std::vector<Change> cells = {
      {true, {}, 2, {by_operator('b')}, Stand::kUnconfirmed, false},
      {true, {}, 1, {by_operator('b')}, Stand::kMatched, true},
      {true, {}, 2, {by_operator('b'), edge_b}, Stand::kMatched, true},
      {true, {}, 3, {by_operator('b'), edge_b}, Stand::kUnconfirmed, false},
      {true, {}, 2, {by_operator('b'), edge_a}, Stand::kUnconfirmed, false},
      {true, {}, 2, {by_operator('b'), edge_c}, Stand::kUnconfirmed, false},
      {true, {}, 2, {by_operator('b'), blind("edge01")}, Stand::kUnconfirmed, false},
      {true, {}, 2, {blind("Operator"), edge_b, sight("edge02", link('b'))}, Stand::kMatched, true},
      {true, {PinSource::kHandshake}, 2, {by_operator('b'), edge_b}, Stand::kMatched, true},
      {true, {PinSource::kStatus}, 1, {by_operator('b'), edge_b}, Stand::kNotFollowed, false},
      {false, {}, 1, {by_operator('b'), edge_b}, Stand::kNotFollowed, false},
  };
  for (std::size_t i = 0; i < cells.size(); ++i) {
    Story story = Story::learned();
    story.spec.rotation.allow = cells[i].allow;
    story.spec.rotation.sources = cells[i].sources;
    story.spec.rotation.confirmations = cells[i].confirmations;
    const auto outcome = story.pass(cells[i].sights);
    EXPECT_EQ(outcome.stand, cells[i].stand) << i << ": " << outcome.why;
    EXPECT_EQ(std::ranges::count(outcome.accepted, certificate('b')), cells[i].accepted ? 1 : 0) << i;
    EXPECT_EQ(outcome.unannounced.size(), cells[i].accepted ? 1U : 0U) << i << ": it is alarmed once";
    EXPECT_EQ(std::ranges::count(outcome.accepted, certificate('a')), 1) << i << ": the old one stays";
  }
}

TEST(PinSet, TheOldPinStaysForTheOverlapAndGoes) {
  Story story = Story::learned();
  const TimePoint changed = story.now;
  auto outcome = story.pass({by_operator('b'), sight("edge01", link('b'))});
  EXPECT_EQ(outcome.wake_at, changed + 72h);
  story.now = changed + 72h - 1ms;
  outcome = story.pass({by_operator('b')});
  EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a'), certificate('b')));
  EXPECT_THAT(outcome.unannounced, IsEmpty()) << "it is no news any more";
  story.now = changed + 72h;
  outcome = story.pass({by_operator('b')});
  EXPECT_THAT(outcome.accepted, ElementsAre(certificate('b')));
  EXPECT_EQ(outcome.wake_at, std::nullopt);
}

TEST(PinSet, AnOldPinThatIsServedAgainStays) {
  Story story = Story::learned();
  story.pass({by_operator('b'), sight("edge01", link('b'))});
  story.now += 71h;
  story.pass({by_operator('a')});
  story.now += 48h;  // the overlap that had begun would be over
  const auto outcome = story.pass({by_operator('a'), sight("edge01", link('b'))});
  EXPECT_EQ(outcome.stand, Stand::kMatched) << "two hosts of the endpoint, each with its own";
  EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a'), certificate('b')));
}

TEST(PinSet, AnUnconfirmedLeafRetiresNothing) {
  Story story = Story::learned();
  for (int day = 0; day < 30; ++day) {
    const auto outcome = story.pass({by_operator('b')});
    EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a')));
    EXPECT_EQ(outcome.wake_at, std::nullopt);
    story.now += 24h;
  }
}

TEST(PinSet, OfManyOldPinsTheOldestGoFirst) {
  Story story = Story::learned();
  story.spec.rotation.overlap = 8760h;
  for (char leaf = 'b'; leaf <= 'z'; ++leaf) {
    story.now += 1h;
    const auto outcome = story.pass({by_operator(leaf), sight("edge01", link(leaf))});
    EXPECT_EQ(std::ranges::count(outcome.accepted, certificate(leaf)), 1);
    EXPECT_LE(outcome.current.size(), 16U);
  }
}

// --- a change that is announced

TEST(PinSet, ADeclaredNextIsAcceptedAheadAndBecomesCurrent) {
  Story story;
  story.spec.pins.next = {colon_hex(hash('b'))};
  story.pass({by_operator('a')});
  const auto changed = story.pass({by_operator('b')});
  EXPECT_EQ(changed.stand, Stand::kMatched);
  EXPECT_THAT(changed.unannounced, IsEmpty());
  story.spec.pins.next.clear();  // the user tidies up
  const auto outcome = story.pass({by_operator('b')});
  EXPECT_EQ(outcome.stand, Stand::kMatched) << "what is served is not forgotten";
  EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a'), certificate('b')));
  EXPECT_EQ(story.current.front().origin, PinOrigin::kNext);
}

TEST(PinSet, AnAnnouncementOverThePinnedConnectionIsAcceptedAhead) {
  Story story = Story::learned();
  const auto announced = story.pass({by_operator('a')}, Announcement{hash('a'), hash('b')});
  EXPECT_THAT(announced.accepted, ElementsAre(certificate('a'), certificate('b')));
  EXPECT_EQ(announced.next.front().origin, PinOrigin::kStatus);
  const auto changed = story.pass({by_operator('b')}, Announcement{hash('b'), {}});
  EXPECT_EQ(changed.stand, Stand::kMatched) << "with one vantage: the announcement is the confirmation";
  EXPECT_THAT(changed.next, IsEmpty());
  EXPECT_THAT(changed.unannounced, IsEmpty());
  EXPECT_EQ(changed.current.back().origin, PinOrigin::kStatus);
  EXPECT_EQ(changed.wake_at, story.now + 72h) << "the old one has its overlap";
}

TEST(PinSet, TheGuidesOnlyFieldAnnouncesToo) {
  Story story = Story::learned();
  const auto outcome = story.pass({by_operator('a')}, Announcement{hash('b'), {}});
  EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a'), certificate('b')));
}

TEST(PinSet, WhoeverIsNotPinnedAnnouncesNothing) {
  struct Cell {
    std::vector<Sight> sights;
    const char* why;
  };
  const std::vector<Cell> cells = {
      {{by_operator('x')}, "a leaf that no pin accepts announces itself"},
      {{blind("Operator")}, "nobody was seen"},
      {{}, "nobody has looked"},
      {{blind("Operator"), sight("edge01", link('a'))}, "what an Edge saw is another connection"},
  };
  for (const auto& cell : cells) {
    Story story = Story::learned();
    const auto outcome = story.pass(cell.sights, Announcement{hash('x'), hash('y')});
    EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a'))) << cell.why;
    EXPECT_THAT(outcome.next, IsEmpty()) << cell.why;
  }
}

TEST(PinSet, AnnouncementsAreTakenOnlyWhereThePolicySaysSo) {
  for (const bool allow : {true, false}) {
    Story story = Story::learned();
    story.spec.rotation.allow = allow;
    if (allow) story.spec.rotation.sources = {PinSource::kHandshake};
    const auto outcome = story.pass({by_operator('a')}, Announcement{hash('a'), hash('b')});
    EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a')));
  }
}

TEST(PinSet, AnAnnouncementThatIsTakenBackGoesAfterTheOverlap) {
  Story story = Story::learned();
  story.pass({by_operator('a')}, Announcement{hash('a'), hash('b')});
  story.now += 500h;
  story.pass({by_operator('a')});  // no answer says nothing
  EXPECT_EQ(story.next.front().until, std::nullopt);
  const auto gone = story.pass({by_operator('a')}, Announcement{hash('a'), {}});
  EXPECT_EQ(gone.wake_at, story.now + 72h);
  story.now += 72h;
  const auto outcome = story.pass({by_operator('a')}, Announcement{hash('a'), {}});
  EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a')));
}

TEST(PinSet, AnEndpointThatAnnouncesWithoutEndFillsNothing) {
  Story story = Story::learned();
  for (char next = 'b'; next <= 'z'; ++next) story.pass({by_operator('a')}, Announcement{hash('a'), hash(next)});
  EXPECT_EQ(story.next.size(), 4U);
}

// --- public keys

TEST(PinSet, APublicKeyOutlivesItsCertificates) {
  Story story;
  story.spec.pins.type = PinType::kPublicKey;
  story.spec.pins.static_pins.clear();
  story.pass({by_operator('a'), sight("edge01", link('a'))});
  EXPECT_EQ(story.current.front().fingerprint, colon_hex(hash('A')));
  EXPECT_EQ(story.current.front().certificate, colon_hex(hash('a')));
  const auto outcome = story.pass({sight("Operator", reissue('b', 'A'))});
  EXPECT_EQ(outcome.stand, Stand::kMatched);
  EXPECT_THAT(outcome.accepted, ElementsAre(key('A')));
  EXPECT_EQ(story.current.front().certificate, colon_hex(hash('b')));
  EXPECT_THAT(outcome.unannounced, IsEmpty());
}

TEST(PinSet, AnAnnouncedCertificateBringsItsKey) {
  Story story;
  story.spec.pins.type = PinType::kPublicKey;
  story.spec.pins.static_pins = {colon_hex(hash('A'))};
  const auto ahead = story.pass({by_operator('a')}, Announcement{hash('a'), hash('b')});
  EXPECT_THAT(ahead.accepted, ElementsAre(key('A'), certificate('b')));
  const auto outcome = story.pass({by_operator('b')});
  EXPECT_EQ(outcome.stand, Stand::kMatched);
  EXPECT_THAT(outcome.accepted, ElementsAre(key('A'), key('B')));
  EXPECT_THAT(outcome.unannounced, IsEmpty());
}

TEST(PinSet, ADeclaredNextMayNameTheCertificateOfAKey) {
  Story story;
  story.spec.pins.type = PinType::kPublicKey;
  story.spec.pins.static_pins = {colon_hex(hash('A'))};
  story.spec.pins.next = {colon_hex(hash('b'))};
  story.pass({by_operator('a')});
  const auto outcome = story.pass({by_operator('b')});
  EXPECT_EQ(outcome.stand, Stand::kMatched);
  EXPECT_EQ(std::ranges::count(outcome.accepted, key('B')), 1);
  EXPECT_THAT(outcome.unannounced, IsEmpty());
}

TEST(PinSet, AnotherKindOfHashIsTakenOverFromWhatIsServed) {
  Story story = Story::learned();
  story.spec.pins.type = PinType::kPublicKey;
  const auto outcome = story.pass({by_operator('a')});
  EXPECT_EQ(outcome.stand, Stand::kMatched);
  EXPECT_EQ(std::ranges::count(outcome.accepted, key('A')), 1);
  EXPECT_THAT(outcome.unannounced, IsEmpty());
}

TEST(PinSet, APinnedRootAcceptsEveryLeafUnderIt) {
  Story story;
  story.spec.pins = {
      .type = PinType::kPublicKey, .match = PinMatch::kAnyInChain, .static_pins = {colon_hex(hash('R'))}};
  for (const char leaf : {'a', 'b', 'c'}) {
    const auto outcome = story.pass({by_operator(leaf)});
    EXPECT_EQ(outcome.stand, Stand::kMatched);
    EXPECT_THAT(outcome.accepted, ElementsAre(key('R'))) << "and no leaf needs to be learned";
  }
  const auto outcome = story.pass({sight("Operator", link('d'), 'q')});
  EXPECT_EQ(outcome.stand, Stand::kUnconfirmed) << "it comes from another root";
  story.spec.pins.match = PinMatch::kLeaf;
  EXPECT_EQ(story.pass({by_operator('a')}).stand, Stand::kUnconfirmed) << "a root is no leaf";
}

TEST(PinSet, ThePresetBringsAmazonsRoots) {
  Story story;
  story.spec.pins = {
      .type = PinType::kPublicKey, .match = PinMatch::kAnyInChain, .preset = api::PinPreset::kAmazonTrustServices};
  Sight seen = by_operator('a');
  seen.chain.back().public_key = amazon_trust_services()[2].sha256;
  const auto outcome = story.pass({seen});
  EXPECT_EQ(outcome.stand, Stand::kMatched);
  EXPECT_EQ(outcome.accepted, amazon_trust_services());
  EXPECT_EQ(outcome.current.front().origin, PinOrigin::kPreset);
}

// --- what must hold before a set is enforced

TEST(PinSet, NothingIsEnforcedThatWouldLockTheEdgesOut) {
  struct Cell {
    std::vector<Pin> accepted;
    Sight seen;
    bool require_backup;
    bool allow;
    const char* objection;
  };
  Sight refusing = by_operator('a');
  refusing.tls = "the endpoint speaks TLSv1.2 at best, and tls.minVersion is TLS1.3";
  const std::vector<Cell> cells = {
      {{certificate('a'), certificate('b')}, by_operator('a'), true, true, ""},
      {{certificate('a'), certificate('b')}, by_operator('a'), true, false, ""},
      {{certificate('a')}, by_operator('a'), true, true, "add a backup"},
      {{certificate('a')}, by_operator('a'), false, true, ""},
      {{certificate('a')}, by_operator('a'), false, false, "the next change would lock every Edge out"},
      {{certificate('b'), certificate('c')}, by_operator('a'), true, true, "no pin accepts"},
      {{}, by_operator('a'), false, true, "no pin accepts"},
      {{certificate('a'), certificate('b')}, blind("Operator"), true, true, "no answer"},
      {{certificate('a'), certificate('b')}, refusing, true, true, "tls.minVersion"},
  };
  for (const auto& cell : cells) {
    api::PinPolicySpec spec;
    spec.pins.require_backup = cell.require_backup;
    spec.rotation.allow = cell.allow;
    const std::string said = objection(spec, cell.accepted, cell.seen) + missing_backup(spec, cell.accepted, cell.seen);
    EXPECT_THAT(said, HasSubstr(cell.objection));
    EXPECT_EQ(said.empty(), std::string(cell.objection).empty()) << said;
  }
}

TEST(PinSet, AnotherLinkOfTheChainIsNoBackup) {
  api::PinPolicySpec spec;
  spec.pins = {.type = PinType::kPublicKey, .match = PinMatch::kAnyInChain};
  EXPECT_THAT(missing_backup(spec, {key('A'), key('R')}, by_operator('a')), HasSubstr("add a backup"));
  EXPECT_EQ(missing_backup(spec, {key('R'), key('Q')}, by_operator('a')), "");
}

TEST(PinSet, APinThatGoesWithItsOverlapIsNoBackup) {
  Story story = Story::learned();
  story.spec.rotation.confirmations = 1;
  const auto outcome = story.pass({by_operator('b')});
  EXPECT_THAT(outcome.accepted, ElementsAre(certificate('a'), certificate('b')));
  EXPECT_THAT(outcome.lasting, ElementsAre(certificate('b')));
  EXPECT_THAT(missing_backup(story.spec, outcome.lasting, by_operator('b')), HasSubstr("add a backup"));
}

// --- interception

TEST(PinSet, AnEdgeThatIsLedElsewhereIsIntercepted) {
  const std::vector<Pin> accepted = {certificate('a')};
  const auto intercepted = [&](const Sight& edge, const Sight& seen = by_operator('a')) {
    return is_intercepted(edge, seen, accepted, PinMatch::kLeaf);
  };
  Sight unknown_root = sight("edge01", link('p'), 'q');
  unknown_root.problem = "\"Proxy CA\" is no known root";
  EXPECT_TRUE(intercepted(unknown_root));
  EXPECT_TRUE(intercepted(sight("edge01", link('p'), 'q'))) << "a known root, but another one";
  EXPECT_FALSE(intercepted(sight("edge01", link('b')))) << "a change that has not reached all hosts yet";
  EXPECT_FALSE(intercepted(sight("edge01", link('a'))));
  EXPECT_FALSE(intercepted(sight("edge01", link('a'), 'q'))) << "cross-signed";
  EXPECT_FALSE(intercepted(blind("edge01"))) << "it saw nothing";
  EXPECT_FALSE(intercepted(sight("edge01", link('p'), 'q'), blind("Operator"))) << "nothing to compare with";
  Sight expired = sight("edge01", link('a'));
  expired.problem = "it has expired";
  EXPECT_FALSE(intercepted(expired, expired)) << "the endpoint's own chain is wrong, for everybody";
  EXPECT_TRUE(intercepted(unknown_root, expired));
}

}  // namespace
}  // namespace edgetrust::decide::pins
