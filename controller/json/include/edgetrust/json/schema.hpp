#pragma once
// The OpenAPI v3 schema of a described type, as a CustomResourceDefinition holds it. Members keep the order of the
// field list.
#include "edgetrust/json/fields.hpp"

#include <nlohmann/json.hpp>

namespace edgetrust::json {

using OrderedValue = nlohmann::ordered_json;

struct SchemaOptions {
  // Strings and lists without a bound of their own get these: CEL's cost estimate needs every length bounded.
  std::int64_t max_length = 1024;
  std::int64_t max_items = 64;
};

template <class T>
OrderedValue schema_of(const SchemaOptions& options, const FieldInfo& info = {});

class SchemaWriter {
 public:
  explicit SchemaWriter(const SchemaOptions& options) : options_(options) {}

  template <class T, class... Attributes>
  void operator()(std::string_view name, T& /*member*/, const Attributes&... attributes) {
    const FieldInfo info = field_info(attributes...);
    properties_[std::string(name)] = schema_of<T>(options_, info);
    if (info.required) required_.push_back(name);
  }
  void rule(std::string_view cel, std::string_view message) { rules_.push_back({{"rule", cel}, {"message", message}}); }

  [[nodiscard]] OrderedValue properties() const { return properties_; }
  [[nodiscard]] OrderedValue required_names() const { return required_; }
  [[nodiscard]] OrderedValue rules() const { return rules_; }

 private:
  const SchemaOptions& options_;
  OrderedValue properties_ = OrderedValue::object();
  OrderedValue required_ = OrderedValue::array();
  OrderedValue rules_ = OrderedValue::array();
};

template <class T>
OrderedValue schema_of(const SchemaOptions& options, const FieldInfo& info) {
  if constexpr (IsOptional<T>::value) {
    return schema_of<typename T::value_type>(options, info);
  } else {
    OrderedValue schema = OrderedValue::object();
    if (!info.doc.empty()) schema["description"] = info.doc;
    OrderedValue rules = OrderedValue::array();
    for (const auto& r : info.rules) rules.push_back({{"rule", r.cel}, {"message", r.message}});
    if constexpr (std::is_same_v<T, bool>) {
      schema["type"] = "boolean";
    } else if constexpr (std::is_integral_v<T>) {
      schema["type"] = "integer";
      schema["format"] = sizeof(T) > 4 ? "int64" : "int32";
      if (info.minimum) schema["minimum"] = *info.minimum;
      if (info.maximum) schema["maximum"] = *info.maximum;
    } else if constexpr (std::is_same_v<T, std::string> || IsText<T>) {
      schema["type"] = "string";
      std::int64_t longest = info.max_length.value_or(options.max_length);
      if (info.min_length) schema["minLength"] = *info.min_length;
      if (info.pattern) schema["pattern"] = *info.pattern;
      if constexpr (NamedEnum<T>) {
        longest = 0;
        for (const auto& [value, name] : EnumNames<T>::kNames) schema["enum"].push_back(name);
      } else if constexpr (requires { Text<T>::kPattern; }) {
        schema["pattern"] = Text<T>::kPattern;
        longest = Text<T>::kMaxLength;
      } else if constexpr (requires { Text<T>::kFormat; }) {
        schema["format"] = Text<T>::kFormat;
        longest = 64;
      }
      if (longest > 0) schema["maxLength"] = longest;
    } else if constexpr (IsVector<T>::value) {
      schema["type"] = "array";
      if (info.min_items) schema["minItems"] = *info.min_items;
      schema["maxItems"] = info.max_items.value_or(options.max_items);
      if (info.map_key) {
        schema["x-kubernetes-list-type"] = "map";
        schema["x-kubernetes-list-map-keys"] = OrderedValue::array({*info.map_key});
      } else {
        schema["x-kubernetes-list-type"] = "atomic";
      }
      schema["items"] = schema_of<typename T::value_type>(
          options, FieldInfo{.pattern = info.item_pattern, .max_length = info.item_max_length});
    } else if constexpr (std::is_same_v<T, StringMap>) {
      schema["type"] = "object";
      schema["maxProperties"] = info.max_items.value_or(options.max_items);
      schema["additionalProperties"] = schema_of<std::string>(options, FieldInfo{.max_length = info.item_max_length});
    } else {
      schema["type"] = "object";
      T prototype{};
      SchemaWriter writer(options);
      fields(writer, prototype);
      if (!writer.required_names().empty()) schema["required"] = writer.required_names();
      schema["properties"] = writer.properties();
      for (const auto& r : writer.rules()) rules.push_back(r);
    }
    if (info.preset) schema["default"] = OrderedValue::parse(*info.preset);
    if (!rules.empty()) schema["x-kubernetes-validations"] = rules;
    return schema;
  }
}

}  // namespace edgetrust::json
