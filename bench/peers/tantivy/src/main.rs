//! The Tantivy peer.
//!
//!     tantivy-peer index INDEX CORPUS.jsonl lz4|zstd [THREADS]    one segment; prints nothing
//!     tantivy-peer serve INDEX                                    COMMAND<TAB>query lines in, one answer line each out
//!
//! Text is split on white space only: the corpus and the queries are normalised beforehand. Id and text are stored. BM25 parameters are fixed in Tantivy (k1 1.2, b 0.75), and its scores carry a factor of k1 + 1.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};

use serde::Deserialize;
use tantivy::collector::{Count, TopDocs};
use tantivy::merge_policy::NoMergePolicy;
use tantivy::query::{BooleanQuery, Occur, PhraseQuery, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions, Value, STORED};
use tantivy::store::{Compressor, ZstdCompressor};
use tantivy::{Index, IndexSettings, IndexWriter, Searcher, TantivyDocument, Term};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Enough for a corpus of some gigabytes to become one segment without a merge.
const WRITER_MEMORY: usize = 3 << 30;

#[derive(Deserialize)]
struct Line {
    id: String,
    title: String,
    text: String,
}

fn schema() -> (Schema, Field, Field) {
    let mut builder = Schema::builder();
    let id = builder.add_text_field("id", STORED);
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("whitespace")
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let body = builder.add_text_field("body", TextOptions::default().set_indexing_options(indexing).set_stored());
    (builder.build(), id, body)
}

fn build_index(directory: &str, corpus: &str, compression: &str, threads: usize) -> Outcome<()> {
    fs::create_dir_all(directory)?;
    let (schema, id, body) = schema();
    let docstore_compression = match compression {
        "lz4" => Compressor::Lz4,
        "zstd" => Compressor::Zstd(ZstdCompressor::default()),
        _ => return Err("lz4 or zstd".into()),
    };
    let settings = IndexSettings { docstore_compression, ..IndexSettings::default() };
    let index = Index::builder().schema(schema).settings(settings).create_in_dir(directory)?;
    let mut writer: IndexWriter = index.writer_with_num_threads(threads, WRITER_MEMORY)?;
    writer.set_merge_policy(Box::new(NoMergePolicy));
    for line in BufReader::with_capacity(1 << 20, File::open(corpus)?).lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let mut document = TantivyDocument::default();
        document.add_text(id, &line.id);
        document.add_text(body, line.title + " " + &line.text);
        writer.add_document(document)?;
    }
    writer.commit()?;
    let segments = index.searchable_segment_ids()?;
    if segments.len() > 1 {
        writer.merge(&segments).wait()?;
        writer.garbage_collect_files().wait()?;
    }
    writer.wait_merging_threads()?;
    Ok(())
}

/// `words` is one word, or the words of a phrase.
fn leaf(body: Field, words: &str) -> Box<dyn Query> {
    let mut terms: Vec<Term> = words.split_whitespace().map(|word| Term::from_field_text(body, word)).collect();
    match terms.len() {
        1 => Box::new(TermQuery::new(terms.remove(0), IndexRecordOption::WithFreqs)),
        _ => Box::new(PhraseQuery::new(terms)),
    }
}

/// Bare words are alternatives, + requires, - excludes, quotes make a phrase.
fn parse(body: Field, text: &str) -> Option<Box<dyn Query>> {
    let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let occur = match rest.as_bytes()[0] {
            b'+' => Occur::Must,
            b'-' => Occur::MustNot,
            _ => Occur::Should,
        };
        rest = if occur == Occur::Should { rest } else { &rest[1..] };
        let (words, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_at(rest.find(' ').unwrap_or(rest.len())),
        };
        if words.trim().is_empty() {
            return None;
        }
        clauses.push((occur, leaf(body, words)));
        rest = after.trim_start();
    }
    match clauses.len() {
        0 => None,
        1 if clauses[0].0 != Occur::MustNot => Some(clauses.remove(0).1),
        _ => Some(Box::new(BooleanQuery::new(clauses))),
    }
}

fn documents(searcher: &Searcher, query: &dyn Query, id: Field) -> Outcome<String> {
    let mut pairs = Vec::new();
    for (score, address) in searcher.search(query, &TopDocs::with_limit(10).order_by_score())? {
        let document: TantivyDocument = searcher.doc(address)?;
        let name = document.get_first(id).and_then(|value| value.as_str()).unwrap_or("?").to_string();
        pairs.push(format!("{name}:{score}"));
    }
    Ok(pairs.join(" "))
}

fn answer(searcher: &Searcher, id: Field, body: Field, line: &str) -> Outcome<String> {
    let unsupported = Ok("UNSUPPORTED".to_string());
    let Some((command, text)) = line.split_once('\t') else { return unsupported };
    let limit = match command {
        "TOP_10" | "TOP_10_COUNT" | "TOP_10_DOCS" => 10,
        "TOP_100" | "TOP_100_COUNT" => 100,
        "TOP_1000" => 1000,
        "COUNT" => 0,
        _ => return unsupported,
    };
    let Some(query) = parse(body, text) else { return unsupported };
    if command == "COUNT" {
        return Ok(query.count(searcher)?.to_string());
    }
    if command == "TOP_10_DOCS" {
        return documents(searcher, query.as_ref(), id);
    }
    let top = TopDocs::with_limit(limit).order_by_score();
    if command.ends_with("_COUNT") {
        let (_, count) = searcher.search(query.as_ref(), &(top, Count))?;
        return Ok(count.to_string());
    }
    searcher.search(query.as_ref(), &top)?;
    Ok("1".to_string())
}

fn serve(directory: &str) -> Outcome<()> {
    let (_, id, body) = schema();
    let index = Index::open_in_dir(directory)?;
    let searcher = index.reader()?.searcher();
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        writeln!(output, "{}", answer(&searcher, id, body, &line?)?)?;
        output.flush()?;
    }
    Ok(())
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["index", directory, corpus, compression] => build_index(directory, corpus, compression, 1),
        ["index", directory, corpus, compression, threads] => {
            build_index(directory, corpus, compression, threads.parse()?)
        }
        ["serve", directory] => serve(directory),
        _ => Err("usage: tantivy-peer index INDEX CORPUS.jsonl lz4|zstd [THREADS] | serve INDEX".into()),
    }
}
