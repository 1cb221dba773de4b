#pragma once
// Waves: a change reaches a fleet step by step. What is new about a revision, its variant, must have been live on an
// Edge of each earlier wave for that wave's soak, without a rollback since, before an Edge of a later wave gets it.
// What has gone through once is no change any more.
//
// Called by the rules of decide/certificate and by the engine of RotationPolicies. Pure. Errors: none.
#include "edgetrust/decide/budget.hpp"
#include "edgetrust/ports/pki.hpp"

namespace edgetrust::decide {

inline constexpr std::string_view kWaitingForWave = "WaitingForWave";

// "letsencrypt/ISRG Root X1/RSA-2048/0.1.0": who issues, under which root, what kind of key, and which version of this
// program delivers. The root and not the intermediate, which a CA may draw anew for each certificate.
std::string variant_of(const api::EdgeCertificateSpec& spec, const ports::ChainFacts& chain,
                       const std::string& operator_version);

// The first wave whose selector the Edge fits; one beyond the last when none does: such an Edge comes after all waves.
std::size_t wave_of(const std::vector<api::Wave>& waves, const api::Edge& edge);

// How far a variant has come in one wave of a policy.
struct WaveProof {
  bool empty = true;                   // no Edge of it has the variant or can get it: there is nothing to wait for
  std::optional<TimePoint> soaked_at;  // live and good since then, less the soak; may lie ahead
  bool failed = false;                 // it was rolled back there and has not been good since
};
// What one Edge of the wave has to say of what is new.
struct WaveEvidence {
  bool can_have = false;         // it has it, had it, or can get it
  std::vector<TimePoint> good;   // live there since then
  std::optional<TimePoint> bad;  // rolled back there, the last time
};
WaveProof proof_by(const std::vector<WaveEvidence>& evidence, api::Duration soak);
WaveProof proof_of(const std::string& variant, const std::string& policy, const std::vector<api::Wave>& waves,
                   std::size_t wave, const std::vector<Member>& members);

// The first wave before `before` that has not proved the variant, and when it will have if all goes well.
struct WaveWait {
  std::size_t wave = 0;
  std::optional<TimePoint> until;
};
std::optional<WaveWait> wave_to_wait_for(const std::string& variant, std::size_t before,
                                         const api::RotationPolicy& policy, const std::vector<Member>& members,
                                         TimePoint now);

// At the most once a soak, and once a day. A variant that a later wave waits for, while no Edge of this wave has it, is
// about to get it, or is due within the soak: the Edge of the wave that is due first is renewed early. Empty: nobody
// waits for `me`.
std::optional<std::string> wanted_early(const api::EdgeCertificate& me, const api::Edge& edge,
                                        const api::RotationPolicy& policy, const std::vector<Member>& members,
                                        TimePoint now);

// What a policy says of its waves: the variants that have gone through all waves that guard others (those known before
// included), the wave that is waited for, and when the next soak ends.
struct WaveReport {
  std::vector<std::string> soaked;
  std::string wave;  // empty: none is waited for
  std::optional<TimePoint> next;
};
WaveReport report_waves(const api::RotationPolicy& policy, const std::vector<Member>& members, TimePoint now);

}  // namespace edgetrust::decide
