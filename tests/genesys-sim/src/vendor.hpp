#pragma once
// The shapes in which the vendor's API answers.
#include "edgetrust/base/clock.hpp"
#include "edgetrust/http/server.hpp"
#include "edgetrust/json/value_fwd.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::sim {

http::Response json_response(int status, const json::Value& body);

// ErrorBody of the published API. contextId is filled in on the way out.
struct VendorFault {
  int status = 500;
  std::string code;
  std::string message;
  std::string entity_id = {};
  std::string detail_code = {};   // details[0].errorCode
  std::string detail_field = {};  // details[0].fieldName
};
http::Response vendor_error(const VendorFault& fault);
http::Response not_found(std::string_view path);

// The vendor's code for a status that a fault asks for.
std::string_view code_for(int status);

std::string time_text(TimePoint time);  // yyyy-MM-ddTHH:mm:ss.SSSZ

std::string url_decode(std::string_view text);
using Query = std::map<std::string, std::string, std::less<>>;
Query parse_query(std::string_view text);  // application/x-www-form-urlencoded; the last of two wins
std::vector<std::string> path_segments(std::string_view path);  // decoded, without the empty first one

// The listing shape: entities of the page that `query` asks for. `total_again` adds totalNumberOfEntities.
json::Value listing(const std::vector<json::Value>& all, const Query& query, std::string_view uri, bool total_again);

}  // namespace edgetrust::sim
