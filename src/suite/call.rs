//! Calls: the good one, and its changes at four stages (slots, document, bytes, wire).
//!
//! Words in `$dimension` positions are kept as [`Template`]s and become exact when a cell is run.

use crate::source::Span;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Trades a refresh token for a new pair.
    Refresh,
    /// Opens a chain.
    Login,
    /// Tries an access token on a protected resource.
    Probe,
    /// Ends a chain.
    Revoke,
}

impl Operation {
    /// The word in suites and dialects.
    pub fn word(self) -> &'static str {
        match self {
            Operation::Refresh => "refresh",
            Operation::Login => "login",
            Operation::Probe => "probe",
            Operation::Revoke => "revoke",
        }
    }
}

/// What a call can carry: the closed list of slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words are those of the language and are explained there")]
pub enum Slot {
    Refresh,
    Access,
    Tenant,
    User,
    Secret,
    Code,
    Client,
    ClientSecret,
    Scope,
    Grant,
    Proof,
    Device,
    Nonce,
}

impl Slot {
    /// All slots, in the order of the language.
    pub const ALL: [Slot; 13] = [
        Slot::Refresh,
        Slot::Access,
        Slot::Tenant,
        Slot::User,
        Slot::Secret,
        Slot::Code,
        Slot::Client,
        Slot::ClientSecret,
        Slot::Scope,
        Slot::Grant,
        Slot::Proof,
        Slot::Device,
        Slot::Nonce,
    ];

    /// The word in suites and dialects.
    pub fn word(self) -> &'static str {
        match self {
            Slot::Refresh => "refresh",
            Slot::Access => "access",
            Slot::Tenant => "tenant",
            Slot::User => "user",
            Slot::Secret => "secret",
            Slot::Code => "code",
            Slot::Client => "client",
            Slot::ClientSecret => "client-secret",
            Slot::Scope => "scope",
            Slot::Grant => "grant",
            Slot::Proof => "proof",
            Slot::Device => "device",
            Slot::Nonce => "nonce",
        }
    }

    /// The slot of that word.
    pub fn from_word(word: &str) -> Option<Slot> {
        Slot::ALL.into_iter().find(|slot| slot.word() == word)
    }

    /// Whether its value may never be shown.
    pub fn is_secret(self) -> bool {
        matches!(
            self,
            Slot::Refresh | Slot::Access | Slot::Secret | Slot::Code | Slot::ClientSecret | Slot::Proof
        )
    }
}

/// A slot, or a dimension whose words are slots (`without: [$slot]`).
#[derive(Clone, Debug, PartialEq)]
pub enum SlotRef {
    /// This slot.
    Slot(Slot),
    /// The slot that this dimension names in the cell.
    Dimension(String),
}

/// One call: the good one of its operation, with changes.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it does.
    pub operation: Operation,
    /// `chain`: whose; `own` where nothing is written.
    pub chain: String,
    /// `use`: which pair of the chain.
    pub pair: PairUse,
    /// `with`: named changes of `over` dimensions, merged first; what is written here wins.
    pub with: Vec<String>,
    /// What differs from the good call.
    pub changes: Changes,
    /// The verb's key in the file.
    pub at: Span,
}

/// Which pair of a chain a call uses.
#[derive(Clone, Debug, PartialEq)]
pub enum PairUse {
    /// The latest.
    Current,
    /// The one before the latest.
    Previous,
    /// The one from the login.
    First,
    /// Each distinct pair that this step was granted.
    Step(String),
}

/// What differs from the good call. Everything absent is good.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// `set`: slot → value.
    pub set: Vec<(SlotRef, Made)>,
    /// `without`: slots not sent at all.
    pub without: Vec<SlotRef>,
    /// `auth`: the dialect's ways to send client credentials.
    pub auth: Option<Vec<Template>>,
    /// `format`: a format or a listed media type; chooses codec and Content-Type.
    pub format: Option<Template>,
    /// `document`: how the document differs.
    pub document: DocumentChanges,
    /// `body`: in place of the document; `$good` is the document that would have been sent.
    pub body: Option<Made>,
    /// `cut`: bytes dropped from the end.
    pub cut: Option<u32>,
    /// `encode`: the label does not follow.
    pub encode: Option<Encoding>,
    /// `label`: the Content-Type as written; `Some(None)` for none.
    pub label: Option<Option<Template>>,
    /// `accept`: the Accept as written; `Some(None)` for none.
    pub accept: Option<Option<Template>>,
    /// `method`.
    pub method: Option<Template>,
    /// `path`.
    pub path: Option<Template>,
    /// `query`: without the question mark.
    pub query: Option<Template>,
    /// `headers`: replaced; an empty list removes, several values repeat.
    pub headers: Vec<(String, Vec<Made>)>,
    /// `wire`: how the bytes travel.
    pub wire: WireChanges,
}

