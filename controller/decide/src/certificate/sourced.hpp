#pragma once
// Questions about a certificate that somebody else renews, and about leaves that may come back under another number.
// Pure.
#include "certificate/questions.hpp"
#include "edgetrust/decide/certificate/source.hpp"

namespace edgetrust::decide::certificate {

bool is_sourced(const Observation& o);
// The leaf in the source that could be taken, known or new; nullptr: none, or nobody can tell now.
const ports::ChainFacts* offer(const Observation& o);
// The source offers a leaf that is neither served, nor on its way to the Edge, nor rejected.
bool offers_another(const Observation& o, const api::EdgeCertificateStatus& status);
// Of the revisions above `ended` that were taken from the source: the one with the leaf that it holds, or the newest
// while it holds none that could be taken.
std::optional<int> sourced_candidate(const Observation& o, int ended);
// When a leaf should have been renewed at the latest by whoever does so: see renewal_time, and a tenth of what is left
// then, so that nobody is blamed who renews at that very time.
TimePoint overdue_from(const ports::ChainFacts& leaf);

bool covers_all(const ports::ChainFacts& leaf, const ports::SubjectNames& names);
bool has_leaf(const StoredRevision& revision, const std::string& fingerprint);
// A revision with this leaf was rolled back or refused, whatever its number.
bool is_leaf_rejected(const Observation& o, const std::string& fingerprint);

}  // namespace edgetrust::decide::certificate
