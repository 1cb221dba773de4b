#include "edgetrust/dns/route53/login.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "xml.hpp"

#include <algorithm>
#include <array>

namespace edgetrust::dns {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kVersion = "2011-06-15";
constexpr std::string_view kSessionName = "edgetrust";
constexpr std::chrono::milliseconds kMargin = 5min;

// docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html and the same of STS.
ErrorKind kind_of(const std::string& code, ErrorKind otherwise) {
  constexpr std::array<std::string_view, 11> kRefused{"InvalidClientTokenId",
                                                      "SignatureDoesNotMatch",
                                                      "UnrecognizedClientException",
                                                      "IncompleteSignature",
                                                      "MissingAuthenticationToken",
                                                      "InvalidAccessKeyId",
                                                      "InvalidIdentityToken",
                                                      "ExpiredToken",
                                                      "ExpiredTokenException",
                                                      "IDPRejectedClaim",
                                                      "MissingAuthenticationTokenException"};
  constexpr std::array<std::string_view, 6> kThrottled{"Throttling",           "ThrottlingException",
                                                       "ThrottledException",   "TooManyRequestsException",
                                                       "RequestLimitExceeded", "RequestThrottled"};
  if (std::ranges::find(kRefused, code) != kRefused.end()) return ErrorKind::kUnauthorized;
  if (std::ranges::find(kThrottled, code) != kThrottled.end()) return ErrorKind::kRateLimited;
  if (code == "AccessDenied" || code == "AccessDeniedException") return ErrorKind::kForbidden;
  if (code == "NoSuchHostedZone") return ErrorKind::kNotFound;
  if (code == "PriorRequestNotComplete" || code == "InvalidChangeBatch") return ErrorKind::kConflict;
  if (code == "RequestExpired" || code == "IDPCommunicationError") return ErrorKind::kUnavailable;
  return otherwise;
}

bool fits_a_header(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Error aws_refusal(const Rest& rest, const http::Response& response, std::initializer_list<std::string_view> secrets) {
  pugi::xml_document document;
  std::string code;
  std::string said;
  if (parse_xml(response.body, document)) {
    const pugi::xml_node root = document.document_element();
    if (root.child("Error")) {
      code = text_at(root, "Error/Code");
      said = text_at(root, "Error/Message");
    } else {  // InvalidChangeBatch has its messages in the root
      code = root.name();
      said = text_at(root, root.child("Messages") ? "Messages/Message" : "Message");
    }
  }
  code = told(code, {});
  said = told(said, secrets);
  if (!code.empty()) said = code + (said.empty() ? "" : ": " + said);
  Error error = rest.refusal(response, said, code);
  const ErrorKind kind = kind_of(code, error.kind);
  return kind == error.kind ? error : rest.refusal(kind, response, said, code);
}

AwsLogin::AwsLogin(AwsLoginOptions options, http::Url sts, Rest rest)
    : options_(std::move(options)),
      sts_(std::move(sts)),
      rest_(std::move(rest)),
      static_keys_(options_.keys && options_.role_arn.empty()
                       ? std::make_shared<const AwsKeys>(AwsKeys{options_.keys->access_key_id,
                                                                 options_.keys->secret_access_key.clone(),
                                                                 options_.keys->session_token.clone()})
                       : nullptr) {}

Result<std::unique_ptr<AwsLogin>> AwsLogin::create(AwsLoginOptions options, Rest rest) {
  EDGETRUST_TRY_ASSIGN(http::Url sts, api_url(options.sts, "the address of AWS STS"));
  if (options.keys &&
      !(fits_a_header(options.keys->access_key_id) && fits_a_header(options.keys->secret_access_key.expose())))
    return fail(ErrorKind::kInvalid, "route53: " + rest.options().credential + " holds no access key");
  const bool has_role = !options.role_arn.empty() || (options.web_identity && !options.web_identity->role_arn.empty());
  if (!options.keys && (!options.web_identity || !has_role))
    return fail(ErrorKind::kInvalid,
                "route53: there are no accessKeyIdRef and secretAccessKeyRef, and the operator's pod has no web "
                "identity (AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE)");
  return std::unique_ptr<AwsLogin>(new AwsLogin(std::move(options), std::move(sts), std::move(rest)));
}

Result<AwsLogin::Keys> AwsLogin::keys(const Until& until) {
  if (static_keys_) return static_keys_;
  const std::scoped_lock lock(mutex_);
  if (session_ && rest_.clock().steady() < session_->ends) return session_->keys;
  EDGETRUST_TRY_ASSIGN(session_, log_in(until));
  return session_->keys;
}

void AwsLogin::refused(const Keys& keys) {
  const std::scoped_lock lock(mutex_);
  if (session_ && session_->keys == keys) session_.reset();
}

Result<AwsLogin::Session> AwsLogin::log_in(const Until& until) const {
  if (options_.keys) return with_keys(*options_.keys, options_.role_arn, until);
  const std::string& own = options_.web_identity->role_arn;
  if (own.empty() || options_.role_arn.empty() || own == options_.role_arn)
    return with_token(own.empty() ? options_.role_arn : own, until);
  EDGETRUST_TRY_ASSIGN(const Session first, with_token(own, until));
  return with_keys(*first.keys, options_.role_arn, until);
}

Result<AwsLogin::Session> AwsLogin::with_token(const std::string& role, const Until& until) const {
  EDGETRUST_TRY_ASSIGN(const Secret token, options_.web_identity->token());
  http::Request request{.method = http::Method::kPost,
                        .url = sts_.with_target(sts_.target + "/"),
                        .headers = {},
                        .body = http::query_string({{"Action", "AssumeRoleWithWebIdentity"},
                                                    {"Version", kVersion},
                                                    {"RoleArn", role},
                                                    {"RoleSessionName", kSessionName},
                                                    {"WebIdentityToken", trim(token.expose())}})};
  return ask(std::move(request), until);
}

Result<AwsLogin::Session> AwsLogin::with_keys(const AwsKeys& keys, const std::string& role, const Until& until) const {
  http::Request request{
      .method = http::Method::kPost,
      .url = sts_.with_target(sts_.target + "/"),
      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
      .body = http::query_string(
          {{"Action", "AssumeRole"}, {"Version", kVersion}, {"RoleArn", role}, {"RoleSessionName", kSessionName}})};
  EDGETRUST_TRY(sign(request, keys, {.region = options_.region, .service = "sts"}, rest_.clock().now()));
  return ask(std::move(request), until);
}

Result<AwsLogin::Session> AwsLogin::ask(http::Request request, const Until& until) const {
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  const auto sent = request.headers.get("X-Amz-Security-Token");
  const Secret token(sent.value_or(""));
  EDGETRUST_TRY_ASSIGN(http::Response response, rest_.send(std::move(request), until));
  if (!response.ok()) return fail(aws_refusal(rest_, response, {token.expose()}));
  pugi::xml_document document;
  const Status parsed = parse_xml(response.body, document);
  cleanse(response.body.data(), response.body.size());
  if (!parsed) return fail(rest_.broken(parsed.error().what));
  const pugi::xml_node credentials =
      document.document_element().find_node([](const pugi::xml_node& node) { return is(node, "Credentials"); });
  AwsKeys keys{.access_key_id = credentials.child_value("AccessKeyId"),
               .secret_access_key = Secret(credentials.child_value("SecretAccessKey")),
               .session_token = Secret(credentials.child_value("SessionToken"))};
  const auto ends = parse_rfc3339(credentials.child_value("Expiration"));
  if (!fits_a_header(keys.access_key_id) || !fits_a_header(keys.secret_access_key.expose()) ||
      !fits_a_header(keys.session_token.expose()) || !ends)
    return fail(rest_.broken("no temporary keys"));
  const auto life = std::clamp<std::chrono::milliseconds>(*ends - rest_.clock().now(), 1min, 12h);
  return Session{std::make_shared<const AwsKeys>(std::move(keys)),
                 rest_.clock().steady() + life - std::min(kMargin, life / 2)};
}

}  // namespace edgetrust::dns
