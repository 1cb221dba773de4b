#include "edgetrust/dns/message.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/dns/name.hpp"
#include "support/fake_random.hpp"

namespace edgetrust::dns {
namespace {

std::string bytes(std::string_view hex) {
  std::string digits;
  std::copy_if(hex.begin(), hex.end(), std::back_inserter(digits), [](char c) { return c != ' '; });
  return from_hex(digits).value();
}

// RFC 1035 section 4.1, written out by hand: id 0x1234, RD, one question: a.test TXT IN.
const char* const kQuery = "1234 0100 0001 0000 0000 0000  01 61 04 74657374 00 0010 0001";
// Its answer: QR AA; the owner of the answer is a pointer to octet 12; TTL 60; "hi" and "!".
const char* const kAnswer =
    "1234 8500 0001 0001 0000 0000  01 61 04 74657374 00 0010 0001"
    "c00c 0010 0001 0000003c 0005 02 6869 01 21";

TEST(Message, ComposesAQueryOctetByOctet) {
  EXPECT_EQ(compose(query_of(0x1234, "A.Test.", RecordType::kTxt, true)).value(), bytes(kQuery));
}

TEST(Message, ComposesAnUpdateOctetByOctet) {
  // RFC 2136 section 2.5.4: delete one RR: class NONE, TTL 0. The zone's name is pointed at, not repeated.
  Message update;
  update.id = 1;
  update.opcode = Opcode::kUpdate;
  update.question = Question{"test", RecordType::kSoa, RecordClass::kIn};
  update.authority = {{.name = "a.test", .type = RecordType::kTxt, .klass = RecordClass::kNone, .ttl = 0, .data = "x"}};
  EXPECT_EQ(compose(update).value(),
            bytes("0001 2800 0001 0000 0001 0000  04 74657374 00 0006 0001  01 61 c00c 0010 00fe 00000000 0002 01 78"));
}

TEST(Message, ReadsAnAnswerWithCompressionAndSeveralStrings) {
  const auto message = parse(bytes(kAnswer));
  ASSERT_TRUE(message.has_value()) << message.error().what;
  EXPECT_EQ(message->id, 0x1234);
  EXPECT_TRUE(message->is_response);
  EXPECT_TRUE(message->authoritative);
  EXPECT_EQ(message->question, (Question{"a.test", RecordType::kTxt, RecordClass::kIn}));
  EXPECT_EQ(message->answers, (std::vector<Record>{{"a.test", RecordType::kTxt, RecordClass::kIn, 60, "hi!"}}));
}

TEST(Message, WhatIsComposedIsReadBack) {
  Message message;
  message.id = 0xFFFF;
  message.is_response = true;
  message.truncated = true;
  message.rcode = Rcode::kNotAuth;
  message.question = Question{"_acme-challenge.edge01.example.com", RecordType::kTxt, RecordClass::kIn};
  message.answers = {
      {"_acme-challenge.edge01.example.com", RecordType::kTxt, RecordClass::kIn, 60, std::string(1000, 'x')},
      {"_acme-challenge.edge01.example.com", RecordType::kTxt, RecordClass::kIn, 60, ""},
      {"*.example.com", RecordType::kCname, RecordClass::kIn, 1, "target.example.net"},
      {"ns1.example.com", RecordType::kA, RecordClass::kIn, 1, "192.0.2.1"},
      {"ns1.example.com", RecordType::kAaaa, RecordClass::kIn, 1, "2001:db8::1"},
  };
  message.authority = {{"", RecordType::kNs, RecordClass::kIn, 1, "ns1.example.com"}};
  message.additional = {{"key", RecordType::kTsig, RecordClass::kAny, 0, "raw"}};
  EXPECT_EQ(parse(compose(message).value()).value(), message);
}

TEST(Message, TextIsCutIntoStringsOf255) {
  const std::string wire =
      compose({.authority = {{"a", RecordType::kTxt, RecordClass::kIn, 0, std::string(256, 'x')}}}).value();
  const std::string rdata = wire.substr(wire.size() - 258);
  EXPECT_EQ(rdata, "\xFF" + std::string(255, 'x') + "\x01" + "x");
}

TEST(Message, RefusesWhatDnsCannotCarry) {
  for (const std::string& name :
       {std::string("a..b"), std::string(".a"), std::string(64, 'x'), std::string("a b"), std::string("a\\.b"),
        std::string("a\0b", 3), std::string("ä.test"), std::string(200, 'x'), "x." + std::string(300, 'x')}) {
    const auto wire = compose(query_of(1, name, RecordType::kTxt, true));
    ASSERT_FALSE(wire.has_value()) << name;
    EXPECT_EQ(wire.error().kind, ErrorKind::kInvalid);
  }
  std::string long_name;
  for (int i = 0; i < 64; ++i) long_name += "abc.";
  EXPECT_FALSE(compose(query_of(1, long_name, RecordType::kTxt, true)).has_value()) << "257 octets";
  for (const std::size_t size : {65'400U, 70'000U}) {
    const Record record{"a", RecordType::kTxt, RecordClass::kIn, 0, std::string(size, 'x')};
    EXPECT_FALSE(compose({.authority = {record}}).has_value()) << size;
  }
  EXPECT_FALSE(compose({.authority = {{"a", RecordType::kA, RecordClass::kIn, 0, "::1"}}}).has_value());
}

TEST(Message, RefusesHostileOnes) {
  const std::string head = "1234 8500 0001 0001 0000 0000  01 61 04 74657374 00 0010 0001 ";
  const std::vector<std::pair<const char*, std::string>> cases = {
      {"empty", ""},
      {"half a header", "1234 8500"},
      {"counts without records", "1234 8500 0001 ffff 0000 0000  01 61 04 74657374 00 0010 0001"},
      {"two questions", "1234 0100 0002 0000 0000 0000  0000100001 0000100001"},
      {"octets left over", std::string(kAnswer) + "00"},
      {"a pointer to itself", head + "c017 0010 0001 0000003c 0002 01 78"},
      {"two pointers in a circle", head + "c019 0010 0001 0000003c 0004 c017 c023"},
      {"a pointer past the end", head + "ffff 0010 0001 0000003c 0002 01 78"},
      {"a label of a reserved kind", head + "81 61 00 0010 0001 0000003c 0002 01 78"},
      {"a TXT string past its record", head + "c00c 0010 0001 0000003c 0002 05 78"},
      {"rdata past the message", head + "c00c 0010 0001 0000003c 00ff 01 78"},
      {"an address of 5 octets", head + "c00c 0001 0001 0000003c 0005 0102030405"},
      {"an IPv6 address of 4 octets", head + "c00c 001c 0001 0000003c 0004 01020304"},
      {"an alias to itself", head + "c00c 0005 0001 0000003c 0002 c023"},
      {"octets behind an alias", head + "c00c 0005 0001 0000003c 0003 c00c 00"},
  };
  for (const auto& [what, hex] : cases) {
    const auto message = parse(bytes(hex));
    ASSERT_FALSE(message.has_value()) << what;
    EXPECT_EQ(message.error().kind, ErrorKind::kProtocol) << what;
  }
  EXPECT_FALSE(parse(std::string(kLargestMessage + 1, '\0')).has_value());
}

TEST(Message, RefusesEveryTruncation) {
  const std::string whole = bytes(kAnswer);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse(whole.substr(0, size)).has_value()) << size;
}

// 64 kB of the smallest records there are: a pointer to a name of 255 octets each.
TEST(Message, ManyRecordsWithLongNamesStayBounded) {
  std::string wire = bytes("1234 8500 0001 0000 0000 0000");
  for (int i = 0; i < 3; ++i) wire += "\x3f" + std::string(63, '\x01');
  wire += "\x3d" + std::string(61, '\x01') + std::string(1, '\0') + bytes("0010 0001");
  const std::string record = bytes("c00c 0010 0001 00000000 0000");
  std::size_t count = 0;
  for (; wire.size() + record.size() <= kLargestMessage; ++count) wire += record;
  wire[6] = static_cast<char>(count >> 8U);
  wire[7] = static_cast<char>(count & 0xFFU);
  const auto message = parse(wire);
  ASSERT_TRUE(message.has_value()) << message.error().what;
  EXPECT_EQ(message->answers.size(), count);
  EXPECT_EQ(message->answers.back().name.substr(0, 8), "\\001\\001");
}

// Whatever comes, it is refused or read; run under the sanitizers this finds what the cases above do not name.
TEST(Message, SurvivesTwentyThousandMutations) {
  support::FakeRandom random(23);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string wire = bytes(kAnswer);
    for (std::uint64_t change = random.below(4); change < 4; ++change)
      wire[random.below(wire.size())] = static_cast<char>(random.below(256));
    if (random.below(4) == 0) wire.resize(random.below(wire.size() + 1));
    if (!parse(wire)) ++refused;
  }
  EXPECT_GT(refused, 5'000);
  EXPECT_LT(refused, 20'000);
}

TEST(Name, IsComparedLabelByLabel) {
  EXPECT_EQ(canonical_name("Edge01.Example.COM."), "edge01.example.com");
  EXPECT_TRUE(is_within("a.example.com", "example.com"));
  EXPECT_TRUE(is_within("example.com", "example.com"));
  EXPECT_TRUE(is_within("example.com", ""));
  EXPECT_FALSE(is_within("badexample.com", "example.com"));
  EXPECT_FALSE(is_within("a\\.example.com", "example.com")) << "one label: \"a.example\"";
  EXPECT_FALSE(is_within("com", "example.com"));
  EXPECT_EQ(parent_of("a.b.c"), "b.c");
  EXPECT_EQ(parent_of("a\\.b.c"), "c");
  EXPECT_EQ(parent_of("c"), "");
  EXPECT_EQ(shown(""), ".");
}

}  // namespace
}  // namespace edgetrust::dns
