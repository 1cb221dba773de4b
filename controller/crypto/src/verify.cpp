// Verifying: OpenSSL walks the chain, the messages are ours.
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/crypto/chain.hpp"
#include "openssl.hpp"

#include <algorithm>
#include <initializer_list>

#include <openssl/x509_vfy.h>

namespace edgetrust::crypto {
namespace {

using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
inline void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }  // not what is in it
using Stack = std::unique_ptr<STACK_OF(X509), Deleter<free_stack>>;
using Certificates = std::span<const Certificate>;

constexpr int kSecurityLevel = 2;  // 112 bits: RSA 2048, SHA-224 and better
constexpr int kSecurityBits = 112;

Stack stack_of(Certificates certificates) {
  Stack stack(sk_X509_new_null());
  for (const auto& one : certificates) sk_X509_push(stack.get(), one.handle());
  return stack;
}

std::string quoted(const Certificate& certificate) { return "\"" + certificate.name() + "\""; }

// What OpenSSL would say without the name of the certificate and the date.
Status check_each(Certificates chain, TimePoint at) {
  for (const auto& one : chain) {
    const auto& facts = one.facts();
    if (at < facts.not_before) {
      return fail(ErrorKind::kInvalid, quoted(one) + " is not valid before " + format_rfc3339(facts.not_before));
    }
    if (at >= facts.not_after) {
      return fail(ErrorKind::kInvalid, quoted(one) + " expired at " + format_rfc3339(facts.not_after));
    }
    int bits = 0;
    if (X509_get_signature_info(one.handle(), nullptr, nullptr, &bits, nullptr) != 1 || bits < kSecurityBits) {
      return fail(ErrorKind::kInvalid, "the signature of " + quoted(one) + " is too weak: it must be made with SHA-2");
    }
  }
  return {};
}

Status check_usage(const Certificate& leaf, const ChainUse& use) {
  const auto refuse = [&](const char* what) {
    return fail(ErrorKind::kInvalid, quoted(leaf) + " is not meant for " + what + " (extended key usage)");
  };
  if (use.server_auth && !leaf.facts().server_auth) return refuse("server authentication");
  if (use.client_auth && !leaf.facts().client_auth) return refuse("client authentication");
  return {};
}

std::string complaint(X509_STORE_CTX* context, Certificates chain) {
  const int error = X509_STORE_CTX_get_error(context);
  const X509* at = X509_STORE_CTX_get_current_cert(context);
  const auto found = std::find_if(chain.begin(), chain.end(),
                                  [&](const auto& one) { return at != nullptr && X509_cmp(one.handle(), at) == 0; });
  const std::string where = found == chain.end() ? "the chain's root" : quoted(*found);
  if (error == X509_V_ERR_EE_KEY_TOO_SMALL || error == X509_V_ERR_CA_KEY_TOO_SMALL) {
    return "the key of " + where + " is too small: RSA needs 2048 bits";
  }
  return where + ": " + X509_verify_cert_error_string(error);
}

// One walk from chain[0] to `anchor`, for one purpose.
Status walk(Certificates chain, const Certificate& anchor, int purpose, TimePoint at) {
  const Store store(X509_STORE_new());  // stays empty: only `anchor` is believed
  const StoreContext context(X509_STORE_CTX_new());
  const Stack given = stack_of(chain.subspan(1));
  const Stack trusted = stack_of({&anchor, 1});
  if (!store || !context || X509_STORE_CTX_init(context.get(), store.get(), chain[0].handle(), given.get()) != 1) {
    return fail(ErrorKind::kInternal, "OpenSSL could not start to verify a chain");
  }
  X509_STORE_CTX_set0_trusted_stack(context.get(), trusted.get());
  X509_VERIFY_PARAM* how = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_purpose(how, purpose);
  X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_auth_level(how, kSecurityLevel);
  X509_VERIFY_PARAM_set_time(how, std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
  if (X509_verify_cert(context.get()) == 1) return {};
  return fail(ErrorKind::kInvalid, complaint(context.get(), chain));
}

Status verify_to(Certificates chain, const Certificate& anchor, const ChainUse& use) {
  const ErrorScope errors;
  EDGETRUST_TRY(check_each(chain, use.at));
  EDGETRUST_TRY(check_usage(chain.front(), use));
  if (!use.server_auth && !use.client_auth) EDGETRUST_TRY(walk(chain, anchor, X509_PURPOSE_ANY, use.at));
  if (use.server_auth) EDGETRUST_TRY(walk(chain, anchor, X509_PURPOSE_SSL_SERVER, use.at));
  if (use.client_auth) EDGETRUST_TRY(walk(chain, anchor, X509_PURPOSE_SSL_CLIENT, use.at));
  return {};
}

tl::unexpected<Error> nothing_to_verify() { return fail(ErrorKind::kInvalid, "the chain holds no certificate"); }

}  // namespace

Result<std::vector<Certificate>> validated_chain(const std::vector<Certificate>& chain,
                                                 std::span<const TrustStore* const> roots, const ChainUse& use) {
  if (chain.empty()) return nothing_to_verify();
  std::optional<Error> first;
  // A chain may go on beyond a root that we know (a cross-sign for older peers): the longest way is tried first.
  for (std::size_t length = chain.size(); length > 0; --length) {
    for (const auto* store : roots) {
      for (const auto& root : store->issuers_of(chain[length - 1])) {
        const Status verified = verify_to({chain.data(), length}, root, use);
        if (verified) {
          std::vector<Certificate> way(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(length));
          if (way.back() != root) way.push_back(root);
          return way;
        }
        if (!first) first = verified.error();
      }
    }
  }
  if (first) return fail(*first);
  EDGETRUST_TRY(reaches_root(chain, roots));
  return fail(ErrorKind::kInternal, "a chain reaches a root and has none above it");
}

Status verify_to_root(const std::vector<Certificate>& chain, std::span<const TrustStore* const> roots,
                      const ChainUse& use) {
  EDGETRUST_TRY(validated_chain(chain, roots, use));
  return {};
}

Status verify_to_last(const std::vector<Certificate>& chain, const ChainUse& use) {
  if (chain.empty()) return nothing_to_verify();
  return verify_to(chain, chain.back(), use);
}

}  // namespace edgetrust::crypto
