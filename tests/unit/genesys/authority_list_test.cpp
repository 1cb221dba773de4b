// What the Edges of the organisation trust.
#include "edgetrust/json/view.hpp"
#include "fleet_fixture.hpp"

#include <gmock/gmock.h>

namespace edgetrust::genesys {
namespace {

using ::testing::ElementsAre;
using testing::FleetFixture;
using testing::json_answer;

const std::string kAuthorities = testing::kEdges + "/certificateauthorities";

std::string entity(const std::string& id, const std::string& more) {
  return R"({"id":")" + id + R"(","name":"ca )" + id + R"(","version":4,"state":"active","certificate":"PEM",)" + more +
         "}";
}
http::Response listing(const std::vector<std::string>& entities) {
  std::string body = R"({"entities":[)";
  for (std::size_t i = 0; i < entities.size(); ++i) body += (i > 0 ? "," : "") + entities[i];
  return json_answer(200, body + R"(],"pageNumber":1,"pageCount":1})");
}

const ports::TrustedAuthority kSbc{.id = "ca/1",
                                   .name = "edgetrust voice/prod 0123",
                                   .version = 4,
                                   .services = {"PROVISION", "SIP"},
                                   .certificate_pem = "PEM\n"};

TEST(Authorities, ListsTheActiveOnesOfOthers) {
  FleetFixture f([](const http::Request&) {
    return listing({entity("managed", R"("type":"MANAGED","services":["SIP"])"),
                    entity("1", R"("type":"REMOTE","services":["SIP","PROVISION"])"),
                    entity("1", R"("type":"REMOTE","services":[])"), R"({"id":"2","type":"REMOTE","state":"deleted"})",
                    R"({"type":"REMOTE","name":"no id"})", R"({"id":"3","type":"REMOTE"})"});
  });
  const auto listed = f.fleet->authorities().list({}).value();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0],
            (ports::TrustedAuthority{
                .id = "1", .name = "ca 1", .version = 4, .services = {"PROVISION", "SIP"}, .certificate_pem = "PEM"}));
  EXPECT_EQ(listed[1].id, "3");
}

TEST(Authorities, MakesChangesAndRemovesAsTheVendorWantsIt) {
  FleetFixture f([](const http::Request&) { return json_answer(200, "{}"); });
  ports::TrustedAuthority fresh = kSbc;
  fresh.id.clear();
  ASSERT_TRUE(f.fleet->authorities().create(fresh, {}));
  ASSERT_TRUE(f.fleet->authorities().update(kSbc, {}));
  ASSERT_TRUE(f.fleet->authorities().remove(kSbc, {}));
  const auto sent = f.api->sent();
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_EQ(sent[1].line(), "POST " + kAuthorities);
  EXPECT_EQ(
      sent[1].body,
      R"({"certificate":"PEM\n","name":"edgetrust voice/prod 0123","services":["PROVISION","SIP"],"type":"REMOTE"})");
  EXPECT_EQ(sent[2].line(), "PUT " + kAuthorities + "/ca%2F1");
  const auto put = json::Document::parse(sent[2].body).value();
  EXPECT_EQ(put.root()["version"].integer(), 4);
  EXPECT_EQ(put.root()["id"].string(), "ca/1");
  EXPECT_EQ(sent[3].line(), "DELETE " + kAuthorities + "/ca%2F1");
  EXPECT_EQ(sent[3].body, "");
}

TEST(Authorities, SaysWhatWentWrong) {
  int status = 409;
  FleetFixture f([&](const http::Request&) { return json_answer(status, ""); });
  EXPECT_EQ(f.fleet->authorities().update(kSbc, {}).error().kind, ErrorKind::kConflict);
  status = 404;
  EXPECT_TRUE(f.fleet->authorities().remove(kSbc, {})) << "it is gone";
  EXPECT_FALSE(f.fleet->authorities().update(kSbc, {}));
  status = 503;
  EXPECT_TRUE(f.fleet->authorities().create(kSbc, {}).error().maybe_executed);
  EXPECT_TRUE(f.fleet->authorities().remove(kSbc, {}).error().maybe_executed);
  EXPECT_FALSE(f.fleet->authorities().list({}).error().maybe_executed);
}

}  // namespace
}  // namespace edgetrust::genesys
