//! Aspects of the declared shape: names, kinds, order, root, nulls, charset, layers, echo.

use std::collections::BTreeSet;

use crate::client::codec::{Tree, XmlDocument};
use crate::client::reply::{Document, Reply, Unreadable};
use crate::dialect::{Answers, Declared, DeclaredKind, ErrorDocument, XmlAnswer, XmlOrder};
use crate::secret::Token;
use crate::suite::claim::Aspect;
use crate::suite::expression::Truth;

use crate::conformance::transcript::Taken;

use super::{Bench, Judgement, all, reply, speech};

type DeclaredMembers = [(String, Declared)];

/// All aspects must hold, in the whole document or under `part`.
pub(super) fn shape(aspects: &[Aspect], part: Option<&str>, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let answer = match reply(taken, "a document of the declared shape") {
        Ok(answer) => answer,
        Err(judgement) => return judgement,
    };
    all(aspects.iter().map(|aspect| judge(*aspect, part, answer, taken, bench)))
}

fn judge(aspect: Aspect, part: Option<&str>, answer: &Reply, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    match aspect {
        Aspect::Syntax => syntax(answer),
        Aspect::Charset => charset(answer),
        Aspect::UniqueNames => on_document(answer, |document| unique_names(document.tree(), "")),
        Aspect::Echo => echo(answer, taken),
        Aspect::Layers => layers(answer, taken, bench),
        Aspect::Known => known(answer, taken, bench),
        Aspect::Root => declared(answer, taken, bench, root),
        Aspect::Nulls => declared(answer, taken, bench, |_, document| nulls(answer, document)),
        Aspect::Names | Aspect::Only | Aspect::Kinds | Aspect::Order => {
            declared(answer, taken, bench, |answers, document| in_part(aspect, part, answers, document))
        }
    }
}

/// What is wrong with a document that cannot be read.
fn unread(answer: &Reply) -> String {
    match &answer.unreadable {
        Some(Unreadable::Charset(why)) => format!("a body that its charset does not decode: {why}"),
        Some(Unreadable::Syntax(why)) => format!("a body that is not well-formed: {why}"),
        Some(Unreadable::Type(media)) if media.is_empty() => "a body without a media type".to_owned(),
        Some(Unreadable::Type(media)) => {
            format!("a body in `{}`", media.chars().filter(|c| !c.is_control()).take(80).collect::<String>())
        }
        None => "no body".to_owned(),
    }
}

fn syntax(answer: &Reply) -> Judgement {
    if answer.document.is_some() {
        Judgement::Holds
    } else {
        Judgement::fails("a well-formed document", unread(answer))
    }
}

/// What is claimed of a document says nothing where there is none to look at.
fn on_document(answer: &Reply, judge: impl Fn(&Document) -> Judgement) -> Judgement {
    match &answer.document {
        Some(document) => judge(document),
        None if answer.answer().body.is_empty() => Judgement::Holds,
        None => Judgement::Untold(unread(answer)),
    }
}

fn declared(
    answer: &Reply,
    taken: &Taken,
    bench: &Bench<'_>,
    judge: impl Fn(&Answers, &Document) -> Judgement,
) -> Judgement {
    let Some(speech) = speech(taken, bench) else {
        return Judgement::Untold("the dialect does not have this operation".to_owned());
    };
    match &answer.document {
        Some(document) => judge(&speech.answers, document),
        None => Judgement::fails("a document of the declared shape", unread(answer)),
    }
}

// ------------------------------------------------------------------------------------------ names and kinds

/// What stands at a path; `/` is the whole.
pub(super) fn walk<'a>(tree: &'a Tree, path: &str) -> Option<&'a Tree> {
    path.split('/').filter(|name| !name.is_empty()).try_fold(tree, |tree, name| match tree {
        Tree::Object(members) => {
            members.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value)
        }
        Tree::Null | Tree::Text(_) | Tree::Number(_) | Tree::Flag(_) | Tree::List(_) => None,
    })
}

