#pragma once
// What this process has seen and done about each EdgeCertificate, and need not survive it: results of looks, failures,
// facts of immutable Secrets. Everything here can be lost at any time: the rules then look again.
#include "edgetrust/decide/certificate/observation.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

namespace edgetrust::reconcile {

// What the serving Secret holds, valid for this uid and resourceVersion.
struct ServingFacts {
  std::string uid;
  std::string resource_version;
  std::string fingerprint;
};
// What an immutable bundle holds, valid for its uid; and how it was judged, valid for what it was judged by.
struct BundleFacts {
  std::optional<ports::ChainFacts> chain;
  std::optional<Error> unreadable;
  std::string judged_by;  // empty: not yet
  std::optional<Error> defect;
};

// What the source Secret holds, valid for this state of it and of what it is judged by.
struct SourceFacts {
  std::string known_by;
  decide::certificate::Source facts;
};

struct Notes {
  std::shared_ptr<const api::EdgeCertificate> written;  // the object as this process last wrote it; see Notebook::post
  decide::certificate::Memory memory;
  std::map<std::string, api::ObjectMeta> own_secrets;  // made by this process and perhaps not in the cache yet, by name
  std::set<std::string> gone_secrets;                  // uids that this process removed and the cache may still show
  std::set<std::string> marked_secrets;                // uids that this process marked as rejected; as above
  std::map<std::string, BundleFacts> bundles;          // by uid
  ServingFacts serving;
  SourceFacts source;
  int passes_without_rest = 0;
  std::atomic<bool> stuck = false;     // the last pass failed: it could not be read or written
  std::atomic<bool> forgiven = false;  // set by any thread: what failed is tried again at once
};

class Notebook {
 public:
  // The notes of an object; a recreated object (another uid) starts with empty ones. One worker holds a key at a time,
  // so the notes need no lock.
  std::shared_ptr<Notes> of(const std::string& uid, const api::ObjectKey& key) {
    const std::scoped_lock lock(mutex_);
    auto& page = pages_[key];
    if (page.uid != uid || !page.notes) page = {uid, std::make_shared<Notes>()};
    return page.notes;
  }
  std::shared_ptr<Notes> find(const api::ObjectKey& key) {
    const std::scoped_lock lock(mutex_);
    const auto found = pages_.find(key);
    return found == pages_.end() ? nullptr : found->second.notes;
  }
  // What this process has written of the objects, which the watch may not have brought back yet: for those who work on
  // another object, and must not see less than has happened.
  void post(const api::ObjectKey& key, std::shared_ptr<const api::EdgeCertificate> written) {
    const std::scoped_lock lock(mutex_);
    pages_[key].posted = std::move(written);
  }
  struct Posted {
    std::shared_ptr<const api::EdgeCertificate> written;  // null: nothing yet
    bool stuck = false;
  };
  Posted posted(const api::ObjectKey& key) {
    const std::scoped_lock lock(mutex_);
    const auto found = pages_.find(key);
    if (found == pages_.end()) return {};
    return {found->second.posted, found->second.notes && found->second.notes->stuck};
  }
  void forget(const api::ObjectKey& key) {
    const std::scoped_lock lock(mutex_);
    pages_.erase(key);
  }

 private:
  struct Page {
    std::string uid;
    std::shared_ptr<Notes> notes;
    std::shared_ptr<const api::EdgeCertificate> posted;
  };
  std::mutex mutex_;
  std::map<api::ObjectKey, Page> pages_;
};

}  // namespace edgetrust::reconcile
