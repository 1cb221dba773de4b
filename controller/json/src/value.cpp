#include "edgetrust/json/value.hpp"

namespace edgetrust::json {

std::string dump(const Value& value) { return value.dump(-1, ' ', false, Value::error_handler_t::replace); }

Value to_value(View view) {
  switch (view.kind()) {
    case Kind::kBool: return *view.boolean();
    case Kind::kNumber:
      if (const auto integer = view.integer()) return *integer;
      return *view.number();
    case Kind::kString: return std::string(*view.string());
    case Kind::kArray: {
      Value list = Value::array();
      view.for_each_element([&](View item) {
        list.push_back(to_value(item));
        return true;
      });
      return list;
    }
    case Kind::kObject: {
      Value object = Value::object();
      view.for_each_member([&](std::string_view key, View member) {
        object[std::string(key)] = to_value(member);
        return true;
      });
      return object;
    }
    case Kind::kAbsent:
    case Kind::kNull: break;
  }
  return nullptr;
}

}  // namespace edgetrust::json
