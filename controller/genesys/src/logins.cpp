#include "logins.hpp"

namespace edgetrust::genesys {

Result<Token> Logins::token(const std::stop_token& stop) {
  auto token = first_->token(stop);
  if (token || !standby_) {
    const std::lock_guard lock(mutex_);
    standby_in_use_ = false;
    if (token) refusal_.reset();
    return token;
  }
  if (token.error().kind == ErrorKind::kCancelled) return token;
  std::optional<Error> refusal;
  {
    const std::lock_guard lock(mutex_);
    if (token.error().kind == ErrorKind::kUnauthorized) refusal_ = token.error();
    refusal = refusal_;
  }
  // A login that fails otherwise is no refusal; but once refused, the first is that until it logs in again.
  if (!refusal) return token;
  return from_standby(*refusal, stop);
}

Result<Token> Logins::from_standby(const Error& refusal, const std::stop_token& stop) {
  auto token = standby_->token(stop);
  if (token) {
    const std::lock_guard lock(mutex_);
    standby_in_use_ = true;
    return token;
  }
  if (token.error().kind != ErrorKind::kUnauthorized) return token;
  Error both = refusal;
  both.what += "; the standby too: " + token.error().message();
  return fail(std::move(both));
}

void Logins::refused(const Token& token) {
  first_->refused(token);
  if (standby_) standby_->refused(token);
}

Logins::InUse Logins::in_use() const {
  const std::lock_guard lock(mutex_);
  InUse in_use{.client_id = standby_in_use_ ? standby_->client_id() : first_->client_id(),
               .standby = standby_in_use_,
               .refusal = {}};
  if (standby_in_use_ && refusal_) in_use.refusal = refusal_->message();
  return in_use;
}

}  // namespace edgetrust::genesys
