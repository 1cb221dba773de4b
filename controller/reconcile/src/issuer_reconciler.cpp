#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/order_limits.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "finding.hpp"

namespace edgetrust::reconcile {
namespace {

Error without_key(const api::AccountKeyRef& ref) {
  return {.kind = ErrorKind::kNotFound,
          .what = "Secret " + ref.name + " does not exist or has no key " + ref.key +
                  ", and accountKeyRef.create is Never: create it"};
}

// Until when its CA wants no orders; a changed spec is a new start.
std::optional<TimePoint> describe_limit(const api::AcmeIssuer& issuer, api::AcmeIssuer& next, TimePoint now) {
  if (issuer.status.observed_generation != issuer.meta.generation) next.status.last_refusal.reset();
  const auto until = decide::limited_until(next, now);
  next.status.limited_until = until ? format_rfc3339(*until) : "";
  return until;
}

std::optional<TimePoint> earlier(std::optional<TimePoint> a, std::optional<TimePoint> b) {
  return a && b ? std::min(a, b) : a ? a : b;
}

}  // namespace

// P-256 signs the requests of the account (RFC 8555 section 6.2 demands ES256 of every server); it never leaves the
// cluster.
Status IssuerReconciler::make_account_key(const api::AcmeIssuer& issuer, std::stop_token stop) {
  const auto& ref = issuer.spec.account_key_ref;
  const auto existing = world_.secrets.read({issuer.meta.ns, ref.name}, stop);
  if (existing && existing->data.contains(ref.key)) return {};
  if (!existing && existing.error().kind != ErrorKind::kNotFound) return tl::unexpected(existing.error());
  if (ref.create == api::CreateKey::kNever) return fail(without_key(ref));
  if (existing)
    return fail(ErrorKind::kInvalid,
                "Secret " + ref.name + " exists without a key " + ref.key + ": add it, or name another Secret");
  EDGETRUST_TRY_ASSIGN(Secret pem, world_.pki.generate_key({ports::KeyAlgorithm::kEcdsa, 256}));
  ports::SecretObject secret;
  secret.meta.ns = issuer.meta.ns;
  secret.meta.name = ref.name;
  secret.meta.labels = {{std::string(api::kBackupLabel), "true"}};
  secret.data.emplace(ref.key, std::move(pem));
  const auto created = world_.secrets.create(secret, stop);
  if (!created && created.error().code != "AlreadyExists") return tl::unexpected(created.error());
  return {};
}

Outcome IssuerReconciler::reconcile(const api::ObjectKey& key, std::stop_token stop) {
  const auto issuer = world_.issuers.get(key);
  if (!issuer) {
    retries_.succeeded(key);
    return {};
  }
  api::AcmeIssuer next = *issuer;
  const TimePoint now = world_.clock.now();
  const auto limited = describe_limit(*issuer, next, now);
  if (const auto finding = unusable(*issuer)) {
    report(next, *finding, now);
    return record(world_, world_.issuers, *issuer, next, limited, stop);
  }
  const auto account = [&]() -> Result<std::string> {
    EDGETRUST_TRY(make_account_key(*issuer, stop));
    EDGETRUST_TRY_ASSIGN(const auto authority, world_.backends.authority(*issuer, stop));
    return authority->account(stop);
  }();
  if (account) {
    retries_.succeeded(key);
    next.status.account_uri = *account;
    next.status.last_error.clear();
    report(next, good("the account is registered"), now);
    return record(world_, world_.issuers, *issuer, next, limited, stop);
  }
  if (account.error().kind == ErrorKind::kCancelled) return {};
  next.status.last_error = account.error().message();
  report(next, failed("Account", account.error()), now);
  const TimePoint again = retries_.failed(key, account.error(), now);
  return but_failed(record(world_, world_.issuers, *issuer, next, earlier(again, limited), stop), "RegisterAccount",
                    account.error());
}

}  // namespace edgetrust::reconcile
