#include "edgetrust/plugin/breakglass.hpp"

#include "edgetrust/base/table.hpp"
#include "edgetrust/base/text.hpp"
#include "edgetrust/base/time_text.hpp"

#include <algorithm>

namespace edgetrust::plugin {
namespace {

using namespace std::chrono_literals;

// What the vendor's guide names, and what ssh/src/commands.cpp puts beside it.
constexpr std::string_view kFolder = "/etc/purecloud/edge/conf/security";
constexpr std::string_view kFile = "/etc/purecloud/edge/conf/security/pinning-config.json";
constexpr std::string_view kPrevious = "/etc/purecloud/edge/conf/security/.pinning-config.json.edgetrust-previous";
constexpr std::string_view kTimer = "edgetrust-pin-restore";
constexpr std::string_view kService = "purecloud-edge";

// For a shell: what comes from an object may hold anything.
std::string quoted(std::string_view text) {
  constexpr std::string_view kSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:/@";
  if (!text.empty() && text.find_first_not_of(kSafe) == std::string_view::npos) return std::string(text);
  std::string out = "'";
  for (const char c : printable(text)) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

class Page {
 public:
  void section(std::string_view title) {
    if (!text_.empty()) text_ += '\n';
    append_line(text_, {title});
  }
  void note(std::string_view line) { append_line(text_, {"# ", line}); }
  void type(std::string_view line) { append_line(text_, {"  ", line}); }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

void in_the_cluster(Page& page, const GlassCase& glass, TimePoint now) {
  const std::string ns = " -n " + quoted(glass.edge.meta.ns);
  const std::string until = format_rfc3339(std::chrono::ceil<std::chrono::minutes>(now + 24h));
  page.section("1. IN THE CLUSTER: KEEP THE OPERATOR FROM UNDOING IT");
  if (glass.certificate) {
    page.note("Begins no rotation of this Edge.");
    page.type("kubectl edgetrust hold " + quoted(glass.certificate->meta.name) + ns + " --until " + until +
              " --reason 'break glass'");
  }
  if (glass.policies.empty()) page.note("No PinPolicy names this Edge: the operator does not write its pin file.");
  for (const auto& policy : glass.policies) {
    page.note("For all Edges of this PinPolicy, not this one alone:");
    page.type("kubectl edgetrust override " + quoted(policy.meta.name) + ns + " --until " + until +
              " --reason 'break glass'");
  }
}

void log_in(Page& page, const api::Edge& edge) {
  page.section("2. LOG IN");
  const auto& ssh = edge.spec.ssh;
  if (!ssh) {
    page.note("The Edge has no spec.ssh: log in as your organisation does, as root.");
    return;
  }
  page.note("Compare the host's key with these before you type yes:");
  for (const auto& key : ssh->host_keys) page.note("  " + printable(key, 1024));
  page.type("ssh -p " + std::to_string(ssh->port) + " " + quoted(ssh->user + "@" + ssh->host));
}

void look(Page& page) {
  page.section("3. ON THE EDGE: LOOK");
  page.type("cat " + std::string(kFile));
  page.type("ls -la " + std::string(kFolder));
  page.type("systemctl status " + std::string(kService));
  page.note("Armed: in a moment the previous pin file comes back by itself. Waiting may be all that is needed.");
  page.type("systemctl list-timers " + std::string(kTimer) + ".timer");
  page.note("The clock: a wrong one makes every certificate invalid.");
  page.type("date -u; chronyc tracking");
}

void pins(Page& page) {
  page.section("4. ON THE EDGE: THE PINS");
  page.note("a) The timer is armed: let it put the previous file back now.");
  page.type("systemctl start " + std::string(kTimer) + ".service");
  page.note("b) It is not, and there is a previous file:");
  page.type("mv -T " + std::string(kPrevious) + " " + std::string(kFile) + " && systemctl restart " +
            std::string(kService));
  page.note("c) Neither: switch pinning off. Nothing but the value of \"enabled\" changes.");
  page.type("systemctl stop " + std::string(kTimer) + ".timer");
  page.type("cp -p " + std::string(kFile) + " /root/pinning-config.json.before");
  page.type("sed -i 's/\"enabled\": *true/\"enabled\": false/' " + std::string(kFile));
  page.type("systemctl restart " + std::string(kService));
}

void certificate(Page& page, const GlassCase& glass) {
  if (!glass.certificate) return;
  const auto& certificate = *glass.certificate;
  const std::string ns = " -n " + quoted(certificate.meta.ns);
  page.section("5. THE CERTIFICATE");
  page.note("The operator runs: it puts the previous one back at once.");
  page.type("kubectl edgetrust rollback " + quoted(certificate.meta.name) + ns);
  page.note(
      "It does not run: these Secrets hold the certificates and keys; load them into the Edge in Genesys by hand.");
  page.note("The one that the Edge served last:");
  page.type("kubectl get secret " + quoted(api::serving_secret_name(certificate)) + ns);
  for (const auto& entry : certificate.status.history) {
    const bool bad = entry.result == api::RevisionResult::kRolledBack || entry.result == api::RevisionResult::kRejected;
    if (bad || entry.revision == certificate.status.revision) continue;
    page.note("Revision " + std::to_string(entry.revision) +
              (entry.not_after ? ", until " + format_rfc3339(*entry.not_after) : std::string{}) + ":");
    page.type("kubectl get secret " + quoted(api::key_secret_name(certificate.meta.name, entry.revision)) + " " +
              quoted(api::bundle_secret_name(certificate.meta.name, entry.revision)) + ns);
  }
  page.note("What the Edge presents:");
  page.type("openssl s_client -connect " +
            quoted(glass.edge.spec.sip.host + ":" + std::to_string(glass.edge.spec.sip.port)) +
            " </dev/null | openssl x509 -noout -subject -serial -dates");
}

void afterwards(Page& page, const GlassCase& glass) {
  page.section("AFTERWARDS");
  const std::string ns = " -n " + quoted(glass.edge.meta.ns);
  for (const auto& policy : glass.policies)
    page.type("kubectl edgetrust override " + quoted(policy.meta.name) + ns + " --end");
  if (glass.certificate) {
    page.type("kubectl edgetrust hold " + quoted(glass.certificate->meta.name) + ns + " --release");
    page.type("kubectl edgetrust status " + quoted(glass.certificate->meta.name) + ns);
  }
}

}  // namespace

std::string break_glass(const GlassCase& glass, TimePoint now) {
  Page page;
  in_the_cluster(page, glass, now);
  log_in(page, glass.edge);
  look(page);
  pins(page);
  certificate(page, glass);
  afterwards(page, glass);
  return std::move(page).text();
}

}  // namespace edgetrust::plugin
