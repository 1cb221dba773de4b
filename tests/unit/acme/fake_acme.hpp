#pragma once
// A strict ACME server behind a FakeTransport. It keeps the nonces and the accounts and checks of every POST what RFC
// 8555 section 6 asks for: content type, user agent, algorithm, signature, `url`, a nonce that it gave and that nobody
// used before, and `jwk` at newAccount but `kid` everywhere else (either at revokeCert). It changes the accounts' keys,
// contacts and status; what any other resource answers is the test's to say.
#include "../crypto/rfc_keys.hpp"
#include "edgetrust/acme/client.hpp"
#include "edgetrust/json/view.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_random.hpp"
#include "support/fake_transport.hpp"
#include "support/jws.hpp"

namespace edgetrust::acme {

using http::Method;
using support::Answer;
using support::answer;
using support::json_answer;
using support::lost_answer;

inline constexpr std::string_view kBase = "https://ca.example";
inline std::string at(std::string_view path) { return std::string(kBase) + std::string(path); }

inline Answer problem(int status, const std::string& type, const std::string& detail = "as the test says",
                      http::Headers headers = {}) {
  headers.set("Content-Type", "application/problem+json");
  return answer(status, R"({"type":"urn:ietf:params:acme:error:)" + type + R"(","detail":")" + detail + R"("})",
                std::move(headers));
}

class FakeAcme {
 public:
  struct Seen {
    std::string path;
    std::string payload;
    std::string kid;  // empty: signed with jwk
    std::string accept;
  };

  explicit FakeAcme(support::FakeTransport& transport) {
    transport.otherwise([this](const http::Request& request) { return handle(request); });
  }

  // The next answer at that path; several queue up.
  void reply(const std::string& path, Answer given) { replies_[path].push_back(std::move(given)); }
  // Every answer at that path that nothing is queued for.
  void reply_always(const std::string& path, Answer given) { always_.insert_or_assign(path, std::move(given)); }

  // The next request there is executed, and its answer lost.
  void lose_answer(const std::string& path) { lost_.insert(path); }

  // The POSTs at that path whose nonce and signature were good.
  [[nodiscard]] std::vector<Seen> seen(const std::string& path) const {
    std::vector<Seen> found;
    std::copy_if(seen_.begin(), seen_.end(), std::back_inserter(found), [&](const Seen& s) { return s.path == path; });
    return found;
  }
  void forget_accounts() { accounts_.clear(); }
  [[nodiscard]] int accounts_made() const { return accounts_made_; }
  // The contacts of the account as JSON.
  [[nodiscard]] std::string contacts(const std::string& kid) {
    return account_of(kid) == accounts_.end() ? std::string() : account_of(kid)->second.contacts;
  }

  std::string directory =
      R"({"newNonce":"https://ca.example/new-nonce","newAccount":"https://ca.example/new-account",)"
      R"("newOrder":"https://ca.example/new-order","keyChange":"https://ca.example/key-change",)"
      R"("revokeCert":"https://ca.example/revoke-cert","meta":{"termsOfService":"https://ca.example/terms"}})";
  int reject_nonces = 0;         // as many are rejected from now on
  double reject_share = 0;       // and this share of all others
  bool nonce_in_answers = true;  // off: every nonce has to be fetched
  int nonces_fetched = 0;
  std::vector<std::string> renewals_asked_for;  // paths, each a GET that nobody signed
  void offer_renewal_info(const std::string& url) { directory.insert(1, R"("renewalInfo":")" + url + R"(",)"); }
  int directories_fetched = 0;

 private:
  struct Account {
    std::string kid;
    support::PublicJwk key;
    std::string contacts = "[]";
    std::string status = "valid";
  };
  using Accounts = std::map<std::string, Account>;

  Accounts::iterator account_of(const std::string& kid) {
    return std::find_if(accounts_.begin(), accounts_.end(), [&](const auto& entry) { return entry.second.kid == kid; });
  }

  std::string new_nonce() {
    std::string nonce = "nonce-" + std::to_string(++nonces_given_);
    open_nonces_.insert(nonce);
    return nonce;
  }

