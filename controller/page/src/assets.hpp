#pragma once
// The files of controller/page/assets, which the build takes in (controller/cmake/embed.cmake).
#include <span>
#include <string_view>

namespace edgetrust::page {

struct Asset {
  std::string_view name;  // "page.css"
  std::string_view content;
};
std::span<const Asset> assets();

}  // namespace edgetrust::page
