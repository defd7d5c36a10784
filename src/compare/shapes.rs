//! The shape of answers in two runs: what looks otherwise, with values that always differ left out.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};

use super::{ShapeChange, Word};
use crate::results::Run;
use crate::results::shapes::{Place, Shape};

/// Fewer answers of a kind say nothing of it.
const SEEN_LEAST: u64 = 3;
/// What less than this share of answers show is chance.
const RARE: f64 = 0.02;
/// Headers that carry a moment, a length or a name of the way.
const MASKED: [&str; 6] = ["date", "content-length", "server", "set-cookie", "age", "via"];
/// What every kind of answer shows.
const ALL_ANSWERS: &str = "all answers";

/// What looks otherwise, in the order of the answers of B.
pub fn changes(a: &Run, b: &Run) -> Vec<ShapeChange> {
    let pairs: Vec<(&Shape, &Shape)> = b
        .shapes
        .iter()
        .filter_map(|shape| Some((a.shapes.iter().find(|other| other.answer == shape.answer)?, shape)))
        .filter(|(of_a, of_b)| of_a.seen.min(of_b.seen) >= SEEN_LEAST)
        .collect();
    let each = pairs.iter().map(|(a, b)| [members(a, b), around(a, b)].concat());
    gather(each.collect())
}

/// Kinds of answers that only one of them saw.
pub fn only_in_one(a: &Run, b: &Run) -> Vec<(String, char)> {
    let only = |one: &Run, other: &Run, letter: char| -> Vec<(String, char)> {
        let alone = one.shapes.iter().filter(|shape| !other.shapes.iter().any(|o| o.answer == shape.answer));
        alone.map(|shape| (shape.answer.clone(), letter)).collect()
    };
    if a.shapes.is_empty() || b.shapes.is_empty() {
        return Vec::new();
    }
    [only(a, b, 'A'), only(b, a, 'B')].concat()
}

fn members(a: &Shape, b: &Shape) -> Vec<ShapeChange> {
    let places: IndexSet<&String> = a.members.keys().chain(b.members.keys()).collect();
    let mut changes = Vec::new();
    for path in places {
        // What stands below a member that is missing as a whole says nothing more.
        if above(path).is_some_and(|parent| a.members.contains_key(parent) != b.members.contains_key(parent))
        {
            continue;
        }
        let place = path.trim_start_matches('/').replace('/', ".");
        changes.extend(place_change(
            &format!("$.{place}"),
            (a.members.get(path), b.members.get(path)),
            (a, b),
        ));
    }
    for (path, orders) in &b.orders {
        changes.extend(order_change(path, a.orders.get(path), orders, (a, b)));
    }
    changes
}

fn above(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent).filter(|parent| !parent.is_empty())
}

fn place_change(
    place: &str,
    (of_a, of_b): (Option<&Place>, Option<&Place>),
    (a, b): (&Shape, &Shape),
) -> Option<ShapeChange> {
    let there = |place: Option<&Place>, shape: &Shape| {
        place.is_some_and(|place| place.seen as f64 > shape.seen as f64 * RARE)
    };
    let change = |kind: &str, a: String, b: String, seen: u64| {
        let place = place.to_owned();
        Some(ShapeChange {
            answer: String::new(),
            place,
            kind: kind.to_owned(),
            a,
            b,
            seen,
            of: 0,
            word: Word::Different,
        })
    };
    let row = match (there(of_a, a), there(of_b, b)) {
        (false, false) => None,
        (true, false) => change("member missing", said(&kinds(of_a?)), "absent".to_owned(), b.seen),
        (false, true) => change("added", "absent".to_owned(), said(&kinds(of_b?)), of_b?.seen),
        (true, true) => {
            let (before, now) = (kinds(of_a?), kinds(of_b?));
            let new: Vec<&String> = now.difference(&before).collect();
            // What B shows less often than A, or not at all, may hang on which checks were run.
            if new.is_empty() {
                return None;
            }
            let seen = of_b?.kinds.iter().filter(|(kind, _)| new.contains(kind)).map(|(_, n)| n).sum();
            change(named(&before, &now), said(&before), said(&now), seen)
        }
    }?;
    Some(ShapeChange { answer: b.answer.clone(), of: b.seen, ..row })
}

/// What was seen at a place, without what is rare.
fn kinds(place: &Place) -> BTreeSet<String> {
    let all: u64 = place.kinds.values().sum();
    let usual = place.kinds.iter().filter(|(_, count)| **count as f64 > all as f64 * RARE);
    let mut kinds: BTreeSet<String> = usual.map(|(kind, _)| kind.clone()).collect();
    // More values than are kept: they are volatile, and which of them were kept is chance.
    if place.kinds.contains_key("something else") {
        kinds.retain(|kind| !kind.starts_with("= ") && kind != "something else");
        kinds.insert("text".to_owned());
    }
    kinds
}

