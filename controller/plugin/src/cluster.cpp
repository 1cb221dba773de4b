#include "edgetrust/plugin/cluster.hpp"

#include "edgetrust/decide/budget.hpp"

namespace edgetrust::plugin {

Result<api::EdgeCertificate> Cluster::certificate(const std::string& name) {
  EDGETRUST_TRY_ASSIGN(auto all, list<api::EdgeCertificate>());
  auto found = std::ranges::find_if(all, [&](const auto& one) { return one.meta.name == name; });
  if (found == all.end()) {
    // Of two for one Edge the older holds it.
    std::ranges::stable_sort(all, {},
                             [](const auto& one) { return one.meta.creation_time.value_or(TimePoint::max()); });
    found = std::ranges::find_if(all, [&](const auto& one) { return one.spec.edge_ref.name == name; });
  }
  if (found != all.end()) return std::move(*found);
  std::vector<std::string> names;
  for (const auto& one : all) {
    for (const auto& known : {one.meta.name, one.spec.edge_ref.name}) {
      if (std::ranges::find(names, known) == names.end()) names.push_back(known);
    }
  }
  return fail(ErrorKind::kNotFound, not_found("EdgeCertificate", name, ns_, names));
}

Result<view::Subject> Cluster::subject(api::EdgeCertificate certificate) {
  view::Subject subject{.certificate = std::move(certificate), .edge = {}, .policy = {}, .events = {}};
  const auto& meta = subject.certificate.meta;
  const auto read = [&]<class Kind>(std::optional<Kind>& into, const std::string& name) {
    const auto document = client_.get(kube::resource_of<Kind>(), meta.ns, name, {});
    if (document) into = kube::decode_kind<Kind>(api::decode_meta(document->root()["metadata"]), document->root());
  };
  read(subject.edge, subject.certificate.spec.edge_ref.name);
  read(subject.policy, decide::policy_name(subject.certificate));
  (void)client_.list_all({.resource = kube::events(),
                          .ns = meta.ns,
                          .labels = {},
                          .fields = "regarding.kind=EdgeCertificate,regarding.name=" + meta.name},
                         [&](json::View object) { subject.events.push_back(decode_event(object)); }, {});
  return subject;
}

std::string Cluster::whoami() {
  const kube::Resource review{.group = "authentication.k8s.io",
                              .version = "v1",
                              .plural = "selfsubjectreviews",
                              .kind = "SelfSubjectReview",
                              .namespaced = false};
  const auto answer =
      client_.create(review, "", R"({"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"})", {});
  return answer ? answer->root()["status"]["userInfo"]["username"].string_or("") : std::string{};
}

}  // namespace edgetrust::plugin
