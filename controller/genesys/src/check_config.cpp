#include "check_config.hpp"

namespace edgetrust::genesys {
namespace {

bool is_path(const std::string& text) {
  constexpr std::size_t kLongest = 1024;
  return text.starts_with('/') && text.size() <= kLongest && text.find_first_of("?#") == std::string::npos;
}

Status check_paths(const UploadConfig& upload) {
  if (!is_path(upload.upload_path)) return fail(ErrorKind::kInvalid, "certificateUpload.uploadPath is no path");
  const auto hole = upload.status_path.find("{id}");
  const bool once = hole != std::string::npos && upload.status_path.find("{id}", hole + 1) == std::string::npos;
  if (is_path(upload.status_path) && once) return {};
  return fail(ErrorKind::kInvalid, "certificateUpload.statusPath must be a path with {id} in it, once");
}

Status check_client(std::string_view field, const Credentials& credentials) {
  if (!credentials.client_id.empty() && !credentials.client_secret.empty()) return {};
  return fail(ErrorKind::kInvalid, std::string(field) + ": clientId and clientSecret must not be empty");
}

}  // namespace

Status check_config(const Config& config) {
  EDGETRUST_TRY(check_client("credentials", config.credentials));
  if (config.standby) EDGETRUST_TRY(check_client("standby credentials", *config.standby));
  if (config.requests_per_minute < 1) return fail(ErrorKind::kInvalid, "requestsPerMinute must be at least 1");
  if (!config.upload) return {};
  EDGETRUST_TRY(check_paths(*config.upload));
  if (!config.upload->credentials) return {};
  return check_client("certificateUpload.credentials", *config.upload->credentials);
}

}  // namespace edgetrust::genesys
