#include "edgetrust/dns/route53/signature.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/crypto/digest.hpp"

#include <algorithm>
#include <map>

namespace edgetrust::dns {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// "20150830T123600Z"
std::string basic_time(TimePoint now) {
  std::string text = format_rfc3339(now);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

// The path as it is sent, each segment encoded once more; all services but S3 want that.
std::string canonical_path(std::string_view path) {
  std::vector<std::string> segments = split(path, '/');
  for (auto& segment : segments) segment = http::percent_encode(segment);
  return join(segments, "/");
}

std::string canonical_query(std::string_view query) {
  if (query.empty()) return {};
  std::vector<std::string> pairs = split(query, '&');
  for (auto& pair : pairs) {
    if (pair.find('=') == std::string::npos) pair += '=';
  }
  // By name, then value: '=' sorts above some characters of a name.
  std::ranges::sort(pairs, {}, [](const std::string& pair) {
    const auto at = pair.find('=');
    return std::pair(pair.substr(0, at), pair.substr(at + 1));
  });
  return join(pairs, "&");
}

// Trimmed, runs of spaces as one.
std::string canonical_value(std::string_view value) {
  std::string result;
  for (const char c : trim(value)) {
    if (c != ' ' || result.empty() || result.back() != ' ') result += c;
  }
  return result;
}

Result<Secret> derived(const Secret& key, std::string_view text) {
  EDGETRUST_TRY_ASSIGN(std::string mac, crypto::hmac(crypto::Hash::kSha256, key, text));
  return Secret::take(mac);
}

Result<Secret> signing_key(const Secret& secret, const std::string& day, const AwsScope& scope) {
  Secret key("AWS4");
  key.append(secret.expose());
  for (const std::string& part : {day, scope.region, scope.service, std::string("aws4_request")}) {
    EDGETRUST_TRY_ASSIGN(key, derived(key, part));
  }
  return key;
}

}  // namespace

Status sign(http::Request& request, const AwsKeys& keys, const AwsScope& scope, TimePoint now) {
  const std::string time = basic_time(now);
  const std::string day = time.substr(0, 8);
  request.headers.set("X-Amz-Date", time);
  if (!keys.session_token.empty())
    request.headers.set("X-Amz-Security-Token", std::string(keys.session_token.expose()));

  std::map<std::string, std::string> headers{{"host", request.url.authority()}};
  for (const auto& [name, value] : request.headers.fields()) headers[lower(name)] = canonical_value(value);
  std::string lines;
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) {
    lines.append(name).append(":").append(value).append("\n");
    names.push_back(name);
  }
  const std::string signed_headers = join(names, ";");
  const auto& target = request.url.target;
  const auto question = std::min(target.find('?'), target.size());
  const std::string canonical =
      join({std::string(to_string(request.method)), canonical_path(target.substr(0, question)),
            canonical_query(std::string_view(target).substr(std::min(question + 1, target.size()))), lines,
            signed_headers, to_hex(crypto::sha256(request.body))},
           "\n");
  const std::string range = join({day, scope.region, scope.service, "aws4_request"}, "/");
  const std::string to_sign = join({std::string(kAlgorithm), time, range, to_hex(crypto::sha256(canonical))}, "\n");
  EDGETRUST_TRY_ASSIGN(const Secret key, signing_key(keys.secret_access_key, day, scope));
  EDGETRUST_TRY_ASSIGN(const std::string mac, crypto::hmac(crypto::Hash::kSha256, key, to_sign));
  request.headers.set("Authorization", std::string(kAlgorithm) + " Credential=" + keys.access_key_id + "/" + range +
                                           ", SignedHeaders=" + signed_headers + ", Signature=" + to_hex(mac));
  return {};
}

}  // namespace edgetrust::dns
