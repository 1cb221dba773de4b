#pragma once
// Objects to and from JSON. Called by kube (reading lists and watches, writing status) and by tests.
// decode() never fails: an object whose spec or status cannot be read comes back with its metadata and `broken`, so
// that one bad object is reported by itself and stops nobody else.
#include "edgetrust/api/kinds.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/json/view.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::api {

ObjectMeta decode_meta(json::View metadata);

// Defined for the six kinds.
template <class Kind>
Kind decode(json::View object);

// {"apiVersion", "kind", "metadata": {name, namespace, labels, annotations, …}, "spec"}: what a client would create.
// Status is left out.
template <class Kind>
std::string encode_for_create(const Kind& object);

// The members of .status alone.
template <class Kind>
std::string encode_status(const Kind& object);

// The word that stands in status.pins.state, and in a condition's status.
std::string_view to_string(EdgePinState state);
std::string_view to_string(Truth truth);

}  // namespace edgetrust::api
