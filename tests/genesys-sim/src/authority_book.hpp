#pragma once
// The organisation's certificate authorities: its one MANAGED, and the REMOTE ones that an API client keeps. Threads:
// any.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/json/value_fwd.hpp"
#include "edgetrust/json/view.hpp"
#include "vendor.hpp"

#include <map>
#include <mutex>

#include <tl/expected.hpp>

namespace edgetrust::sim {

class AuthorityBook {
 public:
  AuthorityBook(std::string managed_pem, const Clock& clock);

  [[nodiscard]] std::vector<json::Value> all() const;
  [[nodiscard]] std::optional<json::Value> find(const std::string& id) const;
  // What the vendor asks of a body: name, type REMOTE, services, a PEM certificate; of a change the version as well.
  tl::expected<json::Value, VendorFault> create(json::View body);
  tl::expected<json::Value, VendorFault> change(const std::string& id, json::View body);
  std::optional<VendorFault> remove(const std::string& id);
  void reset();

 private:
  struct Entry {
    std::string name;
    std::string type = "REMOTE";
    std::vector<std::string> services;
    std::string pem;
    int version = 1;
    TimePoint modified;
  };
  tl::expected<Entry, VendorFault> read(json::View body) const;
  [[nodiscard]] json::Value json_of(const std::string& id, const Entry& entry) const;
  static VendorFault missing(const std::string& id);

  const std::string managed_pem_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  int made_ = 0;
};

}  // namespace edgetrust::sim
