#include "edgetrust/kube/leadership.hpp"

#include "edgetrust/json/value.hpp"
#include "lease_time.hpp"
#include "meta.hpp"

namespace edgetrust::kube {

bool Election::holds() const { return clock_.steady().time_since_epoch().count() < leads_until_; }

// The Lease as it is now. What has changed since the last look was changed at this moment, for all that is known.
Status Election::look(const std::stop_token& stop) {
  const auto lease = client_.get(leases(), options_.lease.ns, options_.lease.name, {stop, options_.renew_deadline / 2});
  if (!lease && lease.error().kind == ErrorKind::kNotFound) {
    seen_.reset();
    return {};
  }
  if (!lease) return tl::unexpected(lease.error());
  const json::View spec = lease->root()["spec"];
  Seen now{.holder = std::string(spec["holderIdentity"].string_or("")),
           .version = read_meta(lease->root()).resource_version,
           .transitions = static_cast<int>(spec["leaseTransitions"].integer().value_or(0)),
           .since = clock_.steady()};
  if (!seen_ || seen_->version != now.version) seen_ = std::move(now);
  return {};
}

Result<json::Document> Election::write(const std::stop_token& stop, bool is_new) {
  const bool is_mine = seen_ && seen_->holder == options_.identity;
  json::Value spec{{"holderIdentity", options_.identity},
                   {"leaseDurationSeconds", std::chrono::ceil<std::chrono::seconds>(options_.duration).count()},
                   {"renewTime", micro_time(clock_.now())},
                   {"leaseTransitions", seen_ ? seen_->transitions + (is_mine ? 0 : 1) : 0}};
  if (!is_mine) spec["acquireTime"] = micro_time(clock_.now());
  const Call call{stop, options_.renew_deadline / 2};
  if (is_new) {
    const json::Value lease{{"apiVersion", leases().api_version()},
                            {"kind", leases().kind},
                            {"metadata", {{"name", options_.lease.name}, {"namespace", options_.lease.ns}}},
                            {"spec", spec}};
    return client_.create(leases(), options_.lease.ns, json::dump(lease), call);
  }
  const json::Value patch{{"metadata", {{"resourceVersion", seen_->version}}}, {"spec", spec}};
  return client_.patch(leases(), options_.lease.ns, options_.lease.name,
                       {.type = PatchType::kMerge, .body = json::dump(patch)}, call);
}

// Takes the Lease where it is free or has run out, renews it where it is ours. kConflict: it is another's.
Status Election::take(const std::stop_token& stop) {
  const bool renews = seen_ && seen_->holder == options_.identity;
  if (!renews) EDGETRUST_TRY(look(stop));
  const bool is_others = seen_ && !seen_->holder.empty() && seen_->holder != options_.identity;
  if (is_others && clock_.steady() < seen_->since + options_.duration)
    return fail(ErrorKind::kConflict, seen_->holder + " leads");
  const SteadyPoint before = clock_.steady();
  const auto written = write(stop, !seen_);
  if (!written) {
    seen_.reset();  // somebody was faster, or the answer is lost: the Lease itself tells
    return tl::unexpected(written.error());
  }
  const json::View spec = written->root()["spec"];
  seen_ = Seen{.holder = options_.identity,
               .version = read_meta(written->root()).resource_version,
               .transitions = static_cast<int>(spec["leaseTransitions"].integer().value_or(0)),
               .since = before};
  leads_until_ = (before + options_.renew_deadline).time_since_epoch().count();
  return {};
}

bool Election::acquire(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Status taken = take(stop);
    if (taken) return true;
    if (taken.error().kind != ErrorKind::kConflict && options_.failed) options_.failed(taken.error());
    if (!pauser_.pause(options_.look_every, stop)) break;
  }
  return false;
}

bool Election::keep(const std::stop_token& stop) {
  while (pauser_.pause(options_.renew_every, stop)) {
    const Status renewed = take(stop);
    if (renewed || stop.stop_requested()) continue;
    if (options_.failed) options_.failed(renewed.error());
    const bool is_others = seen_ && !seen_->holder.empty() && seen_->holder != options_.identity;
    if (is_others || !holds()) {
      leads_until_ = 0;
      return false;
    }
  }
  return true;
}

void Election::release() {
  leads_until_ = 0;
  if (!seen_ || seen_->holder != options_.identity) return;
  const json::Value patch{{"metadata", {{"resourceVersion", seen_->version}}},
                          {"spec", {{"holderIdentity", ""}, {"leaseDurationSeconds", 1}}}};
  const auto released =
      client_.patch(leases(), options_.lease.ns, options_.lease.name,
                    {.type = PatchType::kMerge, .body = json::dump(patch)}, {{}, options_.look_every});
  if (!released && options_.failed) options_.failed(released.error());
  seen_.reset();
}

}  // namespace edgetrust::kube
