#include "edgetrust/kube/resource.hpp"

#include "edgetrust/kube/kinds.hpp"

namespace edgetrust::kube {
namespace {

TEST(Resource, NamesThePathsOfCoreAndOtherGroups) {
  EXPECT_EQ(secrets().api_version(), "v1");
  EXPECT_EQ(events().api_version(), "events.k8s.io/v1");
  EXPECT_EQ(object_path(secrets(), "voice", "edge01-tls").value(), "/api/v1/namespaces/voice/secrets/edge01-tls");
  const Resource edges = resource_of<api::Edge>();
  EXPECT_EQ(edges.kind, "Edge");
  EXPECT_EQ(object_path(edges, "voice", "edge01", "status").value(),
            "/apis/edgetrust.io/v1alpha1/namespaces/voice/edges/edge01/status");
  EXPECT_EQ(collection_path(edges, "").value(), "/apis/edgetrust.io/v1alpha1/edges");
  EXPECT_EQ(collection_path(edges, "voice").value(), "/apis/edgetrust.io/v1alpha1/namespaces/voice/edges");
}

TEST(Resource, KindsThatAreNotNamespacedIgnoreOne) {
  const Resource nodes{.group = "", .version = "v1", .plural = "nodes", .kind = "Node", .namespaced = false};
  EXPECT_EQ(object_path(nodes, "", "n1").value(), "/api/v1/nodes/n1");
  EXPECT_EQ(collection_path(nodes, "voice").value(), "/api/v1/nodes");
}

TEST(Resource, RefusesNamesThatLeadElsewhere) {
  for (const char* name : {"", ".", "..", "a/b", "../x", "a%2Fb", "/"}) {
    EXPECT_EQ(object_path(secrets(), "voice", name).error().kind, ErrorKind::kInvalid) << name;
    EXPECT_EQ(collection_path(secrets(), name).has_value(), *name == '\0') << name;
  }
  EXPECT_FALSE(object_path(secrets(), "", "edge01").has_value()) << "no namespace";
  EXPECT_FALSE(object_path(secrets(), "voice", std::string(254, 'a')).has_value());
}

TEST(Resource, EncodesWhatAnUrlCannotHold) {
  EXPECT_EQ(object_path(secrets(), "voice", "a b?c#d").value(), "/api/v1/namespaces/voice/secrets/a%20b%3Fc%23d");
}

}  // namespace
}  // namespace edgetrust::kube
