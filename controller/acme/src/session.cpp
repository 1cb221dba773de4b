#include "session.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/json/view.hpp"
#include "edgetrust/ports/certificate_authority.hpp"
#include "problem.hpp"

namespace edgetrust::acme {
namespace {

// At one rejection in two (Pebble can be told to) one request in two million needs more.
constexpr int kMaxNonceTries = 20;
constexpr std::size_t kMaxContacts = 16;
constexpr std::chrono::milliseconds kProvedFor = std::chrono::hours{6 * 24};

// What came before the request that the caller meant: nothing of his has been executed.
Error before_the_request(Error error) {
  error.maybe_executed = false;
  return error;
}

// May a fresh look at the directory help?
bool doubts_directory(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kNotFound:
    case ErrorKind::kUnavailable:
    case ErrorKind::kTimeout:
    case ErrorKind::kProtocol: return true;
    default: return false;
  }
}

Status not_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(ErrorKind::kCancelled, "asked to stop");
  return {};
}

}  // namespace

Session::Session(Parts parts, std::shared_ptr<http::Transport> transport, const Clock& clock)
    : parts_(std::move(parts)),
      transport_(std::move(transport)),
      clock_(clock),
      directory_(*transport_, clock, parts_.policy, parts_.user_agent),
      key_(parts_.key) {}

Result<std::shared_ptr<const Directory>> Session::directory(std::stop_token stop) {
  EDGETRUST_TRY(not_stopped(stop));
  return directory_.get(std::move(stop)).map_error([](Error e) {
    return before_the_request(within("directory", std::move(e)));
  });
}

std::shared_ptr<const AccountKey> Session::key() {
  const std::lock_guard lock(mutex_);
  return key_;
}

Result<std::string> Session::account(std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(KnownAccount account, known_account(std::move(stop)));
  return std::move(account.url);
}

// An account that is seldom used shall be known to work before it is needed.
Status Session::prove_again(const std::stop_token& stop) {
  std::shared_ptr<const AccountKey> key;
  {
    const std::lock_guard lock(mutex_);
    if (account_.url.empty() || clock_.steady() < proved_at_ + kProvedFor) return {};
    key = key_;
  }
  auto found =
      account_of(key, stop).map_error([](Error e) { return before_the_request(within("newAccount", std::move(e))); });
  if (!found) return fail(std::move(found).error());
  const std::lock_guard lock(mutex_);
  if (key != key_) return {};                  // its key was changed meanwhile, which proves as much
  account_ = found->value_or(KnownAccount{});  // none: it is looked for, or made
  proved_at_ = clock_.steady();
  return {};
}

Result<KnownAccount> Session::known_account(std::stop_token stop) {
  EDGETRUST_TRY(prove_again(stop));
  EDGETRUST_TRY(signer(stop));
  const std::lock_guard lock(mutex_);
  return account_;
}

void Session::contacts_told() {
  const std::lock_guard lock(mutex_);
  account_.contacts.reset();
}

Result<Signer> Session::signer(const std::stop_token& stop) {
  {
    const std::lock_guard lock(mutex_);
    if (!account_.url.empty()) return Signer{key_, account_.url};
  }
  auto found =
      find_or_register(stop).map_error([](Error e) { return before_the_request(within("newAccount", std::move(e))); });
  if (!found) return fail(std::move(found).error());
  const std::lock_guard lock(mutex_);
  // Another thread may have found it too, and changed its key since.
  if (account_.url.empty()) {
    key_ = found->key;
    account_ = found->account;
    proved_at_ = clock_.steady();
  }
  return Signer{key_, account_.url};
}