/// What kind of difference it is.
fn named(before: &BTreeSet<String>, now: &BTreeSet<String>) -> &'static str {
    let starts = |kinds: &BTreeSet<String>, with: &str| kinds.iter().any(|kind| kind.starts_with(with));
    let empty = |kinds: &BTreeSet<String>| starts(kinds, "null") || starts(kinds, "empty");
    let values = |kinds: &BTreeSet<String>| -> BTreeSet<String> {
        kinds.iter().filter(|kind| kind.starts_with("= ")).map(|kind| kind.to_lowercase()).collect()
    };
    if starts(before, "date ") && starts(now, "date ") {
        "date format"
    } else if empty(before) && empty(now) {
        "null for empty"
    } else if !values(before).is_empty() && values(before) == values(now) {
        "spelling"
    } else if !values(before).is_empty() && !values(now).is_empty() {
        "value"
    } else {
        "type"
    }
}

fn said(kinds: &BTreeSet<String>) -> String {
    let words = kinds.iter().map(|kind| match kind.strip_prefix("= ") {
        Some(value) => format!("\"{value}\""),
        None => kind.strip_prefix("date ").unwrap_or(kind).to_owned(),
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "present".to_owned() } else { words.join(" or ") }
}

/// An order that the other run never showed, of the same members.
fn order_change(
    path: &str,
    before: Option<&IndexMap<String, u64>>,
    now: &IndexMap<String, u64>,
    (_, b): (&Shape, &Shape),
) -> Option<ShapeChange> {
    let sorted = |order: &str| -> Vec<String> {
        let mut names: Vec<String> = order.split(", ").map(str::to_owned).collect();
        names.sort();
        names
    };
    let before = before?;
    let all: u64 = now.values().sum();
    let (new, seen) = now.iter().find(|(order, count)| {
        !before.contains_key(*order)
            && **count as f64 > all as f64 * RARE
            && before.keys().any(|other| sorted(other) == sorted(order))
    })?;
    let old = before.keys().find(|other| sorted(other) == sorted(new))?;
    Some(ShapeChange {
        answer: b.answer.clone(),
        place: format!(
            "$.{}*",
            if path == "/" {
                String::new()
            } else {
                format!("{}.", path.trim_start_matches('/').replace('/', "."))
            }
        ),
        kind: "order".to_owned(),
        a: old.clone(),
        b: new.clone(),
        seen: *seen,
        of: b.seen,
        word: Word::Different,
    })
}

/// Status, media type and headers of one kind of answers.
fn around(a: &Shape, b: &Shape) -> Vec<ShapeChange> {
    let mut changes = Vec::new();
    let as_place = |counts: &IndexMap<String, u64>| Place {
        seen: counts.values().sum(),
        kinds: counts.iter().map(|(value, count)| (format!("= {value}"), *count)).collect(),
    };
    for (place, of_a, of_b) in [
        ("status", as_place(&a.statuses), as_place(&b.statuses)),
        ("header Content-Type", as_place(&a.media_types), as_place(&b.media_types)),
    ] {
        changes.extend(place_change(place, (Some(&of_a), Some(&of_b)), (a, b)));
    }
    let find = |shape: &Shape, lower: &str| -> Option<(String, Place)> {
        let found = shape.headers.iter().find(|(name, _)| name.to_ascii_lowercase() == lower);
        found.map(|(name, place)| (name.clone(), place.clone()))
    };
    let names: IndexSet<String> =
        a.headers.keys().chain(b.headers.keys()).map(|name| name.to_ascii_lowercase()).collect();
    for lower in names.iter().filter(|lower| !MASKED.contains(&lower.as_str()) && *lower != "content-type") {
        let (of_a, of_b) = (find(a, lower), find(b, lower));
        let name = of_b.as_ref().or(of_a.as_ref()).map_or(lower.clone(), |(name, _)| name.clone());
        let places = (of_a.as_ref().map(|(_, place)| place), of_b.as_ref().map(|(_, place)| place));
        changes.extend(place_change(&format!("header {name}"), places, (a, b)).map(|change| ShapeChange {
            kind: if change.kind == "member missing" { "missing".to_owned() } else { change.kind },
            ..change
        }));
    }
    changes
}

/// What several kinds of answers show alike is one row.
fn gather(changes: Vec<Vec<ShapeChange>>) -> Vec<ShapeChange> {
    let kinds = changes.len();
    let mut rows: IndexMap<(String, String, String, String), Vec<ShapeChange>> = IndexMap::new();
    for change in changes.into_iter().flatten() {
        let key = (change.place.clone(), change.kind.clone(), change.a.clone(), change.b.clone());
        rows.entry(key).or_default().push(change);
    }
    let whole = |same: Vec<ShapeChange>| {
        let answer = match same.as_slice() {
            [one] => one.answer.clone(),
            all if all.len() == kinds => ALL_ANSWERS.to_owned(),
            all => format!("{} kinds of answers", all.len()),
        };
        let (seen, of) = same.iter().fold((0, 0), |sum, row| (sum.0 + row.seen, sum.1 + row.of));
        same.into_iter().next().map(|first| ShapeChange { answer, seen, of, ..first })
    };
    rows.into_values().filter_map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(kinds: &[(&str, u64)]) -> Place {
        Place {
            seen: kinds.iter().map(|(_, count)| count).sum(),
            kinds: kinds.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(),
        }
    }

    fn shape(members: &[(&str, &[(&str, u64)])]) -> Shape {
        Shape {
            answer: "refresh granted, json".to_owned(),
            seen: 200,
            members: members.iter().map(|(path, kinds)| ((*path).to_owned(), place(kinds))).collect(),
            ..Shape::default()
        }
    }

    fn told(a: &Shape, b: &Shape) -> Vec<(String, String, String, String)> {
        members(a, b).into_iter().map(|row| (row.place, row.kind, row.a, row.b)).collect()
    }

    fn row(place: &str, kind: &str, a: &str, b: &str) -> (String, String, String, String) {
        (place.to_owned(), kind.to_owned(), a.to_owned(), b.to_owned())
    }

    #[test]
    fn each_kind_of_difference_has_its_name() {
        let a = shape(&[
            ("/R/isSuccess", &[("= true", 200)]),
            ("/R/data", &[("null", 200)]),
            ("/R/at", &[("date dd/MM/yyyy HH:mm:ss", 200)]),
            ("/R/code", &[("= E401", 200)]),
            ("/R/n", &[("number", 200)]),
            ("/R/gone", &[("text", 200)]),
        ]);
        let b = shape(&[
            ("/R/isSuccess", &[("= True", 200)]),
            ("/R/data", &[("empty text", 200)]),
            ("/R/at", &[("date yyyy-MM-ddTHH:mm:ss", 200)]),
            ("/R/code", &[("= 401", 27), ("= E401", 173)]),
            ("/R/n", &[("text", 200)]),
            ("/R/new", &[("text", 200)]),
        ]);
        assert_eq!(
            told(&a, &b),
            [
                row("$.R.isSuccess", "spelling", "\"true\"", "\"True\""),
                row("$.R.data", "null for empty", "null", "empty text"),
                row("$.R.at", "date format", "dd/MM/yyyy HH:mm:ss", "yyyy-MM-ddTHH:mm:ss"),
                row("$.R.code", "value", "\"E401\"", "\"401\" or \"E401\""),
                row("$.R.n", "type", "number", "text"),
                row("$.R.gone", "member missing", "text", "absent"),
                row("$.R.new", "added", "absent", "text"),
            ]
        );
        assert_eq!(told(&a, &a), []);
    }

    #[test]
    fn what_is_rare_or_volatile_is_no_difference() {
        let a =
            shape(&[("/m", &[("text", 199), ("null", 1)]), ("/v", &[("= 1", 1), ("something else", 199)])]);
        let b = shape(&[("/m", &[("text", 200)]), ("/v", &[("= 2", 1), ("something else", 199)])]);
        assert_eq!(told(&a, &b), []);
    }

    #[test]
    fn an_order_is_a_difference_only_of_the_same_members() {
        let ordered = |order: &str| Shape {
            orders: IndexMap::from([("/".to_owned(), IndexMap::from([(order.to_owned(), 200)]))]),
            ..shape(&[])
        };
        assert_eq!(told(&ordered("a, b"), &ordered("b, a")), [row("$.*", "order", "a, b", "b, a")]);
        assert_eq!(told(&ordered("a, b"), &ordered("a, b, c")), []);
    }

    #[test]
    fn a_header_that_differs_everywhere_is_one_row() {
        let with = |value: &str, answer: &str| Shape {
            answer: answer.to_owned(),
            headers: IndexMap::from([("Cache-Control".to_owned(), place(&[(value, 200)]))]),
            ..shape(&[])
        };
        let pair = |answer: &str| around(&with("= no-store", answer), &with("= no-cache", answer));
        let rows = gather(vec![pair("one"), pair("two")]);
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].answer.as_str(), rows[0].seen, rows[0].of), ("all answers", 400, 400));
    }
}
