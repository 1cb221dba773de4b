#pragma once
// Of several operators one leads: it alone changes anything. Implemented by kube/ as a Lease. Threads: any.

namespace edgetrust::ports {

class Leadership {
 public:
  virtual ~Leadership() = default;
  // Whether nobody else can lead yet, by this process's steady clock. Costs nothing; asked right before each change of
  // the world. What has been sent by then may still arrive afterwards: no lease can prevent that.
  [[nodiscard]] virtual bool holds() const = 0;
};

}  // namespace edgetrust::ports
