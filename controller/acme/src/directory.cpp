#include "directory.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/json/view.hpp"
#include "problem.hpp"

namespace edgetrust::acme {
namespace {

constexpr std::chrono::hours kMaxAge{1};
constexpr std::size_t kMaxDirectory = std::size_t{1} << 16;
constexpr std::size_t kMaxProfiles = 64;
constexpr std::size_t kMaxTerms = 512;

Result<std::string> url_of(json::View root, const char* name, const UrlPolicy& policy) {
  const auto text = root[name].string();
  if (!text) return fail(ErrorKind::kProtocol, std::string("the directory has no ") + name);
  EDGETRUST_TRY_ASSIGN(const http::Url url, policy.check(*text).map_error([&](Error e) {
    return within(std::string("the directory's ") + name, std::move(e));
  }));
  return url.to_string();
}

}  // namespace

Result<Directory> parse_directory(std::string_view text, const UrlPolicy& policy) {
  EDGETRUST_TRY_ASSIGN(const json::Document document, json::Document::parse(text, {.max_bytes = kMaxDirectory}));
  const json::View root = document.root();
  Directory directory;
  EDGETRUST_TRY_ASSIGN(directory.new_nonce, url_of(root, "newNonce", policy));
  EDGETRUST_TRY_ASSIGN(directory.new_account, url_of(root, "newAccount", policy));
  EDGETRUST_TRY_ASSIGN(directory.new_order, url_of(root, "newOrder", policy));
  directory.renewal_info = root["renewalInfo"].string_or("");
  directory.key_change = root["keyChange"].string_or("");
  directory.revoke_cert = root["revokeCert"].string_or("");
  const std::string terms = root["meta"]["termsOfService"].string_or("");
  if (terms.starts_with("https://")) directory.terms_of_service = printable(terms, kMaxTerms);
  directory.external_account_required = root["meta"]["externalAccountRequired"].boolean().value_or(false);
  root["meta"]["profiles"].for_each_member([&](std::string_view name, json::View) {
    directory.profiles.push_back(printable(name, 64));
    return directory.profiles.size() < kMaxProfiles;
  });
  return directory;
}

Result<std::shared_ptr<const Directory>> DirectoryCache::get(std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    if (directory_ && clock_.steady() - fetched_ < kMaxAge) return directory_;
  }
  const http::Request request{.method = http::Method::kGet,
                              .url = policy_.directory(),
                              .headers = {{"User-Agent", user_agent_}, {"Accept", "application/json"}},
                              .body = {},
                              .max_body = kMaxDirectory,
                              .name = "directory"};
  EDGETRUST_TRY_ASSIGN(const http::Response response, transport_.send(request, std::move(stop)));
  if (!response.ok()) return fail(answer_error(response, Purpose::kAccount, clock_.now()));
  EDGETRUST_TRY_ASSIGN(Directory parsed, parse_directory(response.body, policy_));
  auto shared = std::make_shared<const Directory>(std::move(parsed));
  const std::lock_guard lock(mutex_);
  directory_ = shared;
  fetched_ = clock_.steady();
  return shared;
}

void DirectoryCache::forget() {
  const std::lock_guard lock(mutex_);
  directory_ = nullptr;
}

}  // namespace edgetrust::acme
