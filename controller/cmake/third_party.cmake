# Libraries of Debian 12. Which room may include which of them is checked by tests/architecture.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(GTest REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(simdjson 3.0 REQUIRED)
find_package(date REQUIRED)  # time zones: g++ 12 has none in <chrono>
# libldns has no CMake package of its own in Debian 12.
find_library(EDGETRUST_LDNS_LIBRARY ldns REQUIRED)
find_path(EDGETRUST_LDNS_INCLUDE ldns/ldns.h REQUIRED)
add_library(ldns::ldns UNKNOWN IMPORTED)
set_target_properties(ldns::ldns PROPERTIES IMPORTED_LOCATION ${EDGETRUST_LDNS_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${EDGETRUST_LDNS_INCLUDE})
# Nor has libpsl.
find_library(EDGETRUST_PSL_LIBRARY psl REQUIRED)
find_path(EDGETRUST_PSL_INCLUDE libpsl.h REQUIRED)
add_library(psl::psl UNKNOWN IMPORTED)
set_target_properties(psl::psl PROPERTIES IMPORTED_LOCATION ${EDGETRUST_PSL_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${EDGETRUST_PSL_INCLUDE})
find_package(cpprestsdk 2.10 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(libssh 0.10 REQUIRED)
find_package(pugixml 1.13 REQUIRED)
