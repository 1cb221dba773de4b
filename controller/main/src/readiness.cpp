#include "readiness.hpp"

namespace edgetrust {

Readiness readiness(bool synced, std::chrono::milliseconds silent_for, bool leads) {
  if (!synced) return {.ready = false, .says = "the watches have not been read yet"};
  if (silent_for > kLongestSilence)
    return {.ready = false,
            .says = "a watch has brought nothing for " +
                    std::to_string(std::chrono::duration_cast<std::chrono::minutes>(silent_for).count()) +
                    " minutes; the log says why it fails"};
  return {.ready = true, .says = leads ? "ok" : "ok: standing by, another operator leads"};
}

}  // namespace edgetrust
