#include "edgetrust/dns/route53/route53_zone.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/dns/name.hpp"
#include "xml.hpp"

#include <algorithm>
#include <sstream>

namespace edgetrust::dns {
namespace {

constexpr std::string_view kVersion = "/2013-04-01";
constexpr const char* kNamespace = "https://route53.amazonaws.com/doc/2013-04-01/";
constexpr int kTries = 6;  // of a change that others are faster than
constexpr int kTtl = 60;   // seconds, of a set that is made
// Somebody else was faster; or the set is not possible there, beside a CNAME say.
constexpr std::string_view kNotAsItWasRead = "InvalidChangeBatch";

std::string quoted(const std::string& value) { return '"' + value + '"'; }

// "/hostedzone/Z123" as answers have it, or "Z123" as users write it.
std::string id_of(std::string_view text) {
  return std::string(text.substr(text.rfind('/') == std::string_view::npos ? 0 : text.rfind('/') + 1));
}
bool is_id(std::string_view text) {
  constexpr std::size_t kLongest = 32;
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
}

// What an answer says of the set at a name; nothing when that name has none.
pugi::xml_node set_in(const pugi::xml_document& answer, const std::string& name) {
  for (const auto& set : answer.document_element().child("ResourceRecordSets").children("ResourceRecordSet")) {
    const bool is_it =
        canonical_name(set.child_value("Name")) == name && std::string_view(set.child_value("Type")) == "TXT";
    if (is_it) return set;
  }
  return {};
}

void add_change(pugi::xml_node changes, const char* action, const std::string& name, int ttl,
                const std::vector<std::string>& values) {
  if (values.empty()) return;
  auto change = changes.append_child("Change");
  change.append_child("Action").text().set(action);
  auto set = change.append_child("ResourceRecordSet");
  set.append_child("Name").text().set((name + ".").c_str());
  set.append_child("Type").text().set("TXT");
  set.append_child("TTL").text().set(ttl);
  auto records = set.append_child("ResourceRecords");
  for (const auto& value : values)
    records.append_child("ResourceRecord").append_child("Value").text().set(value.c_str());
}

}  // namespace

AwsPartition aws_partition(const std::string& region) {
  if (region.starts_with("cn-"))
    return {"https://route53.amazonaws.com.cn", "https://sts." + region + ".amazonaws.com.cn", "cn-northwest-1"};
  if (region.starts_with("us-gov-"))
    return {"https://route53.us-gov.amazonaws.com", "https://sts." + region + ".amazonaws.com", "us-gov-west-1"};
  return {"https://route53.amazonaws.com", "https://sts." + region + ".amazonaws.com", "us-east-1"};
}

Result<std::unique_ptr<Route53Zone>> Route53Zone::create(Route53Options options,
                                                         std::shared_ptr<http::Transport> transport, FindZone find_zone,
                                                         const Clock& clock) {
  EDGETRUST_TRY_ASSIGN(http::Url api, api_url(options.api, "the address of Route 53"));
  if (!options.hosted_zone_id.empty() && !is_id(options.hosted_zone_id))
    return fail(ErrorKind::kInvalid, "route53.hostedZoneId is no id of a hosted zone");
  const Rest login_rest(transport, clock, {.peer = "AWS STS", .credential = options.credential});
  Rest rest(std::move(transport), clock, {.peer = "Route 53", .credential = options.credential});
  EDGETRUST_TRY_ASSIGN(auto login, AwsLogin::create(std::move(options.login), login_rest));
  return std::unique_ptr<Route53Zone>(
      new Route53Zone(std::move(api), std::move(options), std::move(rest), std::move(login), std::move(find_zone)));
}

Status Route53Zone::present(const std::string& name, const std::string& value, std::stop_token stop) {
  return apply(Change::kAdd, name, value, std::move(stop));
}
Status Route53Zone::remove(const std::string& name, const std::string& value, std::stop_token stop) {
  return apply(Change::kRemove, name, value, std::move(stop));
}

Status Route53Zone::apply(Change change, const std::string& name, const std::string& value, std::stop_token stop) {
  const Until until = rest_.until(std::move(stop));
  const std::string at = canonical_name(name);
  const auto done = [&]() -> Status {
    EDGETRUST_TRY_ASSIGN(const std::string zone, hosted_zone(at, until));
    Status written;
    for (int i = 0; i < kTries; ++i) {
      EDGETRUST_TRY_ASSIGN(const RecordSet was, read(zone, at, until));
      RecordSet becomes = was;
      const bool there = std::erase(becomes.values, quoted(value)) > 0;
      if (there == (change == Change::kAdd)) return {};
      if (change == Change::kAdd) becomes.values.push_back(quoted(value));
      written = replace(zone, at, was, becomes, until);
      if (written || written.error().code != kNotAsItWasRead) return written;
    }
    return written;
  }();
  return Status(done).map_error([&](Error error) { return within("TXT record at " + name, std::move(error)); });
}

Result<std::string> Route53Zone::hosted_zone(const std::string& name, const Until& until) {
  if (!options_.hosted_zone_id.empty()) return options_.hosted_zone_id;
  EDGETRUST_TRY_ASSIGN(const std::string zone, find_zone_(name, until.stop));
  const std::string query = http::query_string({{"dnsname", zone + "."}});
  EDGETRUST_TRY_ASSIGN(const std::string answer,
                       ask({.url = under(api_, std::string(kVersion) + "/hostedzonesbyname?" + query)}, until));
  pugi::xml_document document;
  if (const Status parsed = parse_xml(answer, document); !parsed) return fail(rest_.broken(parsed.error().what));
  std::vector<std::string> ids;
  for (const auto& candidate : document.document_element().child("HostedZones").children("HostedZone")) {
    const bool is_private = candidate.child("Config").child("PrivateZone").text().as_bool();
    if (canonical_name(candidate.child_value("Name")) == zone && !is_private)
      ids.push_back(id_of(candidate.child_value("Id")));
  }
  if (ids.empty())
    return fail(ErrorKind::kNotFound,
                "there is no public hosted zone " + zone + " in the account: make it, or set hostedZoneId");
  if (ids.size() > 1)
    return fail(ErrorKind::kInvalid, "there are several public hosted zones " + zone + " in the account (" +
                                         join(ids, ", ") + "): set hostedZoneId");
  if (!is_id(ids.front())) return fail(rest_.broken("a hosted zone without an id"));
  return ids.front();
}

Result<Route53Zone::RecordSet> Route53Zone::read(const std::string& zone, const std::string& name, const Until& until) {
  const std::string query = http::query_string({{"name", name + "."}, {"type", "TXT"}, {"maxitems", "1"}});
  EDGETRUST_TRY_ASSIGN(
      const std::string answer,
      ask({.url = under(api_, std::string(kVersion) + "/hostedzone/" + zone + "/rrset?" + query)}, until));
  pugi::xml_document document;
  if (const Status parsed = parse_xml(answer, document); !parsed) return fail(rest_.broken(parsed.error().what));
  const pugi::xml_node set = set_in(document, name);
  if (!set) return RecordSet{.ttl = kTtl, .values = {}};
  if (set.child("SetIdentifier") || set.child("AliasTarget"))
    return fail(ErrorKind::kConflict, "the TXT record set there has a routing policy: remove that");
  RecordSet found{.ttl = set.child("TTL").text().as_int(kTtl), .values = {}};
  for (const auto& record : set.child("ResourceRecords").children("ResourceRecord"))
    found.values.emplace_back(record.child_value("Value"));
  return found;
}

Status Route53Zone::replace(const std::string& zone, const std::string& name, const RecordSet& was,
                            const RecordSet& becomes, const Until& until) {
  pugi::xml_document document;
  auto declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  auto root = document.append_child("ChangeResourceRecordSetsRequest");
  root.append_attribute("xmlns") = kNamespace;
  auto changes = root.append_child("ChangeBatch").append_child("Changes");
  add_change(changes, "DELETE", name, was.ttl, was.values);
  add_change(changes, "CREATE", name, becomes.ttl, becomes.values);
  std::ostringstream text;
  document.save(text, "", pugi::format_raw);
  EDGETRUST_TRY(ask({.method = http::Method::kPost,
                     .url = under(api_, std::string(kVersion) + "/hostedzone/" + zone + "/rrset/"),
                     .headers = {{"Content-Type", "application/xml"}},
                     .body = text.str()},
                    until));
  return {};
}

// Once more with new keys when temporary ones that were kept are refused.
Result<std::string> Route53Zone::ask(const http::Request& request, const Until& until) {
  for (bool again = true;; again = false) {
    EDGETRUST_TRY_ASSIGN(const AwsLogin::Keys keys, login_->keys(until));
    http::Request with_keys = request;
    EDGETRUST_TRY(
        sign(with_keys, *keys, {.region = options_.signing_region, .service = "route53"}, rest_.clock().now()));
    EDGETRUST_TRY_ASSIGN(http::Response response, rest_.send(std::move(with_keys), until));
    if (response.ok()) return std::move(response.body);
    Error error = aws_refusal(rest_, response, {keys->secret_access_key.expose(), keys->session_token.expose()});
    const bool may_be_old = error.kind == ErrorKind::kUnauthorized && !keys->session_token.empty();
    if (!may_be_old || !again) return fail(std::move(error));
    login_->refused(keys);
  }
}

}  // namespace edgetrust::dns
