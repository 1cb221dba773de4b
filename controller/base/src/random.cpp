#include "edgetrust/base/random.hpp"

#include <cstdlib>

#include <sys/random.h>

namespace edgetrust {

std::uint64_t Random::below(std::uint64_t bound) {
  if (bound == 0) return 0;
  const std::uint64_t unfair = (0 - bound) % bound;  // 2^64 mod bound: values below it would be drawn once too often
  std::uint64_t value = next();
  while (value < unfair) value = next();
  return value % bound;
}

double Random::fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t SystemRandom::next() {
  std::uint64_t value = 0;
  if (getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value))
    std::abort();  // 8 bytes never come short (getrandom(2))
  return value;
}

double stable_fraction(std::string_view name) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  hash ^= hash >> 33;  // FNV's high bits move little for names that differ at the end: mix them (fmix64 of MurmurHash3)
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33;
  return static_cast<double>(hash >> 11) * 0x1.0p-53;
}

}  // namespace edgetrust
