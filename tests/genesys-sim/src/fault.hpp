#pragma once
// Planned misbehaviour: "the next 2 POSTs to …/certificates get no answer". Threads: any.
#include "edgetrust/http/message.hpp"
#include "edgetrust/json/view.hpp"

#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgetrust::sim {

// '*' stands for any run of characters, slashes too.
bool glob_matches(std::string_view pattern, std::string_view text);

struct FaultAction {
  std::chrono::milliseconds delay{0};
  bool drop_before = false;       // not executed, no answer
  bool commit_then_drop = false;  // executed, no answer
  std::optional<int> status;      // not executed, this answer
  std::optional<std::string> body;
  std::vector<std::pair<std::string, std::string>> headers;

  [[nodiscard]] bool answers() const { return status || body; }
  [[nodiscard]] std::string name() const;  // for the journal
};

struct Fault {
  std::string port = "api";  // api or cloud
  std::string method;        // empty: any
  std::string path = "*";
  int times = 1;  // 0: without end
  FaultAction action;
};

// Errors: kInvalid, naming the field.
Result<Fault> parse_fault(json::View value);

class FaultTable {
 public:
  void add(Fault fault);
  void clear();
  [[nodiscard]] std::size_t size() const;
  // The first planned one that fits, counted down.
  std::optional<FaultAction> take(std::string_view port, std::string_view method, std::string_view path);

 private:
  mutable std::mutex mutex_;
  std::deque<Fault> faults_;
};

}  // namespace edgetrust::sim