/// One object, not a list.
pub(super) fn is_object(tree: &Tree) -> bool {
    matches!(tree, Tree::Object(_))
}

fn walk_declared<'a>(members: &'a DeclaredMembers, path: &str) -> Option<&'a DeclaredMembers> {
    path.split('/').filter(|name| !name.is_empty()).try_fold(members, |members, name| {
        match &members.iter().find(|(candidate, _)| candidate == name)?.1.kind {
            DeclaredKind::Object(inner) => Some(inner.as_slice()),
            DeclaredKind::Text | DeclaredKind::Number | DeclaredKind::Flag | DeclaredKind::Any => None,
        }
    })
}

fn in_part(aspect: Aspect, part: Option<&str>, answers: &Answers, document: &Document) -> Judgement {
    let Some(body) = &answers.body else {
        return Judgement::Untold("the dialect declares no body for this answer".to_owned());
    };
    let path = part.unwrap_or("/");
    let Some(members) = walk_declared(body, path) else {
        return Judgement::Untold(format!("the dialect declares no members under `{path}`"));
    };
    let Some(tree) = walk(document.tree(), path) else {
        return Judgement::fails(format!("members under `{path}`"), "nothing");
    };
    let look = Look { aspect, deep: part != Some("/"), xml: is_xml(document), answers };
    look.at(members, tree, path.trim_end_matches('/'))
}

fn is_xml(document: &Document) -> bool {
    matches!(document, Document::Xml(_))
}

/// One aspect, looked at member by member.
struct Look<'a> {
    aspect: Aspect,
    deep: bool,
    xml: bool,
    answers: &'a Answers,
}

impl Look<'_> {
    fn at(&self, declared: &DeclaredMembers, tree: &Tree, path: &str) -> Judgement {
        let Tree::Object(members) = tree else {
            let place = if path.is_empty() { "/" } else { path };
            return Judgement::fails(format!("`{place}` an object"), kind_of(tree));
        };
        let here = match self.aspect {
            Aspect::Names => names(declared, members, path),
            Aspect::Only if self.answers.open => {
                Judgement::Moot("the dialect allows members beyond the declared ones".to_owned())
            }
            Aspect::Only => only(declared, members, path),
            Aspect::Kinds => self.kinds(declared, members, path),
            Aspect::Order => self.order(declared, members, path),
            Aspect::Syntax
            | Aspect::Charset
            | Aspect::Root
            | Aspect::Nulls
            | Aspect::UniqueNames
            | Aspect::Known
            | Aspect::Layers
            | Aspect::Echo => Judgement::Holds,
        };
        if here != Judgement::Holds || !self.deep {
            return here;
        }
        all(declared.iter().filter_map(|(name, declared)| {
            let DeclaredKind::Object(inner) = &declared.kind else { return None };
            let (_, value) = members.iter().find(|(candidate, _)| candidate == name)?;
            is_object(value).then(|| self.at(inner, value, &format!("{path}/{name}")))
        }))
    }

    fn kinds(&self, declared: &DeclaredMembers, members: &[(String, Tree)], path: &str) -> Judgement {
        all(declared.iter().flat_map(|(name, declared)| {
            let values = members.iter().filter(move |(candidate, _)| candidate == name);
            values.map(move |(_, value)| self.kind(declared, value, &format!("{path}/{name}"), name))
        }))
    }

    fn kind(&self, declared: &Declared, value: &Tree, place: &str, name: &str) -> Judgement {
        let fits = match (&declared.kind, value) {
            (DeclaredKind::Any, _)
            | (DeclaredKind::Text, Tree::Text(_))
            | (DeclaredKind::Number, Tree::Number(_))
            | (DeclaredKind::Flag, Tree::Flag(_))
            | (DeclaredKind::Object(_), Tree::Object(_)) => true,
            (_, Tree::Null) => declared.optional || declared.nullable,
            // XML has neither numbers nor flags: the text has to read as one.
            (DeclaredKind::Number, Tree::Text(text)) => self.xml && text.trim().parse::<f64>().is_ok(),
            (DeclaredKind::Flag, Tree::Text(text)) => {
                self.xml && matches!(text.trim(), "true" | "false" | "1" | "0")
            }
            (
                DeclaredKind::Text | DeclaredKind::Number | DeclaredKind::Flag | DeclaredKind::Object(_),
                Tree::Text(_) | Tree::Number(_) | Tree::Flag(_) | Tree::Object(_) | Tree::List(_),
            ) => false,
        };
        if fits {
            return Judgement::Holds;
        }
        Judgement::fails(format!("`{place}` {}", spoken(&declared.kind)), kind_of(value)).marking([name])
    }

    fn order(&self, declared: &DeclaredMembers, members: &[(String, Tree)], path: &str) -> Judgement {
        let order = if self.xml {
            self.answers.xml.as_ref().map_or(XmlOrder::Any, |xml: &XmlAnswer| xml.order)
        } else {
            XmlOrder::Declared
        };
        let mut wanted: Vec<&str> = declared.iter().map(|(name, _)| name.as_str()).collect();
        match order {
            XmlOrder::Any => return Judgement::Holds,
            XmlOrder::Declared => {}
            XmlOrder::Ordinal => wanted.sort_unstable(),
        }
        let rank = |name: &str| wanted.iter().position(|candidate| *candidate == name);
        let known: Vec<(usize, &str)> =
            members.iter().filter_map(|(name, _)| Some((rank(name)?, name.as_str()))).collect();
        match known.windows(2).find(|pair| pair[0].0 > pair[1].0) {
            None => Judgement::Holds,
            Some(pair) => Judgement::fails(
                format!("`{path}/{}` before `{path}/{}`", pair[1].1, pair[0].1),
                "the other way round",
            )
            .marking([pair[0].1, pair[1].1]),
        }
    }
}

