//! What answers look like, recorded while the checks run: names, kinds and formats.
//!
//! Values are kept only where the dialect lets them be shown to anybody, where no secret is in them, and where
//! they are a few that come again: an error code, a spelling of true. Everything is bounded.

use indexmap::IndexMap;

use crate::client::Answer;
use crate::client::codec::Tree;
use crate::client::reply::{Document, Outcome, Reply};
use crate::dialect::Dialect;
use crate::results::shapes::{Place, Shape};

use super::redact::Redaction;
use super::transcript::Taken;

/// Kinds of answers at most.
const SHAPES_MOST: usize = 64;
/// Places of one shape at most.
const PLACES_MOST: usize = 200;
/// Different things at one place at most; more are one thing.
const KINDS_MOST: usize = 8;
/// Longer names and values are not kept.
const LONGEST: usize = 80;
/// Objects in objects, and lists, are followed so far.
const DEPTH_MOST: usize = 8;
/// Items of a list that are looked at.
const ITEMS_MOST: usize = 8;
/// Headers whose value is a policy and not a moment, a length or a token.
const TELLING: [&str; 10] = [
    "cache-control",
    "pragma",
    "vary",
    "expires",
    "x-content-type-options",
    "x-frame-options",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "allow",
];

/// The shapes of a run so far.
#[derive(Debug, Default)]
pub(super) struct Shapes(IndexMap<String, Shape>);

impl Shapes {
    /// Notes the answer of an ordinary call: granted, or refused for a known reason. What answers to mangled
    /// requests look like is chance.
    pub fn note(&mut self, taken: &Taken, dialect: &Dialect, redaction: &Redaction) {
        let Some(reply) = &taken.reply else { return };
        let ending = match (&reply.outcome, reply.class) {
            (Outcome::Granted, _) => "granted".to_owned(),
            (Outcome::Refused, Some(class)) => format!("refused: {}", class.word()),
            (Outcome::Refused, None) | (Outcome::Crash | Outcome::Garbled(_), _) => return,
        };
        let answer = format!("{} {ending}, {}", taken.operation.word(), format(reply));
        if !self.0.contains_key(&answer) && self.0.len() >= SHAPES_MOST {
            return;
        }
        let shape = self.0.entry(answer.clone()).or_insert_with(|| Shape { answer, ..Shape::default() });
        Looking { shape, dialect, redaction }.note(reply);
    }

    /// All of them, in order of their names.
    pub fn done(&self) -> Vec<Shape> {
        let mut shapes: Vec<Shape> = self.0.values().cloned().collect();
        shapes.sort_by(|a, b| a.answer.cmp(&b.answer));
        shapes
    }
}

fn format(reply: &Reply) -> &'static str {
    match &reply.document {
        Some(Document::Json(_)) => "json",
        Some(Document::Xml(_)) => "xml",
        None if reply.answer().body.is_empty() => "empty",
        None => "other",
    }
}

/// One answer on its way into its shape.
struct Looking<'a> {
    shape: &'a mut Shape,
    dialect: &'a Dialect,
    redaction: &'a Redaction,
}

