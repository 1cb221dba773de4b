#include "edgetrust/api/claim.hpp"

namespace edgetrust::api {
namespace {

using namespace std::chrono_literals;

// The older of two for one Edge, or the younger.
EdgeCertificate certificate(const std::string& uid, std::chrono::seconds made) {
  EdgeCertificate made_then;
  made_then.meta.uid = uid;
  made_then.meta.creation_time = TimePoint{made};
  made_then.spec.edge_ref.name = "edge01";
  return made_then;
}
EdgeCertificate working(EdgeCertificate certificate) {
  certificate.status.delivery.emplace();
  return certificate;
}
EdgeCertificate deleting(EdgeCertificate certificate) {
  certificate.meta.deletion_time = TimePoint{9s};
  return certificate;
}

TEST(EdgeClaim, TheOlderGoesFirst) {
  EXPECT_LT(*claim_of(certificate("b", 1s)), *claim_of(certificate("a", 2s)));
  EXPECT_LT(*claim_of(certificate("a", 1s)), *claim_of(certificate("b", 1s))) << "made in one second";
}

TEST(EdgeClaim, WhoHasBegunSomethingOnTheEdgeGoesBeforeAnOlderOne) {
  EXPECT_LT(*claim_of(working(certificate("b", 2s))), *claim_of(certificate("a", 1s)));
  EXPECT_LT(*claim_of(working(certificate("a", 1s))), *claim_of(working(certificate("b", 2s))));
}

TEST(EdgeClaim, OneThatIsBeingDeletedLetsGoWhenItsDeliveryIsOver) {
  EXPECT_TRUE(claim_of(deleting(working(certificate("a", 1s)))));
  EXPECT_FALSE(claim_of(deleting(certificate("a", 1s))));
}

TEST(EdgeClaim, OneThatCannotBeReadClaimsNothing) {
  EdgeCertificate broken = certificate("a", 1s);
  broken.broken = Error{.kind = ErrorKind::kInvalid, .what = "no"};
  EXPECT_FALSE(claim_of(broken));
}

}  // namespace
}  // namespace edgetrust::api