impl Changes {
    /// Whether the call is the good one.
    pub fn is_none(&self) -> bool {
        self.set.is_empty()
            && self.without.is_empty()
            && self.auth.is_none()
            && self.format.is_none()
            && self.document.is_none()
            && self.body.is_none()
            && self.cut.is_none()
            && self.encode.is_none()
            && self.label.is_none()
            && self.accept.is_none()
            && self.method.is_none()
            && self.path.is_none()
            && self.query.is_none()
            && self.headers.is_empty()
            && self.wire.is_none()
    }
}

/// `document`: changes to the tree before it is written.
#[derive(Clone, Debug, Default)]
pub struct DocumentChanges {
    /// `order`: slots in this order, or `{ swap: 2 }`.
    pub order: Option<Order>,
    /// `repeat`: member of this slot written again with these values.
    pub repeat: Vec<(SlotRef, Vec<Made>)>,
    /// `add`: unknown members.
    pub add: Vec<(String, Made)>,
    /// `put`: members with another value; `null` leaves one out.
    pub put: Vec<(String, Made)>,
    /// `rename`: slot → other spelling.
    pub rename: Vec<(SlotRef, String)>,
    /// `pad`: this many unknown members.
    pub pad: Option<u32>,
    /// `root`: XML only.
    pub root: Option<String>,
    /// `namespace`: XML only; `Some(None)` for none.
    pub namespace: Option<Option<String>>,
    /// `prefix`: XML only.
    pub prefix: Option<String>,
}

impl DocumentChanges {
    /// Whether the document is the good one.
    pub fn is_none(&self) -> bool {
        self.order.is_none()
            && self.repeat.is_empty()
            && self.add.is_empty()
            && self.put.is_empty()
            && self.rename.is_empty()
            && self.pad.is_none()
            && self.root.is_none()
            && self.namespace.is_none()
            && self.prefix.is_none()
    }
}

/// `document: order`.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// These slots, in this order.
    Slots(Vec<Slot>),
    /// The n-th neighbours (from 1) exchanged.
    Swap(u32),
}

/// `encode`: the bytes of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the encodings")]
pub enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Latin1,
    Gzip,
}

/// `wire`: how the bytes travel.
#[derive(Clone, Debug, Default)]
pub struct WireChanges {
    /// `chunks`: chunked transfer in pieces of this many bytes.
    pub chunks: Option<u32>,
    /// `pace`: a pause before each piece.
    pub pace: Option<std::time::Duration>,
    /// `length`: this many bytes added to the true Content-Length.
    pub length: Option<i64>,
    /// `abort`: hang up at this point.
    pub abort: Option<Abort>,
    /// `await-continue`: send `Expect: 100-continue` and wait for it.
    pub await_continue: bool,
    /// `pipelined`: this many requests that carry nothing, behind this one in the same write.
    pub pipelined: Option<u32>,
}

impl WireChanges {
    /// Whether the bytes travel as usual.
    pub fn is_none(&self) -> bool {
        self.chunks.is_none()
            && self.pace.is_none()
            && self.length.is_none()
            && self.abort.is_none()
            && !self.await_continue
            && self.pipelined.is_none()
    }
}

/// When to hang up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abort {
    /// Once connected.
    Connected,
    /// With half of the request sent.
    HalfSent,
    /// With all of it sent, before the answer.
    Sent,
}