impl Looking<'_> {
    fn note(&mut self, reply: &Reply) {
        let answer = reply.answer();
        self.shape.seen += 1;
        count(&mut self.shape.statuses, answer.status.to_string());
        self.headers(answer);
        match &reply.document {
            Some(Document::Json(tree)) => self.tree("", "", tree, 0),
            Some(Document::Xml(document)) => {
                self.tree("", "", &document.tree, 0);
            }
            None => {}
        }
    }

    fn headers(&mut self, answer: &Answer) {
        for (name, value) in &answer.headers {
            let value = String::from_utf8_lossy(value).trim().to_owned();
            let lower = name.to_ascii_lowercase();
            if lower == "content-type"
                && (self.shape.media_types.contains_key(&value) || self.may_keep(&value))
            {
                count(&mut self.shape.media_types, value.clone());
            }
            let known = self.shape.headers.contains_key(name);
            if !known && (self.shape.headers.len() >= PLACES_MOST || !self.may_keep(name)) {
                continue;
            }
            let kind = format!("= {value}");
            let known = self.shape.headers.get(name).is_some_and(|place| is_settled(place, &kind));
            let kept = TELLING.contains(&lower.as_str()) && (known || self.may_keep(&value));
            let place = self.shape.headers.entry(name.clone()).or_default();
            place.seen += 1;
            if kept {
                count(&mut place.kinds, kind);
            }
        }
    }

    fn tree(&mut self, path: &str, name: &str, tree: &Tree, depth: usize) {
        if depth > 0 {
            let kind = self.kind(path, name, tree);
            self.place(path.to_owned(), &kind);
        }
        if depth >= DEPTH_MOST {
            return;
        }
        match tree {
            Tree::Object(members) => {
                self.order(path, members);
                for (name, value) in members {
                    if let Some(below) = self.known(&format!("{path}/"), name) {
                        self.tree(&below, name, value, depth + 1);
                    }
                }
            }
            Tree::List(items) => {
                for item in items.iter().take(ITEMS_MOST) {
                    self.tree(&format!("{path}/*"), name, item, depth + 1);
                }
            }
            Tree::Null | Tree::Text(_) | Tree::Number(_) | Tree::Flag(_) => {}
        }
    }

    /// The path of a member, unless its name may not be kept.
    fn known(&self, before: &str, name: &str) -> Option<String> {
        let path = format!("{before}{name}");
        (self.shape.members.contains_key(&path) || self.may_keep(name)).then_some(path)
    }

    fn order(&mut self, path: &str, members: &[(String, Tree)]) {
        let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).take(40).collect();
        let order = names.join(", ");
        let path = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
        let known = self.shape.orders.get(&path).is_some_and(|orders| orders.contains_key(&order));
        if !known && (self.shape.orders.len() >= PLACES_MOST || !names.iter().all(|name| self.may_keep(name)))
        {
            return;
        }
        count(self.shape.orders.entry(path).or_default(), order);
    }

    fn place(&mut self, path: String, kind: &str) {
        if !self.shape.members.contains_key(&path) && self.shape.members.len() >= PLACES_MOST {
            return;
        }
        let place = self.shape.members.entry(path).or_default();
        place.seen += 1;
        count(&mut place.kinds, kind.to_owned());
    }

    fn kind(&self, path: &str, name: &str, tree: &Tree) -> String {
        match tree {
            Tree::Null => "null".to_owned(),
            Tree::Flag(flag) => format!("flag {flag}"),
            Tree::Number(_) => "number".to_owned(),
            Tree::Object(members) if members.is_empty() => "empty object".to_owned(),
            Tree::Object(_) => "object".to_owned(),
            Tree::List(items) if items.is_empty() => "empty list".to_owned(),
            Tree::List(_) => "list".to_owned(),
            Tree::Text(text) => self.kind_of_text(path, name, text),
        }
    }

    fn kind_of_text(&self, path: &str, name: &str, text: &str) -> String {
        if text.is_empty() {
            return "empty text".to_owned();
        }
        if let Some(format) = date_format(text) {
            return format!("date {format}");
        }
        if ["true", "false"].iter().any(|flag| text.eq_ignore_ascii_case(flag)) {
            return format!("= {text}");
        }
        let showable = self.dialect.showable.iter().any(|own| own.eq_ignore_ascii_case(name));
        let kind = format!("= {text}");
        let known = self.shape.members.get(path).is_some_and(|place| is_settled(place, &kind));
        // A sentence is for people: what it says may hang on what was sent.
        let word = text.chars().count() <= 40 && !text.contains(char::is_whitespace);
        if showable && word && (known || self.may_keep(text)) {
            return kind;
        }
        "text".to_owned()
    }

    /// Whether a name or a value may stand in a file: short, in one line, and no secret in it.
    fn may_keep(&self, text: &str) -> bool {
        text.len() <= LONGEST && !text.chars().any(char::is_control) && self.redaction.is_harmless(text)
    }
}

