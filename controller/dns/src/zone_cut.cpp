#include "edgetrust/dns/zone_cut.hpp"

#include "edgetrust/dns/name.hpp"

namespace edgetrust::dns {
namespace {

using Section = std::vector<Record>;

// The owner of a record of that type, if `name` is at or below it.
std::optional<std::string> owner_above(const Section& section, RecordType type, const std::string& name) {
  for (const Record& record : section) {
    if (record.type == type && !record.name.empty() && is_within(name, record.name)) return record.name;
  }
  return std::nullopt;
}

bool is_alias(const Message& answer, const std::string& name) {
  return std::any_of(answer.answers.begin(), answer.answers.end(),
                     [&](const Record& r) { return r.type == RecordType::kCname && r.name == name; });
}

// What an answer about `name` says of its zone. An alias says only where its target lies.
std::optional<std::string> zone_in(const Message& answer, const std::string& name) {
  if (is_alias(answer, name)) return std::nullopt;
  const auto apex = owner_above(answer.answers, RecordType::kSoa, name);
  return apex ? apex : owner_above(answer.authority, RecordType::kSoa, name);
}

bool is_answer(Rcode code) { return code == Rcode::kNoError || code == Rcode::kNxDomain; }

Result<std::string> walk(const std::string& start, const AskSoa& ask, bool must_own) {
  std::string said;
  for (std::string name = canonical_name(start); !name.empty(); name = parent_of(name)) {
    EDGETRUST_TRY_ASSIGN(const Message answer, ask(name));
    if (answer.rcode == Rcode::kServFail)
      return fail(ErrorKind::kUnavailable, "the server answers SERVFAIL for the SOA record of " + name);
    if (!is_answer(answer.rcode)) {
      said = " (it answers " + to_string(answer.rcode) + " for " + name + ")";
      continue;
    }
    if (must_own && !answer.authoritative) {
      if (const auto away = owner_above(answer.authority, RecordType::kNs, name))
        return fail(ErrorKind::kNotFound, "the server refers to other servers for " + *away + ", which holds " + start);
      continue;
    }
    if (auto zone = zone_in(answer, name)) return std::move(*zone);
  }
  return fail(ErrorKind::kNotFound, "no zone that holds " + shown(start) + " is served there" + said);
}

}  // namespace

Result<std::string> find_zone(const std::string& name, const AskSoa& ask) { return walk(name, ask, false); }
Result<std::string> find_own_zone(const std::string& name, const AskSoa& ask) { return walk(name, ask, true); }

}  // namespace edgetrust::dns
