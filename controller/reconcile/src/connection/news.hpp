#pragma once
// What a pass has to say in Events: said once the status with it is written.
#include "edgetrust/reconcile/outcome.hpp"
#include "edgetrust/reconcile/world.hpp"

namespace edgetrust::reconcile {

class News {
 public:
  void warn(std::string reason, std::string message) { said_.push_back({true, std::move(reason), std::move(message)}); }
  void tell_good(std::string reason, std::string message) {
    said_.push_back({false, std::move(reason), std::move(message)});
  }
  // Sends the Events; what was said, for the log.
  std::vector<Outcome::Said> tell(ports::Events& events, const api::ObjectMeta& about) {
    for (const auto& one : said_) {
      events.emit({std::string(api::kKind<api::GenesysConnection>.kind), about}, one.warning, one.reason, one.message);
    }
    return std::move(said_);
  }

 private:
  std::vector<Outcome::Said> said_;
};

}  // namespace edgetrust::reconcile
