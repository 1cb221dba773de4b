#pragma once
// Leadership among the operators of one release, by a Lease (coordination.k8s.io/v1) as client-go's leaderelection
// holds it, so that its tools can read it.
//
// Called by: main. Threads: holds() from any; acquire, keep and release from one at a time. Errors: none; what fails is
// told to `failed` and tried again.
//
// Whose the Lease is, is judged by how long this process has seen it unchanged, on its own steady clock: the clocks of
// two nodes need not agree. The time of a renewal counts from before it was sent.
#include "edgetrust/api/object.hpp"
#include "edgetrust/kube/client.hpp"
#include "edgetrust/kube/pause.hpp"
#include "edgetrust/ports/leadership.hpp"

#include <atomic>
#include <functional>

namespace edgetrust::kube {

struct ElectionOptions {
  api::ObjectKey lease;
  std::string identity;                        // of this process, and of no other
  std::chrono::milliseconds duration{15'000};  // after which a standby takes over from a leader that is not heard of
  std::chrono::milliseconds renew_deadline{10'000};  // after which a leader that cannot renew no longer leads
  std::chrono::milliseconds renew_every{2'000};
  std::chrono::milliseconds look_every{1'000};  // a standby
  std::function<void(const Error&)> failed = {};
};

class Election final : public ports::Leadership {
 public:
  // `client` must not be one that others keep busy: a renewal that waits for its turn is a leader lost.
  Election(ApiClient& client, const Clock& clock, Pauser& pauser, ElectionOptions options)
      : client_(client), clock_(clock), pauser_(pauser), options_(std::move(options)) {}

  [[nodiscard]] bool holds() const override;
  // Returns once this process leads; false when `stop` was requested before.
  bool acquire(const std::stop_token& stop);
  // Renews. Returns false when the leadership is lost, and must not be taken up again by this process then: what it had
  // begun may be anywhere. True when `stop` was requested.
  bool keep(const std::stop_token& stop);
  // Gives the Lease up, so that a standby need not wait until it runs out. For a leader whose work has ended.
  void release();

 private:
  struct Seen {
    std::string holder;
    std::string version;
    int transitions = 0;
    SteadyPoint since;  // when this version was first seen
  };
  Status take(const std::stop_token& stop);
  Status look(const std::stop_token& stop);
  Result<json::Document> write(const std::stop_token& stop, bool is_new);

  ApiClient& client_;
  const Clock& clock_;
  Pauser& pauser_;
  const ElectionOptions options_;
  std::optional<Seen> seen_;
  std::atomic<SteadyPoint::rep> leads_until_{0};  // on the steady clock; 0: it does not lead
};

}  // namespace edgetrust::kube