fn names(declared: &DeclaredMembers, members: &[(String, Tree)], path: &str) -> Judgement {
    let missing = declared.iter().find(|(name, declared)| {
        !declared.optional && !members.iter().any(|(candidate, _)| candidate == name)
    });
    // A member in another case is that member, misspelt, even where it may be absent.
    let misspelt = declared.iter().find_map(|(name, _)| {
        let there = members.iter().any(|(candidate, _)| candidate == name);
        let twin = members.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        twin.filter(|_| !there).map(|(twin, _)| (name, twin))
    });
    match (misspelt, missing) {
        (Some((name, twin)), _) => {
            Judgement::fails(format!("`{path}/{name}`"), format!("`{path}/{twin}`")).marking([twin.as_str()])
        }
        (None, Some((name, _))) => Judgement::fails(format!("`{path}/{name}`"), "absent"),
        (None, None) => Judgement::Holds,
    }
}

fn only(declared: &DeclaredMembers, members: &[(String, Tree)], path: &str) -> Judgement {
    let extra = members.iter().find(|(name, _)| !declared.iter().any(|(candidate, _)| candidate == name));
    match extra {
        None => Judgement::Holds,
        Some((name, _)) => {
            let name: String = name.chars().take(60).collect();
            Judgement::fails("no member beyond the declared ones", format!("`{path}/{name}`")).marking([name])
        }
    }
}

fn spoken(kind: &DeclaredKind) -> &'static str {
    match kind {
        DeclaredKind::Text => "text",
        DeclaredKind::Number => "a number",
        DeclaredKind::Flag => "a flag",
        DeclaredKind::Any => "anything",
        DeclaredKind::Object(_) => "an object",
    }
}

fn kind_of(tree: &Tree) -> &'static str {
    match tree {
        Tree::Null => "null",
        Tree::Text(_) => "text",
        Tree::Number(_) => "a number",
        Tree::Flag(_) => "a flag",
        Tree::Object(_) => "an object",
        Tree::List(_) => "a list",
    }
}

// ------------------------------------------------------------------------------------------- the whole document

