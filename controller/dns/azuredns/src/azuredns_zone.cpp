#include "edgetrust/dns/azuredns/azuredns_zone.hpp"

#include "edgetrust/dns/name.hpp"
#include "edgetrust/json/value.hpp"

#include <algorithm>

namespace edgetrust::dns {
namespace {

constexpr std::string_view kApiVersion = "2018-05-01";
constexpr int kTries = 6;  // of a change that others are faster than
constexpr int kTtl = 60;   // seconds, of a set that is made

// One TXT record is a list of character-strings.
bool holds(const json::Value& record, const std::string& value) {
  std::string joined;
  if (!record.is_object() || !record.contains("value") || !record["value"].is_array()) return false;
  for (const auto& part : record["value"]) {
    if (!part.is_string()) return false;
    joined += part.get<std::string>();
  }
  return joined == value;
}

// The set's own members that a change must leave as they are, and its records.
json::Value properties_of(json::View set) {
  json::Value properties = json::Value::object();
  const json::View had = set["properties"];
  properties["TTL"] = had["TTL"].integer().value_or(kTtl);
  if (had["metadata"].present()) properties["metadata"] = json::to_value(had["metadata"]);
  properties["TXTRecords"] =
      had["TXTRecords"].kind() == json::Kind::kArray ? json::to_value(had["TXTRecords"]) : json::Value::array();
  return properties;
}

bool lacks_its_zone(const Error& error) {
  return error.code == "ParentResourceNotFound" || error.code == "ResourceGroupNotFound" ||
         error.code == "SubscriptionNotFound" || error.code == "ResourceNotFound";
}

}  // namespace

Result<AzureCloud> azure_cloud(const std::string& name) {
  if (name.empty() || name == "AzurePublicCloud")
    return AzureCloud{"https://login.microsoftonline.com", "https://management.azure.com"};
  if (name == "AzureUSGovernmentCloud")
    return AzureCloud{"https://login.microsoftonline.us", "https://management.usgovcloudapi.net"};
  if (name == "AzureChinaCloud")
    return AzureCloud{"https://login.chinacloudapi.cn", "https://management.chinacloudapi.cn"};
  return fail(ErrorKind::kInvalid,
              "azureDns.environment is none of AzurePublicCloud, AzureUSGovernmentCloud, AzureChinaCloud");
}

Result<std::unique_ptr<AzureDnsZone>> AzureDnsZone::create(AzureDnsOptions options,
                                                           std::shared_ptr<http::Transport> transport,
                                                           FindZone find_zone, const Clock& clock) {
  EDGETRUST_TRY_ASSIGN(http::Url management, api_url(options.management, "the address of Azure's API"));
  const Rest login_rest(transport, clock, {.peer = "Azure's login", .credential = options.credential});
  Rest rest(std::move(transport), clock, {.peer = "Azure DNS", .credential = options.credential});
  EDGETRUST_TRY_ASSIGN(auto login, AzureLogin::create(std::move(options.login), login_rest));
  options.zone = canonical_name(options.zone);
  return std::unique_ptr<AzureDnsZone>(new AzureDnsZone(std::move(management), std::move(options), std::move(rest),
                                                        std::move(login), std::move(find_zone)));
}

Status AzureDnsZone::present(const std::string& name, const std::string& value, std::stop_token stop) {
  return apply(Change::kAdd, name, value, std::move(stop));
}
Status AzureDnsZone::remove(const std::string& name, const std::string& value, std::stop_token stop) {
  return apply(Change::kRemove, name, value, std::move(stop));
}

Status AzureDnsZone::apply(Change change, const std::string& name, const std::string& value, std::stop_token stop) {
  const Until until = rest_.until(std::move(stop));
  const auto done = [&]() -> Status {
    EDGETRUST_TRY_ASSIGN(const std::string path, path_of(canonical_name(name), until));
    for (int i = 0; i < kTries; ++i) {
      EDGETRUST_TRY_ASSIGN(const bool written, try_once(change, path, value, until));
      if (written) return {};
    }
    return fail(ErrorKind::kConflict, "others change the record set all the time");
  }();
  return Status(done).map_error([&](Error error) { return within("TXT record at " + name, std::move(error)); });
}

Result<std::string> AzureDnsZone::path_of(const std::string& name, const Until& until) const {
  std::string zone = options_.zone;
  if (zone.empty()) {
    EDGETRUST_TRY_ASSIGN(zone, find_zone_(name, until.stop));
  }
  if (!is_within(name, zone)) return fail(ErrorKind::kInvalid, "the name is not in the zone " + zone + " (zoneName)");
  const std::string relative = name == zone ? "@" : name.substr(0, name.size() - zone.size() - 1);
  return "/subscriptions/" + http::percent_encode(options_.subscription) + "/resourceGroups/" +
         http::percent_encode(options_.resource_group) + "/providers/Microsoft.Network/dnsZones/" +
         http::percent_encode(zone) + "/TXT/" + http::percent_encode(relative) +
         "?api-version=" + std::string(kApiVersion);
}

Result<bool> AzureDnsZone::try_once(Change change, const std::string& path, const std::string& value,
                                    const Until& until) {
  http::Request request{.url = under(management_, path)};
  EDGETRUST_TRY_ASSIGN(const http::Response read, ask(request, until));
  std::string etag;
  json::Value properties;
  if (read.ok()) {
    auto document = json::Document::parse(read.body);
    if (!document) return fail(rest_.broken(document.error().what));
    etag = document->root()["etag"].string_or("");
    if (etag.empty()) return fail(rest_.broken("a record set without an ETag"));
    properties = properties_of(document->root());
  } else if (Error error = refusal(read); error.kind != ErrorKind::kNotFound || lacks_its_zone(error)) {
    return fail(std::move(error));
  } else {
    properties = properties_of({});
  }
  auto& records = properties["TXTRecords"];
  const auto there =
      std::find_if(records.begin(), records.end(), [&](const auto& record) { return holds(record, value); });
  if ((there != records.end()) == (change == Change::kAdd)) return true;
  if (change == Change::kAdd) {
    records.push_back({{"value", json::Value::array({value})}});
  } else {
    records.erase(there);
  }
  request.method = records.empty() ? http::Method::kDelete : http::Method::kPut;
  if (!records.empty()) {
    request.body = json::dump(json::Value{{"properties", properties}});
    request.headers.set("Content-Type", "application/json");
  }
  if (etag.empty()) {
    request.headers.set("If-None-Match", "*");
  } else {
    request.headers.set("If-Match", etag);
  }
  EDGETRUST_TRY_ASSIGN(const http::Response written, ask(std::move(request), until));
  if (written.ok()) return true;
  if (written.status == 412) return false;
  return fail(refusal(written));
}

// Once more with a new token when the one that was kept is refused.
Result<http::Response> AzureDnsZone::ask(http::Request request, const Until& until) {
  request.headers.set("Accept", "application/json");
  for (bool again = true;; again = false) {
    EDGETRUST_TRY_ASSIGN(const AzureLogin::Token token, login_->token(until));
    request.headers.set("Authorization", "Bearer " + std::string(token->expose()));
    EDGETRUST_TRY_ASSIGN(http::Response response, rest_.send(request, until));
    if (response.status != 401 || !again) return response;
    login_->refused(token);
  }
}

Error AzureDnsZone::refusal(const http::Response& response) const {
  const auto document = json::Document::parse(response.body);
  const json::View root = document ? document->root() : json::View{};
  const json::View error = root["error"].present() ? root["error"] : root;
  const std::string code = told(error["code"].string_or(""), {});
  std::string said = told(error["message"].string_or(""), {});
  if (!code.empty()) said = code + (said.empty() ? "" : ": " + said);
  if (response.status == 403)
    said += "; it needs the role DNS Zone Contributor for the zone in resource group " + options_.resource_group;
  return rest_.refusal(response, said, code);
}

}  // namespace edgetrust::dns
