//! Places, shapes, and what is said of broken documents.

use indexmap::IndexMap;
use serde::Deserialize;

use crate::source::{Diagnostic, SourceFile};

use super::{OneOrMany, Spanned, read, read_all};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    title: Spanned<String>,
    #[serde(default)]
    count: Option<u32>,
    #[serde(default)]
    label: Option<Spanned<Option<String>>>,
    #[serde(default)]
    words: Option<OneOrMany<Spanned<String>>>,
    #[serde(default)]
    shape: Option<Shaped>,
    #[serde(default)]
    maybe: Vec<Option<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename = "$shape", rename_all = "lowercase")]
enum Shaped {
    Word(Spanned<String>),
    Map(IndexMap<String, Spanned<u32>>),
}

type Entries = IndexMap<String, Entry>;

fn source(text: &str) -> SourceFile {
    SourceFile::new("x.yaml", text)
}

fn wrong(text: &str) -> Vec<Diagnostic> {
    read_all::<Entries>(&source(text), &|_, _| {}).expect_err(text)
}

#[test]
fn every_word_has_its_place() {
    let text = "é:\n  title: \"a b\"   # c\n  label:\n  words: [one,  'two', 3]\n  shape: { n:  7 }\n";
    let file = source(text);
    let entries: Entries = read(&file).unwrap();
    let entry = &entries["é"];
    assert_eq!((file.slice(entry.title.span), entry.title.plain), ("\"a b\"", false));
    assert_eq!(file.slice(entry.title.key), "title");
    assert_eq!(entry.label.as_ref().unwrap().value, None);
    let words = &entry.words.as_ref().unwrap().0;
    let slices: Vec<&str> = words.iter().map(|word| file.slice(word.span)).collect();
    assert_eq!(slices, ["one", "'two'", "3"]);
    let Some(Shaped::Map(map)) = &entry.shape else { panic!() };
    assert_eq!((file.slice(map["n"].span), map["n"].value), ("7", 7));
    assert_eq!(file.slice(map["n"].entry()), "n:  7");
}

#[test]
fn words_keep_their_writing() {
    let entries: Entries = read(&source(
        "a: { title: 09, words: [1.10, no, 1e400, 0x1F, 1_000, true], maybe: [null, \"\", x] }",
    ))
    .unwrap();
    assert_eq!(entries["a"].title.value, "09");
    let words: Vec<&str> =
        entries["a"].words.as_ref().unwrap().0.iter().map(|word| word.value.as_str()).collect();
    assert_eq!(words, ["1.10", "no", "1e400", "0x1F", "1_000", "true"]);
    assert_eq!(entries["a"].maybe, [None, Some(String::new()), Some("x".to_owned())]);
}

#[test]
fn one_or_many_and_shapes_keep_places() {
    let file = source("a: { title: t, words: one, shape: word }");
    let entries: Entries = read(&file).unwrap();
    assert_eq!(file.slice(entries["a"].words.as_ref().unwrap().0[0].span), "one");
    let Some(Shaped::Word(word)) = &entries["a"].shape else { panic!() };
    assert_eq!((file.slice(word.span), file.slice(word.key)), ("word", "shape"));
}

#[test]
fn all_mistakes_of_shape_are_found_at_once() {
    let found = wrong(
        "a: { titel: x, count: many }\nb:\n  title: y\n  count: \"3\"\n  shape: [1]\nc: { title: z, label: [] }\nd: 5\n",
    );
    let messages: Vec<&str> = found.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`title` is missing",
            "`titel` is no key here",
            "expected a whole number, found `many`",
            "expected a whole number, found `3` in quotes",
            "expected a word or a mapping, found a list",
            "expected a word, found a list",
            "expected a mapping with `title`, `count`, `label`, `words`, `shape` or `maybe`, found `5`",
        ]
    );
    assert_eq!(found[1].patch.as_deref(), Some("title"));
}

#[test]
fn aliases_and_merges_work() {
    let entries: Entries =
        read(&source("a: &a { title: x, count: 1 }\nb: { <<: *a, count: 2 }\nc: *a\n")).unwrap();
    assert_eq!((entries["b"].title.value.as_str(), entries["b"].count), ("x", Some(2)));
    assert_eq!(entries["c"].count, Some(1));
}

#[test]
fn usual_causes_of_broken_yaml_are_named() {
    for (text, code, words) in [
        ("a:\n\ttitle: x\n", "suite::tab", "\t"),
        ("a:\n  title: {{ B.tenant }}\n", "suite::braces", "{{ B.tenant }}"),
        ("a: { title: ${B.tenant} }\n", "suite::braces", "${B.tenant}"),
        ("a:\n  - title: x\n other: y\n", "suite::indentation", "other"),
        ("a:\n  title: x\n  title: y\n", "suite::duplicate-key", "title"),
        ("a: { title: x\n", "suite::syntax", ""),
        ("a: { title: x }\n---\nb: {}\n", "suite::syntax", "b"),
        ("a: !thing { title: x }\n", "suite::syntax", ""),
        ("a: *nothing\n", "suite::syntax", ""),
        ("", "suite::empty", ""),
        ("# only\n", "suite::empty", ""),
        ("a: x\0y\n", "suite::not-text", ""),
    ] {
        let file = source(text);
        let found = &read_all::<Entries>(&file, &|_, _| {}).expect_err(text)[0];
        assert!(found.code.starts_with(code), "{text}: {found:?}");
        assert!(
            file.slice(found.at.span).contains(words),
            "{text}: {:?} {found:?}",
            file.slice(found.at.span)
        );
    }
}

#[test]
fn bombs_and_towers_are_refused_quickly() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let row = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs.push_str(&["a", &level.to_string(), ": &a", &level.to_string(), " [", &row, "]\n"].concat());
    }
    assert_eq!(wrong(&laughs)[0].code, "suite::too-complex");
    for open in ["[", "{a: ", "- "] {
        let found = wrong(&open.repeat(50_000));
        assert_eq!(found.len(), 1, "{found:?}");
    }
    let large = "a".repeat(2 * 1024 * 1024);
    assert_eq!(wrong(&large)[0].code, "suite::too-large");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,60}") {
        drop(read_all::<Entries>(&source(&text), &|_, _| {}));
    }

    #[test]
    fn no_yaml_like_text_makes_it_panic(parts in proptest::collection::vec(proptest::sample::select(vec![
        "a", ": ", "\n", "  ", "- ", "{", "}", "[", "]", ", ", "\"", "'", "&x ", "*x", "<<", "!t ", "|", ">", "\t",
        "é", "title", "#", "? ", "${", "{{", "---", "null", "1",
    ]), 0..40)) {
        let file = source(&parts.concat());
        if let Err(found) = read_all::<Entries>(&file, &|_, _| {}) {
            assert!(!crate::source::render(&found, false).is_empty());
        }
    }
}
