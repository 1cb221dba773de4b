#include "certificate/order_book.hpp"

#include "certificate/revision_secrets.hpp"
#include "edgetrust/base/random.hpp"
#include "edgetrust/base/time_text.hpp"
#include "fresh.hpp"

namespace edgetrust::reconcile {
namespace {

constexpr std::string_view kOrdersLabel = "edgetrust.io/orders";
constexpr std::string_view kServerAnnotation = "edgetrust.io/server";
constexpr const char* kOrders = "orders";
constexpr int kTries = 5;  // against another process

api::ObjectKey secret_of(const std::string& ns, const std::string& server) {
  auto hash = static_cast<std::uint64_t>(stable_fraction(server) * 0x1p48);
  std::string digits;
  for (int i = 0; i < 12; ++i, hash >>= 4) digits += "0123456789abcdef"[hash & 15U];
  return {ns, "edgetrust-orders-" + digits};
}

}  // namespace

// As it is now, which is empty where no Secret is.
Result<OrderBook::Stored> OrderBook::read(const World& world, const std::string& ns, const std::string& server,
                                          const std::stop_token& stop) {
  const api::ObjectKey key = secret_of(ns, server);
  const auto secret = world.secrets.read(key, stop);
  if (!secret && secret.error().kind != ErrorKind::kNotFound) return tl::unexpected(secret.error());
  Stored stored;
  if (secret) {
    if (!secret->meta.labels.contains(std::string(kOrdersLabel)))
      return fail(ErrorKind::kConflict, "the Secret " + key.name + " exists and is not ours: delete it");
    stored.meta = secret->meta;
    const auto text = secret->data.find(kOrders);
    if (text != secret->data.end()) stored.log = decide::read_order_log(text->second.expose());
  } else {
    stored.meta.ns = ns;
    stored.meta.name = key.name;
    stored.meta.labels = {{std::string(kOrdersLabel), "true"}, {std::string(api::kBackupLabel), "true"}};
    stored.meta.annotations = {{std::string(kServerAnnotation), server}};
  }
  keep(world, stored.meta, stored.log);
  return stored;
}

// kConflict when somebody else wrote in between.
Status OrderBook::write(const World& world, const Stored& stored, const std::stop_token& stop) {
  ports::SecretObject secret{.meta = stored.meta};
  secret.data.emplace(kOrders, Secret(decide::as_text(stored.log)));
  const bool is_new = stored.meta.resource_version.empty();
  const auto written = is_new ? world.secrets.create(secret, stop) : world.secrets.update(secret, stop);
  if (!written) return tl::unexpected(written.error());
  keep(world, *written, stored.log);
  return {};
}

void OrderBook::keep(const World& world, const api::ObjectMeta& meta, decide::OrderLog log) {
  pages_[meta.key()] = {.resource_version = meta.resource_version,
                        .was_seen = world.secrets.find(meta.key()).has_value(),
                        .log = std::make_shared<const decide::OrderLog>(std::move(log))};
}

Result<std::shared_ptr<const decide::OrderLog>> OrderBook::log(const World& world, const std::string& ns,
                                                               const std::string& server, std::stop_token stop) {
  const std::scoped_lock lock(mutex_);
  const api::ObjectKey key = secret_of(ns, server);
  const auto known = pages_.find(key);
  const auto seen = world.secrets.find(key);
  if (known != pages_.end()) {
    const Page& page = known->second;
    const bool is_gone = !seen && page.was_seen;
    const bool is_outdated = seen && seen->resource_version != page.resource_version &&
                             !api::is_older(seen->resource_version, page.resource_version);
    if (!is_gone && !is_outdated) return page.log;
  }
  EDGETRUST_TRY(read(world, ns, server, stop));
  return pages_.at(key).log;
}

Result<bool> OrderBook::take_place(const World& world, const std::string& ns, const api::AcmeIssuerSpec& issuer,
                                   const decide::OrderRecord& order, std::stop_token stop) {
  const std::scoped_lock lock(mutex_);
  for (int tries = 1;; ++tries) {
    EDGETRUST_TRY_ASSIGN(Stored stored, read(world, ns, issuer.server, stop));
    if (decide::wait_for_order(stored.log, order, decide::limits_of(issuer), {}, order.at)) return false;
    decide::take_place(stored.log, order, order.at);
    const auto written = write(world, stored, stop);
    if (written) return true;
    if (written.error().kind != ErrorKind::kConflict || tries == kTries) return tl::unexpected(written.error());
  }
}

Status OrderBook::give_back(const World& world, const std::string& ns, const std::string& server,
                            const decide::OrderRecord& order, std::stop_token stop) {
  const std::scoped_lock lock(mutex_);
  for (int tries = 1;; ++tries) {
    EDGETRUST_TRY_ASSIGN(Stored stored, read(world, ns, server, stop));
    decide::give_back(stored.log, order);
    auto written = write(world, stored, stop);
    if (written || written.error().kind != ErrorKind::kConflict || tries == kTries) return written;
  }
}

std::shared_ptr<const api::AcmeIssuer> OrderBook::newest_of(std::shared_ptr<const api::AcmeIssuer> cached) {
  if (!cached) return cached;
  const std::scoped_lock lock(issuers_mutex_);
  const auto written = issuers_.find(cached->meta.key());
  return written == issuers_.end() ? cached : newest(cached, written->second);
}

Status OrderBook::note_refusal(const World& world, const api::ObjectKey& issuer, const Error& error,
                               std::stop_token stop) {
  const TimePoint now = world.clock.now();
  for (int tries = 1;; ++tries) {
    EDGETRUST_TRY_ASSIGN(api::AcmeIssuer next, world.issuers.read(issuer, stop));
    auto& status = next.status;
    auto refused = decide::refusal(status.last_refusal, error.retry_after, now);
    // Of several that were under way at once, the one that asks for most holds.
    const auto until = decide::limited_until(next, now);
    if (until && (*until >= refused.until || !error.retry_after)) return {};
    refused.message = error.message();
    status.last_refusal = refused;
    status.limited_until = format_rfc3339(refused.until);
    const auto version = world.issuers.write_status(next, stop);
    if (version) {
      next.meta.resource_version = *version;
      const std::scoped_lock lock(issuers_mutex_);
      issuers_[issuer] = std::make_shared<const api::AcmeIssuer>(std::move(next));
      return {};
    }
    if (version.error().kind != ErrorKind::kConflict || tries == kTries) return tl::unexpected(version.error());
  }
}

}  // namespace edgetrust::reconcile
