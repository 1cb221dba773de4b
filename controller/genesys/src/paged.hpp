#pragma once
// Listings of the published API, page after page of 100.
#include "client.hpp"
#include "edgetrust/json/view.hpp"

#include <functional>
#include <mutex>

namespace edgetrust::genesys {

inline constexpr std::size_t kMaxListing = std::size_t{4} << 20;  // octets of one page

using Visit = std::function<void(json::View entity)>;

// Calls `visit` for each entity of the pages from `page` on; `page` is then the first that was not read. `filter` is a
// query without page, or empty. An entity that moves to the next page while we turn is visited twice. Errors: of the
// call; kProtocol when it is no listing, or one without end.
Status turn_pages(Client& client, std::string_view path, std::string_view filter, int& page,
                  const std::stop_token& stop, const Visit& visit,
                  std::chrono::milliseconds timeout = Outgoing{}.timeout);  // of a page

// All pages at once.
Status for_each_listed(Client& client, std::string_view path, std::string_view filter, const std::stop_token& stop,
                       const Visit& visit, std::chrono::milliseconds timeout = Outgoing{}.timeout);

// A listing that may take more requests than the budget has at once: what has been read is kept while the caller waits
// for its budget, and the next read goes on from there. Threads: any; one reads at a time.
template <class Items>
class KeptListing {
 public:
  static constexpr std::chrono::minutes kKeptFor{5};  // from the first page on: what is older tells nothing of now

  // `use` gets the items when all have been read; what it returns is the result, and the items are kept when that is
  // kRateLimited too.
  template <class Use>
  auto read(Client& client, std::string_view path, std::string_view filter, SteadyPoint now,
            const std::stop_token& stop, const std::function<void(Items&, json::View)>& add, const Use& use)
      -> decltype(use(std::declval<const Items&>())) {
    const std::lock_guard lock(mutex_);
    if (now > begun_ + kKeptFor) forget();
    if (page_ == 1) begun_ = now;
    if (!complete_) {
      const Status turned =
          turn_pages(client, path, filter, page_, stop, [&](json::View entity) { add(items_, entity); });
      if (!turned) {
        if (turned.error().kind != ErrorKind::kRateLimited) forget();
        return tl::unexpected(turned.error());
      }
      complete_ = true;
    }
    auto result = use(items_);
    if (result || result.error().kind != ErrorKind::kRateLimited) forget();
    return result;
  }

 private:
  void forget() {
    items_ = {};
    page_ = 1;
    complete_ = false;
  }

  std::mutex mutex_;
  Items items_;
  int page_ = 1;
  bool complete_ = false;
  SteadyPoint begun_{};
};

}  // namespace edgetrust::genesys
