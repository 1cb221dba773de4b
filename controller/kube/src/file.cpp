#include "file.hpp"

#include <cerrno>
#include <fstream>
#include <system_error>

namespace edgetrust::kube {

Result<std::string> read_file(const std::string& path, std::size_t max_octets) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int reason = errno;
    return fail(reason == ENOENT ? ErrorKind::kNotFound : ErrorKind::kInvalid,
                path + ": " + std::generic_category().message(reason));
  }
  std::string text(max_octets + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(ErrorKind::kInvalid, path + ": cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > max_octets) {
    return fail(ErrorKind::kInvalid, path + ": larger than " + std::to_string(max_octets) + " octets");
  }
  return text;
}

Result<Secret> read_secret_file(const std::string& path, std::size_t max_octets) {
  EDGETRUST_TRY_ASSIGN(std::string text, read_file(path, max_octets));
  return Secret::take(text);
}

}  // namespace edgetrust::kube
