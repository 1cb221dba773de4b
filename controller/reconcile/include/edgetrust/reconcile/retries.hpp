#pragma once
// When an object of one of the smaller kinds is tried again after a failure: 30 s, doubling to 10 min with each failure
// in a row; later when the peer wishes so, by up to 24 h. Up to a fifth is added, by the object's name, so that many
// that fail together do not return together.
//
// Called by: the keeper reconcilers. Threads: any. Errors: none. Holds only what is failing; may be lost at any time.
#include "edgetrust/api/object.hpp"

#include <map>
#include <mutex>

namespace edgetrust::reconcile {

class Retries {
 public:
  // Counts one more failure and says when to try again.
  TimePoint failed(const api::ObjectKey& key, const Error& error, TimePoint now);
  void succeeded(const api::ObjectKey& key);  // or the object is gone

 private:
  std::mutex mutex_;
  std::map<api::ObjectKey, int> failures_;  // in a row
};

}  // namespace edgetrust::reconcile
