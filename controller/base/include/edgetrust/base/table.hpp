#pragma once
// Text in columns, for terminals.
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust {

// In characters, of which UTF-8 has up to four bytes; what colours a text (ESC "[" … "m", ECMA-48 section 8.3.117)
// takes no room.
std::size_t width_of(std::string_view text);

// One line a row, the columns as wide as their widest cell and three spaces apart. Every row has as many cells as the
// head.
void append_table(std::string& out, const std::vector<std::string>& head,
                  const std::vector<std::vector<std::string>>& rows);

}  // namespace edgetrust
