#pragma once
// The objects of tests/golden/objects: every field of every kind, as they go over the wire. tests/integration gives the
// same ones to a real API server.
#include "edgetrust/api/codec.hpp"
#include "edgetrust/json/value.hpp"

#include <fstream>
#include <sstream>

namespace edgetrust::api {

inline json::Document golden(const std::string& name) {
  std::ifstream file(std::string(EDGETRUST_GOLDEN) + "/objects/" + name + ".json");
  std::ostringstream text;
  text << file.rdbuf();
  return json::Document::parse(text.str()).value();
}

template <class Kind>
Kind read(const std::string& text) {
  const auto document = json::Document::parse(text).value();
  return decode<Kind>(document.root());
}

}  // namespace edgetrust::api
