#pragma once
// What a vantage is presented, in the words of decide/pins. Private to the room.
#include "edgetrust/decide/pins/pin_set.hpp"
#include "edgetrust/ports/chain_view.hpp"

#include <string>

namespace edgetrust::reconcile {

inline decide::pins::Sight sight_of(const ports::ChainView& view, std::string vantage) {
  decide::pins::Sight sight{.vantage = std::move(vantage),
                            .chain = {},
                            .issuer = view.presented.front().issuer,
                            .root = view.validated.empty() ? "" : view.validated.back().subject,
                            .not_after = view.presented.front().not_after,
                            .problem = view.problem};
  // Of a chain that does not validate only the leaf is worth a word.
  const auto& links = view.validated.empty() ? std::vector{view.presented.front()} : view.validated;
  for (const auto& link : links) sight.chain.push_back({link.certificate_sha256, link.public_key_sha256});
  return sight;
}

}  // namespace edgetrust::reconcile