  Answer handle(const http::Request& request) {
    EXPECT_EQ(request.url.origin(), kBase);
    EXPECT_FALSE(request.headers.get("User-Agent").value_or("").empty());
    if (request.method == Method::kPost) {
      Answer given = post(request);
      if (given && lost_.erase(request.url.target) > 0) return lost_answer();
      if (given && nonce_in_answers && !given->headers.get("Replay-Nonce")) {
        given->headers.set("Replay-Nonce", new_nonce());
      }
      return given;
    }
    const std::string resource = std::string(http::to_string(request.method)) + " " + request.url.target;
    if (resource == "GET /directory") {
      ++directories_fetched;
      return scripted("/directory", [&] { return json_answer(200, directory); });
    }
    if (resource.starts_with("GET /renewal-info/")) {
      renewals_asked_for.push_back(request.url.target);
      return scripted(request.url.target, [] { return problem(404, "malformed", "no such certificate"); });
    }
    EXPECT_EQ(resource, "HEAD /new-nonce");
    ++nonces_fetched;
    return scripted("/new-nonce", [&] { return answer(200, {}, {{"Replay-Nonce", new_nonce()}}); });
  }

  Answer post(const http::Request& request) {
    EXPECT_EQ(request.headers.get("Content-Type"), "application/jose+json");
    const auto jws = support::read_jws(request.body).value();
    const auto header = json::Document::parse(jws.protected_header).value();
    EXPECT_EQ(header.root()["url"].string(), request.url.to_string());
    EXPECT_EQ(open_nonces_.erase(header.root()["nonce"].string_or("")), 1U) << "not given by us, or used before";
    if (reject_nonces > 0 || random_.fraction() < reject_share) {
      if (reject_nonces > 0) --reject_nonces;
      return problem(400, "badNonce");
    }
    return authenticated(request, jws, header.root());
  }

  Answer authenticated(const http::Request& request, const support::Jws& jws, json::View header) {
    const std::string& path = request.url.target;
    const bool registering = path == "/new-account";
    const bool by_key = registering || (path == "/revoke-cert" && header["jwk"].present());
    EXPECT_EQ(header["jwk"].present(), by_key);
    EXPECT_EQ(header["kid"].present(), !by_key);
    const std::string kid = header["kid"].string_or("");
    const auto account = account_of(kid);
    if (!by_key && account == accounts_.end()) return problem(400, "accountDoesNotExist");
    const auto key = by_key ? support::PublicJwk::parse(header["jwk"]).value() : account->second.key;
    if (!by_key && (!key.verifies(jws) || account->second.status != "valid")) return problem(403, "unauthorized");
    EXPECT_EQ(header["alg"].string(), key.algorithm());
    EXPECT_TRUE(key.verifies(jws)) << path;
    seen_.push_back({path, jws.payload, kid, std::string(request.headers.get("Accept").value_or(""))});
    return scripted(path, [&]() -> Answer {
      if (registering) return register_account(header["jwk"].text(), key, jws.payload);
      if (path == "/key-change") return change_key(account, jws.payload);
      if (at(path) == kid) return change_account(account->second, jws.payload);
      ADD_FAILURE() << "nobody scripted " << path;
      return answer(404);
    });
  }

  static std::string account_json(const Account& account) {
    return R"({"status":")" + account.status + R"(","contact":)" + account.contacts +
           R"(,"orders":"https://ca.example/orders"})";
  }

  Answer register_account(const std::string& jwk, const support::PublicJwk& key, const std::string& payload) {
    const auto asked = json::Document::parse(payload).value();
    const bool known = accounts_.contains(jwk);
    if (!known && asked.root()["onlyReturnExisting"].boolean() == true) return problem(400, "accountDoesNotExist");
    if (!known) {
      Account made{at("/account/" + std::to_string(++accounts_made_)), key};
      if (asked.root()["contact"].present()) made.contacts = asked.root()["contact"].text();
      accounts_.emplace(jwk, std::move(made));
    }
    const Account& account = accounts_.at(jwk);
    return json_answer(known ? 200 : 201, account_json(account), {{"Location", account.kid}});
  }

