#include "edgetrust/base/table.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>

namespace edgetrust {
namespace {

std::string shown(const Cell& cell) { return printable(cell.text, std::string::npos); }

// Of UTF-8, in which a character has up to four bytes.
std::size_t width_of(std::string_view text) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  return static_cast<std::size_t>(std::ranges::count_if(text, begins));
}

void append(std::string& out, const Cell& cell) {
  if (cell.sgr.empty()) {
    out += shown(cell);
  } else {
    out += "\x1b[" + std::string(cell.sgr) + "m" + shown(cell) + "\x1b[0m";
  }
}

}  // namespace

void append_line(std::string& out, const Row& pieces) {
  for (const auto& piece : pieces) append(out, piece);
  out += '\n';
}

void append_table(std::string& out, const Row& head, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  widths.reserve(head.size());
  for (const auto& cell : head) widths.push_back(width_of(shown(cell)));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(shown(row[i])));
  }
  const auto line = [&](const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      append(out, row[i]);
      if (i + 1 < row.size()) out.append(widths[i] - width_of(shown(row[i])) + 3, ' ');
    }
    out += '\n';
  };
  line(head);
  for (const auto& row : rows) line(row);
}

}  // namespace edgetrust
