#pragma once
// Owning what a C library hands out: std::unique_ptr<X509, Freed<X509_free>>. Errors: none.

namespace edgetrust {

// The deleter that calls `kFree` on the pointer.
template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};

}  // namespace edgetrust
