#pragma once
// The declared reaction to every problem type (RFC 8555 section 6.7) at every kind of request; the table is in
// src/problem.cpp. The client acts on some of it itself; the rest reaches the rules as Error::kind.
#include "edgetrust/base/error.hpp"

#include <optional>
#include <string_view>

namespace edgetrust::acme {

// What a request is for: what a problem means depends on it.
enum class Purpose {
  kAccount,        // newAccount, and the account's contact
  kNewOrder,       // newOrder, and the list of orders
  kOrder,          // a look at an order
  kAuthorization,  // a look at an authorization, and its deactivation
  kChallenge,
  kFinalize,
  kCertificate,
  kChange  // keyChange, revokeCert, the account's deactivation
};

// How the client and the rules answer a problem. The table in problem.cpp has one for each type and purpose.
enum class Reaction {
  kSameAgain,        // nothing was executed: again at once, with a fresh nonce (section 6.5)
  kRegisterAgain,    // the server has lost the account: the same key is registered again, then once more
  kLater,            // again after a while that grows, or when the server wishes
  kAfterTheLimit,    // the same; said as what it is
  kReport,           // client or server breaks the protocol: again after a while, and told
  kLookAgain,        // the server is further or less far than we thought: what it has now decides
  kNotAReplacement,  // the order is asked for as one that replaces nothing (RFC 9773 section 5)
  kGiveUp,           // what was asked for is gone: the order is given up, and another made after a while
  kChangeRequest,    // a person must change names, key, profile, contact or the domain's records
  kChangeAccount,    // a person must change the account or its key
  kActAtTheCa,       // a person must do something at the CA
  kDone              // what was wanted is so already
};

// By the type's short name; `validation`: said by a challenge or an order of why it is invalid. Empty for a type that
// the table does not have: its HTTP status decides.
std::optional<Reaction> reaction_to(std::string_view type, Purpose purpose);
std::optional<Reaction> reaction_to_validation(std::string_view type);
// What the caller sees of it.
ErrorKind kind_of(Reaction reaction);

}  // namespace edgetrust::acme
