#pragma once
// Reading JSON: bounded before it is parsed, duplicate keys refused, nothing copied until asked for.
//
// Document owns the text; a View is a pointer into it (16 octets, cheap to copy) and must not outlive it. A View of
// something absent is null, so lookups chain: doc.root()["metadata"]["name"].string(). Threads: a Document is read by
// one thread at a time.
#include "edgetrust/base/result.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::json {

enum class Kind { kAbsent, kNull, kBool, kNumber, kString, kArray, kObject };
std::string_view to_string(Kind kind);

class View {
 public:
  View() = default;  // absent

  [[nodiscard]] Kind kind() const;
  [[nodiscard]] bool present() const { return present_ && kind() != Kind::kNull; }

  // Empty when the value is of another kind (or, for integers, has a fraction or does not fit).
  [[nodiscard]] std::optional<std::string_view> string() const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  [[nodiscard]] std::optional<double> number() const;
  [[nodiscard]] std::optional<bool> boolean() const;
  [[nodiscard]] std::string string_or(std::string_view otherwise) const;

  [[nodiscard]] View operator[](std::string_view key) const;  // absent when this is no object or has no such member
  [[nodiscard]] std::size_t size() const;                     // of an array or object, else 0
  // Calls `visit` for each member or element in order; stops when it returns false. Does nothing on other kinds.
  void for_each_member(const std::function<bool(std::string_view key, View value)>& visit) const;
  void for_each_element(const std::function<bool(View value)>& visit) const;

  // Minified JSON of this value.
  [[nodiscard]] std::string text() const;

 private:
  friend class Document;
  friend struct ViewAccess;
  alignas(8) std::array<std::byte, 16> element_{};  // a simdjson::dom::element; its header stays out of ours
  bool present_ = false;
};

struct Limits {
  std::size_t max_bytes = std::size_t{1} << 20;
  std::size_t max_depth = 64;
};

class Document {
 public:
  // Errors: kInvalid for a text that points nowhere (an empty Secret does); kProtocol for broken, too large, too deep
  // JSON, or an object with a duplicate key; the message names the place, never the content.
  static Result<Document> parse(std::string_view text, Limits limits = {});
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();
  [[nodiscard]] View root() const { return root_; }

 private:
  Document();
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
  View root_;
};

}  // namespace edgetrust::json
