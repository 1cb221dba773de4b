#pragma once
// All Edges, and what happens to them: an upload, a look by the SBC, a change of service. Threads: any; the plant's
// thread reports through on_serves and on_seen. What a call says is done can be seen on the wire when it returns.
#include "edge_record.hpp"
#include "vendor.hpp"

#include <mutex>

namespace edgetrust::sim {

struct Upload {
  std::string chain_pem;
  Secret key_pem;
};
struct UploadDone {
  std::string fingerprint;
  TimePoint at;
};

class EdgeBook {
 public:
  EdgeBook(const Config& config, std::string trust_pem, const Clock& clock);

  // Before anything else; the plant's events are on_serves and on_seen.
  void attach(SipPlant& plant) { plant_ = &plant; }
  // Errors: kUnavailable when its port is taken.
  Status add(const EdgeConfig& edge, bool extra, bool shared_port);
  // Without an upload's checks: what an Edge has at the start.
  void install_initial(const std::string& id, const std::string& chain_pem, Secret key_pem);

  void on_serves(const std::string& id);
  void on_seen(const std::string& id, const SbcView& view);

  [[nodiscard]] std::optional<EdgeRecord> find(std::string_view id) const;
  [[nodiscard]] std::optional<EdgeRecord> find_by_trunk(std::string_view trunk_id) const;
  [[nodiscard]] std::vector<EdgeRecord> all() const;  // by name
  [[nodiscard]] std::size_t size() const;

  tl::expected<UploadDone, VendorFault> upload(const std::string& id, Upload upload);
  // Errors: kNotFound, kInvalid.
  Status patch(const std::string& id, json::View patch);
  bool set_service(const std::string& id, bool in_service, std::chrono::seconds wait);
  // PUT of the published API: name and description may change, the version must match.
  tl::expected<EdgeRecord, VendorFault> rename(const std::string& id, std::int64_t version, const std::string& name);
  Status set_trust(std::string trust_pem);
  // Removes what was made at run time, gives the others a fresh record. Their first certificates are up to the caller.
  void reset();

 private:
  // Holds the book while an Edge changes, and lets go of it before it waits for the plant, whose events need the book.
  class Change {
   public:
    explicit Change(EdgeBook& book) : plant_(*book.plant_), lock_(book.mutex_) {}
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change() {
      lock_.unlock();
      plant_.catch_up();
    }

   private:
    SipPlant& plant_;
    std::unique_lock<std::mutex> lock_;
  };

  EdgeRecord fresh(const EdgeConfig& edge, bool extra, std::uint16_t port) const;
  void install(EdgeRecord& edge, const std::string& chain_pem, LeafFacts leaf, Secret key_pem);
  [[nodiscard]] std::optional<VendorFault> refusal(const EdgeRecord& edge, const Upload& upload) const;
  void touch(EdgeRecord& edge) const { edge.updated_at = clock_.now(); }

  const Config& config_;
  const Clock& clock_;
  SipPlant* plant_ = nullptr;
  mutable std::mutex mutex_;
  std::string trust_pem_;
  std::map<std::string, EdgeRecord, std::less<>> edges_;  // by id
};

}  // namespace edgetrust::sim
