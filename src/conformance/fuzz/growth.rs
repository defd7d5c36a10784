//! Changes to the tree of a document before it is written.

use crate::client::codec::{Leaf, Outgoing};

use super::atoms::Spot;

/// One change to the tree. Members are counted through the whole tree; a spot is a share of that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// A member gone.
    Drop(Spot),
    /// A member written again so many times.
    Again(Spot, u32),
    /// A member moved behind its neighbor.
    Swap(Spot),
    /// A member under another name.
    Rename(Spot, Spelling),
    /// Bare text in the place of a value.
    Bare(Spot, String),
    /// The format's own null in the place of a value.
    Null(Spot),
    /// A value so many levels deeper.
    Wrap(Spot, u32),
    /// An unknown member before another.
    Add(Spot, String, String),
    /// So many unknown members.
    Pad(u32),
    /// XML: another root element.
    Root(Spelling),
    /// XML: another default namespace; none where it is empty.
    Namespace(String),
}

/// Another spelling of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// In capitals.
    Upper,
    /// In small letters.
    Lower,
    /// With a letter more.
    Longer,
    /// Without its last letter.
    Shorter,
    /// With a prefix.
    Prefixed,
    /// With brackets behind.
    Listed,
    /// Nothing at all.
    Empty,
}

impl Spelling {
    pub(super) const ALL: [Spelling; 7] = [
        Spelling::Upper,
        Spelling::Lower,
        Spelling::Longer,
        Spelling::Shorter,
        Spelling::Prefixed,
        Spelling::Listed,
        Spelling::Empty,
    ];

    fn of(self, name: &str) -> String {
        match self {
            Spelling::Upper => name.to_uppercase(),
            Spelling::Lower => name.to_lowercase(),
            Spelling::Longer => format!("{name}x"),
            Spelling::Shorter => name.char_indices().next_back().map_or("", |(at, _)| &name[..at]).to_owned(),
            Spelling::Prefixed => format!("model.{name}"),
            Spelling::Listed => format!("{name}[]"),
            Spelling::Empty => String::new(),
        }
    }
}

type Members = Vec<(String, Leaf)>;

/// So deep at most, so many members at most.
const DEPTH_MAX: u32 = 400;
const MEMBERS_MAX: usize = 5_000;

impl Growth {
    /// Does it to `document`.
    pub(super) fn to(&self, document: &mut Outgoing) {
        let members = &mut document.members;
        match self {
            Growth::Drop(spot) => on(members, *spot, |members, at| drop(members.remove(at))),
            Growth::Again(spot, times) => on(members, *spot, |members, at| {
                let fits = MEMBERS_MAX.saturating_sub(members.len()).min(*times as usize);
                let again = std::iter::repeat_n(members[at].clone(), fits);
                members.splice(at..at, again);
            }),
            Growth::Swap(spot) => on(members, *spot, |members, at| {
                let other = (at + 1) % members.len();
                members.swap(at, other);
            }),
            Growth::Rename(spot, spelling) => {
                on(members, *spot, |members, at| members[at].0 = spelling.of(&members[at].0));
            }
            Growth::Bare(spot, text) => {
                on(members, *spot, |members, at| members[at].1 = Leaf::Raw(text.clone().into_bytes()));
            }
            Growth::Null(spot) => on(members, *spot, |members, at| members[at].1 = Leaf::Null),
            Growth::Wrap(spot, depth) => on(members, *spot, |members, at| wrap(&mut members[at].1, *depth)),
            Growth::Add(spot, name, value) => on(members, *spot, |members, at| {
                members.insert(at, (name.clone(), Leaf::Text(value.clone())));
            }),
            Growth::Pad(count) => {
                let fits = MEMBERS_MAX.saturating_sub(members.len()).min(*count as usize);
                members.extend((0..fits).map(|number| (format!("pad{number}"), Leaf::Text(String::new()))));
            }
            Growth::Root(spelling) => document.root = document.root.take().map(|root| spelling.of(&root)),
            Growth::Namespace(namespace) => {
                document.namespaces.retain(|(prefix, _)| !prefix.is_empty());
                if !namespace.is_empty() {
                    document.namespaces.push((String::new(), namespace.clone()));
                }
            }
        }
    }
}

