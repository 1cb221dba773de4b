// Writing messages, by ldns.
#include "edgetrust/base/freed.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/dns/message.hpp"
#include "edgetrust/dns/name.hpp"

#include <ldns/ldns.h>

namespace edgetrust::dns {
namespace {

using Rdf = std::unique_ptr<ldns_rdf, Freed<ldns_rdf_deep_free>>;
using Rr = std::unique_ptr<ldns_rr, Freed<ldns_rr_free>>;
using Packet = std::unique_ptr<ldns_pkt, Freed<ldns_pkt_free>>;

constexpr std::size_t kLongestString = 255;

Result<Rdf> name_rdf(const std::string& name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_*.";
  const bool plain = canonical_name(name).find_first_not_of(kAllowed) == std::string::npos;
  Rdf rdf(plain ? ldns_dname_new_frm_str(shown(name).c_str()) : nullptr);
  if (!rdf) return fail(ErrorKind::kInvalid, "\"" + printable(name, 300) + "\" is no domain name");
  return rdf;
}

// RFC 1035 section 3.3.14: one octet of length before each character-string.
Rdf string_rdf(std::string_view piece) {
  std::string counted(1, static_cast<char>(piece.size()));
  counted += piece;
  return Rdf(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, counted.size(), counted.data()));
}

Status add_strings(ldns_rr* rr, std::string_view text) {
  do {
    Rdf piece = string_rdf(text.substr(0, kLongestString));
    if (!piece || !ldns_rr_push_rdf(rr, piece.get())) return fail(ErrorKind::kInternal, "ldns: out of memory");
    static_cast<void>(piece.release());
    text.remove_prefix(std::min(text.size(), kLongestString));
  } while (!text.empty());
  return {};
}

Result<Rdf> data_rdf(const Record& record) {
  switch (record.type) {
    case RecordType::kNs:
    case RecordType::kCname: return name_rdf(record.data);
    case RecordType::kA: return Rdf(ldns_rdf_new_frm_str(LDNS_RDF_TYPE_A, record.data.c_str()));
    case RecordType::kAaaa: return Rdf(ldns_rdf_new_frm_str(LDNS_RDF_TYPE_AAAA, record.data.c_str()));
    default: return Rdf(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_NONE, record.data.size(), record.data.data()));
  }
}

Result<Rr> to_rr(const Record& record) {
  if (record.data.size() > kLargestMessage) return fail(ErrorKind::kInvalid, "a record that no DNS message can hold");
  Rr rr(ldns_rr_new());
  EDGETRUST_TRY_ASSIGN(Rdf owner, name_rdf(record.name));
  ldns_rr_set_owner(rr.get(), owner.release());
  ldns_rr_set_type(rr.get(), static_cast<ldns_rr_type>(record.type));
  ldns_rr_set_class(rr.get(), static_cast<ldns_rr_class>(record.klass));
  ldns_rr_set_ttl(rr.get(), record.ttl);
  if (record.type == RecordType::kTxt) {
    EDGETRUST_TRY(add_strings(rr.get(), record.data));
    return rr;
  }
  EDGETRUST_TRY_ASSIGN(Rdf data, data_rdf(record));
  if (!data) return fail(ErrorKind::kInvalid, "\"" + printable(record.data, 64) + "\" does not fit its record type");
  ldns_rr_push_rdf(rr.get(), data.release());
  return rr;
}

Status add_question(ldns_pkt* packet, const Question& question) {
  Rr rr(ldns_rr_new());
  EDGETRUST_TRY_ASSIGN(Rdf owner, name_rdf(question.name));
  ldns_rr_set_owner(rr.get(), owner.release());
  ldns_rr_set_type(rr.get(), static_cast<ldns_rr_type>(question.type));
  ldns_rr_set_class(rr.get(), static_cast<ldns_rr_class>(question.klass));
  ldns_rr_set_question(rr.get(), true);
  ldns_pkt_push_rr(packet, LDNS_SECTION_QUESTION, rr.release());
  return {};
}

Status add_section(ldns_pkt* packet, ldns_pkt_section section, const std::vector<Record>& records) {
  for (const Record& record : records) {
    EDGETRUST_TRY_ASSIGN(Rr rr, to_rr(record));
    ldns_pkt_push_rr(packet, section, rr.release());
  }
  return {};
}

void set_header(ldns_pkt* packet, const Message& message) {
  ldns_pkt_set_id(packet, message.id);
  ldns_pkt_set_opcode(packet, static_cast<ldns_pkt_opcode>(message.opcode));
  ldns_pkt_set_qr(packet, message.is_response);
  ldns_pkt_set_aa(packet, message.authoritative);
  ldns_pkt_set_tc(packet, message.truncated);
  ldns_pkt_set_rd(packet, message.recursion_desired);
  ldns_pkt_set_rcode(packet, static_cast<std::uint8_t>(message.rcode));
}

}  // namespace

Message query_of(std::uint16_t id, const std::string& name, RecordType type, bool recursion_desired) {
  return {.id = id,
          .recursion_desired = recursion_desired,
          .question = Question{canonical_name(name), type, RecordClass::kIn}};
}

Result<std::string> compose(const Message& message) {
  const Packet packet(ldns_pkt_new());
  set_header(packet.get(), message);
  if (message.question) EDGETRUST_TRY(add_question(packet.get(), *message.question));
  EDGETRUST_TRY(add_section(packet.get(), LDNS_SECTION_ANSWER, message.answers));
  EDGETRUST_TRY(add_section(packet.get(), LDNS_SECTION_AUTHORITY, message.authority));
  EDGETRUST_TRY(add_section(packet.get(), LDNS_SECTION_ADDITIONAL, message.additional));
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  const ldns_status status = ldns_pkt2wire(&bytes, packet.get(), &size);
  const std::unique_ptr<std::uint8_t, Freed<free>> owned(bytes);
  if (status != LDNS_STATUS_OK || size > kLargestMessage)
    return fail(ErrorKind::kInvalid, "a message that DNS cannot carry");
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

}  // namespace edgetrust::dns
