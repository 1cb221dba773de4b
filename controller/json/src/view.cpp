#include "edgetrust/json/view.hpp"

#include <bit>
#include <limits>
#include <set>

#include <simdjson.h>

namespace edgetrust::json {

using simdjson::dom::element;
using simdjson::dom::element_type;

static_assert(sizeof(element) == sizeof(std::array<std::byte, 16>));
static_assert(std::is_trivially_copyable_v<element>);

struct ViewAccess {
  static element get(const View& view) { return std::bit_cast<element>(view.element_); }
  static View make(element from) {
    View view;
    view.element_ = std::bit_cast<std::array<std::byte, 16>>(from);
    view.present_ = true;
    return view;
  }
};

namespace {

// Empty when the value is of another kind. (value_unsafe() on the library's result types makes g++ 12 see uninitialized
// memory.)
simdjson::dom::object object_of(element value) {
  simdjson::dom::object object;
  return value.get(object) == simdjson::SUCCESS ? object : simdjson::dom::object{};
}
simdjson::dom::array array_of(element value) {
  simdjson::dom::array array;
  return value.get(array) == simdjson::SUCCESS ? array : simdjson::dom::array{};
}

// Objects with few members are compared pairwise, large ones through a set.
bool has_duplicate_key(simdjson::dom::object object) {
  constexpr std::size_t kFew = 16;
  if (object.size() <= kFew) {
    for (auto a = object.begin(); a != object.end(); ++a) {
      auto b = a;
      for (++b; b != object.end(); ++b) {
        if (a.key() == b.key()) return true;
      }
    }
    return false;
  }
  std::set<std::string_view> keys;
  for (const auto& [key, value] : object) {
    if (!keys.insert(key).second) return true;
  }
  return false;
}

// The depth is bounded by the parser, so this recursion is too.
bool unique_keys(element value) {
  if (value.is_object()) {
    const simdjson::dom::object object = object_of(value);
    if (has_duplicate_key(object)) return false;
    for (const auto& [key, member] : object) {
      if (!unique_keys(member)) return false;
    }
  } else if (value.is_array()) {
    for (const element item : array_of(value)) {
      if (!unique_keys(item)) return false;
    }
  }
  return true;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kAbsent: return "nothing";
    case Kind::kNull: return "null";
    case Kind::kBool: return "a boolean";
    case Kind::kNumber: return "a number";
    case Kind::kString: return "a string";
    case Kind::kArray: return "a list";
    case Kind::kObject: return "an object";
  }
  return "nothing";
}

Kind View::kind() const {
  if (!present_) return Kind::kAbsent;
  switch (ViewAccess::get(*this).type()) {
    case element_type::ARRAY: return Kind::kArray;
    case element_type::OBJECT: return Kind::kObject;
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE: return Kind::kNumber;
    case element_type::STRING: return Kind::kString;
    case element_type::BOOL: return Kind::kBool;
    case element_type::NULL_VALUE: return Kind::kNull;
  }
  return Kind::kAbsent;
}

std::optional<std::string_view> View::string() const {
  if (kind() != Kind::kString) return std::nullopt;
  return ViewAccess::get(*this).get_string().value_unsafe();
}

std::optional<std::int64_t> View::integer() const {
  if (!present_) return std::nullopt;
  std::int64_t value = 0;
  if (ViewAccess::get(*this).get_int64().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<double> View::number() const {
  if (kind() != Kind::kNumber) return std::nullopt;
  double value = 0;
  if (ViewAccess::get(*this).get_double().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<bool> View::boolean() const {
  if (kind() != Kind::kBool) return std::nullopt;
  return ViewAccess::get(*this).get_bool().value_unsafe();
}

std::string View::string_or(std::string_view otherwise) const { return std::string(string().value_or(otherwise)); }

View View::operator[](std::string_view key) const {
  if (kind() != Kind::kObject) return {};
  element member;
  if (object_of(ViewAccess::get(*this)).at_key(key).get(member) != simdjson::SUCCESS) return {};
  return ViewAccess::make(member);
}

std::size_t View::size() const {
  if (kind() == Kind::kObject) return object_of(ViewAccess::get(*this)).size();
  if (kind() == Kind::kArray) return array_of(ViewAccess::get(*this)).size();
  return 0;
}

void View::for_each_member(const std::function<bool(std::string_view, View)>& visit) const {
  if (kind() != Kind::kObject) return;
  for (const auto& [key, value] : object_of(ViewAccess::get(*this))) {
    if (!visit(key, ViewAccess::make(value))) return;
  }
}

void View::for_each_element(const std::function<bool(View)>& visit) const {
  if (kind() != Kind::kArray) return;
  for (const element item : array_of(ViewAccess::get(*this))) {
    if (!visit(ViewAccess::make(item))) return;
  }
}

std::string View::text() const { return present_ ? simdjson::minify(ViewAccess::get(*this)) : std::string{}; }

struct Document::Parsed {
  simdjson::dom::parser parser;
};

Document::Document() : parsed_(std::make_unique<Parsed>()) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view text, Limits limits) {
  if (text.data() == nullptr) return fail(ErrorKind::kInvalid, "there is no text to parse");
  if (text.size() > limits.max_bytes) {
    return fail(ErrorKind::kProtocol, "the JSON is larger than " + std::to_string(limits.max_bytes) + " octets");
  }
  Document document;
  auto& parser = document.parsed_->parser;
  // simdjson refuses what is nested deeper than it was allocated for; one level is its own.
  if (parser.allocate(std::max<std::size_t>(text.size(), 64), limits.max_depth + 1) != simdjson::SUCCESS) {
    return fail(ErrorKind::kInternal, "no memory for a JSON parser");
  }
  element root;
  if (const auto error = parser.parse(text.data(), text.size()).get(root); error != simdjson::SUCCESS) {
    return fail(ErrorKind::kProtocol, std::string("not JSON: ") + simdjson::error_message(error));
  }
  if (!unique_keys(root)) return fail(ErrorKind::kProtocol, "an object in the JSON has the same key twice");
  document.root_ = ViewAccess::make(root);
  return document;
}

}  // namespace edgetrust::json