  // RFC 8555 section 7.3.5, what the server has to check.
  Answer change_key(Accounts::iterator account, const std::string& payload) {
    const auto inner = support::read_jws(payload).value();
    const auto header = json::Document::parse(inner.protected_header).value();
    const auto key = support::PublicJwk::parse(header.root()["jwk"]).value();
    EXPECT_TRUE(key.verifies(inner));
    EXPECT_EQ(header.root()["url"].string(), at("/key-change"));
    EXPECT_FALSE(header.root()["nonce"].present());
    const auto change = json::Document::parse(inner.payload).value();
    EXPECT_EQ(change.root()["account"].string(), account->second.kid);
    EXPECT_EQ(change.root()["oldKey"].text(), account->first);
    const std::string jwk = header.root()["jwk"].text();
    if (accounts_.contains(jwk)) return problem(409, "malformed");
    Account moved = account->second;
    moved.key = key;
    accounts_.erase(account);
    return json_answer(200, account_json(accounts_.emplace(jwk, moved).first->second));
  }

  static Answer change_account(Account& account, const std::string& payload) {
    if (payload.empty()) return json_answer(200, account_json(account));
    const auto change = json::Document::parse(payload).value();
    if (change.root()["contact"].present()) account.contacts = change.root()["contact"].text();
    account.status = change.root()["status"].string_or(account.status);
    return json_answer(200, account_json(account));
  }

  Answer scripted(const std::string& path, const std::function<Answer()>& otherwise) {
    auto& queue = replies_[path];
    if (!queue.empty()) {
      Answer given = std::move(queue.front());
      queue.pop_front();
      return given;
    }
    const auto found = always_.find(path);
    return found != always_.end() ? found->second : otherwise();
  }

  std::map<std::string, std::deque<Answer>> replies_;
  std::map<std::string, Answer> always_;
  std::set<std::string> lost_;
  Accounts accounts_;  // by public key
  std::set<std::string> open_nonces_;
  std::vector<Seen> seen_;
  support::FakeRandom random_{42};
  int nonces_given_ = 0;
  int accounts_made_ = 0;
};

// A client with its server.
struct World {
  support::FakeClock clock;
  std::shared_ptr<support::FakeTransport> shared = std::make_shared<support::FakeTransport>();
  support::FakeTransport& transport = *shared;
  FakeAcme server{transport};
  std::unique_ptr<ports::CertificateAuthority> client;

  explicit World(Config config = {}) {
    if (config.directory_url.empty()) config.directory_url = at("/directory");
    if (config.account_key_pem.empty()) config.account_key_pem = Secret(crypto::kRfc7515A3Key);
    client = make_client(std::move(config), shared, clock).value();
  }
  [[nodiscard]] std::size_t requests() const { return transport.requests().size(); }
};

inline std::string order_json(const std::string& status, const std::string& more = "",
                              const std::string& authorizations = R"("https://ca.example/authz/1")") {
  return R"({"status":")" + status + R"(","expires":"2026-11-29T12:00:00Z",)" +
         R"("identifiers":[{"type":"dns","value":"edge01.example.com"}],"authorizations":[)" + authorizations +
         R"(],"finalize":"https://ca.example/finalize/1")" + more + "}";
}

// RFC 8555 section 8.3 shows this one.
inline constexpr std::string_view kToken = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";

inline std::string authorization_json(const std::string& status, const std::string& identifier = "edge01.example.com",
                                      const std::string& more = "", const std::string& token = std::string(kToken)) {
  return R"({"status":")" + status + R"(","identifier":{"type":"dns","value":")" + identifier + R"("},)" +
         R"("challenges":[{"type":"http-01","url":"https://ca.example/chall/h","status":"pending","token":"LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"},)" +
         R"({"type":"dns-01","url":"https://ca.example/chall/1","status":"pending","token":")" + token + R"("}])" +
         more + "}";
}

inline const ports::OrderRequest kRequest{
    .dns_names = {"edge01.example.com"}, .ip_addresses = {}, .profile = {}, .replaces = {}};

// The example of RFC 9773 section 4.1; it is named aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE there.
inline const ports::CertificateId kRfc9773Certificate{.authority_key_id = "69885b6b87464041e1b37b847ba0ae2cde01c8d4",
                                                      .serial_number = "87654321"};

}  // namespace edgetrust::acme
