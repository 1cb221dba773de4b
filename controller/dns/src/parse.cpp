// Reading messages. The C library's parser walks the message, checks every length and refuses compression loops; it
// allocates nothing, and a message that does not end exactly where its counts say is an error. (ldns, which writes our
// messages, forgets the end of an over-long rdata and leaks a second TSIG record: it does not read what others sent.)
#include "edgetrust/dns/message.hpp"
#include "edgetrust/dns/name.hpp"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <resolv.h>

namespace edgetrust::dns {
namespace {

tl::unexpected<Error> malformed(const char* what) {
  return fail(ErrorKind::kProtocol, std::string("malformed DNS message: ") + what);
}

std::string bytes_of(const ns_rr& rr) {
  return {reinterpret_cast<const char*>(ns_rr_rdata(rr)), static_cast<std::size_t>(ns_rr_rdlen(rr))};
}

Result<std::string> joined_strings(const ns_rr& rr) {
  const std::string rdata = bytes_of(rr);
  std::string joined;
  for (std::size_t i = 0; i < rdata.size();) {
    const std::size_t length = static_cast<unsigned char>(rdata[i]);
    if (i + 1 + length > rdata.size()) return malformed("a TXT string runs past its record");
    joined.append(rdata, i + 1, length);
    i += 1 + length;
  }
  return joined;
}

Result<std::string> address(const ns_rr& rr, int family, std::size_t size) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (ns_rr_rdlen(rr) != size || inet_ntop(family, ns_rr_rdata(rr), text.data(), text.size()) == nullptr)
    return malformed("an address of the wrong size");
  return text.data();
}

Result<std::string> name(const ns_msg& handle, const ns_rr& rr) {
  std::array<char, NS_MAXDNAME> text{};
  const int used = dn_expand(ns_msg_base(handle), ns_msg_end(handle), ns_rr_rdata(rr), text.data(), text.size());
  if (used < 0 || used != ns_rr_rdlen(rr)) return malformed("a broken name in a record");
  return canonical_name(text.data());
}

Result<std::string> data_of(const ns_msg& handle, const ns_rr& rr) {
  if (ns_rr_rdlen(rr) == 0) return std::string{};  // UPDATE has such records (RFC 2136 section 2.4)
  switch (static_cast<RecordType>(ns_rr_type(rr))) {
    case RecordType::kTxt: return joined_strings(rr);
    case RecordType::kA: return address(rr, AF_INET, sizeof(in_addr));
    case RecordType::kAaaa: return address(rr, AF_INET6, sizeof(in6_addr));
    case RecordType::kNs:
    case RecordType::kCname: return name(handle, rr);
    default: return bytes_of(rr);
  }
}

Result<std::vector<Record>> section(ns_msg& handle, ns_sect which) {
  std::vector<Record> records;
  const int count = ns_msg_count(handle, which);
  for (int i = 0; i < count; ++i) {
    ns_rr rr{};
    if (ns_parserr(&handle, which, i, &rr) != 0) return malformed("a broken record");
    EDGETRUST_TRY_ASSIGN(std::string data, data_of(handle, rr));
    records.push_back({.name = canonical_name(ns_rr_name(rr)),
                       .type = static_cast<RecordType>(ns_rr_type(rr)),
                       .klass = static_cast<RecordClass>(ns_rr_class(rr)),
                       .ttl = ns_rr_ttl(rr),
                       .data = std::move(data)});
  }
  return records;
}

Result<std::optional<Question>> question(ns_msg& handle) {
  if (ns_msg_count(handle, ns_s_qd) == 0) return std::nullopt;
  ns_rr rr{};
  if (ns_msg_count(handle, ns_s_qd) != 1) return malformed("more than one question");
  if (ns_parserr(&handle, ns_s_qd, 0, &rr) != 0) return malformed("a broken question");
  return Question{.name = canonical_name(ns_rr_name(rr)),
                  .type = static_cast<RecordType>(ns_rr_type(rr)),
                  .klass = static_cast<RecordClass>(ns_rr_class(rr))};
}

}  // namespace

std::string to_string(Rcode code) {
  switch (code) {
    case Rcode::kNoError: return "NOERROR";
    case Rcode::kFormErr: return "FORMERR";
    case Rcode::kServFail: return "SERVFAIL";
    case Rcode::kNxDomain: return "NXDOMAIN";
    case Rcode::kNotImp: return "NOTIMP";
    case Rcode::kRefused: return "REFUSED";
    case Rcode::kNotAuth: return "NOTAUTH";
    case Rcode::kNotZone: return "NOTZONE";
  }
  return "RCODE " + std::to_string(static_cast<int>(code));
}

Result<Message> parse(std::string_view wire) {
  if (wire.size() < NS_HFIXEDSZ || wire.size() > kLargestMessage) return malformed("its size");
  ns_msg handle{};
  const auto* bytes = reinterpret_cast<const unsigned char*>(wire.data());
  if (ns_initparse(bytes, static_cast<int>(wire.size()), &handle) != 0) return malformed("its records do not fit it");
  Message message;
  message.id = ns_msg_id(handle);
  message.opcode = static_cast<Opcode>(ns_msg_getflag(handle, ns_f_opcode));
  message.is_response = ns_msg_getflag(handle, ns_f_qr) != 0;
  message.authoritative = ns_msg_getflag(handle, ns_f_aa) != 0;
  message.truncated = ns_msg_getflag(handle, ns_f_tc) != 0;
  message.recursion_desired = ns_msg_getflag(handle, ns_f_rd) != 0;
  message.rcode = static_cast<Rcode>(ns_msg_getflag(handle, ns_f_rcode));
  EDGETRUST_TRY_ASSIGN(message.question, question(handle));
  EDGETRUST_TRY_ASSIGN(message.answers, section(handle, ns_s_an));
  EDGETRUST_TRY_ASSIGN(message.authority, section(handle, ns_s_ns));
  EDGETRUST_TRY_ASSIGN(message.additional, section(handle, ns_s_ar));
  return message;
}

}  // namespace edgetrust::dns
