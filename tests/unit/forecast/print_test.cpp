// How a plan is told.
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/forecast/plan.hpp"
#include "edgetrust/json/view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgetrust::forecast {
namespace {

using testing::HasSubstr;
using testing::Not;

TimePoint at(const char* text) { return *parse_rfc3339(text); }

Plan sample() {
  const Place place{.certificate = {"voice", "edge01"},
                    .edge = "edge01",
                    .site = "São Paulo, centro",
                    .time_zone = "America/New_York",
                    .policy = "prod",
                    .wave = "canary"};
  Plan plan{.from = at("2027-01-01T00:00:00Z"),
            .until = at("2027-01-31T00:00:00Z"),
            .namespaces = {"voice", "lab"},
            .certificates = 2};
  plan.rotations.push_back({place, 7, at("2027-01-05T07:00:00Z"), at("2027-01-05T07:12:00Z")});
  Place other = place;
  other.certificate.name = other.edge = "edge02";
  plan.unfinished.push_back({other, "AwaitingApproval", "AwaitingApproval", "revision 3 is ready",
                             at("2027-01-02T00:00:00Z"), at("2027-01-20T00:00:00Z")});
  plan.expiries.push_back({other, at("2027-01-20T00:00:00Z")});
  plan.unread = {"voice/edge03: its Secrets cannot be read"};
  plan.infeasible.push_back({"RotationPolicy", {"voice", "prod"}, "Budget", "too many, too late"});
  return plan;
}

TEST(Print, TableHasAPartForEachThingThatThereIs) {
  const std::string table = as_table(sample());
  EXPECT_THAT(
      table,
      HasSubstr("Until 2027-01-31T00:00:00Z in voice, lab: 1 rotations of 2 EdgeCertificates, 1 unfinished at the end, "
                "1 expire, if all goes well.\n"));
  EXPECT_THAT(table, HasSubstr("2027-01-05T07:00:00Z   Tue 2027-01-05 02:00 America/New_York   voice/edge01   edge01   "
                               "São Paulo, centro   canary   7\n"));
  EXPECT_THAT(table, HasSubstr("voice/edge02   edge02   AwaitingApproval   AwaitingApproval   2027-01-02T00:00:00Z   "
                               "2027-01-20T00:00:00Z   revision 3 is ready\n"));
  EXPECT_THAT(table, HasSubstr("\nLEFT OUT\nCERTIFICATE AND REASON\nvoice/edge03: its Secrets cannot be read\n"));
  EXPECT_THAT(table, HasSubstr("RotationPolicy   voice/prod   Budget   too many, too late\n"));

  Plan quiet = sample();
  quiet.rotations.clear();
  quiet.unfinished.clear();
  quiet.expiries.clear();
  quiet.infeasible.clear();
  quiet.unread.clear();
  EXPECT_EQ(as_table(quiet),
            "Until 2027-01-31T00:00:00Z in voice, lab: 0 rotations of 2 EdgeCertificates, 0 unfinished at the end, 0 "
            "expire, if all goes "
            "well.\n");
}

TEST(Print, JsonHoldsAllOfIt) {
  const std::string text = as_json(sample());
  const auto document = json::Document::parse(text);
  ASSERT_TRUE(document);
  const json::View root = document->root();
  EXPECT_EQ(root["until"].string(), "2027-01-31T00:00:00Z");
  const auto first = [&](const char* list) {
    json::View found;
    root[list].for_each_element([&](json::View one) {
      found = one;
      return false;
    });
    return found;
  };
  EXPECT_EQ(first("rotations")["certificate"].string(), "edge01");
  EXPECT_EQ(first("rotations")["starts"].string(), "2027-01-05T07:00:00Z");
  EXPECT_EQ(first("rotations")["revision"].integer(), 7);
  EXPECT_EQ(first("unfinished")["reason"].string(), "AwaitingApproval");
  EXPECT_EQ(first("expiries")["edge"].string(), "edge02");
  EXPECT_EQ(first("unread").string(), "voice/edge03: its Secrets cannot be read");
  EXPECT_EQ(first("infeasible")["message"].string(), "too many, too late");
}

// RFC 5545 section 3.1: lines end with CR LF and have at most 75 octets; a longer one goes on after a space.
TEST(Print, CalendarLinesAreFoldedAndEscaped) {
  const std::string calendar = as_calendar(sample());
  EXPECT_TRUE(calendar.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"));
  EXPECT_TRUE(calendar.ends_with("END:VCALENDAR\r\n"));
  std::string unfolded;
  for (std::size_t begin = 0; begin < calendar.size();) {
    const auto end = calendar.find("\r\n", begin);
    ASSERT_NE(end, std::string::npos);
    const std::string line = calendar.substr(begin, end - begin);
    EXPECT_LE(line.size(), 75U) << line;
    EXPECT_THAT(line, Not(HasSubstr("\n")));
    if (line.starts_with(' ')) {
      unfolded += line.substr(1);
    } else {
      unfolded += "\n" + line;
    }
    begin = end + 2;
  }
  EXPECT_THAT(unfolded, HasSubstr("\nUID:voice/edge01/7@edgetrust\n"));
  EXPECT_THAT(unfolded, HasSubstr("\nDTSTART:20270105T070000Z\nDTEND:20270105T071200Z\n"
                                  "SUMMARY:Certificate of Edge edge01 (São Paulo\\, centro)\n"));
  EXPECT_THAT(unfolded, HasSubstr("\nDESCRIPTION:EdgeCertificate voice/edge01\\nSite: São Paulo\\, centro\\n"
                                  "RotationPolicy: prod\\nWave: canary\\nRevision: 7\n"));
  // Section 3.8.2.2: an end would have to be later than the start, and this is a moment.
  EXPECT_THAT(unfolded, HasSubstr("\nUID:voice/edge02/20270120T000000Z/expiry@edgetrust\nDTSTAMP:20270101T000000Z\n"
                                  "DTSTART:20270120T000000Z\nSUMMARY:Certificate of Edge edge02 expires\n"));
}

}  // namespace
}  // namespace edgetrust::forecast
