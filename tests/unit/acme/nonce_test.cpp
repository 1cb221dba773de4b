// Nonces: each used once, fetched only when there is none, and rejected ones replaced.
#include "fake_acme.hpp"

namespace edgetrust::acme {
namespace {

using testing::HasSubstr;

void script_orders(World& world) {
  world.server.reply_always("/order/1", json_answer(200, order_json("ready", "", "")));
}
Status look(World& world) {
  const auto order = world.client->order(at("/order/1"), {});
  if (!order) return fail(order.error());
  return {};
}

// FakeAcme fails the test when a nonce comes twice.
TEST(Nonces, ComeFromTheAnswersOnceOneWasFetched) {
  World world;
  script_orders(world);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(look(world).has_value());
  EXPECT_EQ(world.server.nonces_fetched, 1);
}

TEST(Nonces, ComeFromErrorsToo) {
  World world;
  script_orders(world);
  world.server.reply("/order/1", problem(500, "serverInternal"));
  EXPECT_FALSE(look(world).has_value());
  EXPECT_TRUE(look(world).has_value());
  EXPECT_EQ(world.server.nonces_fetched, 1);
}

TEST(Nonces, AreFetchedWhereAnswersHaveNone) {
  World world;
  world.server.nonce_in_answers = false;
  script_orders(world);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(look(world).has_value());
  EXPECT_EQ(world.server.nonces_fetched, 6);  // newAccount, and five looks
}

TEST(BadNonce, IsAnsweredWithTheFreshOne) {
  World world;
  script_orders(world);
  ASSERT_TRUE(look(world).has_value());
  world.server.reject_nonces = 19;
  EXPECT_TRUE(look(world).has_value());
  EXPECT_EQ(world.server.reject_nonces, 0);
  EXPECT_EQ(world.server.nonces_fetched, 1);
}

TEST(BadNonce, EndsAfterTwenty) {
  World world;
  script_orders(world);
  ASSERT_TRUE(look(world).has_value());
  world.server.reject_nonces = 1000;
  const auto gave_up = look(world);
  EXPECT_EQ(gave_up.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(gave_up.error().message(), HasSubstr("rejected 20 nonces in a row"));
  EXPECT_FALSE(gave_up.error().maybe_executed);
  EXPECT_EQ(world.server.reject_nonces, 980);
  world.server.reject_nonces = 0;
  EXPECT_TRUE(look(world).has_value());
}

TEST(BadNonce, WithoutAFreshOneFetchesOne) {
  World world;
  script_orders(world);
  ASSERT_TRUE(look(world).has_value());
  world.server.nonce_in_answers = false;
  world.server.reject_nonces = 3;
  EXPECT_TRUE(look(world).has_value());
  EXPECT_EQ(world.server.nonces_fetched, 4);
}

// Half of all nonces rejected: 400 requests, none of which may fail.
TEST(BadNonce, AtOneInTwoEveryCallSucceeds) {
  World world;
  script_orders(world);
  world.server.reject_share = 0.5;
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(look(world).has_value()) << i;
}

// Nine in ten rejected: a call succeeds, or fails without having done anything.
TEST(BadNonce, AtNineInTenACallSucceedsOrFailsCleanly) {
  World world;
  world.server.reject_share = 0.9;
  world.server.reply_always("/new-order",
                            json_answer(201, order_json("pending", "", ""), {{"Location", at("/order/1")}}));
  std::size_t orders = 0;
  for (int i = 0; i < 100; ++i) {
    const auto order = world.client->new_order(kRequest, {});
    if (order) {
      ++orders;
    } else {
      EXPECT_EQ(order.error().kind, ErrorKind::kUnavailable);
      EXPECT_FALSE(order.error().maybe_executed);
    }
    EXPECT_EQ(world.server.seen("/new-order").size(), orders);
  }
  EXPECT_GT(orders, 50U);
}

TEST(Nonces, ThatAreNoneAreNotUsed) {
  for (const std::string& nonce : {std::string(), std::string("a b"), std::string("a\"b"), std::string("ü"),
                                   std::string("a="), std::string(513, 'a')}) {
    World world;
    world.server.reply("/new-nonce", answer(200, {}, {{"Replay-Nonce", nonce}}));
    EXPECT_EQ(world.client->account({}).error().kind, ErrorKind::kProtocol) << nonce;
    script_orders(world);
    world.server.reply("/order/1", json_answer(200, order_json("ready", "", ""), {{"Replay-Nonce", nonce}}));
    EXPECT_TRUE(look(world).has_value());
    EXPECT_TRUE(look(world).has_value());  // FakeAcme would not know it
  }
}

TEST(Nonces, CannotBeHad) {
  World world;
  world.server.reply("/new-nonce", answer(503));
  EXPECT_EQ(world.client->account({}).error().message(), "newAccount: newNonce: HTTP 503 without a problem document");
  world.server.reply("/new-nonce", lost_answer());
  const auto lost = world.client->new_order(kRequest, {});
  EXPECT_EQ(lost.error().kind, ErrorKind::kTimeout);
  EXPECT_FALSE(lost.error().maybe_executed);
}

// Threads share the pool: no nonce goes to two of them (FakeAcme would see it), and few have to be fetched.
TEST(Nonces, AreSharedByThreads) {
  World world;
  script_orders(world);
  ASSERT_TRUE(look(world).has_value());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 25; ++i) EXPECT_TRUE(look(world).has_value());
      });
    }
  }
  EXPECT_LE(world.server.nonces_fetched, 9);  // at most one a thread, and the first
}

TEST(Threads, RegisterTogetherAndAgree) {
  World world;
  std::vector<std::string> kids(8);
  {
    std::vector<std::jthread> threads;
    for (auto& kid : kids) {
      threads.emplace_back([&] { kid = world.client->account({}).value(); });
    }
  }
  for (const auto& kid : kids) EXPECT_EQ(kid, at("/account/1"));
}

}  // namespace
}  // namespace edgetrust::acme
