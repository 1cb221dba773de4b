#include "log_file.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace edgetrust::audit {
namespace {

// With what the last system call says of itself.
tl::unexpected<Error> fail_as_told(ErrorKind kind, const std::string& what) {
  return fail(kind, what + ": " + std::strerror(errno));
}

// Of all that have the file open, on other machines too where the volume knows locks. Whoever holds it holds it for one
// record.
class Lock {
 public:
  static Result<Lock> take(int fd) {
    while (flock(fd, LOCK_EX) != 0) {
      if (errno != EINTR) return fail_as_told(ErrorKind::kInvalid, "it cannot be locked");
    }
    return Lock(fd);
  }
  Lock(Lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  Lock& operator=(Lock&&) = delete;
  ~Lock() {
    if (fd_ >= 0) flock(fd_, LOCK_UN);
  }

 private:
  explicit Lock(int fd) : fd_(fd) {}
  int fd_;
};

Result<off_t> size_of(int fd) {
  struct stat seen {};
  if (fstat(fd, &seen) != 0) return fail_as_told(ErrorKind::kUnavailable, "it cannot be looked at");
  return seen.st_size;
}

Result<std::string> read_from(int fd, off_t offset, off_t size) {
  std::string text(static_cast<std::size_t>(size - offset), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = pread(fd, text.data() + have, text.size() - have, offset + static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_as_told(ErrorKind::kUnavailable, "it cannot be read");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

// Also one that was cut: members stand in the order of their names.
bool begins_like_a_record(std::string_view line) {
  constexpr std::string_view kBegin = R"({"action":")";
  return kBegin.starts_with(line.substr(0, kBegin.size()));
}

}  // namespace

Result<LogFile::End> LogFile::end_of(int fd) {
  constexpr off_t kTail = off_t{64} << 10;
  End end;
  EDGETRUST_TRY_ASSIGN(end.size, size_of(fd));
  if (end.size == 0) return end;
  EDGETRUST_TRY_ASSIGN(const std::string text, read_from(fd, std::max<off_t>(0, end.size - kTail), end.size));
  const auto lines = split(text, '\n');
  std::optional<Link> last;
  for (const auto& line : lines) {
    if (const auto link = follow(line, nullptr)) last = *link;
  }
  if (!last && !std::ranges::all_of(lines, begins_like_a_record))
    return fail(ErrorKind::kInvalid, "it holds something else than records");
  if (last) end.link = *last;
  end.is_cut = !text.ends_with('\n');
  return end;
}

LogFile::LogFile(std::string path, std::string instance) : path_(std::move(path)), instance_(std::move(instance)) {}

LogFile::~LogFile() { close(); }

Status LogFile::check() const {
  if (is_stdout()) return {};
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno != ENOENT) return fail_as_told(ErrorKind::kInvalid, "it cannot be opened");
  if (fd < 0) {
    const auto folder = std::filesystem::absolute(path_).parent_path();
    if (access(folder.c_str(), W_OK | X_OK) != 0) return fail_as_told(ErrorKind::kInvalid, "it cannot be made");
    return {};
  }
  const auto end = end_of(fd);
  ::close(fd);
  EDGETRUST_TRY(end);
  if (access(path_.c_str(), W_OK) != 0) return fail_as_told(ErrorKind::kInvalid, "it cannot be written");
  return {};
}

Status LogFile::open() {
  if (is_stdout()) {
    fd_ = STDOUT_FILENO;
    return {};
  }
  const int fd = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  const auto end = [fd]() -> Result<End> {
    if (fd < 0) return fail_as_told(ErrorKind::kInvalid, "it cannot be opened");
    EDGETRUST_TRY_ASSIGN(const Lock only_one, Lock::take(fd));
    return end_of(fd);
  }();
  if (!end) {
    if (fd >= 0) ::close(fd);
    return fail(end.error());
  }
  fd_ = fd;
  end_ = *end;
  return {};
}

void LogFile::close() {
  if (fd_ >= 0 && !is_stdout()) ::close(fd_);
  fd_ = -1;
}

Status LogFile::append(const Record& record, TimePoint at) {
  if (fd_ < 0) return fail(ErrorKind::kUnavailable, "it is not open");
  std::optional<Lock> only_one;
  if (!is_stdout()) {
    EDGETRUST_TRY_ASSIGN(Lock taken, Lock::take(fd_));
    only_one.emplace(std::move(taken));
    EDGETRUST_TRY_ASSIGN(const off_t size, size_of(fd_));
    if (size != end_.size) {  // somebody else has written since
      EDGETRUST_TRY_ASSIGN(end_, end_of(fd_));
    }
  }
  Link next = end_.link;
  const std::string line = seal(record, at, instance_, next);
  const Status written = append_line(line);
  if (!is_stdout()) {
    EDGETRUST_TRY_ASSIGN(end_.size, size_of(fd_));
  }
  EDGETRUST_TRY(written);
  end_.link = std::move(next);
  return {};
}

Status LogFile::sync() {
  if (is_stdout() || fdatasync(fd_) == 0) return {};
  return fail_as_told(ErrorKind::kUnavailable, "it cannot be synced");
}

// A line of its own, even where the one before was cut.
Status LogFile::append_line(const std::string& line) {
  const std::string whole = (end_.is_cut ? "\n" : "") + line + "\n";
  std::string_view rest = whole;
  while (!rest.empty()) {
    const ssize_t wrote = ::write(fd_, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_as_told(ErrorKind::kUnavailable, "it cannot be written");
    rest.remove_prefix(static_cast<std::size_t>(wrote));
    end_.is_cut = whole[whole.size() - rest.size() - 1] != '\n';
  }
  return {};
}

}  // namespace edgetrust::audit
