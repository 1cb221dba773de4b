#include "edgetrust/api/change.hpp"

#include "edgetrust/api/conditions.hpp"

namespace edgetrust::api {
namespace {

Condition issued(std::string message, Truth truth = Truth::kTrue) {
  return {.type = std::string(condition::kIssued), .status = truth, .reason = "Issued", .message = std::move(message)};
}

TEST(Stored, IsReadAsItIsWritten) {
  EXPECT_EQ(is_stored(7), "revision 7 is stored");
  EXPECT_EQ(stored_revision(is_stored(7)), 7);
  for (const auto* text : {"", "revision  is stored", "revision 7", "revision 7 is stored.", "revision 7x is stored",
                           "revision is stored", "the order is made"}) {
    EXPECT_EQ(stored_revision(text), std::nullopt) << text;
  }
}

TEST(RevisionInQuestion, IsOneFromTheOrderToTheEndAndAfterwards) {
  EdgeCertificateStatus status;
  EXPECT_EQ(revision_in_question(status), std::nullopt);
  status.revision = 3;
  status.history = {{.revision = 3}};
  EXPECT_EQ(revision_in_question(status), 3) << "all is quiet: the last one";
  status.order = OrderStatus{.revision = 4};
  EXPECT_EQ(revision_in_question(status), 4) << "it is ordered";
  status.order.reset();
  status.conditions = {issued("revision 4 is stored")};
  EXPECT_EQ(revision_in_question(status), 4) << "it waits";
  status.delivery = DeliveryStatus{.revision = 4};
  EXPECT_EQ(revision_in_question(status), 4) << "it is delivered";
  status.delivery.reset();
  status.history.insert(status.history.begin(), {.revision = 4, .result = RevisionResult::kRolledBack});
  status.conditions = {issued("revision 3 is stored")};
  EXPECT_EQ(revision_in_question(status), 4) << "it was rolled back: what is served is older, what it is about is not";
  status.order = OrderStatus{.revision = 5};
  status.conditions = {issued("asked again in an hour", Truth::kFalse)};
  EXPECT_EQ(revision_in_question(status), 5) << "the next one";
}

TEST(PinFileInQuestion, IsOneFromTheInstallationToTheEndAndAfterwards) {
  EdgePins pins{.file_sha256 = "old"};
  EXPECT_EQ(pin_file_in_question(pins), "old");
  pins.change = PinChange{.file_sha256 = "new", .previous_sha256 = "old"};
  EXPECT_EQ(pin_file_in_question(pins), "new");
  pins.file_sha256 = "new";
  pins.change.reset();
  EXPECT_EQ(pin_file_in_question(pins), "new") << "it is in force";
  pins.file_sha256 = "old";
  pins.rejected_sha256 = "new";
  pins.state = EdgePinState::kRolledBack;
  EXPECT_EQ(pin_file_in_question(pins), "new") << "it was rolled back";
  pins.state = EdgePinState::kMatched;
  EXPECT_EQ(pin_file_in_question(pins), "old") << "all is well with what is there";
}

}  // namespace
}  // namespace edgetrust::api
