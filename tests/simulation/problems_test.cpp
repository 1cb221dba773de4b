// Each problem that a CA may answer with, at each kind of request on the way to a certificate: what it costs in orders.
#include "edgetrust/acme/reaction.hpp"
#include "simulation/world.hpp"

namespace edgetrust::simulation {
namespace {

using namespace std::chrono_literals;
using acme::Purpose;
using acme::Reaction;

// RFC 8555 section 6.7, RFC 9773 section 7.4, the profiles draft.
constexpr std::array kTypes = {"accountDoesNotExist",
                               "alreadyReplaced",
                               "alreadyRevoked",
                               "badCSR",
                               "badNonce",
                               "badPublicKey",
                               "badRevocationReason",
                               "badSignatureAlgorithm",
                               "caa",
                               "compound",
                               "connection",
                               "dns",
                               "externalAccountRequired",
                               "incorrectResponse",
                               "invalidContact",
                               "invalidProfile",
                               "malformed",
                               "orderNotReady",
                               "rateLimited",
                               "rejectedIdentifier",
                               "serverInternal",
                               "tls",
                               "unauthorized",
                               "unsupportedContact",
                               "unsupportedIdentifier",
                               "userActionRequired"};

// Those of one order, by the call of the CA that they are met at. The account is asked for before an order is.
struct Request {
  Purpose purpose;
  std::string_view call;
};
constexpr std::array kRequests = {Request{Purpose::kAccount, "newOrder"},
                                  Request{Purpose::kNewOrder, "newOrder"},
                                  Request{Purpose::kOrder, "order"},
                                  Request{Purpose::kAuthorization, "order"},
                                  Request{Purpose::kChallenge, "challenge"},
                                  Request{Purpose::kFinalize, "finalize"},
                                  Request{Purpose::kCertificate, "certificate"}};

const api::EdgeCertificate& certificate(const World& world) { return *world.certificates.get({"voice", "edge01"}); }

TEST(Problems, CostOneNewOrderAtTheMost) {
  for (const auto& [purpose, call] : kRequests) {
    for (const std::string type : kTypes) {
      SCOPED_TRACE(testing::Message() << call << " " << static_cast<int>(purpose) << " " << type);
      World world;
      const TimePoint over = world.clock.now() + 20min;
      int met = 0;
      world.ca_says = [&, at = call, reaction = acme::reaction_to(type, purpose).value()](
                          std::string_view asked) -> std::optional<Error> {
        if (asked != at || world.clock.now() >= over) return std::nullopt;
        ++met;
        return Error{.kind = acme::kind_of(reaction), .what = type, .code = "urn:ietf:params:acme:error:" + type};
      };
      ASSERT_TRUE(run(world, 20min));
      EXPECT_GT(met, 0);
      EXPECT_LT(met, 200) << "nor is it asked without rest";
      EXPECT_LE(world.orders, 1) << "while it lasts";
      ASSERT_TRUE(run(world, 12h));
      EXPECT_EQ(certificate(world).status.phase, api::Phase::kReady);
      EXPECT_LE(world.orders, 2);
    }
  }
}

}  // namespace
}  // namespace edgetrust::simulation
