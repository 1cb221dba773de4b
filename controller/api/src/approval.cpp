#include "edgetrust/api/approval.hpp"

#include "edgetrust/api/common.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/json/view.hpp"

#include <charconv>
#include <limits>

namespace edgetrust::api {

namespace {

constexpr std::size_t kLongest = 4096;
constexpr std::size_t kLongestMember = 256;
constexpr std::string_view kAwaits = "approval of revision ";

std::string text_of(json::View member) { return printable(member.string().value_or(""), kLongestMember); }

}  // namespace

Result<ApprovalRequest> parse_approval(std::string_view text) {
  const std::string shape =
      "the annotation " + std::string(kApprove) + R"( must read like {"revision":7,"change":"CHG0045123","by":"ada"})";
  if (text.size() > kLongest) return fail(ErrorKind::kInvalid, shape + " and be no longer than 4 KiB");
  const auto document = json::Document::parse(text);
  if (!document) return fail(ErrorKind::kInvalid, shape);
  const auto revision = document->root()["revision"].integer();
  if (!revision || *revision < 1 || *revision > std::numeric_limits<int>::max())
    return fail(ErrorKind::kInvalid, shape + ": it names no revision");
  return ApprovalRequest{static_cast<int>(*revision), text_of(document->root()["change"]),
                         text_of(document->root()["by"])};
}

std::string awaits_approval(int revision) { return std::string(kAwaits) + std::to_string(revision); }

std::optional<int> awaited_approval(std::string_view next) {
  if (!next.starts_with(kAwaits)) return std::nullopt;
  next.remove_prefix(kAwaits.size());
  int revision = 0;
  const auto [end, error] = std::from_chars(next.data(), next.data() + next.size(), revision);
  return error == std::errc{} && end == next.data() + next.size() ? std::optional(revision) : std::nullopt;
}

}  // namespace edgetrust::api
