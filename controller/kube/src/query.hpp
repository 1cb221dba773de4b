#pragma once
// A query string that grows: "?a=1&b=x%20y". An empty value is left out.
#include "edgetrust/http/url.hpp"

#include <string>
#include <string_view>

namespace edgetrust::kube {

class Query {
 public:
  Query& add(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    text_ += (text_.empty() ? "?" : "&") + http::percent_encode(name) + "=" + http::percent_encode(value);
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace edgetrust::kube