/// Whether nothing new would be kept: the kind was seen before, or there is no room for another.
fn is_settled(place: &Place, kind: &str) -> bool {
    place.kinds.contains_key(kind) || place.kinds.len() > KINDS_MOST
}

/// One more of `what`; beyond the bound, one more of anything else.
fn count(counts: &mut IndexMap<String, u64>, what: String) {
    let full = counts.len() >= KINDS_MOST && !counts.contains_key(&what);
    let what = if full { "something else".to_owned() } else { what };
    *counts.entry(what).or_default() += 1;
}

/// How a moment is written, where `text` is one: digits by their place, the rest as it stands.
fn date_format(text: &str) -> Option<String> {
    if text.len() > 40 || !text.is_ascii() {
        return None;
    }
    if text.starts_with("/Date(") {
        return Some("/Date(ms)/".to_owned());
    }
    let mask = mask(text);
    let (day, time) = match mask.find(['T', ' ']) {
        Some(at) => mask.split_at(at),
        None => (mask.as_str(), ""),
    };
    let day = match day {
        "9999-99-99" => "yyyy-MM-dd",
        "99/99/9999" => day_first(text),
        "99-99-9999" => "dd-MM-yyyy",
        "9/99/9999" | "99/9/9999" | "9/9/9999" => "d/M/yyyy",
        "99.99.9999" => "dd.MM.yyyy",
        "9999/99/99" => "yyyy/MM/dd",
        _ => return None,
    };
    let time = time.replace("99:99:99", "HH:mm:ss").replace("9:99:99", "H:mm:ss").replace("99:99", "HH:mm");
    Some(format!("{day}{time}"))
}

/// A day above twelve tells; else both readings are possible, and the usual one is named.
fn day_first(text: &str) -> &'static str {
    match text.get(3..5).and_then(|second| second.parse::<u8>().ok()) {
        Some(13..) => "MM/dd/yyyy",
        _ => "dd/MM/yyyy",
    }
}

/// Digits as `9`; of a fraction of a second only that it is there, because zeros at its end come and go.
fn mask(text: &str) -> String {
    let mut mask = String::new();
    let mut in_fraction = false;
    for c in text.chars() {
        if c == '.' && mask.contains(':') {
            in_fraction = true;
            mask.push_str(".f");
        } else if c.is_ascii_digit() {
            if !in_fraction {
                mask.push('9');
            }
        } else {
            in_fraction = false;
            mask.push(c);
        }
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_known_by_how_they_are_written() {
        let format = |text: &str| date_format(text).unwrap_or_default();
        assert_eq!(format("23/11/2026 02:00:04"), "dd/MM/yyyy HH:mm:ss");
        assert_eq!(format("11/23/2026 02:00:04"), "MM/dd/yyyy HH:mm:ss");
        assert_eq!(format("2026-11-23T02:00:04"), "yyyy-MM-ddTHH:mm:ss");
        assert_eq!(format("2026-11-23T02:00:04.1203Z"), "yyyy-MM-ddTHH:mm:ss.fZ");
        assert_eq!(format("2026-11-23T02:00:04.12Z"), format("2026-11-23T02:00:04.1203Z"));
        assert_eq!(format("/Date(1764000000000)/"), "/Date(ms)/");
        for no_date in ["0", "E401", "Success", "1764000000", "10.0.0.1", "a-b-c"] {
            assert_eq!(date_format(no_date), None, "{no_date}");
        }
    }

    #[test]
    fn the_ninth_value_of_a_place_is_something_else() {
        let mut counts = IndexMap::new();
        for value in 0..20 {
            count(&mut counts, format!("= {value}"));
        }
        assert_eq!(counts.len(), KINDS_MOST + 1);
        assert_eq!(counts["something else"], 12);
    }
}
