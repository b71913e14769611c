// The SQLite FTS5 peer: a contentless table of one column, and the document ids in a table beside it; optimised into
// one segment. FTS5 has k1 1.2, b 0.75 and an inverse document frequency of its own: scores are not comparable, counts
// are. FTS5 has no optional clause: of "+a b" only the count can be answered.
#include <filesystem>

#include <sqlite3.h>

#include "../common/peer.hh"

class statement
{
      public:
	statement(sqlite3 *database, const char *sql)
	{
		if (sqlite3_prepare_v2(database, sql, -1, &handle, nullptr) != SQLITE_OK)
			throw std::runtime_error(sqlite3_errmsg(database));
	}
	~statement()
	{
		sqlite3_finalize(handle);
	}
	statement(const statement &) = delete;
	statement &operator=(const statement &) = delete;
	void bind(int at, const std::string &text)
	{
		sqlite3_bind_text(handle, at, text.data(), text.size(), SQLITE_TRANSIENT);
	}
	void bind(int at, sqlite3_int64 number)
	{
		sqlite3_bind_int64(handle, at, number);
	}
	bool step()
	{
		int status = sqlite3_step(handle);
		if (status != SQLITE_ROW && status != SQLITE_DONE)
			throw std::runtime_error(sqlite3_errmsg(sqlite3_db_handle(handle)));
		return status == SQLITE_ROW;
	}
	void reset()
	{
		sqlite3_reset(handle);
	}
	sqlite3_int64 number(int at)
	{
		return sqlite3_column_int64(handle, at);
	}
	double real(int at)
	{
		return sqlite3_column_double(handle, at);
	}
	std::string text(int at)
	{
		return reinterpret_cast<const char *>(sqlite3_column_text(handle, at));
	}

      private:
	sqlite3_stmt *handle = nullptr;
};

static sqlite3 *open(const std::string &path, int flags)
{
	sqlite3 *database = nullptr;
	if (sqlite3_open_v2(path.c_str(), &database, flags, nullptr) != SQLITE_OK)
		throw std::runtime_error(sqlite3_errmsg(database));
	return database;
}

static void execute(sqlite3 *database, const char *sql)
{
	if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
		throw std::runtime_error(sqlite3_errmsg(database));
}

static void build(const std::string &directory, const char *corpus)
{
	std::filesystem::remove_all(directory);
	std::filesystem::create_directories(directory);
	sqlite3 *database = open(directory + "/index.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	execute(database, "pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -262144;"
	                  "create table document(id text);"
	                  "create virtual table body using fts5(text, content = '', tokenize = 'ascii');"
	                  "insert into body(body, rank) values('hashsize', 268435456); begin");
	{
		statement document(database, "insert into document(rowid, id) values(?, ?)");
		statement body(database, "insert into body(rowid, text) values(?, ?)");
		sqlite3_int64 row = 0;
		peer::read_corpus(corpus, [&](const std::string &id, const std::string &text) {
			row++;
			document.bind(1, row);
			document.bind(2, id);
			document.step();
			document.reset();
			body.bind(1, row);
			body.bind(2, text);
			body.step();
			body.reset();
		});
	}
	execute(database, "insert into body(body) values('optimize'); commit; vacuum");
	sqlite3_close(database);
}

static std::string group(const std::vector<peer::clause> &clauses, char sign, const char *combine)
{
	std::string text;
	for (const peer::clause &clause : clauses) {
		if (clause.sign != sign)
			continue;
		text += text.empty() ? "\"" : combine + std::string("\"");
		for (const std::string &word : clause.words)
			text += word + " ";
		text.back() = '"';
	}
	return text.empty() ? text : "(" + text + ")";
}

class engine
{
      public:
	explicit engine(sqlite3 *database)
	    : best(database, "select rowid, rank from body where body match ? order by rank limit ?"),
	      all(database, "select count(*) from body where body match ?"),
	      name(database, "select id from document where rowid = ?")
	{
	}

	std::optional<std::string> answer(const peer::request &wanted)
	{
		std::string required = group(wanted.clauses, '+', " AND ");
		std::string optional = group(wanted.clauses, ' ', " OR ");
		std::string excluded = group(wanted.clauses, '-', " OR ");
		std::string match = required.empty() ? optional : required;
		if (match.empty() || (wanted.limit && !required.empty() && !optional.empty()))
			return {};
		if (!excluded.empty())
			match += " NOT " + excluded;
		std::string pairs = wanted.limit ? top(match, wanted.limit, wanted.listed) : "";
		return wanted.counted ? std::to_string(count(match)) : wanted.listed ? pairs : "1";
	}

      private:
	statement best, all, name;

	std::string top(const std::string &match, unsigned limit, bool listed)
	{
		std::ostringstream pairs;
		best.bind(1, match);
		best.bind(2, sqlite3_int64(limit));
		while (best.step()) {
			if (!listed)
				continue;
			name.bind(1, best.number(0));
			name.step();
			pairs << (pairs.tellp() > 0 ? " " : "") << name.text(0) << ':' << -best.real(1);
			name.reset();
		}
		best.reset();
		return pairs.str();
	}

	sqlite3_int64 count(const std::string &match)
	{
		all.bind(1, match);
		all.step();
		sqlite3_int64 matches = all.number(0);
		all.reset();
		return matches;
	}
};

static void serve(const std::string &directory)
{
	sqlite3 *database = open(directory + "/index.db", SQLITE_OPEN_READONLY);
	execute(database, "pragma mmap_size = 17179869184; pragma cache_size = -262144");
	engine fts(database);
	peer::serve([&](const peer::request &wanted) { return fts.answer(wanted); });
}

int main(int count, char **arguments)
{
	return peer::run(count, arguments, build, serve);
}
