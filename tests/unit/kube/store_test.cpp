#include "edgetrust/kube/store.hpp"

#include <stdexcept>

namespace edgetrust::kube {
namespace {

struct Thing {
  api::ObjectMeta meta;
  std::string color;
  std::optional<Error> broken;
};

Thing decode_thing(const api::ObjectMeta& meta, const Result<json::View>& object) {
  if (!object) return {meta, "", object.error()};
  const auto color = (*object)["color"].string();
  if (color == "thrown") throw std::runtime_error("no such color");
  if (!color) return {meta, "", Error{.kind = ErrorKind::kInvalid, .what = "color is required"}};
  return {meta, std::string(*color), {}};
}

api::ObjectMeta meta_of(const std::string& name, const std::string& version, const std::string& uid = "u") {
  api::ObjectMeta meta;
  meta.ns = "voice";
  meta.name = name;
  meta.uid = uid;
  meta.resource_version = version;
  return meta;
}
api::ObjectKey key(const std::string& name) { return {"voice", name}; }

struct StoreTest : testing::Test {
  std::vector<std::string> changes;
  Store<Thing> store{decode_thing,
                     [this](const api::ObjectKey& k, const auto& before, const auto& after) {
                       changes.push_back(k.name + " " + (before ? before->meta.resource_version : "-") + ">" +
                                         (after ? after->meta.resource_version : "-"));
                     },
                     {{"color", [](const Thing& thing) { return std::vector<std::string>{thing.color}; }}}};

  void stage(const std::string& name, const std::string& version, const std::string& color) {
    const auto document = json::Document::parse(R"({"color":")" + color + "\"}").value();
    store.stage(meta_of(name, version), document.root());
  }
  void apply(const std::string& name, const std::string& version, const std::string& color) {
    const auto document = json::Document::parse(R"({"color":")" + color + "\"}").value();
    store.apply(meta_of(name, version), document.root());
  }
  std::vector<std::string> names() {
    std::vector<std::string> result;
    for (const auto& thing : store.list()) result.push_back(thing->meta.name);
    return result;
  }
  std::vector<std::string> with_color(const std::string& color) {
    std::vector<std::string> result;
    for (const auto& thing : store.indexed("color", color)) result.push_back(thing->meta.name);
    return result;
  }
};

TEST_F(StoreTest, ShowsNothingOfALookBeforeItIsComplete) {
  stage("a", "1", "red");
  EXPECT_EQ(store.size(), 0U);
  EXPECT_EQ(store.get(key("a")), nullptr);
  store.commit();
  EXPECT_EQ(store.get(key("a"))->color, "red");
  EXPECT_EQ(changes, (std::vector<std::string>{"a ->1"}));
}

TEST_F(StoreTest, ACompleteLookReplacesAllIncludingWhatIsGone) {
  for (const char* name : {"a", "b", "c"}) stage(name, "1", "red");
  store.commit();
  changes.clear();
  stage("a", "1", "red");
  stage("c", "2", "blue");
  stage("d", "3", "red");
  store.commit();
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "c", "d"}));
  EXPECT_EQ(changes, (std::vector<std::string>{"b 1>-", "c 1>2", "d ->3"})) << "nothing about a, which is the same";
}

TEST_F(StoreTest, WhatIsTheSameKeepsItsPlaceInMemory) {
  stage("a", "1", "red");
  store.commit();
  const auto before = store.get(key("a"));
  stage("a", "1", "red");
  store.commit();
  EXPECT_EQ(store.get(key("a")), before);
}

TEST_F(StoreTest, ARecreatedObjectIsAChangeEvenAtTheSameVersion) {
  store.apply(meta_of("a", "1", "u1"), fail(ErrorKind::kInvalid, "x"));
  store.apply(meta_of("a", "1", "u2"), fail(ErrorKind::kInvalid, "x"));
  EXPECT_EQ(changes.size(), 2U);
  EXPECT_EQ(store.get(key("a"))->meta.uid, "u2");
}

TEST_F(StoreTest, ABrokenOffLookLeavesNothing) {
  stage("a", "1", "red");
  store.clear_staged();
  stage("b", "1", "red");
  store.commit();
  EXPECT_EQ(names(), std::vector<std::string>{"b"});
}

TEST_F(StoreTest, AnObjectThatGoesDuringTheLookIsNotThereAfterIt) {
  stage("a", "1", "red");
  stage("b", "1", "red");
  store.unstage(key("a"));
  store.commit();
  EXPECT_EQ(names(), std::vector<std::string>{"b"});
}

TEST_F(StoreTest, AppliesAndRemoves) {
  apply("a", "1", "red");
  apply("a", "2", "blue");
  store.remove(key("a"));
  store.remove(key("never-there"));
  EXPECT_EQ(changes, (std::vector<std::string>{"a ->1", "a 1>2", "a 2>-"}));
  EXPECT_EQ(store.size(), 0U);
}

TEST_F(StoreTest, FindsByIndex) {
  apply("a", "1", "red");
  apply("b", "2", "blue");
  apply("c", "3", "red");
  EXPECT_EQ(with_color("red"), (std::vector<std::string>{"a", "c"}));
  apply("a", "4", "blue");
  EXPECT_EQ(with_color("red"), std::vector<std::string>{"c"});
  EXPECT_EQ(with_color("blue"), (std::vector<std::string>{"a", "b"}));
  store.remove(key("c"));
  EXPECT_EQ(with_color("red"), std::vector<std::string>{});
  EXPECT_TRUE(store.indexed("shape", "round").empty());
}

TEST_F(StoreTest, OneBadObjectIsThereWithItsErrorAndHurtsNoOther) {
  stage("a", "1", "red");
  store.stage(meta_of("bad", "1"), json::View{});
  store.stage(meta_of("large", "1"), fail(ErrorKind::kInvalid, "too large"));
  stage("throws", "1", "thrown");
  stage("z", "1", "blue");
  store.commit();
  EXPECT_EQ(store.size(), 5U);
  EXPECT_EQ(store.get(key("bad"))->broken->what, "color is required");
  EXPECT_EQ(store.get(key("large"))->broken->what, "too large");
  EXPECT_EQ(store.get(key("throws"))->broken->what, "the decoder threw: no such color");
  EXPECT_EQ(store.get(key("z"))->color, "blue");
}

TEST(Store, ACallbackThatThrowsCostsNoOtherObject) {
  Store<Thing> store(decode_thing, [](const api::ObjectKey& k, const auto&, const auto&) {
    if (k.name == "a") throw std::runtime_error("callback");
  });
  for (const char* name : {"a", "b"}) store.stage(meta_of(name, "1"), fail(ErrorKind::kInvalid, "x"));
  EXPECT_THROW(store.commit(), std::runtime_error);
  EXPECT_EQ(store.size(), 2U);
}

TEST(Store, IsReadWhileItIsWritten) {
  Store<Thing> store(decode_thing, nullptr, {{"color", [](const Thing&) { return std::vector<std::string>{"x"}; }}});
  std::atomic<bool> more = true;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (more) {
        for (const auto& thing : store.list()) EXPECT_FALSE(thing->meta.name.empty());
        for (const auto& thing : store.indexed("color", "x")) EXPECT_FALSE(thing->meta.name.empty());
        (void)store.get(key("7"));
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) {
      store.stage(meta_of(std::to_string(i), std::to_string(round)), fail(ErrorKind::kInvalid, "x"));
    }
    store.commit();
    store.remove(key("7"));
  }
  more = false;
  readers.clear();
  EXPECT_EQ(store.size(), 49U);
}

}  // namespace
}  // namespace edgetrust::kube
