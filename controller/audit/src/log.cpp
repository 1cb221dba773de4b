#include "edgetrust/audit/log.hpp"

#include "edgetrust/base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace edgetrust::audit {
namespace {

tl::unexpected<Error> bad(const std::string& path, const std::string& what) {
  return fail(ErrorKind::kInvalid, "audit log " + path + ": " + what);
}

struct Tail {
  Link link;
  bool is_cut = false;  // the last line has no newline
};

Result<Tail> tail_of(const std::string& path) {
  constexpr std::streamoff kTail = std::streamoff{64} << 10;
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = in ? static_cast<std::streamoff>(in.tellg()) : 0;
  if (size <= 0) return Tail{};
  in.seekg(std::max<std::streamoff>(0, size - kTail));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::optional<Link> last;
  for (const auto& line : split(text, '\n')) {
    if (const auto link = follow(line, nullptr)) last = *link;
  }
  if (!last) return bad(path, "it holds something else than records");
  return Tail{.link = *last, .is_cut = !text.ends_with('\n')};
}

Status write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(ErrorKind::kUnavailable, std::string("cannot be written: ") + std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(Options options, const Clock& clock) {
  if (options.path == "-") return std::unique_ptr<Log>(new Log(std::move(options), STDOUT_FILENO, {}, clock));
  EDGETRUST_TRY_ASSIGN(const Tail tail, tail_of(options.path));
  const int fd = ::open(options.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) return bad(options.path, std::string("cannot be opened: ") + std::strerror(errno));
  auto log = std::unique_ptr<Log>(new Log(std::move(options), fd, tail.link, clock));
  if (tail.is_cut) EDGETRUST_TRY(write_whole(fd, "\n"));
  return log;
}

Log::Log(Options options, int fd, Link link, const Clock& clock)
    : options_(std::move(options)), fd_(fd), clock_(clock), link_(std::move(link)) {}

Log::~Log() {
  if (fd_ != STDOUT_FILENO) close(fd_);
}

std::uint64_t Log::next_sequence() const {
  const std::lock_guard lock(mutex_);
  return link_.sequence;
}

void Log::write(const Record& record) {
  {
    const std::lock_guard lock(mutex_);
    Link next = link_;
    const std::string line = seal(record, clock_.now(), options_.instance, next) + "\n";
    const Status written = write_whole(fd_, line);
    if (!written) {
      if (options_.failed) options_.failed(within("audit log " + options_.path, written.error()));
      return;
    }
    if (fd_ != STDOUT_FILENO) fdatasync(fd_);
    link_ = std::move(next);
  }
  if (options_.written) options_.written();
}

}  // namespace edgetrust::audit
