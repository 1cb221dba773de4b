#include "edgetrust/plugin/document.hpp"

#include "edgetrust/json/value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace edgetrust::plugin {
namespace {

TEST(Yaml, WhatYamlWouldReadAsSomethingElseIsQuoted) {
  for (const char* text : {"true", "No", "null", "~", "7", "1e3", "0x1f", "2026-11-29", "", " a", "a: b", "- a", "#a",
                           "a\nb", "é", "12:30:00", "*a", "&a"}) {
    const std::string yaml = as_yaml({{"a", text}});
    const YAML::Node back = YAML::Load(yaml)["a"];
    EXPECT_EQ(back.Scalar(), text) << yaml;
    EXPECT_EQ(back.Tag(), "!") << yaml << "is not quoted";  // yaml-cpp's mark of a quoted scalar
  }
  EXPECT_EQ(as_yaml({{"name", "edge01"}}), "name: edge01\n");
}

TEST(Yaml, HasTheSameShapeAsTheDocument) {
  EXPECT_EQ(as_yaml({{"none", json::Value::array()}, {"one", {{{"size", 1}, {"on", true}}, nullptr}}}),
            "none: []\none:\n  - \"on\": true\n    size: 1\n  - ~\n");
}

TEST(Documents, GiveTheTerminalNoOrdersAndLoseNothing) {
  for (const std::string& text :
       {std::string("\x1b[2J"), std::string("\u009b2J"), std::string("é\u202e"), std::string("\x7f")}) {
    const json::Value value{{"a", text}};
    for (const std::string& shown : {as_json(value), as_yaml(value)}) {
      for (const char* order : {"\x1b", "\u009b", "\u202e", "\x7f"})
        EXPECT_EQ(shown.find(order), std::string::npos) << shown;
      EXPECT_EQ(YAML::Load(shown)["a"].Scalar(), text) << "JSON is YAML";
    }
  }
  EXPECT_EQ(as_json({{"a", "é"}}), "{\n    \"a\": \"é\"\n}\n");
}

TEST(Json, IsIndented) { EXPECT_EQ(as_json({{"a", {1}}}), "{\n    \"a\": [\n        1\n    ]\n}\n"); }

}  // namespace
}  // namespace edgetrust::plugin
