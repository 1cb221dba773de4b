#pragma once
// Randomness, as an argument. Only main makes the real one. Not for keys: OpenSSL draws those itself.
#include <cstdint>
#include <string_view>

namespace edgetrust {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;

  // Uniform in [0, bound); 0 when bound is 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double fraction();
};

// The kernel's generator. Thread-safe.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
};

// A fixed share in [0, 1) drawn from a name: the same object gets the same share in every process and pass (FNV-1a, 64
// bit).
double stable_fraction(std::string_view name);

}  // namespace edgetrust
