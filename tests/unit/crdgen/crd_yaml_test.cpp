#include "crd_yaml.hpp"

#include <yaml-cpp/yaml.h>

namespace edgetrust::crdgen {
namespace {

TEST(CrdYaml, KeepsTheOrderAndWritesBlocks) {
  EXPECT_EQ(yaml_of(R"({"b":{"z":1,"a":[true,null,2.5,{"x":"w"}]},"a":"text","e":{},"l":[]})").value(),
            "b:\n"
            "  z: 1\n"
            "  a:\n"
            "    - true\n"
            "    - ~\n"
            "    - 2.5\n"
            "    - x: w\n"
            "a: text\n"
            "e: {}\n"
            "l: []\n");
}

TEST(CrdYaml, QuotesWhatAReaderWouldTakeForSomethingElse) {
  for (const char* text : {"true", "True",  "yes",  "No",   "on",    "OFF",   "y",          "n",
                           "null", "~",     "",     "1",    "5061",  "-1",    "+1",         "1.5",
                           ".5",   "1e3",   "0x1f", "0o17", "1_000", "02:00", "2026-11-22", "2026-11-22T12:00:00Z",
                           ".inf", "-.INF", ".NaN", "!tag", "&a",    "*a",    "- a",        "? a",
                           "a: b", "a #b",  "a:",   "#a",   "[a",    "{a",    "]a",         "}a",
                           ",a",   "|",     ">",    "%a",   "@a",    "`a",    "'a",         "\"a",
                           " a",   "a ",    "a\nb", "a\tb", "a\\b",  "=",     "<<",         "5m30",
                           "1h30m"}) {
    EXPECT_FALSE(is_plain_string(text)) << text;
    std::string quoted;
    for (const char c : std::string_view(text)) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c == '\n' ? "\\n" : c == '\t' ? "\\t" : std::string(1, c);
    }
    const std::string yaml = yaml_of("{\"v\":\"" + quoted + "\"}").value();
    EXPECT_TRUE(yaml.starts_with("v: \"") || yaml.starts_with("v: '")) << text;
    EXPECT_EQ(YAML::Load(yaml)["v"].Scalar(), text);
    EXPECT_EQ(YAML::Load(yaml)["v"].Tag(), "!") << text << " does not stay a string";
  }
}

TEST(CrdYaml, LeavesPlainWhatIsAStringToEveryReader) {
  for (const char* text : {"2h", "90s", "250ms", "string", "Ready", "AcmeIssuer", ".spec.server", ".status.phase",
                           "https://example.com/a", "truest", "nothing", "It's plain, with (a) comma; and more.",
                           "Default 90s.", "a…z", "x-kubernetes-list-type", "self.size() <= 200"}) {
    EXPECT_TRUE(is_plain_string(text)) << text;
    EXPECT_EQ(yaml_of("{\"v\":\"" + std::string(text) + "\"}").value(), "v: " + std::string(text) + "\n");
  }
}

TEST(CrdYaml, RegularExpressionsStayReadable) {
  EXPECT_EQ(yaml_of(R"({"v":"^\\d+\"'$"})").value(), "v: '^\\d+\"''$'\n");
}

TEST(CrdYaml, LongTextStaysOnOneLine) {
  const std::string text = "word" + std::string(2000, 'x') + " and" + std::string(500, ' ') + "more";
  const std::string yaml = yaml_of("{\"v\":\"" + text + "\"}").value();
  EXPECT_EQ(std::ranges::count(yaml, '\n'), 1);
  EXPECT_EQ(YAML::Load(yaml)["v"].Scalar(), text);
}

TEST(CrdYaml, RefusesWhatItCannotRead) { EXPECT_EQ(yaml_of("{\"a\": [").error().kind, ErrorKind::kInvalid); }

}  // namespace
}  // namespace edgetrust::crdgen