// RFC 8555 section 7.3: the server finds an account by its key, or makes one. Registering twice is harmless. Where a
// change of keys was interrupted, the old key may be nobody's by now: registered again it would make a second account.
Result<Session::Found> Session::find_or_register(const std::stop_token& stop) {
  const auto own = key();
  if (parts_.next_key && !own->is(*parts_.next_key)) {
    EDGETRUST_TRY_ASSIGN(const auto changed, account_of(parts_.next_key, stop));
    if (changed) return Found{parts_.next_key, *changed};
  }
  EDGETRUST_TRY_ASSIGN(const auto offers, directory(stop));
  if (offers->external_account_required && !parts_.registration.has_external_account()) {
    return fail(ErrorKind::kInvalid, "the CA wants an external account: set externalAccountBinding");
  }
  EDGETRUST_TRY_ASSIGN(std::string payload, parts_.registration.payload(*own, offers->new_account));
  EDGETRUST_TRY_ASSIGN(KnownAccount account, new_account(own, std::move(payload), stop));
  return Found{own, std::move(account)};
}

Result<std::optional<KnownAccount>> Session::account_of(const std::shared_ptr<const AccountKey>& key,
                                                        std::stop_token stop) {
  auto account = new_account(key, R"({"onlyReturnExisting":true})", stop);
  if (account) return std::optional(std::move(*account));
  // Asked for an external account, it would make one: it has none for this key.
  if (is_problem(account.error(), "accountDoesNotExist") || is_problem(account.error(), "externalAccountRequired"))
    return std::optional<KnownAccount>{};
  return fail(std::move(account).error());
}

Result<KnownAccount> Session::new_account(const std::shared_ptr<const AccountKey>& key, std::string payload,
                                          const std::stop_token& stop) {
  EDGETRUST_TRY_ASSIGN(const auto offers, directory(stop));
  EDGETRUST_TRY_ASSIGN(const http::Response response, post_signed({.url = offers->new_account,
                                                                   .name = "newAccount",
                                                                   .purpose = Purpose::kAccount,
                                                                   .payload = std::move(payload)},
                                                                  {.key = key, .kid = {}}, stop));
  const auto location = response.headers.get("Location");
  if (!location) return fail(ErrorKind::kProtocol, "the answer has no Location: the account's URL is not known");
  EDGETRUST_TRY(parts_.policy.check(*location));
  KnownAccount account{.url = std::string(*location), .contacts = {}};
  const auto document = json::Document::parse(response.body);
  if (!document) return account;
  const std::string status = document->root()["status"].string_or("valid");
  if (status != "valid") {
    return fail(Error{.kind = ErrorKind::kUnauthorized,
                      .what = "the account is " + printable(status, 32),
                      .code = status == "deactivated" ? std::string(ports::kAccountDeactivated) : std::string{}});
  }
  const json::View contacts = document->root()["contact"];
  if (contacts.kind() != json::Kind::kArray) return account;
  account.contacts.emplace();
  contacts.for_each_element([&](json::View contact) {
    account.contacts->push_back(contact.string_or(""));
    return account.contacts->size() < kMaxContacts;
  });
  return account;
}

void Session::adopt(std::shared_ptr<const AccountKey> key, KnownAccount account) {
  const std::lock_guard lock(mutex_);
  key_ = std::move(key);
  account_ = std::move(account);
}

void Session::forget_account() {
  const std::lock_guard lock(mutex_);
  account_ = {};
}

void Session::forget_account(const std::string& kid) {
  const std::lock_guard lock(mutex_);
  if (account_.url == kid) account_ = {};  // another thread may have registered again already
}

Result<std::string> Session::nonce(std::stop_token stop) {
  if (auto pooled = nonces_.take()) return *pooled;
  EDGETRUST_TRY_ASSIGN(const auto offers, directory(stop));
  EDGETRUST_TRY_ASSIGN(http::Url url, parts_.policy.check(offers->new_nonce));
  const http::Request request{.method = http::Method::kHead,
                              .url = std::move(url),
                              .headers = {{"User-Agent", parts_.user_agent}},
                              .body = {},
                              .name = "newNonce"};
  EDGETRUST_TRY_ASSIGN(const http::Response response, transport_->send(request, std::move(stop)));
  if (!response.ok()) return fail(answer_error(response, Purpose::kOrder, clock_.now()));
  const std::string fresh(response.headers.get("Replay-Nonce").value_or(""));
  if (!NoncePool::is_nonce(fresh)) return fail(ErrorKind::kProtocol, "the server gave no nonce");
  return fresh;
}

