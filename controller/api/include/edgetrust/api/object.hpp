#pragma once
// What every Kubernetes object has, and what every kind of ours adds to it. Plain values; times are UTC.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/base/error.hpp"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::api {

struct ObjectKey {
  std::string ns;
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
  [[nodiscard]] std::string to_string() const { return ns + "/" + name; }
};

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool operator==(const OwnerReference&) const = default;
};

struct ObjectMeta {
  std::string ns;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::optional<TimePoint> creation_time;
  std::optional<TimePoint> deletion_time;  // set: someone wants it gone, finalizers hold it
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> finalizers;
  std::vector<OwnerReference> owner_references;

  [[nodiscard]] ObjectKey key() const { return {ns, name}; }
  [[nodiscard]] bool deleting() const { return deletion_time.has_value(); }
  [[nodiscard]] std::optional<std::string_view> annotation(std::string_view which) const {
    const auto found = annotations.find(std::string(which));
    if (found == annotations.end()) return std::nullopt;
    return found->second;
  }
  [[nodiscard]] bool has_finalizer(std::string_view which) const {
    return std::find(finalizers.begin(), finalizers.end(), which) != finalizers.end();
  }
};

enum class Truth { kTrue, kFalse, kUnknown };

// Whether one resourceVersion of a kind is older than another: they compare as integers (KEP-5504; before Kubernetes
// 1.35 it was so all the same). Of what is no number nothing is concluded: false.
bool is_older(std::string_view version, std::string_view than);

// Bytes of a message in a status, at the most; what is longer is cut.
inline constexpr std::size_t kLongestMessage = 4096;

// metav1.Condition.
struct Condition {
  std::string type;
  Truth status = Truth::kUnknown;
  std::string reason;
  std::string message;
  std::int64_t observed_generation = 0;
  TimePoint last_transition_time;
  bool operator==(const Condition&) const = default;
};

// A kind: its metadata, what the user asks for, what the operator says.
// `broken` is set when the stored object passed the schema of some version but cannot be read by this one: metadata is
// valid then, spec is not.
template <class SpecType, class StatusType>
struct Object {
  using Spec = SpecType;
  using Status = StatusType;
  ObjectMeta meta;
  Spec spec;
  Status status;
  std::optional<Error> broken;
};

}  // namespace edgetrust::api
