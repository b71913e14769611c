// The Xapian peer. Text is split on white space only; the document id is stored, the text is not. The index is
// compacted. k1 0.9, b 0.4 as elsewhere, but Xapian's inverse document frequency is its own: scores are not comparable,
// counts are.
#include <cstdlib>
#include <filesystem>

#include <xapian.h>

#include "../common/peer.hh"

static const double K1 = 0.9, B = 0.4;

static void build(const std::string &directory, const char *corpus)
{
	std::string scratch = directory + ".unpacked";
	setenv("XAPIAN_FLUSH_THRESHOLD", "100000", 1);
	std::filesystem::remove_all(directory);
	Xapian::WritableDatabase database(scratch, Xapian::DB_CREATE_OR_OVERWRITE | Xapian::DB_NO_SYNC);
	peer::read_corpus(corpus, [&](const std::string &id, const std::string &body) {
		Xapian::Document document;
		Xapian::termpos position = 0;
		for (const std::string &word : peer::split(body))
			document.add_posting(word, ++position);
		document.set_data(id);
		database.add_document(document);
	});
	database.commit();
	database.compact(directory, Xapian::DBCOMPACT_NO_RENUMBER);
	database.close();
	std::filesystem::remove_all(scratch);
}

static Xapian::Query leaf(const std::vector<std::string> &words)
{
	if (words.size() == 1)
		return Xapian::Query(words[0]);
	return Xapian::Query(Xapian::Query::OP_PHRASE, words.begin(), words.end(), words.size());
}

static Xapian::Query group(const std::vector<peer::clause> &clauses, char sign, Xapian::Query::op combine)
{
	std::vector<Xapian::Query> leaves;
	for (const peer::clause &clause : clauses)
		if (clause.sign == sign)
			leaves.push_back(leaf(clause.words));
	return Xapian::Query(combine, leaves.begin(), leaves.end());
}

static Xapian::Query translate(const std::vector<peer::clause> &clauses)
{
	Xapian::Query required = group(clauses, '+', Xapian::Query::OP_AND);
	Xapian::Query optional = group(clauses, ' ', Xapian::Query::OP_OR);
	Xapian::Query excluded = group(clauses, '-', Xapian::Query::OP_OR);
	Xapian::Query wanted = optional;
	if (!required.empty())
		wanted = optional.empty() ? required : Xapian::Query(Xapian::Query::OP_AND_MAYBE, required, optional);
	return excluded.empty() ? wanted : Xapian::Query(Xapian::Query::OP_AND_NOT, wanted, excluded);
}

static std::string answer(Xapian::Database &database, const peer::request &wanted)
{
	Xapian::Enquire enquire(database);
	enquire.set_query(translate(wanted.clauses));
	if (wanted.limit)
		enquire.set_weighting_scheme(Xapian::BM25Weight(K1, 0, 1000, B, 0));
	else
		enquire.set_weighting_scheme(Xapian::BoolWeight());
	// "Check at least every document" makes the estimated number of matches the exact one.
	Xapian::MSet matches = enquire.get_mset(0, wanted.limit, wanted.counted ? database.get_doccount() : 0);
	if (wanted.counted)
		return std::to_string(matches.get_matches_estimated());
	if (!wanted.listed)
		return "1";
	std::ostringstream pairs;
	for (auto match = matches.begin(); match != matches.end(); ++match)
		pairs << (match == matches.begin() ? "" : " ") << match.get_document().get_data() << ':'
		      << match.get_weight();
	return pairs.str();
}

static void serve(const std::string &directory)
{
	Xapian::Database database(directory);
	peer::serve([&](const peer::request &wanted) { return answer(database, wanted); });
}

int main(int count, char **arguments)
{
	try {
		return peer::run(count, arguments, build, serve);
	} catch (const Xapian::Error &failure) { // not a std::exception
		std::fprintf(stderr, "%s: %s\n", arguments[0], failure.get_description().c_str());
		return 1;
	}
}
