#pragma once
// What the rules decide: at most one effect, the status as it shall be written before the effect, and when to look
// again.
#include "edgetrust/api/edge_certificate.hpp"
#include "edgetrust/decide/order_limits.hpp"
#include "edgetrust/ports/certificate_authority.hpp"
#include "edgetrust/ports/pki.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace edgetrust::decide::certificate {

// Effects. Looks cost a call and change nothing; acts change something outside of the object's status. Each is
// idempotent, or preceded by a look. `kGuarded` marks those before which the object is read anew from the API server:
// nothing outside is changed on the word of a stale cache.
namespace effect {

// `closely`: also at what bears witness beside the status call and the port: SIP itself, the peers, the trunks.
struct LookAtEdge {
  static constexpr std::string_view kName = "LookAtEdge";
  bool closely = false;
};
// What the vendor says of the Edge: in service or not, and how far it is with its calls.
struct LookAtService {
  static constexpr std::string_view kName = "LookAtService";
};
// Offline: would each peer of the Edge accept the stored chain of a revision?
struct AskPeers {
  static constexpr std::string_view kName = "AskPeers";
  int revision = 0;
};
// What the vendor's own parser makes of the stored chain of a revision.
struct AskVendor {
  static constexpr std::string_view kName = "AskVendor";
  int revision = 0;
};
struct LookAtOrder {
  static constexpr std::string_view kName = "LookAtOrder";
  std::string url;
};
// Asks the CA when it would have the certificate of a revision renewed.
struct LookAtRenewalInfo {
  static constexpr std::string_view kName = "LookAtRenewalInfo";
  int revision = 0;
  ports::CertificateId certificate;
};
struct LookForRecords {
  static constexpr std::string_view kName = "LookForRecords";
  std::vector<api::TxtRecord> records;
};
// Looks, as the CA will, whether the answers to http-01 can be seen.
struct LookForAnswers {
  static constexpr std::string_view kName = "LookForAnswers";
  std::vector<api::HttpAnswer> answers;
  std::string account_thumbprint;
};

struct SetFinalizer {
  static constexpr std::string_view kName = "SetFinalizer";
  bool present = false;
};
// Makes the key of a revision and stores it. With `copy_from` the key of that revision is kept (rotationPolicy Never).
struct CreateKey {
  static constexpr std::string_view kName = "CreateKey";
  int revision = 0;
  ports::KeySpec key;
  std::optional<int> copy_from;
};
// Asks for an order; with `look_first` one whose answer was lost is searched for before. Where the issuer has limits
// the order is recorded first, as `place`, unless no place is left for it: then nothing is asked for.
struct NewOrder {
  static constexpr std::string_view kName = "NewOrder";
  static constexpr bool kGuarded = true;
  int revision = 0;
  ports::OrderRequest request;
  bool look_first = false;
  std::optional<OrderRecord> place;
};
struct PresentRecord {
  static constexpr std::string_view kName = "PresentRecord";
  api::TxtRecord record;
};
struct RemoveRecord {
  static constexpr std::string_view kName = "RemoveRecord";
  api::TxtRecord record;
};
struct AnswerChallenge {
  static constexpr std::string_view kName = "AnswerChallenge";
  std::string url;
};
struct FinalizeOrder {
  static constexpr std::string_view kName = "FinalizeOrder";
  static constexpr bool kGuarded = true;
  int revision = 0;
  std::string order_url;
  ports::SubjectNames names;
};
// Downloads the chain of a valid order and stores it as the revision's bundle.
struct StoreBundle {
  static constexpr std::string_view kName = "StoreBundle";
  int revision = 0;
  std::string certificate_url;
};
// Gives up an authorization that an order which came to nothing has left pending, unless another one may need it.
struct DeactivateAuthorization {
  static constexpr std::string_view kName = "DeactivateAuthorization";
  api::AbandonedAuthorization authorization;
};
// Has the CA revoke the certificate of a revision.
struct RevokeCertificate {
  static constexpr std::string_view kName = "RevokeCertificate";
  static constexpr bool kGuarded = true;
  int revision = 0;
  ports::RevocationReason reason = ports::RevocationReason::kUnspecified;
};
// Stores what importFrom holds as revision 0.
struct StoreImport {
  static constexpr std::string_view kName = "StoreImport";
  std::string secret;
};
// Copies what the Secret of sourceSecretRef holds, if it is still this leaf: the key, then the bundle. What an earlier
// try has left of the same leaf stays.
struct StoreSource {
  static constexpr std::string_view kName = "StoreSource";
  int revision = 0;
  std::string secret;
  std::string fingerprint;
};
// Uploads a stored revision to the Edge, which installs it. `rollback` only changes what is said about it.
struct Push {
  static constexpr std::string_view kName = "Push";
  static constexpr bool kGuarded = true;
  int revision = 0;
  bool rollback = false;
};
// Takes the Edge out of service, or puts it back. Its calls may last so long; the vendor cuts what is left then.
struct SetService {
  static constexpr std::string_view kName = "SetService";
  static constexpr bool kGuarded = true;
  bool in_service = true;
  std::chrono::seconds calls_may_last{0};
};
// Makes secretName hold a stored revision.
struct WriteServingSecret {
  static constexpr std::string_view kName = "WriteServingSecret";
  int revision = 0;
};
// Writes on the bundle of a revision that it was rejected.
struct MarkRejected {
  static constexpr std::string_view kName = "MarkRejected";
  int revision = 0;
};
struct DeleteRevision {
  static constexpr std::string_view kName = "DeleteRevision";
  int revision = 0;
};
// Takes the slots that status.slots names. kConflict: somebody else has one of them.
struct ClaimSlots {
  static constexpr std::string_view kName = "ClaimSlots";
  api::SlotsStatus slots;
};
// Frees those of them that are still held for that revision.
struct ReleaseSlots {
  static constexpr std::string_view kName = "ReleaseSlots";
  static constexpr bool kGuarded = true;
  api::SlotsStatus slots;
};

}  // namespace effect

using Effect =
    std::variant<effect::LookAtEdge, effect::LookAtService, effect::AskPeers, effect::AskVendor, effect::LookAtOrder,
                 effect::LookAtRenewalInfo, effect::LookForRecords, effect::LookForAnswers, effect::SetFinalizer,
                 effect::CreateKey, effect::NewOrder, effect::PresentRecord, effect::RemoveRecord,
                 effect::AnswerChallenge, effect::FinalizeOrder, effect::StoreBundle, effect::DeactivateAuthorization,
                 effect::RevokeCertificate, effect::StoreImport, effect::StoreSource, effect::Push, effect::SetService,
                 effect::WriteServingSecret, effect::MarkRejected, effect::DeleteRevision, effect::ClaimSlots,
                 effect::ReleaseSlots>;

std::string_view name_of(const Effect& effect);
bool is_guarded(const Effect& effect);

// Something worth telling a person, as a Kubernetes Event.
struct Announcement {
  bool warning = false;
  std::string reason;
  std::string message;
};

struct Decision {
  std::string_view rule;  // the rule that spoke, for the log
  api::EdgeCertificateStatus status;
  std::optional<Effect> effect;
  std::optional<TimePoint> wake_at;         // empty: when something changes
  std::vector<Announcement> announcements;  // said once the status is written
};

}  // namespace edgetrust::decide::certificate
