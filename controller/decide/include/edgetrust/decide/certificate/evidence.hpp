#pragma once
// What is seen of an Edge beside its status call and the certificate on its port: whether SIP answers, what its peers
// make of it, how its trunks are. Only what worked right before a push can be missed afterwards (api::Baseline), and
// what nobody can tell is a third value. Pure.
#include "edgetrust/api/edge_certificate.hpp"
#include "edgetrust/base/result.hpp"
#include "edgetrust/ports/edge_fleet.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edgetrust::decide::certificate {

enum class Answer { kYes, kNo, kUnknown };

// One peer, emulated: would it go on with the chain that it is shown?
struct PeerLook {
  std::string name;
  Answer accepts = Answer::kUnknown;
  std::string why;  // not, or why nobody can tell
};

struct Evidence {
  std::optional<int> options_status;  // the code of the final answer to SIP OPTIONS
  std::optional<Error> options_error;
  std::vector<PeerLook> peers;
  std::optional<std::vector<ports::Trunk>> trunks;  // empty: they could not be listed
  std::optional<Error> trunks_error;
};

// How the peers judge a stored chain, offline.
struct PeersLook {
  int revision = 0;
  std::int64_t edge_generation = 0;  // of the Edge that named them
  std::vector<PeerLook> peers;
  TimePoint at;
};

api::Baseline baseline_of(const Evidence& evidence);

// Something that worked before and does not now.
struct Loss {
  std::string reason;           // for people: "trunk SBC ny to sbc.ny.example went down: no answer"
  bool of_certificate = false;  // no outage would explain it
};
// The first loss; empty: nothing is missed. `since`: when the change began; what happened before it does not count.
std::optional<Loss> loss(const Evidence& now, const api::Baseline& before, TimePoint since);
// Why nobody can tell of something that worked before whether it still does; empty: all of it can be told.
std::optional<std::string> doubt(const Evidence& now, const api::Baseline& before, TimePoint since);

// For people, in a few words: "OPTIONS 200; peers: 2 accept; trunks: 3 up".
std::string describe(const Evidence& evidence);
// The peers that would not, or of which nobody can tell: "sbc-1: it lacks …; sbc-2: …". Empty: none.
std::string those_who(Answer answer, const std::vector<PeerLook>& peers);

}  // namespace edgetrust::decide::certificate
