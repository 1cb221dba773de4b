#include "authority_list.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"
#include "endpoint.hpp"
#include "paged.hpp"

#include <algorithm>
#include <set>

namespace edgetrust::genesys {
namespace {

constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxPem = std::size_t{256} << 10;

std::optional<ports::TrustedAuthority> read_authority(json::View entity) {
  const auto is = [&](std::string_view field, std::string_view word) {
    return lower(entity[field].string().value_or("")) == word;
  };
  if (!is("type", "remote") || is("state", "deleted") || is("state", "inactive")) return std::nullopt;
  ports::TrustedAuthority authority{.id = printable(entity["id"].string().value_or(""), kMaxName),
                                    .name = printable(entity["name"].string().value_or(""), kMaxName),
                                    .version = entity["version"].integer().value_or(0),
                                    .services = {},
                                    .certificate_pem = {}};
  if (authority.id.empty()) return std::nullopt;
  const std::string_view pem = entity["certificate"].string().value_or("");
  authority.certificate_pem = std::string(pem.substr(0, kMaxPem));
  entity["services"].for_each_element([&](json::View service) {
    authority.services.push_back(printable(service.string().value_or(""), kMaxName));
    return true;
  });
  std::ranges::sort(authority.services);
  return authority;
}

std::string body_of(const ports::TrustedAuthority& authority) {
  json::Value body = {{"name", authority.name},
                      {"type", "REMOTE"},
                      {"services", authority.services},
                      {"certificate", authority.certificate_pem}};
  if (!authority.id.empty()) {
    body["id"] = authority.id;
    body["version"] = authority.version;
  }
  return json::dump(body);
}

}  // namespace

// The vendor documents no pages for this listing, but answers in their shape.
Result<std::vector<ports::TrustedAuthority>> AuthorityList::list(std::stop_token stop) {
  std::vector<ports::TrustedAuthority> authorities;
  std::set<std::string> seen;
  EDGETRUST_TRY(for_each_listed(client_, path::kAuthorities, "", stop, [&](json::View entity) {
    auto authority = read_authority(entity);
    if (authority && seen.insert(authority->id).second) authorities.push_back(std::move(*authority));
  }));
  return authorities;
}

Status AuthorityList::create(const ports::TrustedAuthority& authority, std::stop_token stop) {
  return change(http::Method::kPost, std::string(path::kAuthorities), &authority, std::move(stop));
}

Status AuthorityList::update(const ports::TrustedAuthority& authority, std::stop_token stop) {
  return change(http::Method::kPut, with_id(path::kAuthority, authority.id), &authority, std::move(stop));
}

Status AuthorityList::remove(const ports::TrustedAuthority& authority, std::stop_token stop) {
  Status removed = change(http::Method::kDelete, with_id(path::kAuthority, authority.id), nullptr, std::move(stop));
  if (!removed && removed.error().kind == ErrorKind::kNotFound) return {};
  return removed;
}

Status AuthorityList::change(http::Method method, std::string path, const ports::TrustedAuthority* body,
                             std::stop_token stop) {
  Outgoing outgoing;
  outgoing.method = method;
  outgoing.path = std::move(path);
  if (body != nullptr) outgoing.body = Secret(body_of(*body));
  const auto answer = client_.call(outgoing, stop);
  if (!answer) return fail(answer.error().error);
  return {};
}

}  // namespace edgetrust::genesys
