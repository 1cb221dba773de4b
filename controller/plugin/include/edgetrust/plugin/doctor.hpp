#pragma once
// `doctor`: what is wrong, and what to do about it. Looks from where it runs, which is seldom where the operator runs:
// what cannot be reached from here may be reachable from there, and the other way round. Changes nothing. Threads: one.
// Errors: none; what could not be found out is a finding.
#include "edgetrust/json/value_fwd.hpp"
#include "edgetrust/plugin/cluster.hpp"
#include "edgetrust/plugin/doctor_tools.hpp"
#include "edgetrust/plugin/style.hpp"

#include <memory>

namespace edgetrust::plugin {

enum class Verdict { kGood, kUnknown, kWarning, kBad };

struct Finding {
  Verdict verdict = Verdict::kGood;
  std::string area;  // "cluster", "clock", "permissions", "operator", "issuer", "dns", "genesys", "edge"
  std::string subject;
  std::string what;
  std::string todo;  // empty: nothing
};

struct Doctor {
  Cluster& cluster;
  const kube::ClusterConfig& config;
  std::shared_ptr<http::Transport> api;  // to the API server
  const DoctorTools& tools;
  const Clock& clock;
  std::string service_account;         // the operator's: "name", or "namespace:name"
  std::string leader_elect_namespace;  // the operator's; empty: that of its service account
};
std::vector<Finding> examine(const Doctor& doctor);

// What needs something done first; then a line that counts.
std::string print(const std::vector<Finding>& findings, Style style);
json::Value as_value(const std::vector<Finding>& findings);
bool is_well(const std::vector<Finding>& findings);

}  // namespace edgetrust::plugin
