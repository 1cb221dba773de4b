#include "edgetrust/kube/api_error.hpp"

#include "support/fake_clock.hpp"

namespace edgetrust::kube {
namespace {

using namespace std::chrono_literals;

const TimePoint kNow = support::FakeClock().now();

std::string status_body(int code, const std::string& reason, const std::string& message,
                        const std::string& details = "{}") {
  return R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")" + message +
         R"(","reason":")" + reason + R"(","details":)" + details + R"(,"code":)" + std::to_string(code) + "}";
}
Error error_for(int status, std::string body, http::Headers headers = {}, bool mutation = false) {
  return api_error({.status = status, .headers = std::move(headers), .body = std::move(body)}, kNow, mutation);
}

TEST(ApiError, MapsEveryStatusToItsKind) {
  const std::map<int, ErrorKind> kinds = {
      {301, ErrorKind::kProtocol},    {400, ErrorKind::kInvalid},     {401, ErrorKind::kUnauthorized},
      {403, ErrorKind::kForbidden},   {404, ErrorKind::kUnavailable}, {405, ErrorKind::kUnsupported},
      {406, ErrorKind::kUnsupported}, {409, ErrorKind::kConflict},    {410, ErrorKind::kConflict},
      {413, ErrorKind::kInvalid},     {415, ErrorKind::kUnsupported}, {418, ErrorKind::kProtocol},
      {422, ErrorKind::kInvalid},     {429, ErrorKind::kRateLimited}, {500, ErrorKind::kUnavailable},
      {503, ErrorKind::kUnavailable}, {504, ErrorKind::kTimeout}};
  for (const auto& [status, kind] : kinds) {
    EXPECT_EQ(error_for(status, "").kind, kind) << status;
    EXPECT_EQ(error_for(status, "<html>proxy</html>").kind, kind) << status;
    EXPECT_FALSE(error_for(status, "").what.empty());
  }
}

TEST(ApiError, TellsTheTwoConflictsApart) {
  const Error exists = error_for(409, status_body(409, "AlreadyExists", R"(secrets \"a\" already exists)"));
  EXPECT_TRUE(already_exists(exists));
  EXPECT_FALSE(is_stale(exists));
  const Error stale = error_for(409, status_body(409, "Conflict", "the object has been modified"));
  EXPECT_TRUE(is_stale(stale));
  EXPECT_FALSE(already_exists(stale));
  EXPECT_TRUE(is_stale(error_for(409, "")));
}

TEST(ApiError, KnowsExpiredVersionsByEveryName) {
  for (const char* reason : {"Expired", "Gone", ""}) {
    const Error error = error_for(410, status_body(410, reason, "too old resource version: 1 (2)"));
    EXPECT_TRUE(is_expired(error)) << reason;
    EXPECT_EQ(error.kind, ErrorKind::kConflict);
  }
  const auto document = json::Document::parse(status_body(410, "Expired", "too old resource version: 1 (2)"));
  const Error in_stream = api_error(document->root());
  EXPECT_TRUE(is_expired(in_stream));
  EXPECT_EQ(in_stream.what, "too old resource version: 1 (2)");
}

TEST(ApiError, KnowsAVersionFromTheFuture) {
  const Error error = error_for(
      504,
      status_body(
          504, "Timeout", "Too large resource version: 9, current: 3",
          R"({"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],"retryAfterSeconds":1})"));
  EXPECT_EQ(error.code, kFromTheFuture);
  EXPECT_EQ(error.retry_after, 1s);
}

TEST(ApiError, TellsAMissingObjectFromAMissingKind) {
  const Error object =
      error_for(404, status_body(404, "NotFound", R"(secrets \"a\" not found)", R"({"name":"a","kind":"secrets"})"));
  EXPECT_EQ(object.code, "NotFound");
  EXPECT_EQ(object.kind, ErrorKind::kNotFound);
  for (const std::string& body : {std::string("404 page not found\n"),
                                  status_body(404, "NotFound", "the server could not find the requested resource")}) {
    const Error kind = error_for(404, body);
    EXPECT_EQ(kind.code, kNotServed);
    EXPECT_EQ(kind.kind, ErrorKind::kUnavailable) << "nobody may conclude that the object is gone";
    EXPECT_NE(kind.what.find("CRD"), std::string::npos);
  }
}

TEST(ApiError, SaysTheCausesOfAnInvalidObjectOnce) {
  const Error error = error_for(
      422,
      status_body(
          422, "Invalid", "Edge is invalid: spec.port: must be less than 65536",
          R"({"name":"a","causes":[{"field":"spec.port","message":"must be less than 65536"},{"field":"spec.host","message":"must not be empty"}]})"));
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_EQ(error.what, "Edge is invalid: spec.port: must be less than 65536; spec.host: must not be empty");
}

TEST(ApiError, TakesRetryAfterFromTheHeaderOrTheBody) {
  EXPECT_EQ(error_for(429, "", {{"Retry-After", "7"}}).retry_after, 7s);
  EXPECT_EQ(error_for(503, status_body(503, "ServiceUnavailable", "x", R"({"retryAfterSeconds":9})")).retry_after, 9s);
  EXPECT_EQ(error_for(503, "").retry_after, std::nullopt);
}

TEST(ApiError, AMutationWhoseFateIsOpenSaysSo) {
  for (const int status : {500, 503, 504}) {
    EXPECT_TRUE(error_for(status, "", {}, true).maybe_executed) << status;
    EXPECT_FALSE(error_for(status, "", {}, false).maybe_executed) << status;
  }
  for (const int status : {401, 403, 404, 409, 422, 429})
    EXPECT_FALSE(error_for(status, "", {}, true).maybe_executed) << status;
}

TEST(ApiError, MakesForeignTextFitForAMessage) {
  const Error error = error_for(400, status_body(400, "BadRequest", R"(a\u0007\n)" + std::string(5000, 'x')));
  EXPECT_LE(error.what.size(), 1024U);
  EXPECT_EQ(error.what.substr(0, 4), "a  x");
}

}  // namespace
}  // namespace edgetrust::kube
