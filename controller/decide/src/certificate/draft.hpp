#pragma once
// A decision in the making: starts from the status as it is, and is finished by finish(), which derives conditions and
// columns.
#include "certificate/questions.hpp"
#include "edgetrust/decide/certificate/decision.hpp"

namespace edgetrust::decide::certificate {

class Draft {
 public:
  explicit Draft(const Observation& o);

  // Where the rotation stands, why in one word, and why for people.
  Draft& phase(api::Phase phase, std::string reason, std::string message);
  // Housekeeping: what is said of the rotation stays as it is.
  Draft& unchanged();
  // Nothing goes on by itself until someone changes something.
  Draft& stalled() {
    stalled_ = true;
    return *this;
  }
  Draft& effect(Effect effect) {
    decision_.effect = std::move(effect);
    return *this;
  }
  Draft& wake(TimePoint at) {
    decision_.wake_at = at;
    return *this;
  }
  Draft& announce(bool warning, std::string reason, std::string message) {
    decision_.announcements.push_back({warning, std::move(reason), std::move(message)});
    return *this;
  }
  Draft& next(std::string text) {
    status().next = std::move(text);
    return *this;
  }
  api::EdgeCertificateStatus& status() { return decision_.status; }
  [[nodiscard]] const api::EdgeCertificateStatus& status() const { return decision_.status; }

  Decision finish();

 private:
  void set_condition(std::string_view type, api::Truth truth, std::string reason, std::string message);
  void announce_stall();
  void cut_texts();
  void describe_active();
  void set_conditions();

  const Observation& o_;
  Decision decision_;
  std::string reason_;
  std::string message_;
  bool stalled_ = false;
};

// Puts a revision's end into the history, newest first; one entry a revision.
void remember(api::EdgeCertificateStatus& status, const Observation& o, int revision, api::RevisionResult result,
              std::string message, std::string evidence = {});
// A message, and in brackets what was seen.
std::string with_evidence(const std::string& message, const std::string& evidence);
// A revision that did not make it: counts the failure and sets the earliest next try.
void count_failure(api::EdgeCertificateStatus& status, const Observation& o);
void mark_handled(api::EdgeCertificateStatus& status, const Observation& o, std::string_view annotation);

}  // namespace edgetrust::decide::certificate
