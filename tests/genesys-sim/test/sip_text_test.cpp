#include "sip_text.hpp"

namespace edgetrust::sim {
namespace {

using Kind = SipStep::Kind;

SipStep answer(std::string_view input, OptionsReply options = OptionsReply::kOk) {
  return sip_answer(input, [options] { return options; });
}

const std::string kPing = sip_options("edge01.edges.test", 7);

TEST(SipText, AnswersAPingWithItsOwnHeaders) {
  const SipStep step = answer(kPing);
  EXPECT_EQ(step.kind, Kind::kReply);
  EXPECT_EQ(step.consumed, kPing.size());
  EXPECT_TRUE(step.reply.starts_with("SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS sbc.invalid;branch=z9hG4bK7;rport\r\n"))
      << step.reply;
  EXPECT_NE(step.reply.find("\r\nFrom: <sip:sbc@sbc.invalid>;tag=7\r\n"), std::string::npos);
  EXPECT_NE(step.reply.find("\r\nTo: <sip:edge@edge01.edges.test;transport=tls>;tag=edge\r\n"), std::string::npos);
  EXPECT_NE(step.reply.find("\r\nCall-ID: ping-7@sbc.invalid\r\nCSeq: 1 OPTIONS\r\n"), std::string::npos);
  EXPECT_EQ(sip_status(step.reply), 200);
}

TEST(SipText, AnEdgeThatIsDownSaysSo) { EXPECT_EQ(sip_status(answer(kPing, OptionsReply::kUnavailable).reply), 503); }

TEST(SipText, AsksForTheReplyOnceForEachPing) {
  int asked = 0;
  const auto count = [&] {
    asked += 1;
    return OptionsReply::kOk;
  };
  (void)sip_answer(kPing.substr(0, 60), count);
  EXPECT_EQ(asked, 0);
  (void)sip_answer(kPing + kPing, count);
  EXPECT_EQ(asked, 1);
}

TEST(SipText, WaitsAtEverySplitAndTakesOneOfTwo) {
  for (std::size_t size = 0; size < kPing.size(); ++size) {
    EXPECT_EQ(answer(std::string_view(kPing).substr(0, size)).kind, Kind::kMore) << size;
  }
  EXPECT_EQ(answer(kPing + kPing).consumed, kPing.size());
}

TEST(SipText, KeepAlivesAreSkipped) {
  EXPECT_EQ(answer("\r\n\r\n").kind, Kind::kMore);
  const SipStep step = answer("\r\n\r\n" + kPing);
  EXPECT_EQ(step.kind, Kind::kReply);
  EXPECT_EQ(step.consumed, kPing.size() + 4);
}

TEST(SipText, CompactNamesAndABodyAreUnderstood) {
  const std::string ping =
      "OPTIONS sip:e SIP/2.0\r\nv: SIP/2.0/TLS a\r\nf: <sip:a>\r\nt: <sip:e>;tag=x\r\ni: 1\r\nCSeq: 1 OPTIONS\r\nl: "
      "4\r\n\r\n";
  EXPECT_EQ(answer(ping + "abc").kind, Kind::kMore);
  const SipStep step = answer(ping + "abcd");
  EXPECT_EQ(step.consumed, ping.size() + 4);
  EXPECT_EQ(sip_status(step.reply), 200);
  EXPECT_NE(step.reply.find("To: <sip:e>;tag=x\r\n"), std::string::npos);
}

TEST(SipText, OtherRequestsAreNotAllowedAndAckIsSilent) {
  std::string invite = kPing;
  invite.replace(0, 7, "INVITE");
  EXPECT_EQ(sip_status(answer(invite).reply), 405);
  EXPECT_NE(answer(invite).reply.find("Allow: ACK, OPTIONS\r\n"), std::string::npos) << "not what is refused";
  std::string ack = kPing;
  ack.replace(0, 7, "ACK");
  EXPECT_EQ(answer(ack).kind, Kind::kSilent);
  EXPECT_EQ(sip_status(answer("OPTIONS sip:e SIP/2.0\r\nVia: x\r\n\r\n").reply), 400) << "required headers missing";
}

TEST(SipText, HangsUpOnGarbage) {
  for (const std::string& text :
       {std::string("GET / HTTP/1.1\r\n"), std::string("hello\r\n"), std::string(9'000, 'x'),
        "OPTIONS sip:e SIP/2.0\r\n" + std::string(9'000, 'x'), std::string("OPTIONS sip:e SIP/2.0\r\nno colon\r\n\r\n"),
        std::string("OPTIONS sip:e SIP/2.0\r\nContent-Length: 999999\r\n\r\n"), std::string(9'000, '\n')}) {
    EXPECT_EQ(answer(text).kind, Kind::kGarbage) << text.substr(0, 40);
  }
}

TEST(SipText, ReadsTheStatusOfAResponse) {
  EXPECT_EQ(sip_status("SIP/2.0 200 OK\r\n"), std::nullopt);
  EXPECT_EQ(sip_status("SIP/2.0 503 Later\r\n\r\n"), 503);
  EXPECT_EQ(sip_status("HTTP/1.1 200 OK\r\n\r\n"), 0);
  EXPECT_EQ(sip_status(std::string(9'000, 'x')), 0);
}

}  // namespace
}  // namespace edgetrust::sim
