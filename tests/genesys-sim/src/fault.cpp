#include "fault.hpp"

namespace edgetrust::sim {

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::string FaultAction::name() const {
  if (drop_before) return "dropBefore";
  if (commit_then_drop) return "commitThenDrop";
  if (answers()) return "status";
  return delay.count() > 0 ? "delay" : "headers";
}

Result<Fault> parse_fault(json::View value) {
  const auto bad = [](std::string_view field) {
    return fail(ErrorKind::kInvalid, "fault: " + std::string(field) + " is missing or wrong");
  };
  Fault fault;
  fault.port = value["port"].string_or(fault.port);
  if (fault.port != "api" && fault.port != "cloud") return bad("port");
  fault.method = value["method"].string_or("");
  fault.path = value["path"].string_or(fault.path);
  const std::int64_t times = value["times"].integer().value_or(1);
  if (times < 0 || times > 1'000'000) return bad("times");
  fault.times = static_cast<int>(times);
  const json::View action = value["action"];
  if (action.kind() != json::Kind::kObject || action.size() == 0) return bad("action");
  const std::int64_t delay = action["delayMs"].integer().value_or(0);
  if (delay < 0 || delay > 600'000) return bad("action.delayMs");
  fault.action.delay = std::chrono::milliseconds{delay};
  fault.action.drop_before = action["dropBefore"].boolean().value_or(false);
  fault.action.commit_then_drop = action["commitThenDrop"].boolean().value_or(false);
  if (action["status"].present()) {
    const auto status = action["status"].integer();
    if (!status || *status < 200 || *status > 599) return bad("action.status");
    fault.action.status = static_cast<int>(*status);
  }
  if (const json::View body = action["body"]; body.present()) {
    fault.action.body = body.kind() == json::Kind::kString ? std::string(*body.string()) : body.text();
  }
  action["headers"].for_each_member([&](std::string_view name, json::View text) {
    fault.action.headers.emplace_back(name, text.string() ? std::string(*text.string()) : text.text());
    return true;
  });
  return fault;
}

void FaultTable::add(Fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(std::move(fault));
}

void FaultTable::clear() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

std::size_t FaultTable::size() const {
  const std::lock_guard lock(mutex_);
  return faults_.size();
}

std::optional<FaultAction> FaultTable::take(std::string_view port, std::string_view method, std::string_view path) {
  const std::lock_guard lock(mutex_);
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    if (fault->port != port || (!fault->method.empty() && fault->method != method)) continue;
    if (!glob_matches(fault->path, path)) continue;
    FaultAction action = fault->action;
    if (fault->times > 0 && --fault->times == 0) faults_.erase(fault);
    return action;
  }
  return std::nullopt;
}

}  // namespace edgetrust::sim