/// A value that is put somewhere: text, null, several joined, or one made value.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// Text with references.
    Text(Template),
    /// `null`: the format's own null.
    Null,
    /// A list: the values joined.
    Join(Vec<Made>),
    /// `{ raw: 09 }`: bare text in the document, neither quoted nor escaped.
    Raw(Template),
    /// `{ hex: C0 AF }`: bytes.
    Hex(Vec<u8>),
    /// `{ flip: start }`: the good value with one character changed.
    Flip(Where),
    /// `{ recase: any }`: one letter's case changed.
    Recase,
    /// `{ trim: "=" }`: these trailing characters gone.
    Trim(String),
    /// `{ spell: base64url }`: the other base64 alphabet.
    Spell,
    /// `{ like: $refresh }`: never issued, same length and alphabet.
    Like(Reference),
    /// `{ words: 1 }`: the first words of the good value.
    Words(u32),
    /// `{ filler: 5MB }`: that many bytes of text.
    Filler(u64),
    /// `{ nest: 257 }`: that deep.
    Nest(u32),
    /// `{ forge: … }`: the good JWT rewritten.
    Forge(Forge),
}

impl Made {
    /// What it refers to, within a list and a forged token as well.
    pub fn references(&self) -> Vec<&Reference> {
        match self {
            Made::Text(template) | Made::Raw(template) => template.references().collect(),
            Made::Like(reference) => vec![reference],
            Made::Join(values) => values.iter().flat_map(Made::references).collect(),
            Made::Forge(forge) => {
                forge.claims.iter().chain(&forge.head).flat_map(|(_, value)| value.references()).collect()
            }
            Made::Null
            | Made::Hex(_)
            | Made::Flip(_)
            | Made::Recase
            | Made::Trim(_)
            | Made::Spell
            | Made::Words(_)
            | Made::Filler(_)
            | Made::Nest(_) => Vec::new(),
        }
    }
}

/// Where a character is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Where {
    Start,
    Middle,
    End,
}

/// How a JWT is rewritten. Absent parts stay as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forge {
    /// `alg` of the header, also the algorithm used to sign (`none` in any case leaves the signature out).
    pub alg: Option<String>,
    /// What it is signed with.
    pub key: Option<ForgeKey>,
    /// Claims replaced or added.
    pub claims: Vec<(String, Template)>,
    /// Header members replaced or added.
    pub head: Vec<(String, Template)>,
    /// `kept` leaves the old signature under the new content, `empty` leaves none.
    pub signature: Option<ForgeSignature>,
}

/// The key of a forged JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeKey {
    /// A key that is not the server's.
    Other,
    /// The server's public key as an HMAC secret.
    Public,
    /// The empty key.
    Empty,
}

/// The signature of a forged JWT where it is not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeSignature {
    /// The old signature.
    Kept,
    /// None.
    Empty,
}

/// Text with references in it: `"${refresh}é"`, `$accept`, `application/json`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Template {
    /// The parts in order.
    pub parts: Vec<Part>,
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// What it refers to.
    Reference(Reference),
}

impl Template {
    /// Text without references.
    pub fn plain(text: impl Into<String>) -> Template {
        Template { parts: vec![Part::Text(text.into())] }
    }

    /// What it refers to, in order.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Reference(reference) => Some(reference),
        })
    }

    /// The text, if there is no reference in it.
    pub fn as_plain(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                Part::Reference(_) => None,
            })
            .collect::<Option<Vec<_>>>()
            .map(|parts| parts.concat())
    }
}

/// What a `$name` means.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// `$refresh`: the good value of a slot for this call.
    Slot(Slot),
    /// `$B.tenant`: a slot's good value on another chain; `own` included.
    ChainSlot {
        /// The chain.
        chain: String,
        /// The slot.
        slot: Slot,
    },
    /// `$own.first.id#sub`, `$own.previous.access`: a field of one of a chain's pairs.
    Generation {
        /// The chain.
        chain: String,
        /// Which pair.
        pair: PairUse,
        /// The field.
        field: super::claim::FieldPlace,
    },
    /// `$step.access`: a field of what a step received.
    Received {
        /// The step.
        step: String,
        /// The field.
        field: super::claim::FieldPlace,
    },
    /// `$step.sent.scope`: what a step sent.
    StepSent {
        /// The step.
        step: String,
        /// The slot.
        slot: Slot,
    },
    /// `$sent.access`: what this very call sends; only in claims.
    Sent(Slot),
    /// `$type`: the cell's word of a dimension.
    Dimension(String),
    /// `$good`: the document that would have been sent.
    Good,
    /// `$path`: the operation's path.
    Path,
    /// `$callback`: the address of a listener opened for this call.
    Callback,
    /// `$env:NAME`: an environment variable.
    Env(String),
    /// `$secret:NAME`: an environment variable that holds a secret.
    Secret(String),
}
