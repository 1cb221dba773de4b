#pragma once
// Text for terminals, in lines and columns. Whatever is shown goes through here: a text that comes from outside begins
// no line of its own and gives the terminal no orders.
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust {

// A text, which is made printable (base/text.hpp), and how it is shown: parameters of SGR (ECMA-48 section 8.3.117), as
// "31". Empty: plain.
struct Cell {
  template <std::convertible_to<std::string_view> Text>
  Cell(const Text& what) : text(what) {}  // NOLINT(google-explicit-constructor): most are plain
  Cell(std::string_view what, std::string_view how) : text(what), sgr(how) {}

  std::string text;
  std::string_view sgr;
};
using Row = std::vector<Cell>;

// The pieces, one behind the other.
void append_line(std::string& out, const Row& pieces);

// One line a row, the columns as wide as their widest cell, in characters, and three spaces apart. Every row has as
// many cells as the head.
void append_table(std::string& out, const Row& head, const std::vector<Row>& rows);

}  // namespace edgetrust