Result<http::Response> Session::send(const Call& call, const http::Url& url, const std::string& jws,
                                     std::stop_token stop) {
  const http::Request request{.method = http::Method::kPost,
                              .url = url,
                              .headers = {{"Content-Type", "application/jose+json"},
                                          {"Accept", call.accept},
                                          {"User-Agent", parts_.user_agent}},
                              .body = jws,
                              .max_body = call.max_body,
                              .name = call.name};
  auto response = transport_->send(request, std::move(stop));
  if (!response && call.payload.empty()) return fail(before_the_request(std::move(response).error()));
  return response;
}

Result<http::Response> Session::post_signed(const Call& call, const Signer& signer, std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(const http::Url url, parts_.policy.check(call.url));
  std::string fresh;  // from the answer that rejected the nonce before
  for (int tries = 0; tries < kMaxNonceTries; ++tries) {
    EDGETRUST_TRY(not_stopped(stop));
    if (fresh.empty()) {
      EDGETRUST_TRY_ASSIGN(
          fresh, nonce(stop).map_error([](Error e) { return before_the_request(within("newNonce", std::move(e))); }));
    }
    EDGETRUST_TRY_ASSIGN(const std::string jws, signer.key->sign(signer.kid, fresh, url.to_string(), call.payload));
    EDGETRUST_TRY_ASSIGN(http::Response response, send(call, url, jws, stop));
    const auto next = response.headers.get("Replay-Nonce");
    if (response.ok()) {
      nonces_.put(next);
      return response;
    }
    Error error = answer_error(response, call.purpose, clock_.now());
    if (!is_problem(error, "badNonce")) {
      nonces_.put(next);
      // An error page of something between us and the server: it may have done what was asked.
      error.maybe_executed = !call.payload.empty() && error.code.empty() && response.status >= 500;
      return fail(std::move(error));
    }
    fresh = next && NoncePool::is_nonce(*next) ? std::string(*next) : std::string();
  }
  return fail(ErrorKind::kUnavailable,
              "the server rejected " + std::to_string(kMaxNonceTries) + " nonces in a row, each of them its own");
}

Result<http::Response> Session::get(const std::string& url, std::string_view name, std::size_t max_body,
                                    std::stop_token stop) {
  EDGETRUST_TRY(not_stopped(stop));
  EDGETRUST_TRY_ASSIGN(http::Url checked, parts_.policy.check(url));
  const http::Request request{.method = http::Method::kGet,
                              .url = std::move(checked),
                              .headers = {{"User-Agent", parts_.user_agent}, {"Accept", "application/json"}},
                              .body = {},
                              .max_body = max_body,
                              .name = name};
  auto response = transport_->send(request, std::move(stop));
  if (!response) return fail(before_the_request(std::move(response).error()));
  if (!response->ok()) return fail(answer_error(*response, Purpose::kOrder, clock_.now()));
  return response;
}

Result<http::Response> Session::post(const Call& call, std::stop_token stop) {
  EDGETRUST_TRY(parts_.policy.check(call.url));
  for (bool again = false;; again = true) {
    EDGETRUST_TRY_ASSIGN(const Signer signer, this->signer(stop));
    auto response = post_signed(call, signer, stop);
    if (response) return response;
    const Error& error = response.error();
    if (doubts_directory(error)) directory_.forget();
    // A server that lost its accounts (a restored backup, a test server restarted) takes the same key again.
    const bool lost = is_problem(error, "accountDoesNotExist");
    if (lost) forget_account(signer.kid);
    // Signed with a key that was the account's until a moment ago: servers have several names for that.
    const bool outrun = !error.code.empty() && key() != signer.key;
    if (again || !(lost || outrun)) return response;
  }
}

Result<http::Response> Session::post_as(const std::shared_ptr<const AccountKey>& key, const Call& call,
                                        std::stop_token stop) {
  return post_signed(call, {.key = key, .kid = {}}, std::move(stop));
}

}  // namespace edgetrust::acme
