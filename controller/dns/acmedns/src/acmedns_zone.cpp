#include "edgetrust/dns/acmedns/acmedns_zone.hpp"

#include "edgetrust/dns/name.hpp"
#include "edgetrust/json/value.hpp"

#include <algorithm>

namespace edgetrust::dns {
namespace {

constexpr std::string_view kChallenge = "_acme-challenge.";
constexpr std::size_t kMostAccounts = 1000;

bool fits_a_header(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Result<std::map<std::string, AcmeDnsZone::Account>> AcmeDnsZone::read(const Secret& text,
                                                                      const std::string& credential) {
  const auto bad = [&](const std::string& what) {
    return fail(ErrorKind::kInvalid, "acmeDns: " + credential + " " + what);
  };
  const auto document = json::Document::parse(text.expose());
  if (!document) return bad("holds no JSON: " + document.error().what);
  const json::View root = document->root();
  std::map<std::string, Account> accounts;
  std::string missing;
  const auto take = [&](std::string_view domain, json::View account) {
    Account taken{.full_domain = canonical_name(account["fulldomain"].string_or("")),
                  .subdomain = account["subdomain"].string_or(""),
                  .user = Secret(account["username"].string().value_or("")),
                  .key = Secret(account["password"].string().value_or(""))};
    const bool whole = !taken.full_domain.empty() && !taken.subdomain.empty() && fits_a_header(taken.user.expose()) &&
                       fits_a_header(taken.key.expose());
    if (!whole) missing = domain.empty() ? "the account" : "the account of " + canonical_name(domain);
    accounts.insert_or_assign(canonical_name(domain), std::move(taken));
    return whole && accounts.size() <= kMostAccounts;
  };
  if (root["subdomain"].kind() == json::Kind::kString) {
    take("", root);
  } else {
    root.for_each_member([&](std::string_view domain, json::View account) { return take(domain, account); });
  }
  if (!missing.empty()) return bad(missing + " lacks one of username, password, fulldomain and subdomain");
  if (accounts.empty()) return bad("holds no account of acme-dns");
  if (accounts.size() > kMostAccounts) return bad("holds more than " + std::to_string(kMostAccounts) + " accounts");
  return accounts;
}

Result<std::unique_ptr<AcmeDnsZone>> AcmeDnsZone::create(AcmeDnsOptions options,
                                                         std::shared_ptr<http::Transport> transport,
                                                         EndOfAliases end_of_aliases, ports::DnsLookup& lookup,
                                                         const Clock& clock) {
  EDGETRUST_TRY_ASSIGN(http::Url host, api_url(options.host, "acmeDns.host"));
  EDGETRUST_TRY_ASSIGN(auto accounts, read(options.accounts, options.credential));
  Rest rest(std::move(transport), clock, {.peer = "acme-dns at " + host.host, .credential = options.credential});
  return std::unique_ptr<AcmeDnsZone>(new AcmeDnsZone(std::move(host), std::move(accounts),
                                                      std::move(options.nameservers), std::move(rest),
                                                      std::move(end_of_aliases), lookup));
}

Result<const AcmeDnsZone::Account*> AcmeDnsZone::account_for(const std::string& name) const {
  std::string domain = canonical_name(name);
  if (domain.starts_with(kChallenge)) domain.erase(0, kChallenge.size());
  auto found = accounts_.find(domain);
  if (found == accounts_.end()) found = accounts_.find("");
  if (found != accounts_.end()) return &found->second;
  return fail(ErrorKind::kInvalid, "acmeDns: " + rest_.options().credential + " has no account for " + domain +
                                       ": register one and add it under that name");
}

Result<std::string> AcmeDnsZone::seen_at(const std::string& name, std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(const Account* account, account_for(name));
  EDGETRUST_TRY_ASSIGN(const std::string end, end_of_aliases_(name, std::move(stop)));
  if (end == account->full_domain) return end;
  return fail(ErrorKind::kInvalid, canonical_name(name) + " must be a CNAME of " + account->full_domain +
                                       ", the name of its account at acme-dns" +
                                       (end == canonical_name(name) ? "" : ", and leads to " + shown(end)));
}

Status AcmeDnsZone::present(const std::string& name, const std::string& value, std::stop_token stop) {
  EDGETRUST_TRY_ASSIGN(const Account* account, account_for(name));
  EDGETRUST_TRY_ASSIGN(const std::string target, seen_at(name, stop));
  EDGETRUST_TRY_ASSIGN(const auto answers, lookup_.find_txt(target, value, nameservers_, stop));
  if (std::ranges::any_of(answers, [](const auto& answer) { return answer.has_value; })) return {};
  return update(*account, value, std::move(stop)).map_error([&](Error error) {
    return within("TXT record at " + target, std::move(error));
  });
}

Status AcmeDnsZone::update(const Account& account, const std::string& value, std::stop_token stop) const {
  http::Request request{.method = http::Method::kPost,
                        .url = under(host_, "/update"),
                        .headers = {},
                        .body = json::dump(json::Value{{"subdomain", account.subdomain}, {"txt", value}})};
  request.headers.set("X-Api-User", std::string(account.user.expose()));
  request.headers.set("X-Api-Key", std::string(account.key.expose()));
  request.headers.set("Content-Type", "application/json");
  EDGETRUST_TRY_ASSIGN(const http::Response response, rest_.send(std::move(request), rest_.until(std::move(stop))));
  const auto document = json::Document::parse(response.body);
  if (response.ok()) {
    if (document && document->root()["txt"].string() == value) return {};
    return fail(rest_.broken("it does not repeat the value"));
  }
  const std::string code = document ? document->root()["error"].string_or("") : "";
  const std::string said = told(code, {account.user.expose(), account.key.expose()});
  return fail(rest_.refusal(response, said, said));
}

}  // namespace edgetrust::dns
