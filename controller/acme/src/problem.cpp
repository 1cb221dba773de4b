#include "problem.hpp"

#include "edgetrust/base/text.hpp"
#include "links.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace edgetrust::acme {
namespace {

using enum ErrorKind;

constexpr std::size_t kPurposes = 8;

// A letter of the table.
constexpr std::optional<Reaction> read(char letter) {
  switch (letter) {
    case 'n': return Reaction::kSameAgain;
    case 'r': return Reaction::kRegisterAgain;
    case '.': return Reaction::kLater;
    case 't': return Reaction::kAfterTheLimit;
    case '!': return Reaction::kReport;
    case 'l': return Reaction::kLookAgain;
    case 'w': return Reaction::kNotAReplacement;
    case 'g': return Reaction::kGiveUp;
    case 'c': return Reaction::kChangeRequest;
    case 'a': return Reaction::kChangeAccount;
    case 'h': return Reaction::kActAtTheCa;
    case 'd': return Reaction::kDone;
    default: return std::nullopt;
  }
}

struct Row {
  std::string_view type;
  std::string_view reactions;  // a letter for each Purpose, in its order
  char validation;             // and one for a problem in a challenge or an order
  std::string_view advice;     // what a person should do, where that is known
};

// The types of RFC 8555 section 6.7, of RFC 9773 section 7.4 and of the profiles draft, by name. Those of extensions
// that are never asked for (RFC 8739, 9115, 9799) are to us as any that nobody knows. A failed validation may pass next
// time: records spread slowly, and servers say `unauthorized` for a TXT record that they do not see yet. An order of
// which the server says `unauthorized` is another account's: it was made before accountKeyRef was changed.
constexpr std::array kTable = {
    //                            account: A, newOrder: N, order: O, authorization: Z,
    //                            challenge: C, finalize: F, certificate: D, change: X
    //                           ANOZCFDX
    Row{"accountDoesNotExist", "grrrrrrr", '.', ""},
    Row{"alreadyReplaced", "lwllllll", 'l', ""},
    Row{"alreadyRevoked", "llllllld", 'l', ""},
    Row{"badCSR", "cccccccc", 'c', ""},
    Row{"badNonce", "nnnnnnnn", '.', ""},
    Row{"badPublicKey", "cccccccc", 'c', ""},
    Row{"badRevocationReason", "cccccccc", 'c', "choose another reason"},
    Row{"badSignatureAlgorithm", "cccccccc", 'c', "use an account key of another algorithm"},
    Row{"caa", "cccccccc", 'c', "the domain's CAA records must allow this CA"},
    Row{"compound", "cccccccc", '.', ""},  // its subproblems decide where it has some
    Row{"connection", "........", '.', ""},
    Row{"dns", "........", '.', ""},
    Row{"externalAccountRequired", "cccccccc", 'c', "set externalAccountBinding"},
    Row{"incorrectResponse", "........", '.', ""},
    Row{"invalidContact", "cccccccc", 'c', "change the e-mail address"},
    Row{"invalidProfile", "cccccccc", 'c', "choose a profile that the server offers"},
    Row{"malformed", "!!!!!!!!", '!', ""},  // with status 404: kGiveUp
    Row{"orderNotReady", "llllllll", 'l', ""},
    Row{"rateLimited", "tttttttt", 't', ""},
    Row{"rejectedIdentifier", "cccccccc", 'c', ""},
    Row{"serverInternal", "........", '.', ""},
    Row{"tls", "........", '.', ""},
    Row{"unauthorized", "aagglaga", '.', ""},
    Row{"unsupportedContact", "cccccccc", 'c', "change the e-mail address"},
    Row{"unsupportedIdentifier", "cccccccc", 'c', ""},
    Row{"userActionRequired", "hhhhhhhh", '.', "the CA wants something done by hand, such as new terms agreed to"},
};

constexpr bool is_complete() {
  for (const auto& row : kTable) {
    if (row.reactions.size() != kPurposes || !read(row.validation)) return false;
    for (const char letter : row.reactions) {
      if (!read(letter)) return false;
    }
  }
  return true;
}
static_assert(is_complete(), "a cell of the table is empty");

constexpr std::size_t kMaxText = 1024;
constexpr std::size_t kMaxSubproblems = 5;
constexpr std::size_t kMaxLink = 512;
constexpr std::size_t kMaxProblem = std::size_t{1} << 16;

const Row* row_of(std::string_view type) {
  const auto row = std::find_if(kTable.begin(), kTable.end(), [&](const Row& r) { return r.type == type; });
  return row == kTable.end() ? nullptr : &*row;
}

const Row* row_of_urn(std::string_view urn) {
  return urn.starts_with(kProblemPrefix) ? row_of(urn.substr(kProblemPrefix.size())) : nullptr;
}

std::string_view short_name(std::string_view type) {
  return type.starts_with(kProblemPrefix) ? type.substr(kProblemPrefix.size()) : type;
}

Reaction cell(const Row& row, std::optional<Purpose> purpose) {
  const char letter = purpose ? row.reactions[static_cast<std::size_t>(*purpose)] : row.validation;
  return read(letter).value_or(Reaction::kLater);
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

// `purpose`: what was asked; empty: a validation.
Problem read_problem(json::View view, std::optional<Purpose> purpose, bool top);

// The kinds of a compound problem's parts: one that waits for a person decides.
std::optional<ErrorKind> kind_of_parts(const std::vector<Problem>& parts) {
  std::optional<ErrorKind> kind;
  for (const auto& part : parts) {
    if (!part.kind) continue;
    if (!kind || retry_of({.kind = *part.kind}) == Retry::kAfterChange) kind = part.kind;
  }
  return kind;
}

std::vector<Problem> read_parts(json::View problem, std::optional<Purpose> purpose) {
  std::vector<Problem> parts;
  problem["subproblems"].for_each_element([&](json::View part) {
    parts.push_back(read_problem(part, purpose, false));
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

Problem read_problem(json::View view, std::optional<Purpose> purpose, bool top) {
  Problem problem{.type = printable(view["type"].string_or("about:blank"), 128), .text = {}, .kind = {}};
  const Row* row = row_of_urn(problem.type);
  if (row != nullptr) problem.kind = kind_of(cell(*row, purpose));
  std::string text = text_of(view, problem, row);
  if (top) {
    const auto parts = read_parts(view, purpose);
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

std::optional<Reaction> reaction_to(std::string_view type, Purpose purpose) {
  const Row* row = row_of(type);
  return row != nullptr ? std::optional(cell(*row, purpose)) : std::nullopt;
}

std::optional<Reaction> reaction_to_validation(std::string_view type) {
  const Row* row = row_of(type);
  return row != nullptr ? std::optional(cell(*row, std::nullopt)) : std::nullopt;
}

ErrorKind kind_of(Reaction reaction) {
  switch (reaction) {
    case Reaction::kSameAgain:
    case Reaction::kLater: return kUnavailable;
    case Reaction::kAfterTheLimit: return kRateLimited;
    case Reaction::kReport: return kProtocol;
    case Reaction::kLookAgain:
    case Reaction::kNotAReplacement:
    case Reaction::kDone: return kConflict;
    case Reaction::kRegisterAgain:
    case Reaction::kGiveUp: return kNotFound;
    case Reaction::kChangeRequest: return kInvalid;
    case Reaction::kChangeAccount: return kUnauthorized;
    case Reaction::kActAtTheCa: return kForbidden;
  }
  return kUnavailable;
}

bool is_problem(const Error& error, std::string_view name) {
  return error.code.size() == kProblemPrefix.size() + name.size() && error.code.starts_with(kProblemPrefix) &&
         error.code.ends_with(name);
}

namespace {

// Where a person reads on: the page with what is to be done, and the terms (RFC 8555 section 7.3.3).
std::string places_to_go(const http::Response& response, json::View problem) {
  std::string places;
  const auto add = [&](const char* what, std::string_view url) {
    if (url.starts_with("https://")) places += std::string("; ") + what + ": " + printable(url, kMaxLink);
  };
  add("see", problem["instance"].string_or(""));
  add("the terms of service", link_to(response.headers, "terms-of-service"));
  return places;
}

}  // namespace

Error answer_error(const http::Response& response, Purpose purpose, TimePoint now) {
  Error error;
  const auto document = problem_document(response);
  if (document) {
    Problem problem = read_problem(document->root(), purpose, true);
    error.kind = problem.kind.value_or(kind_of_status(response.status, true));
    // Servers have no type of their own for "no such order" (Boulder, Pebble: malformed with status 404).
    if (response.status == 404 && is_problem({.code = problem.type}, "malformed")) error.kind = kNotFound;
    error.what = std::move(problem.text);
    error.code = std::move(problem.type);
    if (is_problem(error, "userActionRequired")) error.what += places_to_go(response, document->root());
  } else {
    error.kind = kind_of_status(response.status, false);
    error.what = "HTTP " + std::to_string(response.status) + " without a problem document";
    if (response.status >= 300 && response.status < 400) error.what += " (redirects are not followed)";
  }
  error.retry_after = http::retry_after(response.headers, now);
  return error;
}

Error validation_error(json::View problem) {
  Problem read = read_problem(problem, std::nullopt, true);
  Error error;
  error.kind = read.kind.value_or(kUnavailable);
  error.what = std::move(read.text);
  error.code = std::move(read.type);
  return error;
}

}  // namespace edgetrust::acme
