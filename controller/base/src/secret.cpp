#include "edgetrust/base/secret.hpp"

#include <cstring>
#include <string>

namespace edgetrust {

void cleanse(void* data, std::size_t size) noexcept { explicit_bzero(data, size); }

Secret Secret::take(std::string& from) {
  Secret secret(from);
  cleanse(from.data(), from.size());
  from.clear();
  return secret;
}

}  // namespace edgetrust
