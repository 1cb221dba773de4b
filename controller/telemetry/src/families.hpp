#pragma once
// Two shapes of metrics on top of prometheus-cpp: one whose labels are a closed set, made whole at the start, and one
// with a series for each of our objects, which goes with the object.
#include <array>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace edgetrust::telemetry {

// Labels and their closed sets of values; every combination is a series from the start.
struct Axis {
  std::string label;
  std::vector<std::string> values;
};

template <class Metric>
class Closed {
 public:
  template <class... Args>
  Closed(prometheus::Family<Metric>& family, const std::vector<Axis>& axes, const Args&... args) {
    fill(family, axes, 0, {}, args...);
    for (const auto& axis : axes) sizes_.push_back(axis.values.size());
  }
  // By the positions of the values on their axes.
  template <class... Positions>
  Metric& at(Positions... positions) {
    std::size_t index = 0;
    std::size_t axis = 0;
    ((index = index * sizes_.at(axis++) + static_cast<std::size_t>(positions)), ...);
    return *series_.at(index);
  }

 private:
  template <class... Args>
  void fill(prometheus::Family<Metric>& family, const std::vector<Axis>& axes, std::size_t depth,
            const prometheus::Labels& labels, const Args&... args) {
    if (depth == axes.size()) {
      series_.push_back(&family.Add(labels, args...));
      return;
    }
    for (const auto& value : axes[depth].values) {
      auto more = labels;
      more[axes[depth].label] = value;
      fill(family, axes, depth + 1, more, args...);
    }
  }

  std::vector<Metric*> series_;
  std::vector<std::size_t> sizes_;
};

// A gauge for each object.
class PerObject {
 public:
  explicit PerObject(prometheus::Family<prometheus::Gauge>& family) : family_(family) {}

  // `more` may change: the object has one series at a time.
  void set(const std::string& ns, const std::string& name, double value, const prometheus::Labels& more = {}) {
    prometheus::Labels labels = more;
    labels["namespace"] = ns;
    labels["name"] = name;
    const std::lock_guard lock(mutex_);
    auto& series = series_[{ns, name}];
    if (series.gauge != nullptr && series.labels != labels) family_.Remove(series.gauge);
    series.gauge = &family_.Add(labels);
    series.labels = std::move(labels);
    series.gauge->Set(value);
  }

  void forget(const std::string& ns, const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = series_.find({ns, name});
    if (found == series_.end()) return;
    family_.Remove(found->second.gauge);
    series_.erase(found);
  }

 private:
  struct Series {
    prometheus::Gauge* gauge = nullptr;
    prometheus::Labels labels;
  };
  prometheus::Family<prometheus::Gauge>& family_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Series> series_;
};

}  // namespace edgetrust::telemetry
