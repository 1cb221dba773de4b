#include "problem.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace edgetrust::acme {
namespace {

using enum ErrorKind;

struct Row {
  std::string_view type;
  ErrorKind as_answer;      // to a request of ours
  ErrorKind as_validation;  // in a challenge or an order: why a validation failed
  std::string_view advice;  // what a person should do, where that is known
};

// RFC 8555 section 6.7, RFC 9773 section 7.4 and the profiles draft, by name. kInvalid, kUnauthorized and kForbidden
// wait for a person; everything else is tried again after a while. A failed validation may pass next time: records
// spread slowly, and servers say `unauthorized` for a TXT record that they do not see yet.
constexpr std::array kTable = {
    Row{"accountDoesNotExist", kNotFound, kUnavailable, ""},
    Row{"alreadyReplaced", kConflict, kConflict, ""},
    Row{"alreadyRevoked", kConflict, kConflict, ""},
    Row{"badCSR", kInvalid, kInvalid, ""},
    Row{"badNonce", kUnavailable, kUnavailable, ""},
    Row{"badPublicKey", kInvalid, kInvalid, ""},
    Row{"badRevocationReason", kInvalid, kInvalid, ""},
    Row{"badSignatureAlgorithm", kInvalid, kInvalid, "use an account key of another algorithm"},
    Row{"caa", kInvalid, kInvalid, "the domain's CAA records must allow this CA"},
    Row{"compound", kInvalid, kUnavailable, ""},  // its subproblems decide where it has some
    Row{"connection", kUnavailable, kUnavailable, ""},
    Row{"dns", kUnavailable, kUnavailable, ""},
    Row{"externalAccountRequired", kInvalid, kInvalid, "set externalAccountBinding"},
    Row{"incorrectResponse", kUnavailable, kUnavailable, ""},
    Row{"invalidContact", kInvalid, kInvalid, "change the e-mail address"},
    Row{"invalidProfile", kInvalid, kInvalid, "choose a profile that the server offers"},
    Row{"malformed", kProtocol, kProtocol, ""},
    Row{"orderNotReady", kConflict, kConflict, ""},
    Row{"rateLimited", kRateLimited, kRateLimited, ""},
    Row{"rejectedIdentifier", kInvalid, kInvalid, ""},
    Row{"serverInternal", kUnavailable, kUnavailable, ""},
    Row{"tls", kUnavailable, kUnavailable, ""},
    Row{"unauthorized", kUnauthorized, kUnavailable, ""},
    Row{"unsupportedContact", kInvalid, kInvalid, "change the e-mail address"},
    Row{"unsupportedIdentifier", kInvalid, kInvalid, ""},
    Row{"userActionRequired", kForbidden, kUnavailable,
        "the CA wants something done by hand, such as new terms agreed to"},
};

constexpr std::size_t kMaxText = 1024;
constexpr std::size_t kMaxSubproblems = 5;
constexpr std::size_t kMaxProblem = std::size_t{1} << 16;

// `type` is a whole URN.
const Row* row_of(std::string_view type) {
  if (!type.starts_with(kProblemPrefix)) return nullptr;
  type.remove_prefix(kProblemPrefix.size());
  const auto row = std::find_if(kTable.begin(), kTable.end(), [&](const Row& r) { return r.type == type; });
  return row == kTable.end() ? nullptr : &*row;
}

std::string_view short_name(std::string_view type) {
  return type.starts_with(kProblemPrefix) ? type.substr(kProblemPrefix.size()) : type;
}

// Without a problem document it was perhaps not the ACME server that answered, but something before it: no such answer
// is a reason to give up.
ErrorKind kind_of_status(int status, bool problem) {
  switch (status) {
    case 404:
    case 410: return kNotFound;
    case 408: return kTimeout;
    case 409: return kConflict;
    case 429: return kRateLimited;
    case 401: return problem ? kUnauthorized : kProtocol;
    case 403: return problem ? kForbidden : kProtocol;
    default: return status >= 500 ? kUnavailable : kProtocol;
  }
}

struct Problem {
  std::string type;  // as sent, printable
  std::string text;
  std::optional<ErrorKind> kind;  // empty when the type says nothing
};

Problem read_problem(json::View view, bool validation, bool top);

// The kinds of a compound problem's parts: one that waits for a person decides.
std::optional<ErrorKind> kind_of_parts(const std::vector<Problem>& parts) {
  std::optional<ErrorKind> kind;
  for (const auto& part : parts) {
    if (!part.kind) continue;
    if (!kind || retry_of({.kind = *part.kind}) == Retry::kAfterChange) kind = part.kind;
  }
  return kind;
}

std::vector<Problem> read_parts(json::View problem, bool validation) {
  std::vector<Problem> parts;
  problem["subproblems"].for_each_element([&](json::View part) {
    parts.push_back(read_problem(part, validation, false));
    return parts.size() < kMaxSubproblems;
  });
  return parts;
}

std::string text_of(json::View view, const Problem& problem, const Row* row) {
  std::string text = std::string(short_name(problem.type));
  if (const auto name = view["identifier"]["value"].string()) text = std::string(*name) + ": " + text;
  if (const auto detail = view["detail"].string()) text += ": " + std::string(*detail);
  if (row != nullptr && !row->advice.empty()) text += " (" + std::string(row->advice) + ")";
  return text;
}

Problem read_problem(json::View view, bool validation, bool top) {
  Problem problem{.type = printable(view["type"].string_or("about:blank"), 128), .text = {}, .kind = {}};
  const Row* row = row_of(problem.type);
  if (row != nullptr) problem.kind = validation ? row->as_validation : row->as_answer;
  std::string text = text_of(view, problem, row);
  if (top) {
    const auto parts = read_parts(view, validation);
    if (row != nullptr && row->type == "compound" && !parts.empty()) problem.kind = kind_of_parts(parts);
    for (const auto& part : parts) text += "; " + part.text;
    if (view["subproblems"].size() > parts.size()) text += "; and more";
  }
  problem.text = printable(text, kMaxText);
  return problem;
}

std::optional<json::Document> problem_document(const http::Response& response) {
  if (response.body.size() > kMaxProblem) return std::nullopt;
  auto document = json::Document::parse(response.body);
  if (!document || !document->root()["type"].string()) return std::nullopt;
  return std::move(*document);
}

}  // namespace

bool is_problem(const Error& error, std::string_view name) {
  return error.code.size() == kProblemPrefix.size() + name.size() && error.code.starts_with(kProblemPrefix) &&
         error.code.ends_with(name);
}

Error answer_error(const http::Response& response, TimePoint now) {
  Error error;
  const auto document = problem_document(response);
  if (document) {
    Problem problem = read_problem(document->root(), false, true);
    error.kind = problem.kind.value_or(kind_of_status(response.status, true));
    // Servers have no type of their own for "no such order" (Boulder, Pebble: malformed with status 404).
    if (response.status == 404 && is_problem({.code = problem.type}, "malformed")) error.kind = kNotFound;
    error.what = std::move(problem.text);
    error.code = std::move(problem.type);
  } else {
    error.kind = kind_of_status(response.status, false);
    error.what = "HTTP " + std::to_string(response.status) + " without a problem document";
    if (response.status >= 300 && response.status < 400) error.what += " (redirects are not followed)";
  }
  error.retry_after = http::retry_after(response.headers, now);
  return error;
}

Error validation_error(json::View problem) {
  Problem read = read_problem(problem, true, true);
  Error error;
  error.kind = read.kind.value_or(kUnavailable);
  error.what = std::move(read.text);
  error.code = std::move(read.type);
  return error;
}

}  // namespace edgetrust::acme
