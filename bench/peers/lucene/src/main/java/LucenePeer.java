import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.PhraseQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TopScoreDocCollectorManager;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.MMapDirectory;

/**
 * The Lucene peer.
 *
 * <pre>
 *   LucenePeer index INDEX CORPUS.jsonl lz4|deflate    one segment (forceMerge); prints nothing
 *   LucenePeer serve INDEX [K1 B]                      COMMAND TAB query lines in, one answer line each out
 * </pre>
 *
 * Text is split on white space only: the corpus and the queries are normalised beforehand. Id and text are stored.
 * No query cache, no executor: one thread answers, and answers every time.
 */
public final class LucenePeer {
	private static final String BODY = "body";
	private static final String ID = "id";
	private static final String UNSUPPORTED = "UNSUPPORTED";
	private static final int EXACT = Integer.MAX_VALUE;

	private final IndexSearcher searcher;
	private final StoredFields stored;

	private LucenePeer(DirectoryReader reader, float k1, float b) throws IOException {
		searcher = new IndexSearcher(reader);
		searcher.setQueryCache(null);
		searcher.setSimilarity(new BM25Similarity(k1, b));
		stored = searcher.storedFields();
	}

	public static void main(String[] arguments) throws IOException {
		if (arguments.length == 4 && arguments[0].equals("index")) {
			index(Path.of(arguments[1]), new File(arguments[2]), mode(arguments[3]));
		} else if (arguments.length >= 2 && arguments[0].equals("serve")) {
			float k1 = arguments.length > 3 ? Float.parseFloat(arguments[2]) : 0.9f;
			float b = arguments.length > 3 ? Float.parseFloat(arguments[3]) : 0.4f;
			try (Directory directory = new MMapDirectory(Path.of(arguments[1]));
			     DirectoryReader reader = DirectoryReader.open(directory)) {
				new LucenePeer(reader, k1, b).serve();
			}
		} else {
			System.err.println("usage: LucenePeer index INDEX CORPUS.jsonl lz4|deflate | serve INDEX [K1 B]");
			System.exit(2);
		}
	}

	private static Lucene104Codec.Mode mode(String compression) {
		return switch (compression) {
			case "lz4" -> Lucene104Codec.Mode.BEST_SPEED;
			case "deflate" -> Lucene104Codec.Mode.BEST_COMPRESSION;
			default -> throw new IllegalArgumentException("lz4 or deflate, not " + compression);
		};
	}

	/** The similarity does not matter here: Lucene stores lengths, and applies k1 and b when it searches. */
	private static void index(Path path, File corpus, Lucene104Codec.Mode mode) throws IOException {
		IndexWriterConfig config = new IndexWriterConfig(new WhitespaceAnalyzer());
		config.setOpenMode(IndexWriterConfig.OpenMode.CREATE);
		config.setCodec(new Lucene104Codec(mode));
		config.setUseCompoundFile(false); // what is stored can then be told by its file names
		config.getMergePolicy().setNoCFSRatio(0);
		config.setRAMBufferSizeMB(1800);
		config.setRAMPerThreadHardLimitMB(2000);
		try (Directory directory = new MMapDirectory(path);
		     IndexWriter writer = new IndexWriter(directory, config);
		     JsonParser parser = new JsonFactory().createParser(corpus)) {
			while (parser.nextToken() == JsonToken.START_OBJECT) {
				writer.addDocument(document(parser));
			}
			writer.forceMerge(1);
			writer.commit();
		}
	}

	private static Document document(JsonParser parser) throws IOException {
		String id = "";
		String title = "";
		String text = "";
		while (parser.nextToken() == JsonToken.FIELD_NAME) {
			String name = parser.currentName();
			String value = parser.nextTextValue();
			switch (name) {
				case "id" -> id = value;
				case "title" -> title = value;
				case "text" -> text = value;
				default -> throw new IOException("unexpected field " + name);
			}
		}
		Document document = new Document();
		document.add(new StoredField(ID, id));
		document.add(new TextField(BODY, title + " " + text, Field.Store.YES));
		return document;
	}

	private void serve() throws IOException {
		BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
		PrintStream output = new PrintStream(System.out, false, StandardCharsets.UTF_8);
		for (String line = input.readLine(); line != null; line = input.readLine()) {
			output.print(answer(line) + "\n");
			output.flush();
		}
	}

	private String answer(String line) throws IOException {
		int tab = line.indexOf('\t');
		String command = tab < 0 ? "" : line.substring(0, tab);
		String text = line.substring(tab + 1);
		return switch (command) {
			case "TOP_10" -> top(text, 10);
			case "TOP_100" -> top(text, 100);
			case "TOP_1000" -> top(text, 1000);
			case "COUNT" -> count(text);
			case "TOP_10_COUNT" -> topAndCount(text, 10);
			case "TOP_100_COUNT" -> topAndCount(text, 100);
			case "TOP_10_DOCS" -> documents(text);
			default -> UNSUPPORTED;
		};
	}

	private String top(String text, int limit) throws IOException {
		Query query = parse(text);
		if (query == null) {
			return UNSUPPORTED;
		}
		search(query, limit, 1);
		return "1";
	}

	private String count(String text) throws IOException {
		Query query = parse(text);
		return query == null ? UNSUPPORTED : Integer.toString(searcher.count(query));
	}

	private String topAndCount(String text, int limit) throws IOException {
		Query query = parse(text);
		return query == null ? UNSUPPORTED : Long.toString(search(query, limit, EXACT).totalHits.value());
	}

	private String documents(String text) throws IOException {
		Query query = parse(text);
		if (query == null) {
			return UNSUPPORTED;
		}
		StringBuilder pairs = new StringBuilder();
		for (ScoreDoc hit : search(query, 10, 1).scoreDocs) {
			pairs.append(pairs.isEmpty() ? "" : " ");
			pairs.append(stored.document(hit.doc).get(ID)).append(':').append(hit.score);
		}
		return pairs.toString();
	}

	/** `threshold`: count at least so many hits before skipping any; Lucene raises 1 to `limit`. */
	private TopDocs search(Query query, int limit, int threshold) throws IOException {
		return searcher.search(query, new TopScoreDocCollectorManager(limit, null, threshold));
	}

	/** Bare words are alternatives, + requires, - excludes, quotes make a phrase. Null: nothing to search for. */
	private static Query parse(String text) {
		List<BooleanClause> clauses = new ArrayList<>();
		for (int at = 0; at < text.length(); at++) {
			char first = text.charAt(at);
			if (first == ' ') {
				continue;
			}
			Occur occur = first == '+' ? Occur.MUST : first == '-' ? Occur.MUST_NOT : Occur.SHOULD;
			at += occur == Occur.SHOULD ? 0 : 1;
			boolean quoted = text.startsWith("\"", at);
			int start = quoted ? at + 1 : at;
			int end = text.indexOf(quoted ? '"' : ' ', start);
			end = end < 0 ? text.length() : end;
			if (text.substring(start, end).isBlank()) {
				return null;
			}
			clauses.add(new BooleanClause(leaf(text.substring(start, end).trim().split(" +")), occur));
			at = end;
		}
		if (clauses.isEmpty()) {
			return null;
		}
		if (clauses.size() == 1 && clauses.get(0).occur() != Occur.MUST_NOT) {
			return clauses.get(0).query();
		}
		return new BooleanQuery.Builder().add(clauses).build();
	}

	private static Query leaf(String[] words) {
		return words.length == 1 ? new TermQuery(new Term(BODY, words[0])) : new PhraseQuery(BODY, words);
	}
}
