#pragma once
// A fleet in virtual time. The rules of decide/certificate are asked as the engine asks them, with the same memory and
// the same fleet; what they want done is done to a model, and a clock jumps to the next moment that one of them names.
// So what this foretells is what the operator will do, as long as the world is as the model has it.
//
// The model leaves out what no rule waits for: the API server, DNS (each authorization is valid already), who wrote
// which Secret. Edges fail one by one: nobody sees a site go down. Called by: plan, the simulated year. Threads: one.
// Errors: none.
#include "edgetrust/forecast/outside.hpp"

#include <functional>
#include <memory>
#include <queue>

namespace edgetrust::forecast {

// What is there at the beginning: what reconcile observes of each EdgeCertificate, without its fleet and its memory,
// with what was ordered of its CA where that has limits.
struct Situation {
  TimePoint now;
  std::vector<decide::certificate::Observation> certificates;
  std::vector<ports::BudgetSlot> slots;
};

// One pass: the status before it, and the observation with the status after it.
struct Pass {
  const api::EdgeCertificateStatus& before;
  const decide::certificate::Observation& after;
  std::string_view rule;
  const decide::certificate::Effect* effect;  // that comes next; nullptr: none
};

class Run {
 public:
  using Watcher = std::function<void(const Pass&)>;
  // `outside` outlives this.
  Run(Situation situation, Outside& outside, Watcher watcher);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // All that happens before `until`; the clock stands there afterwards.
  void advance(TimePoint until);
  // The operator dies with all it remembers, and comes back then.
  void stop(TimePoint back_at);
  // A person goes on after a halt, as with the annotation of that name; all policies.
  void resume();

  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] const decide::certificate::Observation& observation(std::size_t member) const;
  // What its Edge serves; nullptr: nothing that is known.
  [[nodiscard]] const ports::ChainFacts* installed(std::size_t member) const;
  // Halted policies, by name.
  [[nodiscard]] std::vector<std::string> halted() const;
  // What an operator that starts now would see.
  [[nodiscard]] Situation situation() const;
  [[nodiscard]] std::int64_t passes() const { return passes_; }

 private:
  struct Member;
  struct Policy;
  struct Wake {
    TimePoint at;
    std::int64_t order;  // of two at one moment the one that was asked for first
    std::size_t member;
    bool operator>(const Wake& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
  };
  struct Namespace;

  void work_on(Member& member);
  bool pass(Member& member);
  void wake_at(Member& member, TimePoint at);
  void refresh(Policy& policy);
  void wake_waiting(const Namespace& space);
  void let_sleep(const Member& refused, const Error& error);

  TimePoint now_;
  Outside& outside_;
  Watcher watcher_;
  std::map<std::string, std::unique_ptr<Namespace>> namespaces_;
  std::vector<std::unique_ptr<Member>> members_;
  std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes_;
  std::int64_t asked_ = 0;
  std::int64_t passes_ = 0;
};

}  // namespace edgetrust::forecast
