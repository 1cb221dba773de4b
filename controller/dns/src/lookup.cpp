#include "edgetrust/dns/lookup.hpp"

#include "edgetrust/dns/exchange.hpp"
#include "edgetrust/dns/name.hpp"
#include "targets.hpp"

#include <system_error>

namespace edgetrust::dns {
namespace {

struct Asked {
  std::string name;
  std::string value;
  bool of_authority = false;  // only an answer with authority counts
};

// What an answer says, whatever the order of its records.
ports::ServerAnswer judged(const Message& answer, const Asked& asked) {
  ports::ServerAnswer result;
  for (const Record& record : answer.answers) {
    if (record.name != asked.name) continue;
    if (record.type == RecordType::kTxt && record.data == asked.value) result.has_value = true;
    if (record.type == RecordType::kCname)
      result.problem = asked.name + " is an alias of " + shown(record.data) + ", which is not followed";
  }
  if (answer.rcode != Rcode::kNoError && answer.rcode != Rcode::kNxDomain) {
    result.problem = "it answers " + to_string(answer.rcode);
  } else if (asked.of_authority && !answer.authoritative) {
    result.problem = "it is not authoritative for " + asked.name;
  }
  if (!result.problem.empty()) result.has_value = false;
  return result;
}

// The first of the target's addresses that answers at all.
ports::ServerAnswer ask(const Target& target, const std::string& query, const Asked& asked, const net::Wait& wait) {
  ports::ServerAnswer result{.server = target.label, .has_value = false, .problem = target.problem};
  for (std::size_t i = 0; i < target.endpoints.size(); ++i) {
    const auto share = wait.left() / static_cast<int>(target.endpoints.size() - i);
    const auto reply = exchange(target.endpoints[i], query, First::kUdp, wait.at_most(share));
    if (reply) {
      result = judged(reply->message, asked);
      result.server = target.label;
      return result;
    }
    result.problem = reply.error().message();
  }
  return result;
}

using Answers = std::vector<ports::ServerAnswer>;

// Side by side: one server that keeps silent must not use up the time of the others.
Status ask_all(const std::vector<Target>& targets, const std::vector<std::string>& queries, const Asked& asked,
               const net::Wait& wait, Answers& answers) {
  answers.resize(targets.size());
  std::vector<std::jthread> threads;
  try {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      threads.emplace_back([&, i] {
        const net::Wait own(wait.clock(), wait.deadline(), wait.stop());
        answers[i] = ask(targets[i], queries[i], asked, own);
      });
    }
  } catch (const std::system_error& error) {
    return fail(ErrorKind::kUnavailable, std::string("no thread to ask name servers on: ") + error.what());
  }
  return {};
}

}  // namespace

Result<Answers> Lookup::find_txt(const std::string& name, const std::string& value,
                                 const std::vector<std::string>& servers, std::stop_token stop) {
  if (servers.size() > kMostServersAsked)
    return fail(ErrorKind::kInvalid, "at most " + std::to_string(kMostServersAsked) + " name servers can be asked");
  const net::Wait wait(clock_, options_.timeout, std::move(stop));
  const Asked asked{.name = canonical_name(name), .value = value, .of_authority = servers.empty()};
  auto targets = servers.empty() ? authoritative_targets(asked.name, options_.port, kMostServersAsked, resolver_,
                                                         wait.at_most(options_.timeout / 2))
                                 : given_targets(servers, resolver_, wait.at_most(options_.timeout / 2));
  if (!targets) return fail(within("name servers of " + shown(asked.name), std::move(targets).error()));
  std::vector<std::string> queries;
  for (std::size_t i = 0; i < targets->size(); ++i) {
    const auto id = static_cast<std::uint16_t>(random_.next());
    EDGETRUST_TRY_ASSIGN(std::string query, compose(query_of(id, asked.name, RecordType::kTxt, !asked.of_authority)));
    queries.push_back(std::move(query));
  }
  Answers answers;
  EDGETRUST_TRY(ask_all(*targets, queries, asked, wait, answers));
  if (wait.stop().stop_requested()) return fail(ErrorKind::kCancelled, "asked to stop");
  return answers;
}

}  // namespace edgetrust::dns
