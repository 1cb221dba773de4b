#include "paged.hpp"

#include "published.hpp"

namespace edgetrust::genesys {
namespace {

constexpr int kMaxPages = 200;

}  // namespace

Status turn_pages(Client& client, std::string_view path, std::string_view filter, int& page,
                  const std::stop_token& stop, const Visit& visit, std::chrono::milliseconds timeout) {
  const std::string prefix = filter.empty() ? std::string{} : std::string(filter) + "&";
  while (page <= kMaxPages) {
    Outgoing outgoing;
    outgoing.path = path;
    outgoing.query = prefix + "pageSize=100&pageNumber=" + std::to_string(page);
    outgoing.max_body = kMaxListing;
    outgoing.timeout = timeout;
    const auto answer = client.call(outgoing, stop);
    if (!answer) return fail(answer.error().error);
    const auto read = published::read_page(answer->body, page, kMaxListing);
    if (!read) return fail(within("GET " + std::string(path), read.error()));
    read->document.root()["entities"].for_each_element([&](json::View entity) {
      visit(entity);
      return true;
    });
    ++page;
    if (read->last) return {};
  }
  return fail(ErrorKind::kProtocol, "GET " + std::string(path) + ": the listing does not end");
}

Status for_each_listed(Client& client, std::string_view path, std::string_view filter, const std::stop_token& stop,
                       const Visit& visit, std::chrono::milliseconds timeout) {
  int page = 1;
  return turn_pages(client, path, filter, page, stop, visit, timeout);
}

}  // namespace edgetrust::genesys
