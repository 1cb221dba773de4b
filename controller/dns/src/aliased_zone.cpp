#include "edgetrust/dns/aliased_zone.hpp"

namespace edgetrust::dns {

Result<std::string> AliasedZone::seen_at(const std::string& name, std::stop_token stop) {
  return delegation_.end_of_aliases(name, zones_, std::move(stop));
}

Status AliasedZone::present(const std::string& name, const std::string& value, std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(const std::string target, seen_at(name, stop));
  {
    const std::scoped_lock lock(mutex_);
    written_[{name, value}] = target;
  }
  return zone_->present(target, value, std::move(stop));
}

Status AliasedZone::remove(const std::string& name, const std::string& value, std::stop_token stop) {
  std::optional<std::string> target;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = written_.find({name, value}); known != written_.end()) target = known->second;
  }
  if (!target) {
    EDGETRUST_TRY_ASSIGN(target, seen_at(name, stop));
  }
  EDGETRUST_TRY(zone_->remove(*target, value, std::move(stop)));
  const std::scoped_lock lock(mutex_);
  written_.erase({name, value});
  return {};
}

}  // namespace edgetrust::dns
