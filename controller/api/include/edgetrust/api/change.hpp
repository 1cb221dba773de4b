#pragma once
// Which change of an object its status is about: what is under way, else what has ended last. Read from the status
// alone, so that whoever reads it says the same. Called by: decide, reconcile, audit, plugin. Pure.
#include "edgetrust/api/edge.hpp"
#include "edgetrust/api/edge_certificate.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace edgetrust::api {

// What the condition Issued says of a stored revision ("revision 7 is stored"), and the revision that such a text
// names.
std::string is_stored(int revision);
std::optional<int> stored_revision(std::string_view message);

// The revision that is delivered, ordered, or stored and waits; else the newest that has ended. Empty: none was begun.
std::optional<int> revision_in_question(const EdgeCertificateStatus& status);

// SHA-256 of the pin file that is put in place; else of the one that was rolled back, while that is the last word; else
// of the one that is there. Empty: there is none.
std::string pin_file_in_question(const EdgePins& pins);

}  // namespace edgetrust::api