fn root(answers: &Answers, document: &Document) -> Judgement {
    match document {
        Document::Json(tree) if is_object(tree) => Judgement::Holds,
        Document::Json(tree) => Judgement::fails("an object as root", kind_of(tree)),
        Document::Xml(found) => match &answers.xml {
            Some(xml) => xml_root(answers, xml, found),
            None => Judgement::Untold("the dialect declares no XML".to_owned()),
        },
    }
}

fn xml_root(answers: &Answers, xml: &XmlAnswer, found: &XmlDocument) -> Judgement {
    if found.root != xml.root {
        return Judgement::fails(format!("root `{}`", xml.root), format!("`{}`", found.root))
            .marking([found.root.as_str()]);
    }
    if found.namespace != xml.namespace {
        let got = if found.namespace.is_empty() {
            "no namespace".to_owned()
        } else {
            format!("`{}`", found.namespace)
        };
        return Judgement::fails(format!("namespace `{}`", xml.namespace), got)
            .marking([found.namespace.as_str()]);
    }
    let strays = || found.strays.iter().zip(&found.stray_namespaces);
    let lost = strays().find(|(path, namespace)| match declared_namespace(answers, path) {
        Some(declared) => declared != *namespace,
        None => !xml.namespaces.iter().any(|(prefix, known)| !prefix.is_empty() && known == *namespace),
    });
    match lost {
        None => Judgement::Holds,
        Some((stray, _)) => {
            Judgement::fails("every element in its declared namespace", format!("`{stray}` in another"))
        }
    }
}

/// The namespace that is declared for an element by the prefix of its name.
fn declared_namespace<'a>(answers: &'a Answers, path: &str) -> Option<&'a String> {
    let (above, name) = path.rsplit_once('/')?;
    let members = walk_declared(answers.body.as_ref()?, above)?;
    members.iter().find(|(own, _)| own == name)?.1.namespace.as_ref()
}

/// Null is the format's own: never a word, and in XML nil of the schema's namespace, which alone is read as null.
fn nulls(answer: &Reply, document: &Document) -> Judgement {
    if let Some((place, word)) = null_word(document.tree(), "") {
        let own = if is_xml(document) { "`i:nil`" } else { "`null`" };
        let expected = format!("null at `{place}` written as {own}");
        return Judgement::fails(expected, format!("the text `{word}`"))
            .marking([format!(">{word}<"), format!("\"{word}\"")]);
    }
    let marked = answer.text().map_or(0, |text| text.matches(":nil=\"true\"").count());
    if is_xml(document) && marked > count_nulls(document.tree()) {
        return Judgement::fails("`i:nil` in the namespace of XML Schema instances", "nil in another");
    }
    Judgement::Holds
}

fn count_nulls(tree: &Tree) -> usize {
    match tree {
        Tree::Null => 1,
        Tree::Object(members) => members.iter().map(|(_, value)| count_nulls(value)).sum(),
        Tree::List(items) => items.iter().map(count_nulls).sum(),
        Tree::Text(_) | Tree::Number(_) | Tree::Flag(_) => 0,
    }
}

/// The first leaf that spells null as a word.
fn null_word<'a>(tree: &'a Tree, path: &str) -> Option<(String, &'a str)> {
    match tree {
        Tree::Text(text) if matches!(text.as_str(), "null" | "NULL" | "Null" | "nil" | "None") => {
            Some((path.to_owned(), text))
        }
        Tree::Object(members) => {
            members.iter().find_map(|(name, value)| null_word(value, &format!("{path}/{name}")))
        }
        Tree::List(items) => items.iter().find_map(|item| null_word(item, path)),
        Tree::Text(_) | Tree::Null | Tree::Number(_) | Tree::Flag(_) => None,
    }
}

