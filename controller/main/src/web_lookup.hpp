#pragma once
// Looks at a page over plain http, at exactly the address that was looked up and judged before: a name that leads to a
// link-local or metadata address is not asked, nor one that changes its mind in between. Each look is a connection of
// its own, so that another look may meet another server behind the address.
//
// Called by: wiring. Threads: any. Errors: as ports/web_lookup.hpp says.
#include "edgetrust/net/wait.hpp"
#include "edgetrust/ports/web_lookup.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace edgetrust {

// The addresses of a name; an address is its own.
using AddressesOf = std::function<Result<std::vector<std::string>>(const std::string& host, const net::Wait& wait)>;

// With port 0 nobody is asked. `clock` must outlive it.
std::unique_ptr<ports::WebLookup> make_web_lookup(AddressesOf addresses_of, const Clock& clock, std::uint16_t port);

}  // namespace edgetrust