fn wrap(leaf: &mut Leaf, depth: u32) {
    for _ in 0..depth.min(DEPTH_MAX) {
        let inner = std::mem::replace(leaf, Leaf::Null);
        *leaf = Leaf::Object(vec![("a".to_owned(), inner)]);
    }
}

fn count(members: &Members) -> usize {
    members
        .iter()
        .map(|(_, leaf)| match leaf {
            Leaf::Object(inner) => 1 + count(inner),
            Leaf::Text(_) | Leaf::Null | Leaf::Raw(_) => 1,
        })
        .sum()
}

/// Does something to the member at a spot, if there is any.
fn on(members: &mut Members, spot: Spot, act: impl FnOnce(&mut Members, usize)) {
    let all = count(members);
    let number = usize::try_from((u64::from(spot) * all as u64) >> 32).expect("below the count");
    if all > 0 {
        descend(members, number, act);
    }
}

fn descend(members: &mut Members, mut number: usize, act: impl FnOnce(&mut Members, usize)) {
    for at in 0..members.len() {
        if number == 0 {
            return act(members, at);
        }
        number -= 1;
        if let Leaf::Object(inner) = &mut members[at].1 {
            let within = count(inner);
            if number < within {
                return descend(inner, number, act);
            }
            number -= within;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::codec;
    use crate::dialect::Codec;

    const MIDDLE: Spot = 1 << 31;

    #[track_caller]
    fn check(growth: &Growth, expected: &str) {
        let text = |text: &str| Leaf::Text(text.to_owned());
        let mut document = Outgoing {
            codec: Codec::Json,
            root: None,
            namespaces: Vec::new(),
            members: vec![
                ("a".to_owned(), text("1")),
                ("b".to_owned(), Leaf::Object(vec![("c".to_owned(), text("2"))])),
                ("d".to_owned(), text("3")),
            ],
        };
        growth.to(&mut document);
        assert_eq!(String::from_utf8(codec::write(&document)).unwrap(), expected, "{growth:?}");
    }

    #[test]
    fn changes_reach_members_at_every_depth() {
        check(&Growth::Drop(0), r#"{"b":{"c":"2"},"d":"3"}"#);
        check(&Growth::Drop(MIDDLE), r#"{"a":"1","b":{},"d":"3"}"#);
        check(&Growth::Drop(Spot::MAX), r#"{"a":"1","b":{"c":"2"}}"#);
        check(&Growth::Again(0, 1), r#"{"a":"1","a":"1","b":{"c":"2"},"d":"3"}"#);
        check(&Growth::Swap(Spot::MAX), r#"{"d":"3","b":{"c":"2"},"a":"1"}"#);
        check(&Growth::Rename(0, Spelling::Upper), r#"{"A":"1","b":{"c":"2"},"d":"3"}"#);
        check(&Growth::Bare(MIDDLE, "09".to_owned()), r#"{"a":"1","b":{"c":09},"d":"3"}"#);
        check(&Growth::Wrap(0, 2), r#"{"a":{"a":{"a":"1"}},"b":{"c":"2"},"d":"3"}"#);
        check(&Growth::Pad(1), r#"{"a":"1","b":{"c":"2"},"d":"3","pad0":""}"#);
    }

    #[test]
    fn nothing_happens_to_an_empty_tree_and_nothing_grows_without_bound() {
        let mut document =
            Outgoing { codec: Codec::Json, root: None, namespaces: Vec::new(), members: Vec::new() };
        Growth::Drop(0).to(&mut document);
        Growth::Pad(u32::MAX).to(&mut document);
        Growth::Again(0, u32::MAX).to(&mut document);
        assert_eq!(document.members.len(), MEMBERS_MAX);
    }
}
