#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"
#include "published.hpp"

namespace edgetrust::genesys::published {
namespace {

using ports::TrunkState;

constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxErrors = 4;

std::string text(json::View value) { return printable(value.string().value_or(""), kMaxName); }
bool is(json::View value, std::string_view word) { return lower(value.string().value_or("")) == lower(word); }

std::optional<TimePoint> time(json::View value) {
  const auto parsed = parse_rfc3339(value.string().value_or(""));
  return parsed ? std::optional<TimePoint>(*parsed) : std::nullopt;
}

// What one way of asking (OPTIONS, REGISTER) says about the trunk's proxies.
struct Evidence {
  TrunkState state = TrunkState::kUnknown;
  std::optional<TimePoint> since;
  std::vector<std::string> errors;
  int proxies = 0;
  int down = 0;
};

struct Fields {
  std::string_view enabled, list, state, time;
};
constexpr Fields kOptions{"optionsEnabledStatus", "optionsStatus", "optionState", "optionStateTime"};
constexpr Fields kRegisters{"registersEnabledStatus", "registersStatus", "registerState", "registerStateTime"};

// One answering proxy is enough: the trunk is Down only when every proxy is.
Evidence ask(json::View trunk, const Fields& fields) {
  Evidence evidence;
  if (!is(trunk[fields.enabled], "ENABLED")) return evidence;
  trunk[fields.list].for_each_element([&](json::View proxy) {
    const auto up = proxy[fields.state].boolean();
    if (!up) return true;
    evidence.proxies += 1;
    if (const auto at = time(proxy[fields.time]); at && (!evidence.since || *at > *evidence.since)) evidence.since = at;
    if (*up) return true;
    evidence.down += 1;
    const std::string why = text(proxy["errorInfo"]["text"]);
    if (evidence.errors.size() < kMaxErrors) {
      evidence.errors.push_back(text(proxy["proxyAddress"]) + (why.empty() ? " does not answer" : ": " + why));
    }
    return true;
  });
  if (evidence.proxies > 0) evidence.state = evidence.down == evidence.proxies ? TrunkState::kDown : TrunkState::kUp;
  return evidence;
}

Evidence connection(json::View trunk) {
  Evidence evidence;
  if (trunk["connectedStatus"]["connected"].boolean() == std::optional<bool>(false)) {
    evidence.state = TrunkState::kDown;  // connected alone says nothing of SIP, but without it there is none
    evidence.since = time(trunk["connectedStatus"]["connectedStateTime"]);
    evidence.errors.emplace_back("not connected");
  }
  return evidence;
}

bool in_use(json::View trunk) {
  return is(trunk["state"], "active") && trunk["inService"].boolean().value_or(true) &&
         trunk["enabled"].boolean().value_or(true);
}

std::string peer_of(json::View trunk) {
  std::vector<std::string> peers;
  trunk["proxyAddressList"].for_each_element([&](json::View address) {
    peers.push_back(text(address));
    return peers.size() < kMaxErrors;
  });
  return join(peers, ", ");
}

}  // namespace

ports::Trunk read_trunk(json::View entity) {
  ports::Trunk trunk;
  trunk.name = text(entity["name"]);
  trunk.peer = peer_of(entity);
  if (!in_use(entity)) {
    trunk.error = "not in service";
    return trunk;
  }
  std::vector<std::string> errors;
  for (const Evidence& evidence : {ask(entity, kOptions), ask(entity, kRegisters), connection(entity)}) {
    errors.insert(errors.end(), evidence.errors.begin(), evidence.errors.end());
    const bool decides =
        evidence.state == TrunkState::kDown ? trunk.state != TrunkState::kDown : trunk.state == TrunkState::kUnknown;
    if (evidence.state == TrunkState::kUnknown || !decides) continue;
    trunk.state = evidence.state;
    trunk.since = evidence.since;
  }
  trunk.error = join(errors, "; ");
  return trunk;
}

}  // namespace edgetrust::genesys::published
