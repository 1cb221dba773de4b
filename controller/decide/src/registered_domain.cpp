#include "edgetrust/base/text.hpp"
#include "edgetrust/decide/order_limits.hpp"

#include <memory>

#include <libpsl.h>

namespace edgetrust::decide {
namespace {

// Debian's own list (publicsuffix), or the one that the library was built with, whichever is newer. Read once.
const psl_ctx_t* suffixes() {
  static const std::unique_ptr<psl_ctx_t, decltype(&psl_free)> kList(psl_latest(nullptr), psl_free);
  return kList.get();
}

// Of 192.0.2.7 the list would make 2.7.
bool is_address(std::string_view host) {
  return host.find(':') != std::string_view::npos || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

std::string registered_domain(const std::string& name) {
  std::string host = lower(name);
  if (host.starts_with("*.")) host.erase(0, 2);
  const char* domain =
      suffixes() != nullptr && !is_address(host) ? psl_registrable_domain(suffixes(), host.c_str()) : nullptr;
  return domain != nullptr ? domain : host;
}

}  // namespace edgetrust::decide
