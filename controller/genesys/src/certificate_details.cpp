#include "certificate_details.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/json/view.hpp"

namespace edgetrust::genesys::details {
namespace {

constexpr std::size_t kMaxAnswer = std::size_t{256} << 10;
constexpr std::size_t kMaxName = 256;

std::size_t count_certificates(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  std::size_t count = 0;
  for (auto at = pem.find(kBegin); at != std::string_view::npos; at = pem.find(kBegin, at + kBegin.size())) ++count;
  return count;
}

}  // namespace

Result<Secret> question_about(const std::string& chain_pem) {
  if (chain_pem.find("PRIVATE KEY") != std::string::npos)
    return fail(ErrorKind::kInternal, "a chain with a private key in it is not sent to be looked at");
  return Secret(json::dump({{"certificate", chain_pem}}));
}

Result<std::string> read_objection(std::string_view answer, std::string_view chain_pem) {
  const auto document = json::Document::parse(answer, {.max_bytes = kMaxAnswer, .max_depth = 16});
  if (!document) return fail(document.error());
  const json::View entries = document->root()["certificateDetails"];
  if (entries.kind() != json::Kind::kArray) return fail(ErrorKind::kProtocol, "the answer has no certificateDetails");
  const std::size_t sent = count_certificates(chain_pem);
  std::string objection;
  if (entries.size() < sent)
    objection = "it can read " + std::to_string(entries.size()) + " of " + std::to_string(sent) + " certificates";
  entries.for_each_element([&](json::View entry) {
    if (objection.empty() && entry["expired"].boolean().value_or(false))
      objection = "\"" + printable(entry["subject"].string().value_or(""), kMaxName) + "\" has expired";
    return objection.empty();
  });
  return objection;
}

}  // namespace edgetrust::genesys::details
