#include "edgetrust/audit/chain.hpp"

#include "edgetrust/base/encoding.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/crypto/digest.hpp"
#include "edgetrust/json/value.hpp"

namespace edgetrust::audit {
namespace {

std::string hash_of(const json::Value& without_hash) { return to_hex(crypto::sha256(json::dump(without_hash))); }

void set(json::Value& line, const char* name, const std::string& text) {
  if (!text.empty()) line[name] = text;
}

}  // namespace

std::string seal(const Record& record, TimePoint at, const std::string& instance, Link& link) {
  json::Value line{{"at", format_rfc3339_micro(at)}, {"action", record.action},    {"kind", record.kind},
                   {"namespace", record.object.ns},  {"name", record.object.name}, {"sequence", link.sequence},
                   {"previous", link.hash}};
  set(line, "uid", record.uid);
  set(line, "edge", record.edge);
  set(line, "traceId", record.trace_id);
  set(line, "change", record.change);
  set(line, "by", record.by);
  set(line, "oldSerial", record.old_serial);
  set(line, "newSerial", record.new_serial);
  set(line, "result", record.result);
  set(line, "evidence", record.evidence);
  set(line, "message", record.message);
  set(line, "operator", instance);
  if (record.revision) line["revision"] = *record.revision;
  link.hash = hash_of(line);
  ++link.sequence;
  line["hash"] = link.hash;
  return json::dump(line);
}

Result<Link> follow(std::string_view line, const Link* before) {
  const auto document = json::Document::parse(line);
  const auto sequence = document ? document->root()["sequence"].integer() : std::nullopt;
  const auto hash = document ? document->root()["hash"].string() : std::nullopt;
  if (!sequence || *sequence < 1 || !hash) return fail(ErrorKind::kInvalid, "it is no record");
  json::Value value = json::to_value(document->root());
  value.erase("hash");
  if (hash_of(value) != *hash) return fail(ErrorKind::kInvalid, "its hash is that of another text: it was changed");
  const auto number = static_cast<std::uint64_t>(*sequence);
  if (before != nullptr && (number != before->sequence || document->root()["previous"].string_or("") != before->hash))
    return fail(ErrorKind::kInvalid,
                "it does not follow the record before it: " +
                    (number == before->sequence ? std::string("that was changed")
                                                : "number " + std::to_string(before->sequence) +
                                                      " is expected, and it is " + std::to_string(number)));
  return Link{.sequence = number + 1, .hash = std::string(*hash)};
}

}  // namespace edgetrust::audit
