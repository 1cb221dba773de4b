#pragma once
// The objects of one kind as last heard from the API server: what a Reflector fills and everyone else reads.
//
// Threads: reading from any; writing (Sink) from the reflector's alone. Errors: none; an object that cannot be decoded
// is in the store with its metadata and the error, so that one bad object never stops its kind.
#include "edgetrust/api/object.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/json/view.hpp"

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace edgetrust::kube {

// What a reflector tells about the objects of its kind. All calls come from one thread.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void clear_staged() = 0;
  // The object, or why it is refused unread; its metadata is good either way.
  virtual void stage(const api::ObjectMeta& meta, const Result<json::View>& object) = 0;
  virtual void unstage(const api::ObjectKey& key) = 0;
  virtual void commit() = 0;  // what is staged replaces all that was known
  virtual void apply(const api::ObjectMeta& meta, const Result<json::View>& object) = 0;
  virtual void remove(const api::ObjectKey& key) = 0;
};

// T has a member `meta`.
template <class T>
class Store final : public Sink {
 public:
  using Pointer = std::shared_ptr<const T>;
  // What it throws is handed to it again as the reason why the object cannot be read.
  using Decode = std::function<T(const api::ObjectMeta& meta, const Result<json::View>& object)>;
  // Before is null for a new object, after for one that is gone. When a deletion was missed, both are set and their
  // uids differ. Called on the reflector's thread after the store has changed, without a lock held.
  using Changed = std::function<void(const api::ObjectKey& key, const Pointer& before, const Pointer& after)>;
  // The values under which an object is found by indexed().
  using IndexOf = std::function<std::vector<std::string>(const T&)>;

  Store(Decode decode, Changed changed, std::map<std::string, IndexOf> indexes = {})
      : decode_(std::move(decode)), changed_(std::move(changed)), index_of_(std::move(indexes)) {}

  [[nodiscard]] Pointer get(const api::ObjectKey& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second;
  }
  // In the order of their keys.
  [[nodiscard]] std::vector<Pointer> list() const {
    const std::lock_guard lock(mutex_);
    std::vector<Pointer> all;
    all.reserve(objects_.size());
    for (const auto& [key, object] : objects_) all.push_back(object);
    return all;
  }
  [[nodiscard]] std::vector<Pointer> indexed(const std::string& index, const std::string& value) const {
    const std::lock_guard lock(mutex_);
    std::vector<Pointer> hits;
    const auto found = index_.find({index, value});
    if (found == index_.end()) return hits;
    for (const auto& key : found->second) hits.push_back(objects_.at(key));
    return hits;
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return objects_.size();
  }

  void clear_staged() override { staged_.clear(); }
  void stage(const api::ObjectMeta& meta, const Result<json::View>& object) override {
    staged_[meta.key()] = unless_same(meta, object);
  }
  void unstage(const api::ObjectKey& key) override { staged_.erase(key); }
  void commit() override {
    std::set<api::ObjectKey> gone;
    for (const auto& object : list()) {
      if (!staged_.contains(object->meta.key())) gone.insert(object->meta.key());
    }
    std::exception_ptr thrown;  // by a callback: the others are told nevertheless
    const auto try_put = [&](const api::ObjectKey& key, Pointer object) {
      try {
        put(key, std::move(object));
      } catch (...) {
        if (!thrown) thrown = std::current_exception();
      }
    };
    for (const auto& key : gone) try_put(key, nullptr);
    for (auto& [key, object] : staged_) try_put(key, std::move(object));
    staged_.clear();
    if (thrown) std::rethrow_exception(thrown);
  }
  void apply(const api::ObjectMeta& meta, const Result<json::View>& object) override {
    put(meta.key(), unless_same(meta, object));
  }
  void remove(const api::ObjectKey& key) override { put(key, nullptr); }

 private:
  // What is known already is kept, so that a full look costs little and tells of no change where there is none.
  Pointer unless_same(const api::ObjectMeta& meta, const Result<json::View>& object) const {
    Pointer known = get(meta.key());
    if (known && known->meta.uid == meta.uid && known->meta.resource_version == meta.resource_version) return known;
    return std::make_shared<const T>(try_decode(meta, object));
  }

  T try_decode(const api::ObjectMeta& meta, const Result<json::View>& object) const {
    try {
      return decode_(meta, object);
    } catch (const std::exception& error) {
      return decode_(meta, fail(ErrorKind::kInternal, std::string("the decoder threw: ") + error.what()));
    }
  }

  void put(const api::ObjectKey& key, Pointer after) {
    Pointer before;
    {
      const std::lock_guard lock(mutex_);
      const auto found = objects_.find(key);
      if (found != objects_.end()) before = found->second;
      if (before == after) return;
      unindex(key);
      if (after) {
        objects_[key] = after;
        index(key, *after);
      } else {
        objects_.erase(key);
      }
    }
    if (changed_) changed_(key, before, after);
  }

  using IndexPlace = std::pair<std::string, std::string>;  // index, value
  void index(const api::ObjectKey& key, const T& object) {
    for (const auto& [name, values] : index_of_) {
      for (auto& value : values(object)) {
        index_[{name, value}].insert(key);
        places_[key].push_back({name, std::move(value)});
      }
    }
  }
  void unindex(const api::ObjectKey& key) {
    for (const auto& place : places_[key]) {
      auto& keys = index_[place];
      keys.erase(key);
      if (keys.empty()) index_.erase(place);
    }
    places_.erase(key);
  }

  const Decode decode_;
  const Changed changed_;
  const std::map<std::string, IndexOf> index_of_;
  mutable std::mutex mutex_;
  std::map<api::ObjectKey, Pointer> objects_;
  std::map<IndexPlace, std::set<api::ObjectKey>> index_;
  std::map<api::ObjectKey, std::vector<IndexPlace>> places_;
  std::map<api::ObjectKey, Pointer> staged_;  // the reflector's thread alone
};

}  // namespace edgetrust::kube
