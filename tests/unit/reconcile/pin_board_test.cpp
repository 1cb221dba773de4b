#include "edgetrust/reconcile/pin_board.hpp"

namespace edgetrust::reconcile {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(PinBoardTest, WhatAnEdgeHasTakenOthersSeeUntilItGivesItBack) {
  PinBoard board;
  const api::ObjectKey one{"voice", "edge01"};
  const api::ObjectKey two{"voice", "edge02"};
  const api::ObjectKey elsewhere{"lab", "edge01"};
  board.take(one, {"policy-0", "site-a-0"});
  EXPECT_THAT(board.taken_by_others(two), ElementsAre("policy-0", "site-a-0"));
  EXPECT_THAT(board.taken_by_others(one), IsEmpty()) << "its own are no hindrance";
  EXPECT_THAT(board.taken_by_others(elsewhere), IsEmpty());
  board.take(one, {"policy-1"});
  EXPECT_THAT(board.taken_by_others(two), ElementsAre("policy-1"));
  board.give_back(one);
  EXPECT_THAT(board.taken_by_others(two), IsEmpty());
  board.take(two, {"policy-0"});
  board.forget_edge(two);
  EXPECT_THAT(board.taken_by_others(one), IsEmpty()) << "it is gone";
}

}  // namespace
}  // namespace edgetrust::reconcile
