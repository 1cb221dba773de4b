#pragma once
// Where no server of anybody's is, but a cloud's metadata service may be: what a URL from outside must not lead to.
//
// Called by: whoever takes a URL from a spec, a Secret or a peer. Threads: any. Errors: none.
#include <string>

namespace edgetrust::http {

// `host` as Url has it. Link-local, unspecified, multicast and metadata addresses, in every form in which they hide.
// Private addresses and loopback are not forbidden: internal servers live there. What a name resolves to is the
// resolver's side of this.
bool is_forbidden_host(const std::string& host);

}  // namespace edgetrust::http
