#include "edgetrust/base/time_text.hpp"
#include "edgetrust/decide/order_limits.hpp"
#include "edgetrust/reconcile/keeper_reconcilers.hpp"
#include "finding.hpp"

#include <algorithm>

namespace edgetrust::reconcile {
namespace {

using namespace std::chrono_literals;

// On the account key's Secret: the request that its key was last changed for. It outlives a status that was not
// written.
constexpr const char* kRolledOverFor = "edgetrust.io/rolled-over-for";
constexpr const char* kBindingKeyId = "keyId";
constexpr const char* kBindingHmacKey = "hmacKey";
constexpr auto kOffersAreFresh = 1h;
// An account that is seldom used, as a fallback's, shall be known to work before it is needed.
constexpr auto kProvedAgainAfter = 7 * 24h;

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

// What an annotation asks for and was not done yet; empty: nothing.
std::string request_in(const api::AcmeIssuer& issuer, std::string_view annotation,
                       std::string api::HandledIssuerRequests::*handled) {
  const std::string value(issuer.meta.annotation(annotation).value_or(""));
  const auto& done = issuer.status.handled_requests;
  return done && (*done).*handled == value ? std::string{} : value;
}

void mark_handled(api::AcmeIssuer& issuer, std::string api::HandledIssuerRequests::*handled, const std::string& value) {
  if (!issuer.status.handled_requests) issuer.status.handled_requests.emplace();
  (*issuer.status.handled_requests).*handled = value;
}

// The account was deactivated as asked for, and the annotation still says so.
bool is_deactivated(const api::AcmeIssuer& issuer) {
  const auto value = issuer.meta.annotation(api::kDeactivateRequestedAt);
  const auto& done = issuer.status.handled_requests;
  return value && !value->empty() && done && done->deactivate == *value;
}

Finding deactivated() {
  return refused("AccountDeactivated",
                 "the account was deactivated as asked for, and orders nothing any more: to use this issuer again name "
                 "another Secret in accountKeyRef, then remove the annotation " +
                     std::string(api::kDeactivateRequestedAt));
}

bool holds(const ports::SecretObject& secret, const std::string& key) {
  const auto found = secret.data.find(key);
  return found != secret.data.end() && !found->second.empty();
}

std::optional<Finding> profile_not_offered(const api::AcmeIssuer& issuer, const ports::Offers& offers) {
  const auto& wanted = issuer.spec.profile;
  if (wanted.empty() || offers.profiles.empty() || std::ranges::count(offers.profiles, wanted) > 0) return std::nullopt;
  return refused("ProfileNotOffered",
                 "the CA has no profile \"" + wanted + "\"; it offers " + join(offers.profiles, ", "));
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
  EDGETRUST_TRY(world_.may_change(stop));
  ports::SecretObject secret;
  secret.meta.ns = issuer.meta.ns;
  secret.meta.name = ref.name;
  secret.meta.labels = {{std::string(api::kBackupLabel), "true"}};
  secret.data.emplace(ref.key, std::move(pem));
  const auto created = world_.secrets.create(secret, stop);
  if (!created && created.error().code != "AlreadyExists") return tl::unexpected(created.error());
  return {};
}

// Each call makes another binding at ZeroSSL: what it gave is kept before it is used, and used from then on.
Status IssuerReconciler::keep_binding(const api::AcmeIssuer& issuer, std::stop_token stop) {
  const auto& eab = issuer.spec.external_account_binding;
  if (!eab || !eab->zero_ssl_api_key_ref) return {};
  const std::string name = api::binding_secret_name(issuer.meta.name);
  const auto existing = world_.secrets.read({issuer.meta.ns, name}, stop);
  if (existing && holds(*existing, kBindingKeyId) && holds(*existing, kBindingHmacKey)) return {};
  if (existing)
    return fail(ErrorKind::kInvalid, "Secret " + name + " lacks keyId or hmacKey: delete it, and another is made");
  if (existing.error().kind != ErrorKind::kNotFound) return tl::unexpected(existing.error());
  EDGETRUST_TRY(world_.may_change(stop));
  EDGETRUST_TRY_ASSIGN(ports::ExternalBinding binding, world_.backends.zero_ssl_binding(issuer, stop));
  ports::SecretObject secret;
  secret.meta.ns = issuer.meta.ns;
  secret.meta.name = name;
  secret.meta.labels = {{std::string(api::kBackupLabel), "true"}};
  secret.data.emplace(kBindingKeyId, Secret(binding.key_id));
  secret.data.emplace(kBindingHmacKey, std::move(binding.hmac_key));
  const auto created = world_.secrets.create(secret, stop);
  if (!created && created.error().code != "AlreadyExists") return tl::unexpected(created.error());
  return {};
}

// The next key is stored beside the one in use before the CA hears of it, and takes its place once the CA has: at any
// moment in between both are there, and the CA can be asked which of them it knows.
Status IssuerReconciler::roll_over(const api::AcmeIssuer& issuer, ports::CertificateAuthority& authority,
                                   const std::string& request, std::stop_token stop) {
  const auto& ref = issuer.spec.account_key_ref;
  const std::string next = api::next_account_key(ref);
  EDGETRUST_TRY_ASSIGN(ports::SecretObject secret, world_.secrets.read({issuer.meta.ns, ref.name}, stop));
  if (!holds(secret, next)) {
    if (secret.meta.annotation(kRolledOverFor) == request) return {};  // only the status was not written
    if (ref.create == api::CreateKey::kNever)
      return fail(ErrorKind::kInvalid,
                  "accountKeyRef.create is Never: add the account's next key to Secret " + ref.name + " as " + next);
    EDGETRUST_TRY_ASSIGN(Secret pem, world_.pki.generate_key({ports::KeyAlgorithm::kEcdsa, 256}));
    EDGETRUST_TRY(world_.may_change(stop));
    secret.data.insert_or_assign(next, std::move(pem));
    EDGETRUST_TRY_ASSIGN(secret.meta, world_.secrets.update(secret, stop));
  }
  EDGETRUST_TRY(world_.may_change(stop));
  EDGETRUST_TRY(authority.change_key(secret.data.at(next), stop));
  secret.data.insert_or_assign(ref.key, std::move(secret.data.at(next)));
  secret.data.insert_or_assign(next, Secret());  // an update takes no key away
  secret.meta.annotations[kRolledOverFor] = request;
  EDGETRUST_TRY(world_.secrets.update(secret, stop));
  return {};
}

// What the account is, with all that is asked of it done: into `next`. An error keeps what was found before it.
Status IssuerReconciler::see_to_account(const api::AcmeIssuer& issuer, api::AcmeIssuer& next, Finding& finding,
                                        std::stop_token stop) {
  EDGETRUST_TRY(make_account_key(issuer, stop));
  EDGETRUST_TRY(keep_binding(issuer, stop));
  EDGETRUST_TRY_ASSIGN(const auto authority, world_.backends.authority(issuer, stop));
  const auto ending = request_in(issuer, api::kDeactivateRequestedAt, &api::HandledIssuerRequests::deactivate);
  if (!ending.empty()) {
    EDGETRUST_TRY(world_.may_change(stop));
    EDGETRUST_TRY(authority->deactivate_account(stop));
    mark_handled(next, &api::HandledIssuerRequests::deactivate, ending);
    finding = deactivated();
    return {};
  }
  EDGETRUST_TRY(world_.may_change(stop));
  EDGETRUST_TRY_ASSIGN(next.status.account_uri, authority->account(stop));
  const auto rollover = request_in(issuer, api::kRolloverRequestedAt, &api::HandledIssuerRequests::rollover);
  if (!rollover.empty()) {
    EDGETRUST_TRY(roll_over(issuer, *authority, rollover, stop));
    mark_handled(next, &api::HandledIssuerRequests::rollover, rollover);
    world_.events.emit({std::string(api::kKind<api::AcmeIssuer>.kind), issuer.meta}, false, "AccountKeyChanged",
                       "the account has a new key, in Secret " + issuer.spec.account_key_ref.name);
  }
  EDGETRUST_TRY_ASSIGN(const ports::Offers offers, authority->offers(stop));
  if (const auto& agreed = issuer.status.terms_of_service; !agreed.empty() && agreed != offers.terms_of_service)
    world_.events.emit({std::string(api::kKind<api::AcmeIssuer>.kind), issuer.meta}, false, "TermsOfServiceChanged",
                       "the CA's terms of service were " + agreed + " and are now " +
                           (offers.terms_of_service.empty() ? "not named" : offers.terms_of_service));
  next.status.terms_of_service = offers.terms_of_service;
  finding = profile_not_offered(issuer, offers).value_or(good("the account is registered"));
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
  if (is_deactivated(*issuer)) {
    report(next, deactivated(), now);
    return record(world_, world_.issuers, *issuer, next, limited, stop);
  }
  Finding finding;
  const Status account = see_to_account(*issuer, next, finding, stop);
  if (account) {
    retries_.succeeded(key);
    next.status.last_error.clear();
    report(next, finding, now);
    // What a CA offers changes without a word.
    const auto again =
        is_deactivated(next)
            ? std::nullopt
            : std::optional(now + (finding.ready ? TimePoint::duration(kProvedAgainAfter) : kOffersAreFresh));
    return record(world_, world_.issuers, *issuer, next, earlier(limited, again), stop);
  }
  if (account.error().kind == ErrorKind::kCancelled) return {};
  next.status.last_error = account.error().message();
  report(next, failed("Account", account.error()), now);
  const TimePoint again = retries_.failed(key, account.error(), now);
  return but_failed(record(world_, world_.issuers, *issuer, next, earlier(again, limited), stop), "RegisterAccount",
                    account.error());
}

}  // namespace edgetrust::reconcile
