#pragma once
// Result<T>: a value or an Error. Every function that can fail returns one; nothing of ours throws across a room.
#include "edgetrust/base/error.hpp"

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace edgetrust {

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string what,
                                  std::source_location where = std::source_location::current()) {
  return tl::unexpected<Error>(Error{.kind = kind,
                                     .what = std::move(what),
                                     .context = {},
                                     .code = {},
                                     .correlation_id = {},
                                     .retry_after = {},
                                     .maybe_executed = false,
                                     .where = where});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace edgetrust

// EDGETRUST_TRY(expr): returns the error of a Status or Result from the enclosing function.
// EDGETRUST_TRY_ASSIGN(auto x, expr): the same, and binds the value.
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration stands in no parentheses.
#define EDGETRUST_JOIN_(a, b) a##b
#define EDGETRUST_NAME_(a, b) EDGETRUST_JOIN_(a, b)
#define EDGETRUST_TRY(expr) \
  if (auto edgetrust_status = (expr); !edgetrust_status) return tl::unexpected(std::move(edgetrust_status).error())
#define EDGETRUST_TRY_ASSIGN(declaration, expr) \
  EDGETRUST_TRY_ASSIGN_(EDGETRUST_NAME_(edgetrust_result_, __LINE__), declaration, expr)
#define EDGETRUST_TRY_ASSIGN_(result, declaration, expr)         \
  auto result = (expr);                                          \
  if (!result) return tl::unexpected(std::move(result).error()); \
  declaration = std::move(*result)
// NOLINTEND(bugprone-macro-parentheses)
