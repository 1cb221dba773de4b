#pragma once
// Bytes that must not be seen: private keys, tokens, client secrets, TSIG keys.
// Move-only, wiped when released, not printable: there is no operator<<, so writing one to a stream does not compile.
// `expose()` is the only way out, and easy to search for. A std::string is no substitute: its short buffer keeps the
// bytes after the string is gone.
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace edgetrust {

// Overwrites memory in a way that the compiler may not remove.
void cleanse(void* data, std::size_t size) noexcept;

template <class T>
struct CleansingAllocator {
  using value_type = T;
  CleansingAllocator() = default;
  template <class U>
  explicit CleansingAllocator(const CleansingAllocator<U>& /*other*/) {}
  T* allocate(std::size_t n) { return std::allocator<T>{}.allocate(n); }
  void deallocate(T* p, std::size_t n) noexcept {
    cleanse(p, n * sizeof(T));
    std::allocator<T>{}.deallocate(p, n);
  }
  bool operator==(const CleansingAllocator& /*other*/) const { return true; }
};

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}
  // Takes the bytes over and wipes the string they came in.
  static Secret take(std::string& from);

  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret&&) noexcept = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() = default;

  [[nodiscard]] Secret clone() const { return Secret(expose()); }
  [[nodiscard]] std::string_view expose() const { return {bytes_.data(), bytes_.size()}; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  void append(std::string_view bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }

 private:
  std::vector<char, CleansingAllocator<char>> bytes_;
};

}  // namespace edgetrust
