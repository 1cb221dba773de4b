#include "edgetrust/view/document.hpp"

#include "edgetrust/api/codec.hpp"
#include "edgetrust/json/value.hpp"
#include "edgetrust/view/text.hpp"

namespace edgetrust::view {

json::Value as_value(const FleetRow& row) {
  json::Value one{{"namespace", row.certificate.ns},
                  {"name", row.certificate.name},
                  {"edge", row.edge},
                  {"site", row.site},
                  {"phase", row.phase},
                  {"ready", api::to_string(row.ready)},
                  {"stalled", row.stalled},
                  {"serialNumber", row.serial_number},
                  {"issuer", row.issuer},
                  {"next", row.next},
                  {"reason", row.reason},
                  {"message", row.message}};
  if (row.revision) one["revision"] = *row.revision;
  set_time(one, "notBefore", row.not_before);
  set_time(one, "notAfter", row.not_after);
  set_time(one, "renewalTime", row.renewal);
  return one;
}

json::Value as_value(const Timeline& told) {
  json::Value out{{"namespace", told.certificate.ns},
                  {"name", told.certificate.name},
                  {"edge", told.edge},
                  {"site", told.site},
                  {"phase", told.phase},
                  {"reason", told.reason},
                  {"message", told.message},
                  {"stalled", told.stalled},
                  {"serialNumber", told.serial_number},
                  {"fingerprintSha256", told.fingerprint_sha256},
                  {"issuer", told.issuer},
                  {"traceId", told.trace_id},
                  {"happened", json::Value::array()},
                  {"waitsFor", json::Value::array()}};
  if (told.revision) out["revision"] = *told.revision;
  set_time(out, "notBefore", told.not_before);
  set_time(out, "notAfter", told.not_after);
  set_time(out, "renewalTime", told.renewal);
  for (const auto& moment : told.moments) {
    out["happened"].push_back({{"at", format_rfc3339(moment.at)},
                               {"type", moment.warning ? "Warning" : "Normal"},
                               {"what", moment.what},
                               {"text", moment.text},
                               {"count", moment.count}});
  }
  for (const auto& wait : told.waits) {
    json::Value one{{"what", wait.what}};
    set_time(one, "until", wait.until);
    if (!wait.command.empty()) one["command"] = wait.command;
    out["waitsFor"].push_back(std::move(one));
  }
  return out;
}

}  // namespace edgetrust::view
