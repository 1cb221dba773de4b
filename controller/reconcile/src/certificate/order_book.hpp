#pragma once
// What is ordered of each CA with limits: a Secret for each server and namespace that holds the orders of the last week
// (docs/adr/0009). Also what this process was told by a CA that wants no orders, before the watch brings it back.
// Threads: any.
#include "edgetrust/decide/order_limits.hpp"
#include "edgetrust/reconcile/world.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace edgetrust::reconcile {

class OrderBook {
 public:
  // As far as is known: read again when the Secret was changed by somebody else.
  Result<std::shared_ptr<const decide::OrderLog>> log(const World& world, const std::string& ns,
                                                      const std::string& server, std::stop_token stop);
  // Writes the order down, on a log that was read for it. False: a limit leaves no place, and nothing was written.
  Result<bool> take_place(const World& world, const std::string& ns, const api::AcmeIssuerSpec& issuer,
                          const decide::OrderRecord& order, std::stop_token stop);
  Status give_back(const World& world, const std::string& ns, const std::string& server,
                   const decide::OrderRecord& order, std::stop_token stop);

  // The issuer as it shall be looked at: the cache's, unless this process has written a newer one.
  std::shared_ptr<const api::AcmeIssuer> newest_of(std::shared_ptr<const api::AcmeIssuer> cached);
  // Its CA has answered that it wants no orders: says so in its status.
  Status note_refusal(const World& world, const api::ObjectKey& issuer, const Error& error, std::stop_token stop);

 private:
  struct Page {
    std::string resource_version;  // empty: there is no Secret
    bool was_seen = false;         // in the watch cache, when it was read or written
    std::shared_ptr<const decide::OrderLog> log;
  };
  struct Stored {
    api::ObjectMeta meta;  // without resourceVersion: to be created
    decide::OrderLog log;
  };
  Result<Stored> read(const World& world, const std::string& ns, const std::string& server,
                      const std::stop_token& stop);
  Status write(const World& world, const Stored& stored, const std::stop_token& stop);
  void keep(const World& world, const api::ObjectMeta& meta, decide::OrderLog log);

  std::mutex mutex_;  // held over a request: orders of one process stand in line rather than refuse each other
  std::map<api::ObjectKey, Page> pages_;
  std::mutex issuers_mutex_;
  std::map<api::ObjectKey, std::shared_ptr<const api::AcmeIssuer>> issuers_;
};

}  // namespace edgetrust::reconcile
