#include "edgetrust/audit/record.hpp"

#include "edgetrust/api/change.hpp"
#include "edgetrust/api/conditions.hpp"
#include "edgetrust/decide/pins/file_change.hpp"
#include "edgetrust/telemetry/trace.hpp"

#include <algorithm>

namespace edgetrust::audit {
namespace {

template <class Kind>
Record begin(const Kind& object, std::string_view action) {
  return {.action = std::string(action),
          .kind = std::string(api::kKind<Kind>.kind),
          .object = object.meta.key(),
          .uid = object.meta.uid};
}

Record about(const api::EdgeCertificate& certificate, std::string_view action, int revision) {
  Record record = begin(certificate, action);
  record.edge = certificate.spec.edge_ref.name;
  record.revision = revision;
  record.trace_id = telemetry::trace_id(certificate.meta.uid, std::to_string(revision));
  return record;
}

std::string_view action_of(api::RevisionResult result) {
  switch (result) {
    case api::RevisionResult::kActive: return "Prove";
    case api::RevisionResult::kRolledBack: return "RolledBack";
    case api::RevisionResult::kRejected: return "Reject";
    case api::RevisionResult::kAdopted: return "Adopt";
    case api::RevisionResult::kSuperseded: return {};  // told by what has superseded it
  }
  return {};
}

const api::HistoryEntry* entry_of(const std::vector<api::HistoryEntry>& history, int revision) {
  const auto found = std::ranges::find(history, revision, &api::HistoryEntry::revision);
  return found == history.end() ? nullptr : &*found;
}

void append_plan(std::vector<Record>& out, const api::EdgeCertificate& before, const api::EdgeCertificate& after) {
  const auto& was = before.status.order;
  const auto& is = after.status.order;
  if (!is || (was && was->revision == is->revision)) return;
  Record record = about(after, "Plan", is->revision);
  record.old_serial = after.status.serial_number;
  record.message = api::said(after.status.conditions) != nullptr ? api::said(after.status.conditions)->message : "";
  out.push_back(std::move(record));
}

void append_approval(std::vector<Record>& out, const api::EdgeCertificate& before, const api::EdgeCertificate& after) {
  const auto& was = before.status.approval;
  const auto& is = after.status.approval;
  if (!is || (was && was->request == is->request && was->at == is->at)) return;
  Record record = about(after, "Approve", is->revision);
  record.change = is->change;
  record.by = is->by;
  out.push_back(std::move(record));
}

void append_delivery(std::vector<Record>& out, const api::EdgeCertificate& before, const api::EdgeCertificate& after) {
  const auto& was = before.status.delivery;
  const auto& is = after.status.delivery;
  if (!is) return;
  const bool is_new = !was || was->revision != is->revision || was->started_at != is->started_at;
  // A rollback that is asked for while all is quiet begins as a delivery that is going back.
  if (is_new && !is->rolling_back_since) {
    Record record = about(after, "Push", is->revision);
    record.old_serial = after.status.serial_number;
    if (const auto& approval = after.status.approval; approval && approval->revision == is->revision) {
      record.change = approval->change;
      record.by = approval->by;
    }
    out.push_back(std::move(record));
  }
  if (is->rolling_back_since && (is_new || !was->rolling_back_since)) {
    Record record = about(after, "RollBack", is->revision);
    record.message = "back to revision " + std::to_string(is->fallback) + ": " + is->verdict;
    record.evidence = is->evidence;
    out.push_back(std::move(record));
  }
}

void append_results(std::vector<Record>& out, const api::EdgeCertificate& before, const api::EdgeCertificate& after) {
  const auto& history = after.status.history;
  for (auto entry = history.rbegin(); entry != history.rend(); ++entry) {  // oldest first
    const api::HistoryEntry* was = entry_of(before.status.history, entry->revision);
    const std::string action(action_of(entry->result));
    const bool ended = was == nullptr || was->result != entry->result || was->at != entry->at;
    if (ended && !action.empty()) {
      Record record = about(after, action, entry->revision);
      record.change = entry->change;
      record.by = entry->approved_by;
      record.old_serial = before.status.serial_number;
      record.new_serial = entry->serial_number;
      record.result = api::to_string(entry->result);
      record.evidence = entry->evidence;
      record.message = entry->message;
      out.push_back(std::move(record));
    }
    if (!entry->revoked.empty() && (was == nullptr || was->revoked.empty())) {
      Record record = about(after, "Revoke", entry->revision);
      record.old_serial = entry->serial_number;
      record.message = entry->revoked;
      out.push_back(std::move(record));
    }
  }
}

bool is_true(const std::vector<api::Condition>& conditions, std::string_view type) {
  const api::Condition* found = api::find(conditions, type);
  return found != nullptr && found->status == api::Truth::kTrue;
}

}  // namespace

std::vector<Record> records(const api::EdgeCertificate& before, const api::EdgeCertificate& after) {
  std::vector<Record> out;
  append_plan(out, before, after);
  append_approval(out, before, after);
  append_delivery(out, before, after);
  append_results(out, before, after);
  return out;
}

std::vector<Record> records(const api::Edge& before, const api::Edge& after) {
  const auto& was = before.status.pins;
  const auto& is = after.status.pins;
  if (!is) return {};
  std::vector<Record> out;
  const auto append = [&](const char* action, std::string message) {
    Record record = begin(after, action);
    record.edge = after.meta.name;
    record.trace_id = telemetry::trace_id(after.meta.uid, api::pin_file_in_question(*is));
    record.message = std::move(message);
    out.push_back(std::move(record));
  };
  const auto end = decide::pins::change_end(was, *is);
  if (end == decide::pins::ChangeEnd::kProved) append("ProvePins", "file " + was->change->file_sha256);
  if (end == decide::pins::ChangeEnd::kTakenBack)
    append("RollBackPins", "file " + was->change->file_sha256 + ": " + is->message);
  if (decide::pins::begins_change(was, *is))
    append("PushPins", "file " + is->change->file_sha256 + " in place of " +
                           (is->change->previous_sha256.empty() ? "none" : is->change->previous_sha256));
  return out;
}

std::vector<Record> records(const api::PinPolicy& before, const api::PinPolicy& after) {
  const bool was = is_true(before.status.conditions, api::condition::kOverrideActive);
  const bool is = is_true(after.status.conditions, api::condition::kOverrideActive);
  if (was == is) return {};
  Record record = begin(after, is ? "Override" : "EndOverride");
  if (const api::Condition* said = api::find(after.status.conditions, api::condition::kOverrideActive))
    record.message = said->message;
  return {std::move(record)};
}

std::vector<Record> records(const api::RotationPolicy& before, const api::RotationPolicy& after) {
  std::vector<Record> out;
  const bool was = is_true(before.status.conditions, api::condition::kHalted);
  const bool is = is_true(after.status.conditions, api::condition::kHalted);
  const auto& resumed = after.status.resumed;
  const bool asked = resumed && (!before.status.resumed || before.status.resumed->request != resumed->request);
  if (was != is || asked) {
    Record record = begin(after, is && !was ? "Halt" : "Resume");
    if (const api::Condition* said = api::find(after.status.conditions, api::condition::kHalted))
      record.message = said->message;
    out.push_back(std::move(record));
  }
  return out;
}

}  // namespace edgetrust::audit
