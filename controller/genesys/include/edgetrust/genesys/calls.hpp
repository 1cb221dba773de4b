#pragma once
// Which calls may leave this room at all. The vendor has no read-only permission for Edges: a client that may list them
// may also reboot and delete them (`telephony:plugin:all`). So the limit is here.
//
// Called by: the client of this room for each call, and a test that lists them. A plain value. Errors: none.
#include "edgetrust/http/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::genesys {

enum class Host { kApi, kUpload };

struct Call {
  Host host;
  http::Method method;
  std::string path;       // {id} stands for one segment
  std::string_view name;  // as the metrics call it
};

class AllowList {
 public:
  AllowList(const std::string& upload_path, const std::string& status_path);  // empty: no such call
  // nullptr: it may not leave.
  [[nodiscard]] const Call* find(Host host, http::Method method, std::string_view path) const;
  [[nodiscard]] bool allows(Host host, http::Method method, std::string_view path) const {
    return find(host, method, path) != nullptr;
  }
  [[nodiscard]] const std::vector<Call>& calls() const { return calls_; }

 private:
  std::vector<Call> calls_;
};

namespace path {
inline constexpr std::string_view kEdges = "/api/v2/telephony/providers/edges";
inline constexpr std::string_view kEdge = "/api/v2/telephony/providers/edges/{id}";
inline constexpr std::string_view kServiceState = "/api/v2/telephony/providers/edges/{id}/statuscode";
inline constexpr std::string_view kTrunksOfEdge = "/api/v2/telephony/providers/edges/{id}/trunks";
inline constexpr std::string_view kTrunks = "/api/v2/telephony/providers/edges/trunks";
inline constexpr std::string_view kSites = "/api/v2/telephony/providers/edges/sites";
inline constexpr std::string_view kAuthorities = "/api/v2/telephony/providers/edges/certificateauthorities";
inline constexpr std::string_view kAuthority = "/api/v2/telephony/providers/edges/certificateauthorities/{id}";
inline constexpr std::string_view kCertificateDetails = "/api/v2/certificate/details";
inline constexpr std::string_view kOAuthClient = "/api/v2/oauth/clients/{id}";
}  // namespace path

}  // namespace edgetrust::genesys
