#pragma once
// The rate limits of a CA, kept as budgets: what was ordered of it, whether one more may be ordered now, and if not,
// from when. Called by the rules of decide/certificate, and again by whoever writes the record right before the order,
// so that what decides is one function (docs/adr/0009). Pure. Errors: none.
//
// The limits are Let's Encrypt's in kind (letsencrypt.org/docs/rate-limits): orders of an account, certificates of a
// registered domain, certificates of one set of names. The last two hold for all accounts of a server. Each is counted
// over a window that slides; a bucket that refills evenly never asks for more.
#include "edgetrust/api/acme_issuer.hpp"
#include "edgetrust/api/edge_certificate.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::decide {

struct OrderLimits {  // 0: none
  int orders_per_3_hours = 0;
  int per_domain_per_week = 0;
  int duplicates_per_week = 0;
  [[nodiscard]] bool any() const {
    return orders_per_3_hours > 0 || per_domain_per_week > 0 || duplicates_per_week > 0;
  }
};
// As the issuer sets them; what it does not set is what Let's Encrypt publishes for its own hosts, and none elsewhere.
OrderLimits limits_of(const api::AcmeIssuerSpec& issuer);

// The reasons of what waits for the CA.
inline constexpr std::string_view kOrdersLimit = "IssuerLimitOrders";
inline constexpr std::string_view kDomainLimit = "IssuerLimitDomain";
inline constexpr std::string_view kDuplicatesLimit = "IssuerLimitDuplicates";
inline constexpr std::string_view kIssuerLimited = "IssuerLimited";

enum class OrderKind {
  kNew,          // the first for its names
  kRenewal,      // its names had a certificate before: does not count for their domains
  kReplacement,  // says which certificate it replaces (RFC 9773 section 5): no limit holds it up
  kLost          // asked for again, because nobody knows whether it came about: an order, but no certificate
};
struct OrderRecord {
  TimePoint at;  // right before it was asked for
  OrderKind kind = OrderKind::kNew;
  std::string account;  // account_of()
  std::string holder;   // which try for which revision of which EdgeCertificate: one place in the budgets
  std::set<std::string> names;
  bool operator==(const OrderRecord&) const = default;
};
// Of one server, all accounts that are seen.
using OrderLog = std::vector<OrderRecord>;

// What is ordered for an EdgeCertificate, in lower case.
std::set<std::string> ordered_names(const api::EdgeCertificateSpec& spec);

// What tells accounts of one server apart: where the key is kept.
std::string account_of(const api::AcmeIssuerSpec& issuer);

// "example.co.uk" of "*.edge01.example.co.uk", by the Public Suffix List; what is a public suffix itself, or no name,
// stands for itself.
std::string registered_domain(const std::string& name);

struct OrderWait {
  std::string_view reason;
  std::string message;  // the limit and how it is used up, in the same words while that is so
  TimePoint until;      // whole seconds
};
// Why `order` has to wait; empty: it may be made now. Those `ahead` of it in the line are granted their places first.
std::optional<OrderWait> wait_for_order(const OrderLog& log, const OrderRecord& order, const OrderLimits& limits,
                                        const std::vector<OrderRecord>& ahead, TimePoint now);

// The log with that order in it, and without what no limit counts any more. An earlier record of the same holder and
// names is of an answer that was lost.
void take_place(OrderLog& log, OrderRecord order, TimePoint now);
// It is certain that the order was not made.
void give_back(OrderLog& log, const OrderRecord& order);

// One order a line. A line that cannot be read is left out: what is damaged must not stop every renewal.
std::string as_text(const OrderLog& log);
OrderLog read_order_log(std::string_view text);

// The CA says that it wants no orders, and perhaps for how long. Until when nothing is ordered: without its word a
// quarter of an hour, and twice as long as the last time when that is hardly over; a day at the most. A word of more
// than a week is taken for a week. The message is the caller's.
api::RefusalStatus refusal(const std::optional<api::RefusalStatus>& last,
                           std::optional<std::chrono::seconds> retry_after, TimePoint now);
// That of an issuer which is not over. One that a clock has written which ran ahead is none.
std::optional<TimePoint> limited_until(const api::AcmeIssuer& issuer, TimePoint now);

}  // namespace edgetrust::decide
