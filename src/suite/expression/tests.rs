//! The grammar, its mistakes, and three-valued truth.

use super::*;

struct Table(Vec<(&'static str, Value)>);

impl Names for Table {
    fn value(&self, name: &str) -> Option<Value> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }
}

fn names() -> Table {
    Table(vec![
        ("status", Value::Number(200.0)),
        ("access", Value::Text("abc".into())),
        ("code", Value::Nothing),
        ("ok", Value::Flag(true)),
        ("/AckCode", Value::Text("00".into())),
        ("header:Retry-After", Value::Text("3".into())),
        ("access#exp", Value::Number(17.0)),
        ("policy.grace", Value::Word("window".into())),
        ("policy.grace.for", Value::Duration(Duration::from_secs(10))),
        ("steady.response.p99", Value::Duration(Duration::from_millis(20))),
        ("steady.errors", Value::Share(0.002)),
    ])
}

fn truth(text: &str) -> Truth {
    Expression::parse(text).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}")).truth(&names())
}

fn unknown(name: &str) -> Truth {
    Truth::Unknown(name.to_owned())
}

fn mistakes(text: &str) -> Vec<Mistake> {
    Expression::parse(text).expect_err(text)
}

#[test]
fn conditions_hold_or_do_not() {
    for text in [
        "status == 200",
        "status == 200 and filled(access) and ok",
        r#"/AckCode in ["00", "200"]"#,
        "ok and blank(code)",
        "status >= 500 or not status != 200",
        "steady.response.p99 < 2 * 15ms",
        "steady.errors <= 0.5%",
        "policy.grace != none",
        "policy.grace in [window, none]",
        "header:Retry-After like '^[0-9]+$'",
        "access#exp + 1 == 18",
        r#"lower(access) == "abc""#,
        "policy.grace.for / 2s == 5",
        "(status == 1 or status == 200) and ok == true",
    ] {
        assert_eq!(truth(text), Truth::True, "{text}");
    }
    for text in ["status < 200", "not ok", "filled(code)", "code == \"x\"", "code", "policy.grace == none"] {
        assert_eq!(truth(text), Truth::False, "{text}");
    }
}

#[test]
fn what_is_not_known_is_neither_true_nor_false() {
    assert_eq!(truth("policy.rotation == always"), unknown("policy.rotation"));
    assert_eq!(truth("not policy.pair == checked"), unknown("policy.pair"));
    assert_eq!(truth("missing and ok"), unknown("missing"));
    assert_eq!(truth("missing or ok"), Truth::True);
    assert_eq!(truth("missing and not ok"), Truth::False);
}

#[test]
fn types_are_never_coerced() {
    assert_eq!(truth("access == 200"), unknown("access"));
    assert_eq!(truth("/AckCode == 0"), unknown("/AckCode"));
    assert_eq!(truth("status"), unknown("status"));
    assert_eq!(truth("status < steady.errors"), unknown("status"));
}

#[test]
fn arithmetic_keeps_its_units() {
    let value = |text: &str| Expression::parse(text).unwrap().value(&names());
    assert_eq!(value("policy.grace.for + 1s"), Ok(Value::Duration(Duration::from_secs(11))));
    assert_eq!(value("policy.grace.for - 1m"), Ok(Value::Duration(Duration::ZERO)));
    assert_eq!(value("2 * 3 + 1"), Ok(Value::Number(7.0)));
    assert_eq!(value("policy.slack + 1s"), Err("policy.slack".into()));
    assert_eq!(value("10% * 5MB"), Ok(Value::Size(500_000)));
    assert!(value("status / 0").is_err());
}

#[test]
fn a_single_equals_sign_is_patched() {
    let found = mistakes("policy.grace = none");
    assert_eq!((found[0].start, found[0].end), (13, 14));
    assert_eq!(found[0].message, "`=` compares nothing");
    assert_eq!(found[0].patch.as_deref(), Some("=="));
}

#[test]
fn every_mistake_says_where_it_is() {
    for (text, words, message) in [
        ("1 < 250ms", "1", "1 of what? write `1ms` or `1s`"),
        ("5 parsecs", "parsecs", "operator"),
        ("a < b < c", "<", "chain"),
        ("a and (b or c", "(", "never closed"),
        ("a b", "b", "operator"),
        ("a ==", "", "missing at the end"),
        ("round(a) == 1", "round", "no function"),
        ("a in b", "b", "list"),
        ("a like '['", "'['", "regular expression"),
        ("a and 5", "5", "no condition"),
        ("a == \"x", "\"x", "closing"),
        ("a == 5x", "5x", "no unit"),
        ("a & b", "&", "means nothing"),
        ("", "", "expected"),
        ("a +b -c", "-", "space on both sides"),
        ("5s + 3", "5s + 3", "combined"),
    ] {
        let found = mistakes(text);
        assert!(found[0].message.contains(message), "{text}: {found:?}");
        assert_eq!(&text[found[0].start..found[0].end], words, "{text}: {found:?}");
    }
    assert_eq!(mistakes("a = 1 && b = 2").len(), 3, "all at once");
}

#[test]
fn kinds_of_names_find_numbers_without_units() {
    let expression = Expression::parse("steady.response.p99 < 250 and steady.errors < 1").unwrap();
    let kind = |name: &str| match name {
        "steady.response.p99" => Some(ValueKind::Duration),
        "steady.errors" => Some(ValueKind::Share),
        _ => None,
    };
    let found = expression.mistakes(&kind);
    assert_eq!(found[0].message, "250 of what? write `250ms` or `250s`");
    assert_eq!(&expression.text[found[1].start..found[1].end], "1");
}

#[test]
fn names_are_listed_and_words_told_apart() {
    let expression = Expression::parse("policy.grace != none and a-b.c < /x/y:z").unwrap();
    assert_eq!(expression.names(), ["policy.grace", "none", "a-b.c", "/x/y:z"]);
    let references: Vec<String> = expression.references().into_iter().map(|(_, name)| name).collect();
    assert_eq!(references, ["policy.grace", "a-b.c", "/x/y:z"]);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,80}") {
        if let Ok(expression) = Expression::parse(&text) {
            drop(expression.truth(&names()));
        }
    }

    #[test]
    fn no_row_of_words_makes_it_panic(words in proptest::collection::vec(
        proptest::sample::select(vec!["a", "and", "or", "not", "(", ")", "[", "]", ",", "==", "<", "in", "like",
            "5", "5s", "1%", "'x'", "-", "/", "/a", "+", "filled(", "none"]), 0..30)) {
        if let Ok(expression) = Expression::parse(&words.join(" ")) {
            drop(expression.truth(&names()));
            drop(expression.value(&names()));
        }
    }

    #[test]
    fn deep_nesting_is_bounded(depth in proptest::prop_oneof![0usize..500, 500usize..100_000]) {
        drop(Expression::parse(&"(".repeat(depth)));
        drop(Expression::parse(&"not ".repeat(depth)));
        drop(Expression::parse(&format!("{}a{}", "(".repeat(depth), ")".repeat(depth))));
    }
}
