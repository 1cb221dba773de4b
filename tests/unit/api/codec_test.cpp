#include "edgetrust/api/codec.hpp"

#include "edgetrust/base/time_text.hpp"
#include "golden.hpp"

namespace edgetrust::api {
namespace {

template <class Kind>
struct Golden {
  using Type = Kind;
  static const std::vector<std::string> kNames;
};
template <>
const std::vector<std::string> Golden<EdgeCertificate>::kNames = {"edgecertificate", "edgecertificate-source"};
template <>
const std::vector<std::string> Golden<Edge>::kNames = {"edge"};
template <>
const std::vector<std::string> Golden<RotationPolicy>::kNames = {"rotationpolicy"};
template <>
const std::vector<std::string> Golden<AcmeIssuer>::kNames = {"acmeissuer", "acmeissuer-zerossl"};
template <>
const std::vector<std::string> Golden<GenesysConnection>::kNames = {"genesysconnection", "genesysconnection-endpoints"};
template <>
const std::vector<std::string> Golden<PinPolicy>::kNames = {"pinpolicy"};

template <class Kind>
class CodecOf : public testing::Test {};
using Kinds = testing::Types<EdgeCertificate, Edge, RotationPolicy, AcmeIssuer, GenesysConnection, PinPolicy>;
TYPED_TEST_SUITE(CodecOf, Kinds);

// Nothing is lost or changed on the way in and out again: every field is read and written.
TYPED_TEST(CodecOf, GoldenObjectsSurviveReadingAndWriting) {
  for (const auto& name : Golden<TypeParam>::kNames) {
    const json::Document document = golden(name);
    const auto object = decode<TypeParam>(document.root());
    ASSERT_FALSE(object.broken) << name << ": " << object.broken->what;
    json::Value wire = json::to_value(document.root());
    EXPECT_EQ(encode_status(object), json::dump(wire["status"])) << name;
    wire.erase("status");
    EXPECT_EQ(encode_for_create(object), json::dump(wire)) << name;
  }
}

// Whatever member of a golden object is replaced by something of another type, the object is read, says where it is
// broken, and keeps its metadata.
template <class Kind>
void break_each_member(json::Value& root, json::Value& here, const std::string& path) {
  const auto try_with = [&](json::Value& member, const std::string& member_path) {
    const json::Value saved = member;
    member = saved.is_object() ? json::Value::array({1}) : json::Value::object({{"x", 1}});
    const auto text = json::dump(root);
    const auto object = read<Kind>(text);
    ASSERT_TRUE(object.broken) << member_path;
    EXPECT_EQ(object.broken->kind, ErrorKind::kInvalid);
    EXPECT_TRUE(object.broken->what.starts_with(member_path)) << object.broken->what << " instead of " << member_path;
    EXPECT_EQ(object.meta.ns, "voice");
    EXPECT_FALSE(object.meta.name.empty());
    member = saved;
  };
  if (here.is_object()) {
    for (auto& [name, member] : here.items()) {
      const std::string member_path = path.empty() ? name : path + "." + name;
      try_with(member, member_path);
      break_each_member<Kind>(root, member, member_path);
    }
  } else if (here.is_array()) {
    for (std::size_t i = 0; i < here.size(); ++i) {
      const std::string member_path = path + "[" + std::to_string(i) + "]";
      try_with(here[i], member_path);
      break_each_member<Kind>(root, here[i], member_path);
    }
  }
}
TYPED_TEST(CodecOf, AnyMemberOfAWrongTypeBreaksThisObjectAlone) {
  for (const auto& name : Golden<TypeParam>::kNames) {
    const json::Document document = golden(name);
    json::Value wire = json::to_value(document.root());
    break_each_member<TypeParam>(wire, wire["spec"], "spec");
    break_each_member<TypeParam>(wire, wire["status"], "status");
  }
}

TYPED_TEST(CodecOf, WithoutSpecIsBrokenAndWithoutStatusIsNot) {
  const auto bare = read<TypeParam>(R"({"metadata":{"name":"a","namespace":"b"}})");
  ASSERT_TRUE(bare.broken);
  EXPECT_EQ(bare.broken->what, "spec: must be an object, not nothing");
  EXPECT_EQ(bare.meta.key(), (ObjectKey{"b", "a"}));
  EXPECT_EQ(bare.status.observed_generation, -1) << "nobody has looked yet";
  const json::Document document = golden(Golden<TypeParam>::kNames.front());
  json::Value wire = json::to_value(document.root());
  wire.erase("status");
  EXPECT_FALSE(read<TypeParam>(json::dump(wire)).broken);
}

TEST(Codec, ABrokenStatusDoesNotHideABrokenSpec) {
  const auto object = read<Edge>(R"({"metadata":{"name":"a"},"spec":{"site":1},"status":{"site":1}})");
  EXPECT_EQ(object.broken->what, "spec.connectionRef: is required");
}

TEST(Codec, AStatusIsReadEvenWhenTheSpecIsBroken) {
  const auto object = read<EdgeCertificate>(
      R"({"metadata":{"name":"a"},"spec":{},"status":{"order":{"revision":3,"records":[{"name":"n","value":"v"}]}}})");
  ASSERT_TRUE(object.broken);
  ASSERT_TRUE(object.status.order) << "what must be cleaned up is known all the same";
  EXPECT_EQ(object.status.order->records.size(), 1U);
}

TEST(Codec, MetadataIsReadAsFarAsItCanBe) {
  const auto object = read<Edge>(R"({"metadata":{
    "name":"edge01","namespace":"voice","uid":"u","resourceVersion":"12","generation":4,
    "creationTimestamp":"2026-11-22T12:00:00Z","deletionTimestamp":"2026-11-22T13:00:00Z",
    "labels":{"l":"1"},"annotations":{"a":"2"},"finalizers":["f"],"managedFields":[{"manager":"kubectl"}],
    "ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"o"}]},"spec":{}})");
  const ObjectMeta& meta = object.meta;
  EXPECT_EQ(meta.key().to_string(), "voice/edge01");
  EXPECT_EQ(meta.uid, "u");
  EXPECT_EQ(meta.resource_version, "12");
  EXPECT_EQ(meta.generation, 4);
  EXPECT_EQ(meta.creation_time, parse_rfc3339("2026-11-22T12:00:00Z").value());
  EXPECT_TRUE(meta.deleting());
  EXPECT_EQ(meta.annotation("a"), "2");
  EXPECT_EQ(meta.annotation("b"), std::nullopt);
  EXPECT_EQ(meta.finalizers, std::vector<std::string>{"f"});
  EXPECT_EQ(meta.owner_references, (std::vector<OwnerReference>{{"v1", "Pod", "p", "o"}}));
  EXPECT_EQ(decode_meta(json::View{}).name, "");
}

}  // namespace
}  // namespace edgetrust::api
