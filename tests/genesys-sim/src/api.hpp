#pragma once
// The API port: the login, the published calls, and the guide's calls. What is not in the table of api.cpp is 404.
// Threads: any.
#include "authority_book.hpp"
#include "edge_book.hpp"
#include "front.hpp"
#include "oauth_desk.hpp"

namespace edgetrust::sim {

struct ApiCall {
  const http::ServerRequest& request;
  std::string id;  // the path's {id}, decoded
  Query query;
};

class Api {
 public:
  Api(const Config& config, EdgeBook& book, OAuthDesk& oauth, std::string managed_ca_pem, const Clock& clock);
  Answer answer(const http::ServerRequest& request);
  void reset() { authorities_.reset(); }

 private:
  using Handler = Answer (Api::*)(const ApiCall& call);
  enum class Surface { kPublished, kGuide };
  struct Route {
    Surface surface;
    std::string_view method;
    std::string_view path;
    Handler handler;
  };
  static const std::vector<Route>& routes();
  [[nodiscard]] bool offers(Surface surface) const;
  Answer call(const Route& route, const ApiCall& call);

  // published_api.cpp
  Answer list_edges(const ApiCall& call);
  Answer get_edge(const ApiCall& call);
  Answer put_edge(const ApiCall& call);
  Answer post_status_code(const ApiCall& call);
  Answer list_sites(const ApiCall& call);
  Answer get_site(const ApiCall& call);
  Answer list_authorities(const ApiCall& call);
  Answer get_authority(const ApiCall& call);
  Answer post_authority(const ApiCall& call);
  Answer put_authority(const ApiCall& call);
  Answer delete_authority(const ApiCall& call);
  Answer post_certificate_details(const ApiCall& call);
  Answer get_date(const ApiCall& call);
  Answer get_oauth_client(const ApiCall& call);
  // trunk_api.cpp
  Answer list_trunks(const ApiCall& call);
  Answer list_trunks_of_edge(const ApiCall& call);
  Answer get_trunk(const ApiCall& call);
  Answer get_trunk_metrics(const ApiCall& call);
  Answer list_trunk_metrics(const ApiCall& call);
  Answer get_edge_metrics(const ApiCall& call);
  Answer list_edge_metrics(const ApiCall& call);
  // guide_api.cpp
  Answer get_status(const ApiCall& call);
  Answer post_certificate(const ApiCall& call);

  [[nodiscard]] json::Value edge_json(const EdgeRecord& edge, bool expand_site) const;
  [[nodiscard]] json::Value site_json(const EdgeRecord& edge) const;
  [[nodiscard]] json::Value trunk_metrics_json(const EdgeRecord& edge) const;
  [[nodiscard]] json::Value edge_metrics_json(const EdgeRecord& edge) const;

  const Config& config_;
  EdgeBook& book_;
  OAuthDesk& oauth_;
  AuthorityBook authorities_;
  const Clock& clock_;
  const SteadyPoint started_;
};

inline constexpr std::string_view kEdgesUri = "/api/v2/telephony/providers/edges";

}  // namespace edgetrust::sim
