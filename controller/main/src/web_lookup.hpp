#pragma once
// Looks at a page over plain http, at exactly the address that was looked up and judged before: a name that leads to a
// link-local or metadata address is not asked, nor one that changes its mind in between.
//
// Called by: wiring. Threads: any. Errors: as ports/web_lookup.hpp says.
#include "edgetrust/http/transport.hpp"
#include "edgetrust/net/wait.hpp"
#include "edgetrust/ports/web_lookup.hpp"

#include <functional>
#include <memory>

namespace edgetrust {

// The addresses of a name; an address is its own.
using AddressesOf = std::function<Result<std::vector<std::string>>(const std::string& host, const net::Wait& wait)>;

// With port 0 nobody is asked. `clock` must outlive it.
std::unique_ptr<ports::WebLookup> make_web_lookup(AddressesOf addresses_of, std::shared_ptr<http::Transport> transport,
                                                  const Clock& clock, std::uint16_t port);

}  // namespace edgetrust