fn unique_names(tree: &Tree, path: &str) -> Judgement {
    match tree {
        Tree::Object(members) => {
            let mut seen = BTreeSet::new();
            for (name, _) in members {
                if !seen.insert(name.to_lowercase()) {
                    let name: String = name.chars().take(60).collect();
                    return Judgement::fails("every name once", format!("`{path}/{name}` twice"))
                        .marking([name]);
                }
            }
            all(members.iter().map(|(name, value)| unique_names(value, &format!("{path}/{name}"))))
        }
        Tree::List(items) => all(items.iter().map(|item| unique_names(item, path))),
        Tree::Null | Tree::Text(_) | Tree::Number(_) | Tree::Flag(_) => Judgement::Holds,
    }
}

/// The operation's own shape, or an error document of the dialect. An empty body has no shape to keep.
fn known(answer: &Reply, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let expected = "the operation's shape or an error document of the dialect";
    let Some(document) = &answer.document else {
        return if answer.answer().body.is_empty() {
            Judgement::Holds
        } else {
            Judgement::fails(expected, unread(answer))
        };
    };
    let Some(speech) = speech(taken, bench) else {
        return Judgement::Untold("the dialect does not have this operation".to_owned());
    };
    let own = own_shape(&speech.answers, document);
    if own == Judgement::Holds
        || bench.scope.dialect.error_documents.iter().any(|error| fits(error, speech.answers.open, document))
    {
        return Judgement::Holds;
    }
    match own {
        Judgement::Fails(miss) => {
            let found = format!("another shape: {} instead of {}", miss.found, miss.expected);
            Judgement::fails(expected, found).marking(miss.marks)
        }
        Judgement::Untold(_) | Judgement::Moot(_) => own,
        Judgement::Holds => Judgement::Holds,
    }
}

fn own_shape(answers: &Answers, document: &Document) -> Judgement {
    if let (Document::Xml(_), Some(_)) = (document, &answers.xml) {
        let root = root(answers, document);
        if root != Judgement::Holds {
            return root;
        }
    }
    let aspects = [Aspect::Names, Aspect::Only, Aspect::Kinds];
    all(aspects.map(|aspect| in_part(aspect, None, answers, document)))
}

/// Its first member is there, nothing is beyond the declared (unless the dialect is open), and the root is right where one is declared.
fn fits(error: &ErrorDocument, open: bool, document: &Document) -> bool {
    if let (Document::Xml(found), Some(root)) = (document, &error.root)
        && (found.root != *root || !found.namespace.is_empty())
    {
        return false;
    }
    let Tree::Object(members) = document.tree() else { return false };
    let has_first =
        error.body.first().is_some_and(|(name, _)| members.iter().any(|(other, _)| other == name));
    has_first && (open || only(&error.body, members, "") == Judgement::Holds)
}

/// The layers agree. An error document of the host has no layers.
fn layers(answer: &Reply, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let Some(speech) = speech(taken, bench) else { return Judgement::Holds };
    let Some(document) = &answer.document else { return Judgement::Holds };
    let has_envelope = speech.answers.body.as_ref().is_none_or(|body| match document.tree() {
        Tree::Object(members) => {
            body.iter().any(|(name, _)| members.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)))
        }
        Tree::Null | Tree::Text(_) | Tree::Number(_) | Tree::Flag(_) | Tree::List(_) => false,
    });
    if !has_envelope {
        return Judgement::Holds;
    }
    let mut said: Vec<(&str, bool)> = Vec::new();
    let mut open = None;
    for (name, rule) in &speech.answers.layers {
        match answer.truth(bench.scope.dialect, taken.operation, rule) {
            Truth::True => said.push((name, true)),
            Truth::False => said.push((name, false)),
            Truth::Unknown(what) => open = Some(format!("the layer `{name}` hangs on `{what}`")),
        }
    }
    let good: Vec<&str> = said.iter().filter(|(_, good)| *good).map(|(name, _)| *name).collect();
    let bad: Vec<&str> = said.iter().filter(|(_, good)| !good).map(|(name, _)| *name).collect();
    if !good.is_empty() && !bad.is_empty() {
        let found = format!("{} says success, {} says failure", good.join(" and "), bad.join(" and "));
        return Judgement::fails("one answer in every layer", found);
    }
    open.map_or(Judgement::Holds, Judgement::Untold)
}

