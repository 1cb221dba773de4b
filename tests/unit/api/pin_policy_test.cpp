#include "edgetrust/api/pin_policy.hpp"

#include <gtest/gtest.h>

namespace edgetrust::api {
namespace {

ObjectMeta edge(std::string name, std::map<std::string, std::string> labels = {}) {
  ObjectMeta meta;
  meta.name = std::move(name);
  meta.labels = std::move(labels);
  return meta;
}

TEST(Selects, WhatIsNamedOrHasTheLabels) {
  PinPolicySpec policy;
  policy.edges = {"a"};
  EXPECT_TRUE(selects(policy, edge("a")));
  EXPECT_FALSE(selects(policy, edge("b"))) << "without a selector only names count";
  policy.edge_selector = LabelSelector{{{"pinned", "yes"}, {"site", "ny"}}};
  EXPECT_TRUE(selects(policy, edge("a"))) << "named, without the labels";
  EXPECT_TRUE(selects(policy, edge("b", {{"pinned", "yes"}, {"site", "ny"}, {"more", "1"}})));
  EXPECT_FALSE(selects(policy, edge("b", {{"pinned", "yes"}})));
  EXPECT_FALSE(selects(policy, edge("b", {{"pinned", "yes"}, {"site", "la"}})));
  policy.edge_selector = LabelSelector{};
  EXPECT_TRUE(selects(policy, edge("b"))) << "an empty selector is for all";
}

TEST(PinRotation, FollowsAllSourcesUnlessSomeAreNamed) {
  EXPECT_TRUE(PinRotation{}.follows(PinSource::kStatus));
  EXPECT_TRUE(PinRotation{}.follows(PinSource::kHandshake));
  const PinRotation announced{.sources = {PinSource::kStatus}};
  EXPECT_TRUE(announced.follows(PinSource::kStatus));
  EXPECT_FALSE(announced.follows(PinSource::kHandshake));
}

TEST(PinPolicy, DefaultsThatFollowFromOtherFields) {
  EXPECT_EQ(server_name({.host = "api.example.com"}), "api.example.com");
  EXPECT_EQ(server_name({.host = "10.0.0.1", .server_name = "api.example.com"}), "api.example.com");
  EXPECT_EQ(cipher_suites({}),
            (std::vector<std::string>{"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"}));
  EXPECT_EQ(cipher_suites({.cipher_suites = {"A"}}), std::vector<std::string>{"A"});
}

TEST(PinPolicy, ItsRootsAndTheCasOfItsIntermediariesConcernIt) {
  PinPolicy policy;
  policy.spec.trusted_intermediaries = {
      {.name = "a", .ca_ref = {.kind = BundleKind::kSecret, .name = "ca", .key = "k"}, .until = {}},
      {.name = "b", .ca_ref = {.kind = BundleKind::kConfigMap, .name = "map", .key = "k"}, .until = {}}};
  EXPECT_TRUE(names_secret(policy, "ca"));
  EXPECT_FALSE(names_secret(policy, "map")) << "that is no Secret";
  EXPECT_FALSE(names_secret(policy, "roots"));
  policy.spec.endpoint.ca_bundle_ref = CaBundleRef{.kind = BundleKind::kSecret, .name = "roots", .key = "k"};
  EXPECT_TRUE(names_secret(policy, "roots"));
}

}  // namespace
}  // namespace edgetrust::api
