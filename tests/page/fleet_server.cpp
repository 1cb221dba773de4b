// The fleet page on objects of a file: fleet-server FILE [PORT]. The file holds {"certificates": […], "edges": […]} as
// the API server would give them, and may hold "silentSince", a moment. It prints its port; each line of its input has
// it read the file again and tell its listeners, which it says; the end of the input ends it.
#include "edgetrust/api/codec.hpp"
#include "edgetrust/base/time_text.hpp"
#include "edgetrust/kube/kinds.hpp"
#include "edgetrust/page/page.hpp"

#include <fstream>
#include <iostream>
#include <sstream>

namespace edgetrust {
namespace {

class Fleet {
 public:
  explicit Fleet(std::string path) : path_(std::move(path)) { read(); }

  void read() {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    const auto document = json::Document::parse(text.str(), {.max_bytes = std::size_t{1} << 26}).value();
    page::Sight sight;
    fill(sight.certificates, document.root()["certificates"]);
    fill(sight.edges, document.root()["edges"]);
    const auto since = document.root()["silentSince"];
    const std::lock_guard lock(mutex_);
    sight_ = std::move(sight);
    silent_since_ = since.present() ? std::optional(parse_rfc3339(since.string_or("")).value()) : std::nullopt;
  }

  [[nodiscard]] page::Sight sight() const {
    const std::lock_guard lock(mutex_);
    return sight_;
  }

  [[nodiscard]] std::optional<TimePoint> silent_since() const {
    const std::lock_guard lock(mutex_);
    return silent_since_;
  }

  [[nodiscard]] std::optional<view::Subject> rotation(const api::ObjectKey& key) const {
    const page::Sight all = sight();
    const auto found =
        std::ranges::find_if(all.certificates, [&](const auto& certificate) { return certificate->meta.key() == key; });
    if (found == all.certificates.end()) return std::nullopt;
    view::Subject subject{.certificate = **found, .edge = {}, .policy = {}, .events = {}};
    for (const auto& edge : all.edges) {
      if (edge->meta.name == subject.certificate.spec.edge_ref.name) subject.edge = *edge;
    }
    return subject;
  }

 private:
  template <class Kind>
  static void fill(std::vector<std::shared_ptr<const Kind>>& into, json::View objects) {
    objects.for_each_element([&](json::View object) {
      into.push_back(
          std::make_shared<const Kind>(kube::decode_kind<Kind>(api::decode_meta(object["metadata"]), object)));
      return true;
    });
  }

  std::string path_;
  mutable std::mutex mutex_;
  page::Sight sight_;
  std::optional<TimePoint> silent_since_;
};

int serve(const std::string& path, std::uint16_t port) {
  const SystemClock clock;
  Fleet fleet(path);
  page::Page shown({.synced = [] { return true; },
                    .silent_since = [&] { return fleet.silent_since(); },
                    .fleet = [&] { return fleet.sight(); },
                    .rotation = [&](const api::ObjectKey& key) { return fleet.rotation(key); }},
                   {}, clock);
  const auto server = http::Server::start(page::server_options("127.0.0.1", port), [&](const auto& request) {
                        return shown.answer(request);
                      }).value();
  std::cout << server->port() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    fleet.read();
    shown.changed();
    std::cout << "read" << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace edgetrust

int main(int argc, char** argv) {
  return edgetrust::serve(argv[1], static_cast<std::uint16_t>(argc > 2 ? std::stoi(argv[2]) : 0));
}
