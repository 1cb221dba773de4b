#include "pem.hpp"

#include "edgetrust/base/text.hpp"
#include "openssl.hpp"

#include <openssl/pem.h>

namespace edgetrust::crypto {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kMaxLabel = 64;

// The label after a begin marker, empty when there is none.
std::string_view label_at(std::string_view text) {
  const auto end = text.substr(0, kMaxLabel + kDashes.size()).find(kDashes);
  if (end == std::string_view::npos) return {};
  const std::string_view label = text.substr(0, end);
  return label.find('\n') == std::string_view::npos ? label : std::string_view{};
}

}  // namespace

Result<PemText> scan_pem(std::string_view text, std::size_t max_blocks) {
  PemText scanned;
  const auto beside = [&](std::string_view piece) { scanned.other_text |= !trim(piece).empty(); };
  for (;;) {
    const auto begin = text.find(kBegin);
    beside(text.substr(0, begin));
    if (begin == std::string_view::npos) return scanned;
    text.remove_prefix(begin);
    const std::string_view label = label_at(text.substr(kBegin.size()));
    const auto end = text.find(kEnd, kBegin.size());
    if (label.empty() || end == std::string_view::npos) return fail(ErrorKind::kInvalid, "a PEM block has no end");
    const std::string closing = std::string(kEnd) + std::string(label) + std::string(kDashes);
    if (!text.substr(end).starts_with(closing) || text.substr(0, end).rfind(kBegin) != 0) {
      return fail(ErrorKind::kInvalid, "a PEM block does not end as it began");
    }
    if (scanned.blocks.size() == max_blocks) {
      return fail(ErrorKind::kInvalid, "more than " + std::to_string(max_blocks) + " PEM blocks");
    }
    scanned.blocks.push_back({label, text.substr(0, end + closing.size())});
    text.remove_prefix(end + closing.size());
  }
}

Result<std::string> decode_pem(const PemBlock& block) {
  const ErrorScope errors;
  const Bio in = reader(block.text);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  const bool read = PEM_read_bio(in.get(), &name, &header, &data, &size) == 1;
  const Buffer<char> name_owner(name);
  const Buffer<char> header_owner(header);
  const Buffer<unsigned char> data_owner(data);
  if (!read) return fail(ErrorKind::kInvalid, "a PEM block is not base64");
  if (header != nullptr && *header != '\0') return fail(ErrorKind::kInvalid, "a PEM block has headers");
  return to_text(data, static_cast<std::size_t>(size));
}

}  // namespace edgetrust::crypto
