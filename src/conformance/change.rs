//! From a call in the suite to the request that is sent: the good call, changed at four stages.
//!
//! Slots, document, bytes, wire: a change acts on one stage and leaves the later ones honest. What cannot be
//! made here is an `Err` that says what is missing.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;

use crate::client::codec::{Leaf, Outgoing};
use crate::client::compose::{self, Draft, Slots};
use crate::client::{Client, Request, Travel};
use crate::dialect::{Accepts, ClientAuth, Codec, Computed, Shape, Speech};
use crate::secret::Token;
use crate::suite::call::{
    Changes, DocumentChanges, Forge, Made, Order, Slot, SlotRef, Template, WireChanges,
};

use super::encode::encode;
use super::forge::{self, Forgery};
use super::made::{self, Content, Piece};
use super::references::{CallScope, Scope};

/// A request, and what its slots carry.
pub(super) struct Composed {
    /// What is sent.
    pub request: Request,
    /// The slots as they are sent, where they are text.
    pub sent: Slots,
    /// Format and Accept, for people.
    pub manner: String,
}

/// Why a request cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotMade {
    /// What is missing, as a fragment.
    pub why: String,
    /// The endpoint's values are of a kind to which this change means nothing: nothing is in doubt.
    pub moot: bool,
}

impl NotMade {
    /// The change means nothing here.
    pub fn moot(why: impl Into<String>) -> NotMade {
        NotMade { why: why.into(), moot: true }
    }
}

impl From<String> for NotMade {
    fn from(why: String) -> NotMade {
        NotMade { why, moot: false }
    }
}

impl From<&str> for NotMade {
    fn from(why: &str) -> NotMade {
        NotMade::from(why.to_owned())
    }
}

/// What a call is made from.
pub(super) struct Making<'a> {
    /// How the operation is spoken.
    pub speech: &'a Speech,
    /// The changes, those of `with` merged in.
    pub changes: &'a Changes,
    /// The good slots.
    pub good: &'a Slots,
    /// Where names are looked up.
    pub scope: Scope<'a>,
    /// The format of good calls.
    pub format: Option<&'a str>,
    /// What makes the values that are computed for each call.
    pub client: &'a Client,
    /// The address of the listener, if one is open.
    pub callback: Option<&'a str>,
}

/// The request of a call.
pub(super) fn compose(making: &Making<'_>, rng: &mut ChaCha8Rng) -> Result<Composed, NotMade> {
    let changes = making.changes;
    let format = making.format_word()?;
    let (sent, odd) = making.slots(format.as_deref(), rng)?;
    let auth = making.auth()?;
    let mut draft = compose::good(making.speech, format.as_deref(), auth.as_deref(), &sent)
        .map_err(|mistake| mistake.to_string())?;
    place_odd_values(&mut draft, &odd);
    if let Some(document) = &mut draft.document {
        let accepts =
            format.as_deref().and_then(|word| making.speech.format(word)).map(|(_, found, _)| found);
        let accepts = accepts.or(making.speech.accepts.values().next());
        making.document(document, accepts, rng)?;
    }
    let good_document = draft.body();
    let scope = making.scope(good_document.as_deref());
    let body = body(changes, &scope, good_document.clone(), &draft, rng)?;
    let good_label = draft.label.clone();
    frame(&mut draft, changes, &scope, rng)?;
    let mut request = draft.request(body);
    request.travel = travel(&changes.wire);
    let manner = manner(good_label.as_deref(), &draft);
    let text_alone = sent.into_iter().filter(|(slot, _)| !odd.contains_key(slot)).collect();
    Ok(Composed { request, sent: text_alone, manner })
}

