// crdgen OUTPUT_DIR: writes the CustomResourceDefinitions, one file a kind, as committed in crds/.
#include "crd_yaml.hpp"
#include "edgetrust/api/crd.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>

namespace {

constexpr std::string_view kHeader = "# Written by `make crds` from the field lists in controller/api. Do not edit.\n";

edgetrust::Status write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << kHeader << text;
  file.close();
  if (!file) return edgetrust::fail(edgetrust::ErrorKind::kUnavailable, "cannot write " + path.string());
  return {};
}

edgetrust::Status write_all(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return edgetrust::fail(edgetrust::ErrorKind::kUnavailable,
                           "cannot make " + folder.string() + ": " + error.message());
  for (const auto& crd : edgetrust::api::custom_resource_definitions()) {
    EDGETRUST_TRY_ASSIGN(const std::string yaml, edgetrust::crdgen::yaml_of(crd.json));
    EDGETRUST_TRY(write_file(folder / (crd.name + ".yaml"), yaml));
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || std::string_view(argv[1]).starts_with('-')) {
    std::cerr << "usage: crdgen OUTPUT_DIR\n";
    return 2;
  }
  if (const auto written = write_all(argv[1]); !written) {
    std::cerr << "crdgen: " << written.error().message() << "\n";
    return 1;
  }
  return 0;
}
