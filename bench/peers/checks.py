"""Do the engines agree? Every count exactly, every top-10 score to four digits."""
from timing import NULL

TOLERANCE = 1e-4
UNSUPPORTED = "UNSUPPORTED"


def answered(text):
    """False for what an engine cannot do, and for the error it may tell instead of an answer."""
    return text != UNSUPPORTED and not text.startswith("ERROR")


def error_problems(session, queries):
    """[text]: what an engine refused to answer."""
    return ["%s %s of `%s`: %s" % (engine, command, queries[at], text)
            for (engine, command), answers in session.answers.items() if not command.startswith(NULL)
            for at, text in enumerate(answers) if text.startswith("ERROR")]


def count_problems(session, queries):
    """[text]: queries whose counts differ between engines, or between commands of one engine."""
    counting = sorted(key for key in session.answers if key[1] == "COUNT" or key[1].endswith("_COUNT"))
    problems = []
    for at, query in enumerate(queries):
        counts = {key: session.answers[key][at] for key in counting if answered(session.answers[key][at])}
        if len(set(counts.values())) > 1:
            told = ", ".join("%s %s %s" % (engine, command, count) for (engine, command), count in counts.items())
            problems.append("count of `%s`: %s" % (query, told))
    return problems


def order_problems(sessions, queries):
    """[text]: queries whose counts depend on the order of the documents. One session for each order."""
    problems = []
    for other in sessions[1:]:
        for key, answers in sessions[0].answers.items():
            if key[1] != "COUNT" and not key[1].endswith("_COUNT"):
                continue
            for query, one, two in zip(queries, answers, other.answers.get(key, answers)):
                if one != two:
                    problems.append("%s %s of `%s`: %s, and %s in another order of the documents" % (
                        *key, query, one, two))
    return problems


def scores(answers, factor):
    """A list of scores for each TOP_10_DOCS answer, in textbook BM25; None for what the engine cannot do."""
    return [[float(pair.rsplit(":", 1)[1]) / factor for pair in answer.split()] if answered(answer) else None
            for answer in answers]


def differ(left, right):
    if len(left) != len(right):
        return True
    return any(abs(a - b) > TOLERANCE * max(abs(a), abs(b)) for a, b in zip(left, right))


def score_problems(lists, queries):
    """`lists`: {(k1, b): {engine: scores}}. Documents of equal score stand in any order: ids are not compared."""
    problems = []
    for (k1, b), by_engine in lists.items():
        names = sorted(by_engine)
        for at, query in enumerate(queries):
            known = [(name, by_engine[name][at]) for name in names if by_engine[name][at] is not None]
            for name, found in known[1:]:
                if differ(known[0][1], found):
                    problems.append("scores of `%s` at k1 %g b %g: %s %s, %s %s" % (
                        query, k1, b, known[0][0], shown(known[0][1]), name, shown(found)))
    return problems


def shown(found):
    return "[" + " ".join("%.5g" % score for score in found) + "]"
