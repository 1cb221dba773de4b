// Carries the precompiled header; see options.cmake.
