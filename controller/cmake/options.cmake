# Compiler, warnings, sanitizers, ccache, linker: everything that holds for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(EDGETRUST_SANITIZE "" CACHE STRING "value of -fsanitize=, empty for none")

add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  -Wno-missing-field-initializers)  # designated initializers name what they set; the rest has its default
# What g++ 12 concludes from inlined code at -O2 is wrong about sums of strings and optionals (GCC bugs 105651, 105562 and relatives): it is told, and stops no release.
if(CMAKE_BUILD_TYPE STREQUAL Release)
  foreach(guess IN ITEMS array-bounds restrict maybe-uninitialized stringop-overflow stringop-overread)
    add_compile_options(-Wno-error=${guess})
  endforeach()
endif()
# An empty optional or an index past the end ends the program at that place, instead of reading what is not there.
add_compile_definitions(_GLIBCXX_ASSERTIONS)
# Paths are mapped so that two checkouts in different folders give the same objects, and ccache serves both. It names files from the build's
# folder on: with and without it they give the same program. (It looks at -fmacro-prefix-map, and takes objects for the same that differ in
# -ffile-prefix-map alone.)
file(RELATIVE_PATH edgetrust_up ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR})
string(REGEX REPLACE "/$" "" edgetrust_up "${edgetrust_up}")
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -fmacro-prefix-map=${edgetrust_up}=.)
# What is filled in by the loader is read-only before the program begins.
add_link_options(-Wl,-z,relro,-z,now)
if(CMAKE_BUILD_TYPE STREQUAL Release)  # a build id is over what is for the debugger too, where ccache names files in another way
  add_link_options(-Wl,--build-id=none)
endif()
if(EDGETRUST_SANITIZE)
  add_compile_options(-fsanitize=${EDGETRUST_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${EDGETRUST_SANITIZE})
  # g++ says at each of Asio's fences that ThreadSanitizer does not understand it, and sees overruns in sums of strings where none are.
  if(EDGETRUST_SANITIZE STREQUAL thread)
    add_compile_options(-Wno-tsan -Wno-array-bounds)
  endif()
  # g++ 12 reports false positives of this one under the sanitizers' instrumentation (GCC bug 105562 and relatives).
  add_compile_options(-Wno-maybe-uninitialized)
endif()

find_program(EDGETRUST_CCACHE ccache)
if(EDGETRUST_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_COMPILERCHECK=content CCACHE_PCH_EXTSUM=1 ${EDGETRUST_CCACHE})
endif()
find_program(EDGETRUST_MOLD mold)
if(EDGETRUST_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# One precompiled header of standard-library headers and Result. Third-party headers stay out of it, so that tests/architecture sees who includes them.
add_library(edgetrust_pch OBJECT ${CMAKE_SOURCE_DIR}/controller/cmake/pch.cpp)
target_precompile_headers(edgetrust_pch PRIVATE
  <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <functional> <map> <memory> <mutex> <optional> <set> <span> <stop_token>
  <string> <string_view> <thread> <tuple> <utility> <variant> <vector> <tl/expected.hpp>)
target_compile_options(edgetrust_pch PRIVATE -fpch-preprocess)
add_library(edgetrust_test_pch OBJECT EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/controller/cmake/pch.cpp)
target_precompile_headers(edgetrust_test_pch PRIVATE
  <algorithm> <chrono> <functional> <map> <memory> <optional> <set> <stop_token> <string> <string_view> <thread> <variant> <vector>
  <tl/expected.hpp> <gtest/gtest.h> <gmock/gmock.h>)
target_link_libraries(edgetrust_test_pch PRIVATE GTest::gmock GTest::gtest)
target_compile_options(edgetrust_test_pch PRIVATE -fpch-preprocess)

# g++ writes another precompiled header each time, and ccache would take every file that uses it for new. What it is made of is told beside it
# instead: the list of headers, which are all the system's, the compiler and the flags.
foreach(pch IN ITEMS edgetrust_pch edgetrust_test_pch)
  get_target_property(headers ${pch} PRECOMPILE_HEADERS)
  get_target_property(options ${pch} COMPILE_OPTIONS)
  get_directory_property(common COMPILE_OPTIONS)
  foreach(list IN ITEMS options common)  # where the checkout lies is in both
    list(FILTER ${list} EXCLUDE REGEX "-f(file|macro)-prefix-map")
  endforeach()
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  string(SHA256 sum "${headers} ${options} ${common} ${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}} ${CMAKE_CXX_COMPILER_VERSION} ${GTest_VERSION}")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/CMakeFiles/${pch}.dir/cmake_pch.hxx.gch.sum CONTENT "${sum}\n")
endforeach()
