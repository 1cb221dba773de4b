#include "tsig_record.hpp"

#include "edgetrust/base/text.hpp"
#include "edgetrust/dns/message.hpp"
#include "edgetrust/dns/name.hpp"

#include <arpa/nameser.h>
#include <resolv.h>

namespace edgetrust::dns {
namespace {

tl::unexpected<Error> malformed() { return fail(ErrorKind::kProtocol, "a malformed TSIG record"); }

void append48(std::string& to, std::uint64_t value) {
  for (int shift = 40; shift >= 0; shift -= 8) to.push_back(static_cast<char>(value >> shift & 0xFFU));
}
void append_counted(std::string& to, const std::string& bytes) {
  append16(to, bytes.size());
  to += bytes;
}

// Takes octets from the front; once it ran out, everything it gives is empty and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::string take(std::size_t count) {
    ok_ = ok_ && count <= rest_.size();
    if (!ok_) return {};
    std::string taken(rest_.substr(0, count));
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint64_t number(std::size_t octets) { return number_of(take(octets)); }
  std::uint16_t number16() { return static_cast<std::uint16_t>(number(2)); }
  std::string counted() { return take(number16()); }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

Result<TsigRecord> read(const ns_msg& handle, const ns_rr& rr) {
  if (ns_rr_class(rr) != ns_c_any || ns_rr_ttl(rr) != 0) return malformed();
  std::array<char, NS_MAXDNAME> algorithm{};
  const int used =
      dn_expand(ns_msg_base(handle), ns_msg_end(handle), ns_rr_rdata(rr), algorithm.data(), algorithm.size());
  if (used < 0 || used > ns_rr_rdlen(rr)) return malformed();
  const std::string_view rdata(reinterpret_cast<const char*>(ns_rr_rdata(rr)), ns_rr_rdlen(rr));
  Reader reader(rdata.substr(static_cast<std::size_t>(used)));
  TsigRecord record;
  record.key_name = canonical_name(ns_rr_name(rr));
  record.algorithm = canonical_name(algorithm.data());
  record.time_signed = reader.number(6);
  record.fudge = reader.number16();
  record.mac = reader.counted();
  record.original_id = reader.number16();
  record.error = reader.number16();
  record.other = reader.counted();
  if (!reader.at_end()) return malformed();
  return record;
}

// Where the last record begins.
Result<std::size_t> start_of_last(const ns_msg& handle) {
  const unsigned char* at = ns_msg_base(handle) + NS_HFIXEDSZ;
  for (const ns_sect section : {ns_s_qd, ns_s_an, ns_s_ns, ns_s_ar}) {
    const int count = ns_msg_count(handle, section) - (section == ns_s_ar ? 1 : 0);
    const int size = ns_skiprr(at, ns_msg_end(handle), section, count);
    if (size < 0) return malformed();
    at += size;
  }
  return static_cast<std::size_t>(at - ns_msg_base(handle));
}

}  // namespace

void append16(std::string& to, std::size_t value) {
  to.push_back(static_cast<char>(value >> 8U & 0xFFU));
  to.push_back(static_cast<char>(value & 0xFFU));
}

std::uint64_t number_of(std::string_view octets) {
  std::uint64_t value = 0;
  for (const char c : octets) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

Result<std::string> wire_name(const std::string& name) {
  std::array<unsigned char, NS_MAXCDNAME> wire{};
  // 0: the name was not written as fully qualified; -1: it is none.
  if (name.find('\\') != std::string::npos || ns_name_pton(shown(name).c_str(), wire.data(), wire.size()) < 0)
    return fail(ErrorKind::kInvalid, "\"" + printable(name, 300) + "\" is no domain name");
  std::size_t size = 0;
  while (wire[size] != 0) size += 1U + wire[size];
  return std::string(reinterpret_cast<const char*>(wire.data()), size + 1);
}

Result<std::string> to_wire(const TsigRecord& record) {
  EDGETRUST_TRY_ASSIGN(std::string wire, wire_name(record.key_name));
  EDGETRUST_TRY_ASSIGN(std::string rdata, wire_name(record.algorithm));
  append48(rdata, record.time_signed);
  append16(rdata, record.fudge);
  append_counted(rdata, record.mac);
  append16(rdata, record.original_id);
  append16(rdata, record.error);
  append_counted(rdata, record.other);
  append16(wire, static_cast<std::size_t>(RecordType::kTsig));
  append16(wire, static_cast<std::size_t>(RecordClass::kAny));
  wire.append(4, '\0');  // TTL
  append_counted(wire, rdata);
  return wire;
}

Result<std::string> signed_variables(const TsigRecord& record) {
  EDGETRUST_TRY_ASSIGN(std::string octets, wire_name(record.key_name));
  append16(octets, static_cast<std::size_t>(RecordClass::kAny));
  octets.append(4, '\0');  // TTL
  EDGETRUST_TRY_ASSIGN(const std::string algorithm, wire_name(record.algorithm));
  octets += algorithm;
  append48(octets, record.time_signed);
  append16(octets, record.fudge);
  append16(octets, record.error);
  append_counted(octets, record.other);
  return octets;
}

Result<std::optional<Unsigned>> split_signature(const std::string& wire) {
  ns_msg handle{};
  ns_rr rr{};
  if (ns_initparse(reinterpret_cast<const unsigned char*>(wire.data()), static_cast<int>(wire.size()), &handle) != 0)
    return malformed();
  const int count = ns_msg_count(handle, ns_s_ar);
  if (count == 0) return std::nullopt;
  if (ns_parserr(&handle, ns_s_ar, count - 1, &rr) != 0) return malformed();
  if (ns_rr_type(rr) != ns_t_tsig) return std::nullopt;
  Unsigned result;
  EDGETRUST_TRY_ASSIGN(result.record, read(handle, rr));
  EDGETRUST_TRY_ASSIGN(const std::size_t end, start_of_last(handle));
  std::string header;
  append16(header, result.record.original_id);
  header.append(wire, 2, kAdditionalCountAt - 2);
  append16(header, static_cast<std::size_t>(count - 1));
  result.message = header + wire.substr(NS_HFIXEDSZ, end - NS_HFIXEDSZ);
  return result;
}

}  // namespace edgetrust::dns
