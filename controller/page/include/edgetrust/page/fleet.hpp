#pragma once
// What the fleet page shows of each Edge. Pure: objects and a time in, plain data out. Called by: page.hpp.
#include "edgetrust/view/fleet.hpp"
#include "edgetrust/view/timeline.hpp"

#include <memory>
#include <string>
#include <vector>

namespace edgetrust::page {

// What the operator has watched.
struct Sight {
  std::vector<std::shared_ptr<const api::EdgeCertificate>> certificates;
  std::vector<std::shared_ptr<const api::Edge>> edges;
};

// How soon somebody has to look at it.
enum class Urgency {
  kAttention,  // nothing goes on by itself, or something is wrong, or the time is short
  kUnderWay,   // a rotation is
  kWaiting,    // for its window or its turn
  kWell
};
enum class Tone { kGood, kBusy, kBad, kUnknown };
// A word, what it means, and more about it for whoever wants to know.
struct Mark {
  Tone tone = Tone::kUnknown;
  std::string text;
  std::string message;
};
struct Row {
  view::FleetRow certificate;  // without a name: an Edge that has no EdgeCertificate
  Urgency urgency = Urgency::kWell;
  std::optional<view::Life> life;  // of the certificate that the Edge serves, once one was proved
  Mark health;
  Mark pins;  // without a text: no PinPolicy is for it
};

// A line for each EdgeCertificate, and one for each Edge that none names; the most urgent first, of these what expires
// first.
std::vector<Row> rows(const Sight& sight, TimePoint now);
// What is known of an Edge's health and of its pins; null where there is no Edge of that name.
Mark health_of(const api::Edge* edge);
Mark pins_of(const api::Edge* edge);

}  // namespace edgetrust::page
