#include "connection/pass.hpp"
#include "edgetrust/decide/on_schedule.hpp"

namespace edgetrust::reconcile {

using namespace std::chrono_literals;
using api::Truth;

// Pinged before it is written down: a crash in between costs one ping too many rather than a false alarm.
std::optional<TimePoint> ConnectionReconciler::beat(Pass& pass, const std::stop_token& stop) {
  auto& status = pass.next.status;
  const auto& heartbeat = pass.before.spec.heartbeat;
  if (!heartbeat) {
    api::remove(status.conditions, api::condition::kHeartbeatSent);
    status.heartbeat.reset();
    return std::nullopt;
  }
  std::vector<std::string> late;
  for (const auto& certificate : pass.certificates) {
    const auto why = decide::behind_schedule(*certificate, pass.now);
    if (why) late.push_back(certificate->meta.name + " " + *why);
  }
  if (!late.empty()) {
    const std::string message = some_of(late, "; ");
    if (is_true(pass.before, api::condition::kHeartbeatSent)) pass.news.warn("HeartbeatStopped", message);
    pass.condition(api::condition::kHeartbeatSent, Truth::kFalse, "NotOnSchedule", message);
    return std::nullopt;
  }
  // The last ping is written down in whole seconds.
  const auto interval = heartbeat->interval.value_or(api::Heartbeat::kDefaultInterval) + 1s;
  const auto last = status.heartbeat ? status.heartbeat->at : std::nullopt;
  const bool in_time = last && *last <= pass.now && pass.now < *last + interval;
  if (!in_time) return ping(pass, interval, stop);
  pass.condition(api::condition::kHeartbeatSent, Truth::kTrue, "Sent", "every rotation is on schedule");
  return *last + interval;
}

std::optional<TimePoint> ConnectionReconciler::ping(Pass& pass, std::chrono::milliseconds interval,
                                                    const std::stop_token& stop) {
  const api::ObjectKey key = pass.before.meta.key();
  const auto wait = std::min(interval, kCheckAgain);
  const auto driver = world_.backends.heartbeat(pass.before, stop);
  {
    const std::scoped_lock lock(mutex_);
    const auto last = failed_pings_.find(key);
    const bool same = driver && last != failed_pings_.end() && last->second.driver.lock() == *driver;
    if (same && world_.clock.steady() < last->second.at + wait) return std::nullopt;
  }
  const Status pinged = driver ? (*driver)->ping(stop) : tl::unexpected(driver.error());
  if (pinged) {
    const std::scoped_lock lock(mutex_);
    failed_pings_.erase(key);
    pass.next.status.heartbeat = api::HeartbeatState{.at = std::chrono::floor<std::chrono::seconds>(pass.now)};
    pass.condition(api::condition::kHeartbeatSent, Truth::kTrue, "Sent", "every rotation is on schedule");
    return pass.now + interval;
  }
  if (pinged.error().kind == ErrorKind::kCancelled) return std::nullopt;
  if (driver) {
    const std::scoped_lock lock(mutex_);
    failed_pings_[key] = {.driver = *driver, .at = world_.clock.steady()};
  }
  const Finding finding = failed("Heartbeat", pinged.error());
  if (is_true(pass.before, api::condition::kHeartbeatSent)) pass.news.warn(finding.reason, finding.message);
  pass.condition(api::condition::kHeartbeatSent, Truth::kFalse, finding.reason, finding.message);
  pass.trouble_with = "Ping";
  pass.trouble = pinged.error();
  return pass.now + wait;
}

}  // namespace edgetrust::reconcile