impl Making<'_> {
    fn scope<'b>(&'b self, document: Option<&'b [u8]>) -> Scope<'b> {
        let call = CallScope { good: self.good, document, path: &self.speech.path, callback: self.callback };
        Scope { call: Some(call), ..self.scope }
    }

    fn format_word(&self) -> Result<Option<String>, String> {
        match &self.changes.format {
            Some(template) => self.scope(None).text(template).map(Some),
            None => Ok(self.format.filter(|word| self.speech.format(word).is_some()).map(str::to_owned)),
        }
    }

    fn codec(&self, format: Option<&str>) -> Codec {
        let chosen = format.and_then(|word| self.speech.format(word)).map(|(_, accepts, _)| accepts);
        chosen.or(self.speech.accepts.values().next()).map_or(Codec::Json, |accepts| accepts.codec)
    }

    /// The slots to send, with placeholders for values that are no text, and those values.
    fn slots(&self, format: Option<&str>, rng: &mut ChaCha8Rng) -> Result<(Slots, Odd), NotMade> {
        let scope = self.scope(None);
        let codec = self.codec(format);
        let mut sent = self.good.clone();
        self.client.complete(scope.dialect, self.speech, &mut sent);
        let made = sent.clone();
        let mut odd = Odd::new();
        for (slot, change) in &self.changes.set {
            let slot = scope.slot(slot)?;
            let good = made.get(&slot).map(Token::expose);
            let content = match (change, scope.dialect.computed.get(&slot), self.good.get(&slot)) {
                (Made::Forge(forge), Some(Computed::Dpop), Some(key)) => {
                    let (draft, key) = self.client.proof(key, self.speech);
                    Content::text(forge::prove(draft, &key, &forgery(forge, &scope)?))
                }
                _ => content(change, good, codec, &scope, rng)?,
            };
            if let Some(text) = content.as_text() {
                sent.insert(slot, Token::new(text))
            } else {
                odd.insert(slot, content);
                sent.insert(slot, Token::new(placeholder(slot)))
            };
        }
        for slot in &self.changes.without {
            sent.remove(&scope.slot(slot)?);
        }
        Ok((sent, odd))
    }

    fn auth(&self) -> Result<Option<Vec<ClientAuth>>, String> {
        let Some(ways) = &self.changes.auth else { return Ok(None) };
        let scope = self.scope(None);
        ways.iter()
            .map(|way| match scope.text(way)?.as_str() {
                "basic" => Ok(ClientAuth::Basic),
                "post" => Ok(ClientAuth::Post),
                "none" => Ok(ClientAuth::None),
                other => Err(format!("the dialect has no way `{other}` to send client credentials")),
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn document(
        &self,
        document: &mut Outgoing,
        accepts: Option<&Accepts>,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), NotMade> {
        let changes = &self.changes.document;
        if changes.is_none() {
            return Ok(());
        }
        let scope = self.scope(None);
        let name_of = |slot: &SlotRef| -> Result<String, String> {
            let slot = scope.slot(slot)?;
            accepts
                .and_then(|accepts| member_of(&accepts.body, slot))
                .ok_or(format!("no member of this document carries `{}`", slot.word()))
        };
        let codec = document.codec;
        for (slot, values) in &changes.repeat {
            let name = name_of(slot)?;
            let good = self.good.get(&scope.slot(slot)?).map(Token::expose);
            let (members, at) = find(&mut document.members, &name).ok_or("the member is not sent")?;
            for (offset, made) in values.iter().enumerate() {
                let content = content(made, good, codec, &scope, rng)?;
                members.insert(at + 1 + offset, (name.clone(), leaf(&content, codec)));
            }
        }
        for (name, made) in &changes.add {
            let content = content(made, None, codec, &scope, rng)?;
            document.members.push((name.clone(), leaf(&content, codec)));
        }
        for (name, made) in &changes.put {
            let content = content(made, None, codec, &scope, rng)?;
            let (members, at) = find(&mut document.members, name).ok_or("the member is not sent")?;
            match made {
                Made::Null => drop(members.remove(at)),
                _ => members[at].1 = leaf(&content, codec),
            }
        }
        for number in 0..changes.pad.unwrap_or(0).min(1_000_000) {
            document.members.push((format!("pad{number:05}"), Leaf::Text("x".to_owned())));
        }
        if let (Some(order), Some(accepts)) = (&changes.order, accepts) {
            reorder(document, order, accepts)?;
        }
        // Last, because the others find members by their documented names.
        for (slot, spelling) in &changes.rename {
            let name = name_of(slot)?;
            let (members, at) = find(&mut document.members, &name).ok_or("the member is not sent")?;
            members[at].0.clone_from(spelling);
        }
        rename_root(document, changes);
        Ok(())
    }
}

/// Values that are not text, by slot.
type Odd = BTreeMap<Slot, Content>;

fn placeholder(slot: Slot) -> String {
    format!("assay-placeholder-{}-5d3c9b", slot.word())
}

/// Puts values that are no text where their placeholders stand.
fn place_odd_values(draft: &mut Draft, odd: &Odd) {
    for (slot, content) in odd {
        let mark = placeholder(*slot);
        if let Some(document) = &mut draft.document {
            let codec = document.codec;
            replace_leaves(&mut document.members, &mark, content, codec);
        }
        // A control character ends a header: what would not arrive as it stands is left out.
        let plain = String::from_utf8_lossy(&content.bytes()).replace(['\r', '\n', '\0'], "");
        for (_, value) in &mut draft.headers {
            let text = String::from_utf8_lossy(value).into_owned();
            if text.contains(&mark) {
                *value = text.replace(&mark, &plain).into_bytes();
            }
        }
        if let Some(query) = &mut draft.query {
            *query = query.replace(&mark, &plain);
        }
    }
}

fn replace_leaves(members: &mut [(String, Leaf)], mark: &str, content: &Content, codec: Codec) {
    for (_, value) in members {
        match value {
            Leaf::Text(text) if text == mark => *value = leaf(content, codec),
            Leaf::Text(text) if text.contains(mark) => {
                *text = text.replace(mark, &String::from_utf8_lossy(&content.bytes()));
            }
            Leaf::Text(_) | Leaf::Null | Leaf::Raw(_) => {}
            Leaf::Object(inner) => replace_leaves(inner, mark, content, codec),
        }
    }
}

/// A value as a member of a document.
fn leaf(content: &Content, codec: Codec) -> Leaf {
    let Content::Pieces(pieces) = content else { return Leaf::Null };
    if let Some(text) = content.as_text() {
        return Leaf::Text(text);
    }
    let quoted = !pieces.iter().any(|piece| matches!(piece, Piece::Raw(_))) && codec == Codec::Json;
    let mut bytes = Vec::new();
    if quoted {
        bytes.push(b'"');
    }
    for piece in pieces {
        match piece {
            Piece::Text(text) => bytes.extend_from_slice(escape(text, codec).as_bytes()),
            Piece::Bytes(some) if codec == Codec::Form => bytes.extend_from_slice(percent(some).as_bytes()),
            Piece::Bytes(some) => bytes.extend_from_slice(some),
            Piece::Raw(text) => bytes.extend_from_slice(text.as_bytes()),
        }
    }
    if quoted {
        bytes.push(b'"');
    }
    Leaf::Raw(bytes)
}

/// Text as it stands within a document of the codec, without quotes.
pub(super) fn escape(text: &str, codec: Codec) -> String {
    match codec {
        Codec::Json => {
            let quoted = serde_json::Value::from(text).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
        Codec::Xml => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        Codec::Form => percent(text.as_bytes()),
    }
}

fn percent(bytes: &[u8]) -> String {
    url::form_urlencoded::byte_serialize(bytes).collect()
}

/// The value of a [`Made`]; `good` is the good value of the place it is put in.
fn content(
    made: &Made,
    good: Option<&str>,
    codec: Codec,
    scope: &Scope<'_>,
    rng: &mut ChaCha8Rng,
) -> Result<Content, NotMade> {
    let changed = || good.ok_or("there is no good value here that could be changed".to_owned());
    let text = match made {
        Made::Null => return Ok(Content::Null),
        Made::Text(template) => scope.text(template)?,
        Made::Raw(template) => return Ok(Content::Pieces(vec![Piece::Raw(scope.text(template)?)])),
        Made::Hex(bytes) => return Ok(Content::Pieces(vec![Piece::Bytes(bytes.clone())])),
        Made::Join(values) => {
            let mut pieces = Vec::new();
            for value in values {
                match content(value, good, codec, scope, rng)? {
                    Content::Null => {}
                    Content::Pieces(more) => pieces.extend(more),
                }
            }
            return Ok(Content::Pieces(pieces));
        }
        Made::Nest(depth) => return Ok(Content::Pieces(vec![Piece::Raw(made::nest(*depth, codec))])),
        Made::Flip(place) => made::flip(changed()?, *place),
        Made::Recase => {
            made::recase(changed()?, rng).ok_or_else(|| NotMade::moot("the good value has no letter"))?
        }
        Made::Trim(signs) => made::trim(changed()?, signs)
            .ok_or_else(|| NotMade::moot(format!("the good value does not end with `{signs}`")))?,
        Made::Spell => {
            let alike = || NotMade::moot("the good value is spelt alike in both base64 alphabets");
            made::spell(changed()?).ok_or_else(alike)?
        }
        Made::Like(reference) => made::like(&scope.reference(reference)?, rng),
        Made::Words(count) => made::words(changed()?, *count)
            .ok_or_else(|| NotMade::moot(format!("the good value has no more than {count} words")))?,
        Made::Filler(size) => made::filler(*size),
        Made::Forge(forge) => {
            let forgery = forgery(forge, scope)?;
            forge::rewrite(changed()?, &forgery, scope.public_key, rng)?
        }
    };
    Ok(Content::text(text))
}

fn forgery(forge: &Forge, scope: &Scope<'_>) -> Result<Forgery, String> {
    let texts = |pairs: &[(String, Template)]| {
        pairs
            .iter()
            .map(|(name, value)| Ok((name.clone(), scope.text(value)?)))
            .collect::<Result<_, String>>()
    };
    Ok(Forgery {
        alg: forge.alg.clone(),
        key: forge.key,
        claims: texts(&forge.claims)?,
        head: texts(&forge.head)?,
        signature: forge.signature,
    })
}

/// The member that carries a slot and nothing else.
pub(super) fn member_of(body: &[(String, Shape)], slot: Slot) -> Option<String> {
    body.iter().find_map(|(name, shape)| match shape {
        Shape::Text(text) if text.names(slot) => Some(name.clone()),
        Shape::Text(_) => None,
        Shape::Object(members) => member_of(members, slot),
    })
}

type Members = Vec<(String, Leaf)>;

/// The members among which `name` stands, and where.
fn find<'a>(members: &'a mut Members, name: &str) -> Option<(&'a mut Members, usize)> {
    if let Some(at) = members.iter().position(|(candidate, _)| candidate == name) {
        return Some((members, at));
    }
    members.iter_mut().find_map(|(_, leaf)| match leaf {
        Leaf::Object(inner) => find(inner, name),
        Leaf::Text(_) | Leaf::Null | Leaf::Raw(_) => None,
    })
}

fn reorder(document: &mut Outgoing, order: &Order, accepts: &Accepts) -> Result<(), NotMade> {
    match order {
        Order::Slots(slots) => {
            let names: Vec<String> =
                slots.iter().filter_map(|slot| member_of(&accepts.body, *slot)).collect();
            let rank = |name: &String| names.iter().position(|candidate| candidate == name);
            document.members.sort_by_key(|(name, _)| rank(name).unwrap_or(names.len()));
        }
        Order::Swap(number) => {
            let at = (*number as usize).checked_sub(1).ok_or("neighbors are counted from 1")?;
            if at + 1 >= document.members.len() {
                return Err(format!("the document has no members {number} and {}", number + 1).into());
            }
            document.members.swap(at, at + 1);
        }
    }
    Ok(())
}

fn rename_root(document: &mut Outgoing, changes: &DocumentChanges) {
    if document.codec != Codec::Xml {
        return;
    }
    if let Some(root) = &changes.root {
        document.root = Some(root.clone());
    }
    let own = document.root.as_deref().and_then(|root| root.split_once(':')).map(|(own, _)| own.to_owned());
    if let Some(own) = own {
        return rename_prefix(document, &own, changes);
    }
    match &changes.namespace {
        None => {}
        Some(None) => document.namespaces.retain(|(prefix, _)| !prefix.is_empty()),
        Some(Some(namespace)) => {
            document.namespaces.retain(|(prefix, _)| !prefix.is_empty());
            document.namespaces.push((String::new(), namespace.clone()));
        }
    }
    if let Some(prefix) = &changes.prefix {
        for (name, _) in &mut document.namespaces {
            if name.is_empty() {
                name.clone_from(prefix);
            }
        }
        document.root = document.root.take().map(|root| format!("{prefix}:{root}"));
        put_prefix(&mut document.members, prefix);
    }
}

/// The same where the root has a prefix of its own.
fn rename_prefix(document: &mut Outgoing, own: &str, changes: &DocumentChanges) {
    match &changes.namespace {
        None => {}
        Some(None) => {
            document.namespaces.retain(|(prefix, _)| prefix != own);
            document.root = document.root.take().map(|root| replaced(&root, own, None));
            replace_prefix(&mut document.members, own, None);
        }
        Some(Some(namespace)) => {
            let of_root = document.namespaces.iter_mut().filter(|(prefix, _)| prefix == own);
            of_root.for_each(|(_, uri)| uri.clone_from(namespace));
        }
    }
    if let Some(prefix) = &changes.prefix {
        let of_root = document.namespaces.iter_mut().filter(|(name, _)| name == own);
        of_root.for_each(|(name, _)| name.clone_from(prefix));
        document.root = document.root.take().map(|root| replaced(&root, own, Some(prefix)));
        replace_prefix(&mut document.members, own, Some(prefix));
    }
}

fn replace_prefix(members: &mut Members, own: &str, other: Option<&str>) {
    for (name, leaf) in members {
        *name = replaced(name, own, other);
        if let Leaf::Object(inner) = leaf {
            replace_prefix(inner, own, other);
        }
    }
}

fn replaced(name: &str, own: &str, other: Option<&str>) -> String {
    match (name.split_once(':'), other) {
        (Some((prefix, local)), Some(other)) if prefix == own => format!("{other}:{local}"),
        (Some((prefix, local)), None) if prefix == own => local.to_owned(),
        _ => name.to_owned(),
    }
}

fn put_prefix(members: &mut Members, prefix: &str) {
    for (name, leaf) in members {
        *name = format!("{prefix}:{name}");
        if let Leaf::Object(inner) = leaf {
            put_prefix(inner, prefix);
        }
    }
}

/// The bytes of the body after `body`, `cut` and `encode`.
fn body(
    changes: &Changes,
    scope: &Scope<'_>,
    good: Option<Vec<u8>>,
    draft: &Draft,
    rng: &mut ChaCha8Rng,
) -> Result<Option<Vec<u8>>, NotMade> {
    let codec = draft.document.as_ref().map_or(Codec::Json, |document| document.codec);
    let mut body = match &changes.body {
        None => good,
        Some(Made::Null) => None,
        Some(made) => Some(body_bytes(made, good.as_deref(), codec, scope, rng)?),
    };
    if let (Some(bytes), Some(cut)) = (&mut body, changes.cut) {
        bytes.truncate(bytes.len().saturating_sub(cut as usize));
    }
    Ok(match (body, changes.encode) {
        (Some(bytes), Some(encoding)) => Some(encode(&bytes, encoding)),
        (body, _) => body,
    })
}

fn body_bytes(
    made: &Made,
    good: Option<&[u8]>,
    codec: Codec,
    scope: &Scope<'_>,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<u8>, NotMade> {
    match made {
        Made::Text(template) | Made::Raw(template) => Ok(scope.bytes(template)?),
        Made::Join(values) => {
            let parts: Result<Vec<_>, _> =
                values.iter().map(|value| body_bytes(value, good, codec, scope, rng)).collect();
            Ok(parts?.concat())
        }
        other => {
            let text = good.map(String::from_utf8_lossy);
            Ok(content(other, text.as_deref(), codec, scope, rng)?.bytes())
        }
    }
}

/// Label, Accept, method, path, query and headers.
fn frame(
    draft: &mut Draft,
    changes: &Changes,
    scope: &Scope<'_>,
    rng: &mut ChaCha8Rng,
) -> Result<(), NotMade> {
    let optional = |template: &Option<Template>| template.as_ref().map(|text| scope.text(text)).transpose();
    if let Some(label) = &changes.label {
        draft.label = optional(label)?;
    }
    if let Some(accept) = &changes.accept {
        draft.accept = optional(accept)?;
    }
    if let Some(method) = &changes.method {
        draft.method = scope.text(method)?;
    }
    if let Some(path) = &changes.path {
        draft.path = scope.text(path)?;
    }
    if let Some(query) = &changes.query {
        draft.query = Some(scope.text(query)?);
    }
    for (name, values) in &changes.headers {
        draft.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        for made in values {
            let content = content(made, None, Codec::Json, scope, rng)?;
            draft.headers.push((name.clone(), content.bytes()));
        }
    }
    Ok(())
}

fn travel(wire: &WireChanges) -> Travel {
    Travel {
        chunks: wire.chunks,
        pace: wire.pace,
        length_off: wire.length.unwrap_or(0),
        abort: wire.abort,
        await_continue: wire.await_continue,
        pipelined: wire.pipelined.unwrap_or(0),
    }
}

/// `json in, text/xml out`
fn manner(good_label: Option<&str>, draft: &Draft) -> String {
    let sent = match (good_label, draft.label.as_deref()) {
        (None, None) => "nothing".to_owned(),
        (_, Some(label)) => label.to_owned(),
        (Some(good), None) => format!("{good} without its label"),
    };
    match &draft.accept {
        Some(accept) => format!("{sent} in, {accept} out"),
        None => format!("{sent} in, no Accept"),
    }
}
