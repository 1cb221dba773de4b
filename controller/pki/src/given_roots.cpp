#include "given_roots.hpp"

#include "edgetrust/ports/pki.hpp"

namespace edgetrust::pki {

Result<crypto::TrustStore> given_roots(const std::string& pem) {
  auto roots = crypto::TrustStore::from_pem(pem);
  if (roots && roots->size() > 0) return roots;
  Error error = roots ? Error{.kind = ErrorKind::kInvalid, .what = "it holds no root (a certificate signed by itself)"}
                      : std::move(roots).error();
  error.code = ports::kRootsUnreadable;
  return fail(std::move(error));
}

}  // namespace edgetrust::pki
