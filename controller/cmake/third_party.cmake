# Libraries of Debian 12. Which room may include which of them is checked by tests/architecture.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(GTest REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(simdjson 3.0 REQUIRED)
find_package(date REQUIRED)  # time zones: g++ 12 has none in <chrono>
find_package(cpprestsdk 2.10 REQUIRED)
