#include "edgetrust/plugin/names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgetrust::plugin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Nearest, FindsSlipsOfATypist) {
  const std::vector<std::string> known{"edge01", "edge02", "dublin-edge", "paris"};
  EXPECT_THAT(nearest("edge10", known), ElementsAre("edge01", "edge02")) << "two swapped is nearer than two replaced";
  EXPECT_THAT(nearest("paris1", known), ElementsAre("paris"));
  EXPECT_THAT(nearest("PARIS", known), ElementsAre("paris"));
  EXPECT_THAT(nearest("dublin", known), ElementsAre("dublin-edge"));
  EXPECT_THAT(nearest("tokyo", known), IsEmpty());
  EXPECT_THAT(nearest("", known), IsEmpty());
}

TEST(Nearest, OffersThreeAtMost) {
  EXPECT_THAT(nearest("edge", {"edge4", "edge3", "edge2", "edge1"}), ElementsAre("edge1", "edge2", "edge3"));
}

TEST(NotFound, SaysWhatThereIs) {
  EXPECT_EQ(not_found("Edge", "edge1", "voice", {"edge01"}),
            "there is no Edge \"edge1\" in namespace voice; did you mean edge01?");
  EXPECT_EQ(not_found("Edge", "x", "voice", {"edge01"}), "there is no Edge \"x\" in namespace voice");
  EXPECT_EQ(not_found("Edge", "x", "voice", {}), "there is no Edge \"x\" in namespace voice, nor any other");
}

}  // namespace
}  // namespace edgetrust::plugin
