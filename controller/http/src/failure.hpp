#pragma once
// What a broken exchange means to the caller: its kind, whether the request may have been executed, and words.
#include "client.hpp"

namespace edgetrust::http {

Error explain_broken(const Broken& broken, Client& client, const Url& origin);
Error explain_timeout(const Client& client, const Url& origin, std::chrono::milliseconds limit, bool silence);

// What is checked before anything is sent. kInvalid.
Status check_request(const Request& request);
// What the library lets through: interim answers, a length that is none, a coding that it does not know. kProtocol.
Status check_head(const Response& head, const Url& origin);

}  // namespace edgetrust::http