// --------------------------------------------------------------------------------------------- bytes and text

fn label_charset(answer: &Reply) -> Option<String> {
    let label = answer.answer().header("content-type")?;
    label.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    })
}

/// The declared charset is the one the bytes are in.
fn charset(answer: &Reply) -> Judgement {
    let body = &answer.answer().body;
    if body.is_empty() {
        return Judgement::Holds;
    }
    let label = label_charset(answer);
    let named = label.as_deref().unwrap_or("utf-8");
    let expected = match &label {
        Some(label) => format!("bytes in `{}`", label.chars().take(40).collect::<String>()),
        None => "bytes in UTF-8, as nothing else is declared".to_owned(),
    };
    if let Some(Unreadable::Charset(why)) = &answer.unreadable {
        return Judgement::fails(expected, why.clone());
    }
    match actual(body) {
        Some("UTF-16") if !named.starts_with("utf-16") => Judgement::fails(expected, "bytes in UTF-16"),
        Some("UTF-8") if !matches!(named, "utf-8" | "utf8") => Judgement::fails(expected, "bytes in UTF-8"),
        Some("neither") if matches!(named, "utf-8" | "utf8") => {
            Judgement::fails(expected, "bytes that are not UTF-8")
        }
        _ => Judgement::Holds,
    }
    .marking(label)
}

/// What the bytes are, where they tell.
fn actual(body: &[u8]) -> Option<&'static str> {
    let zeros = body.iter().take(4_000).filter(|byte| **byte == 0).count();
    if zeros * 4 > body.len().min(4_000) || body.starts_with(&[0xFF, 0xFE]) || body.starts_with(&[0xFE, 0xFF])
    {
        return Some("UTF-16");
    }
    if body.is_ascii() {
        return None;
    }
    Some(if std::str::from_utf8(body).is_ok() { "UTF-8" } else { "neither" })
}

/// If what was changed in the call comes back, it comes back whole.
fn echo(answer: &Reply, taken: &Taken) -> Judgement {
    let changed = taken.sent.iter().filter(|(slot, value)| taken.good.get(slot) != Some(value));
    let text = answer.text();
    let raw = String::from_utf8_lossy(&answer.answer().body);
    all(changed.map(|(slot, value)| echoed(value, slot.word(), answer, text.unwrap_or(&raw))))
}

/// The longest run of ASCII letters and digits: what survives most kinds of harm.
fn skeleton(value: &str) -> &str {
    let runs = value.split(|c: char| !c.is_ascii_alphanumeric());
    runs.max_by_key(|run| run.len()).unwrap_or("")
}

fn echoed(value: &Token, slot: &str, answer: &Reply, text: &str) -> Judgement {
    let value = value.expose();
    let skeleton = skeleton(value);
    if skeleton.len() < 4 || skeleton.len() == value.len() || !text.contains(skeleton) {
        return Judgement::Holds;
    }
    let mut leaves = Vec::new();
    if let Some(document) = &answer.document {
        collect(document.tree(), &mut leaves);
    }
    let harmed = leaves.iter().any(|leaf| leaf.contains(skeleton) && !leaf.contains(value));
    let unread = answer.document.is_none() && !text.contains(value);
    if harmed || unread {
        return Judgement::fails(format!("`{slot}` comes back as it was sent"), "it comes back changed");
    }
    Judgement::Holds
}

fn collect<'a>(tree: &'a Tree, leaves: &mut Vec<&'a str>) {
    match tree {
        Tree::Text(text) => leaves.push(text),
        Tree::Object(members) => members.iter().for_each(|(_, value)| collect(value, leaves)),
        Tree::List(items) => items.iter().for_each(|item| collect(item, leaves)),
        Tree::Null | Tree::Number(_) | Tree::Flag(_) => {}
    }
}
