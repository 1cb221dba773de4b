// All that may leave at all; a call that is added is added here too.
#include "edgetrust/genesys/calls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgetrust::genesys {
namespace {

using http::Method;

const std::string kUpload = "/upload/certificates";
const std::string kStatus = "/upload/{id}/status";
const std::string kEdges = "/api/v2/telephony/providers/edges";

std::string line(const Call& call) {
  return std::string(call.host == Host::kApi ? "api " : "upload ") + std::string(http::to_string(call.method)) + " " +
         call.path;
}

TEST(AllowList, IsThisAndNothingElse) {
  std::vector<std::string> lines;
  const AllowList list(kUpload, kStatus);
  for (const Call& call : list.calls()) lines.push_back(line(call));
  EXPECT_THAT(
      lines,
      testing::UnorderedElementsAre(
          "api GET " + kEdges, "api GET " + kEdges + "/{id}", "api POST " + kEdges + "/{id}/statuscode",
          "api GET " + kEdges + "/{id}/trunks", "api GET " + kEdges + "/trunks", "api GET " + kEdges + "/sites",
          "api GET " + kEdges + "/certificateauthorities", "api POST " + kEdges + "/certificateauthorities",
          "api PUT " + kEdges + "/certificateauthorities/{id}", "api DELETE " + kEdges + "/certificateauthorities/{id}",
          "api POST /api/v2/certificate/details", "api GET /api/v2/oauth/clients/{id}",
          "upload GET /upload/{id}/status", "upload POST /upload/certificates"));
}

TEST(AllowList, LetsThroughWhatItLists) {
  const AllowList list(kUpload, kStatus);
  EXPECT_TRUE(list.allows(Host::kApi, Method::kGet, kEdges));
  EXPECT_TRUE(list.allows(Host::kApi, Method::kGet, kEdges + "/7f3c-1/trunks"));
  EXPECT_TRUE(list.allows(Host::kUpload, Method::kPost, kUpload));
  EXPECT_TRUE(list.allows(Host::kUpload, Method::kGet, "/upload/7f3c-1/status"));
}

// The vendor's permission would allow all of these.
TEST(AllowList, RefusesTheRest) {
  const AllowList list(kUpload, kStatus);
  for (const Method method : {Method::kPost, Method::kPut, Method::kPatch, Method::kDelete}) {
    for (const std::string& path :
         {kEdges, kEdges + "/e1", kEdges + "/e1/trunks", kEdges + "/e1/reboot", kEdges + "/e1/statuscode",
          kEdges + "/e1/unpair", kEdges + "/sites", kEdges + "/trunks", std::string("/api/v2/oauth/clients/c1"),
          std::string("/api/v2/oauth/clients/c1/secret")}) {
      const bool service_state = method == Method::kPost && path.ends_with("/statuscode");
      EXPECT_EQ(list.allows(Host::kApi, method, path), service_state) << http::to_string(method) << ' ' << path;
    }
  }
  const std::string authorities = kEdges + "/certificateauthorities";
  EXPECT_FALSE(list.allows(Host::kApi, Method::kDelete, authorities));
  EXPECT_FALSE(list.allows(Host::kApi, Method::kPut, authorities));
  EXPECT_FALSE(list.allows(Host::kApi, Method::kPost, authorities + "/1"));
  EXPECT_FALSE(list.allows(Host::kApi, Method::kDelete, authorities + "/1/2"));
  for (const std::string& path :
       {kEdges + "/", kEdges + "/e1/statuscode", kEdges + "/e1/reboot", kEdges + "/e1/setuppackage",
        kEdges + "/e1/trunks/x", kEdges + "//trunks", kEdges + "/../trunks", kEdges + "/./trunks",
        kEdges + "/a/b/trunks", kEdges + "/e1?x/trunks", kEdges + "/trunks/t1", std::string("/api/v2/oauth/clients"),
        std::string("/api/v2/oauth/clients/c1/secret"), std::string("/api/v2/users")}) {
    EXPECT_FALSE(list.allows(Host::kApi, Method::kGet, path)) << path;
  }
}

TEST(AllowList, TheGuidesCallsGoToTheUploadsHostOnlyAndOthersNotThere) {
  const AllowList list(kUpload, kStatus);
  EXPECT_FALSE(list.allows(Host::kApi, Method::kPost, kUpload));
  EXPECT_FALSE(list.allows(Host::kApi, Method::kGet, "/upload/e1/status"));
  EXPECT_FALSE(list.allows(Host::kUpload, Method::kGet, kEdges));
  EXPECT_FALSE(list.allows(Host::kUpload, Method::kGet, kUpload));
  EXPECT_FALSE(list.allows(Host::kUpload, Method::kDelete, kUpload));
}

TEST(AllowList, WithoutAnUploadNothingGoesThere) {
  const AllowList list("", "");
  EXPECT_FALSE(list.allows(Host::kUpload, Method::kPost, ""));
  EXPECT_FALSE(list.allows(Host::kUpload, Method::kGet, "/upload/e1/status"));
}

}  // namespace
}  // namespace edgetrust::genesys
