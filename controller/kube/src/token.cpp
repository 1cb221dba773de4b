#include "edgetrust/kube/token.hpp"

#include "edgetrust/base/text.hpp"
#include "file.hpp"

namespace edgetrust::kube {
namespace {

constexpr std::size_t kMaxToken = 64 * 1024;
constexpr std::chrono::seconds kFresh{60};

class FixedToken final : public TokenSource {
 public:
  explicit FixedToken(Secret token) : token_(std::move(token)) {}
  Result<Secret> token() override { return token_.clone(); }
  void refused() override {}

 private:
  const Secret token_;
};

class TokenFile final : public TokenSource {
 public:
  TokenFile(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

  Result<Secret> token() override {
    const std::lock_guard lock(mutex_);
    if (!read_at_ || clock_.steady() - *read_at_ >= kFresh) EDGETRUST_TRY(read());
    return token_.clone();
  }
  void refused() override {
    const std::lock_guard lock(mutex_);
    read_at_.reset();
  }

 private:
  Status read() {
    auto text = read_secret_file(path_, kMaxToken);
    const std::string_view content = text ? trim(text->expose()) : std::string_view{};
    if (is_token(content)) {
      token_ = Secret(content);
    } else if (token_.empty()) {
      return fail(ErrorKind::kUnauthorized, "no token can be read from " + path_);
    }
    read_at_ = clock_.steady();
    return {};
  }

  const std::string path_;
  const Clock& clock_;
  std::mutex mutex_;
  Secret token_;
  std::optional<SteadyPoint> read_at_;
};

}  // namespace

bool is_token(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
  return !text.empty() && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

std::shared_ptr<TokenSource> fixed_token(Secret token) { return std::make_shared<FixedToken>(std::move(token)); }
std::shared_ptr<TokenSource> token_file(std::string path, const Clock& clock) {
  return std::make_shared<TokenFile>(std::move(path), clock);
}

}  // namespace edgetrust::kube
