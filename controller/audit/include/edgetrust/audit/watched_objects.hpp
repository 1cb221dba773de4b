#pragma once
// The one place where records are made: the objects of a kind, as the engine writes their statuses. Each intention and
// each result goes through write_status before anything follows from it, so no effect can leave its record out, and no
// rule knows of audits. A process that ends between a status and its records loses them for good, for the next one
// finds no difference (ADR 0012); so does one for which the answer to its first status of an object is lost.
//
// What was written is compared with what this process has written of the object before, else with the cache. An object
// that is gone is forgotten when the engine looks for it, which it does after each deletion.
// Threads: any. Errors: those of the objects behind it.
#include "edgetrust/audit/log.hpp"
#include "edgetrust/ports/cluster.hpp"

#include <map>

namespace edgetrust::audit {

template <class Kind>
class WatchedObjects final : public ports::Objects<Kind> {
 public:
  // `inner` and `log` must outlive it.
  WatchedObjects(ports::Objects<Kind>& inner, Log& log) : inner_(inner), log_(log) {}

  [[nodiscard]] std::shared_ptr<const Kind> get(const api::ObjectKey& key) const override {
    auto found = inner_.get(key);
    if (!found) {
      const std::lock_guard lock(mutex_);
      written_.erase(key);
    }
    return found;
  }
  [[nodiscard]] std::vector<std::shared_ptr<const Kind>> list(const std::string& ns) const override {
    return inner_.list(ns);
  }
  Result<Kind> read(const api::ObjectKey& key, std::stop_token stop) override {
    return inner_.read(key, std::move(stop));
  }
  Result<std::string> write_status(const Kind& object, std::stop_token stop) override {
    const Kind before = before_of(object);
    auto version = inner_.write_status(object, std::move(stop));
    if (!version) return version;
    for (const Record& record : records(before, object)) log_.write(record);
    const std::lock_guard lock(mutex_);
    written_[object.meta.key()] = std::make_shared<const Kind>(object);
    return version;
  }
  Result<std::string> set_finalizer(const api::ObjectMeta& meta, const std::string& finalizer, bool present,
                                    std::stop_token stop) override {
    return inner_.set_finalizer(meta, finalizer, present, std::move(stop));
  }

 private:
  // Nothing, for an object that is new here.
  Kind before_of(const Kind& object) const {
    std::shared_ptr<const Kind> known;
    {
      const std::lock_guard lock(mutex_);
      const auto found = written_.find(object.meta.key());
      if (found != written_.end()) known = found->second;
    }
    if (!known) known = inner_.get(object.meta.key());
    return known && known->meta.uid == object.meta.uid ? *known : Kind{};
  }

  ports::Objects<Kind>& inner_;
  Log& log_;
  mutable std::mutex mutex_;
  mutable std::map<api::ObjectKey, std::shared_ptr<const Kind>> written_;  // of objects that there are
};

}  // namespace edgetrust::audit
