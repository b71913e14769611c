// What the C++ peers share: reading the normalised corpus, parsing a query, and the request loop.
#ifndef PEER_HH
#define PEER_HH

#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <simdjson.h>

namespace peer
{

struct clause {
	char sign;                      // '+' required, '-' excluded, ' ' an alternative
	std::vector<std::string> words; // more than one: a phrase
};

inline std::vector<std::string> split(const std::string &text)
{
	std::istringstream stream(text);
	std::vector<std::string> words;
	for (std::string word; stream >> word;)
		words.push_back(word);
	return words;
}

// Bare words are alternatives, + requires, - excludes, quotes make a phrase. Empty: nothing to search for.
inline std::vector<clause> parse(const std::string &query)
{
	std::vector<clause> clauses;
	for (size_t at = query.find_first_not_of(' '); at != std::string::npos; at = query.find_first_not_of(' ', at)) {
		char sign = query[at] == '+' || query[at] == '-' ? query[at++] : ' ';
		bool quoted = at < query.size() && query[at] == '"';
		at += quoted;
		size_t end = std::min(query.find(quoted ? '"' : ' ', at), query.size());
		clauses.push_back({sign, split(query.substr(at, end - at))});
		if (clauses.back().words.empty())
			return {};
		at = end + quoted;
	}
	return clauses;
}

// Calls `add(id, title + " " + text)` for every line of the corpus.
inline void read_corpus(const char *path, const std::function<void(const std::string &, const std::string &)> &add)
{
	std::ifstream lines(path);
	if (!lines)
		throw std::runtime_error(std::string("cannot read ") + path);
	simdjson::ondemand::parser parser;
	for (std::string line; std::getline(lines, line);) {
		line.reserve(line.size() + simdjson::SIMDJSON_PADDING);
		simdjson::ondemand::document document = parser.iterate(line);
		std::string_view id = document["id"];
		std::string_view title = document["title"];
		std::string_view text = document["text"];
		add(std::string(id), std::string(title) + ' ' + std::string(text));
	}
}

struct request {
	std::string command;
	std::vector<clause> clauses;
	unsigned limit; // of TOP_n..., 0 for COUNT
	bool counted;   // COUNT and ..._COUNT print the number of matches
	bool listed;    // TOP_10_DOCS prints id:score pairs
};

inline std::optional<request> read_request(const std::string &line)
{
	size_t tab = std::min(line.find('\t'), line.size());
	request wanted = {line.substr(0, tab), {}, 0, false, false};
	const std::string &command = wanted.command;
	wanted.counted = command == "COUNT" || command == "TOP_10_COUNT" || command == "TOP_100_COUNT";
	wanted.listed = command == "TOP_10_DOCS";
	if (!wanted.counted && !wanted.listed && command != "TOP_10" && command != "TOP_100" && command != "TOP_1000")
		return {};
	if (command != "COUNT")
		wanted.limit = std::stoul(command.substr(4));
	wanted.clauses = parse(line.substr(std::min(tab + 1, line.size())));
	return wanted.clauses.empty() ? std::nullopt : std::optional<request>(wanted);
}

// `answer` returns the line to print, or nothing for what the engine cannot do.
inline void serve(const std::function<std::optional<std::string>(const request &)> &answer)
{
	for (std::string line; std::getline(std::cin, line);) {
		std::optional<request> wanted = read_request(line);
		std::optional<std::string> reply = wanted ? answer(*wanted) : std::nullopt;
		std::printf("%s\n", reply ? reply->c_str() : "UNSUPPORTED");
		std::fflush(stdout);
	}
}

// main() of a peer: `index INDEX CORPUS.jsonl` or `serve INDEX`.
inline int run(int count, char **arguments, void (*index)(const std::string &, const char *),
               void (*serve)(const std::string &))
{
	std::string verb = count > 1 ? arguments[1] : "";
	try {
		if (verb == "index" && count == 4)
			index(arguments[2], arguments[3]);
		else if (verb == "serve" && count == 3)
			serve(arguments[2]);
		else
			throw std::runtime_error("usage: index INDEX CORPUS.jsonl | serve INDEX");
	} catch (const std::exception &failure) {
		std::fprintf(stderr, "%s: %s\n", arguments[0], failure.what());
		return 1;
	}
	return 0;
}

} // namespace peer

#endif
