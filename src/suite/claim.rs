//! Claims: what must, should or might be true of one exchange, of many, or of all.

use std::time::Duration;

use crate::source::Span;

use super::call::Template;
use super::expression::Expression;

/// How much hangs on a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// False: noted.
    Info,
    /// False: a warning.
    Should,
    /// False: the run fails.
    Must,
    /// False: the stage was not set, and the check is inconclusive.
    Given,
}

impl Strength {
    /// The key in suites.
    pub fn word(self) -> &'static str {
        match self {
            Strength::Info => "info",
            Strength::Should => "should",
            Strength::Must => "must",
            Strength::Given => "given",
        }
    }
}

/// One claim on one exchange (in a step, or under `always`).
#[derive(Clone, Debug)]
pub struct Claim {
    /// How much hangs on it, after `standards` and `severity`.
    pub strength: Strength,
    /// What must hold.
    pub what: Expectation,
    /// The words that make it, for the caret: the outcome word, or key and value of a mapping's entry.
    pub at: Span,
}

/// What is claimed of one exchange.
#[derive(Clone, Debug)]
pub enum Expectation {
    /// One of these outcomes (`granted`, `[refused, closed]`, `promised`).
    Outcome(Vec<OutcomeWord>),
    /// One of these abstract error classes.
    Class(Vec<Template>),
    /// One of these HTTP statuses.
    Status(Vec<StatusPattern>),
    /// Media type of label and bytes: one of these.
    Type(Vec<Template>),
    /// These aspects of the declared shape hold, in the whole or under `part`.
    Shape {
        /// The aspects.
        aspects: Vec<Aspect>,
        /// A path; `/` is the envelope alone.
        part: Option<String>,
    },
    /// A value at a place.
    At(FieldPlace, Box<Test>),
    /// The tokens carry the chain's own links.
    Belongs(Vec<Link>),
    /// None of these is found anywhere in the answer.
    Lacks(Vec<Lack>),
    /// Answered within this time.
    Within(Bound),
    /// `callback: never`.
    NoCallback,
    /// `certificate: valid`: the chain of certificates verifies for the host.
    Certificate,
}

impl Expectation {
    /// The claim's word, as `proof:` names it.
    pub fn word(&self) -> &'static str {
        match self {
            Expectation::Outcome(_) => "outcome",
            Expectation::Class(_) => "class",
            Expectation::Status(_) => "status",
            Expectation::Type(_) => "type",
            Expectation::Shape { .. } => "shape",
            Expectation::At(..) => "at",
            Expectation::Belongs(_) => "belongs",
            Expectation::Lacks(_) => "lacks",
            Expectation::Within(_) => "within",
            Expectation::NoCallback => "callback",
            Expectation::Certificate => "certificate",
        }
    }

    /// Whether the policy says what is right.
    pub fn is_promise(&self) -> bool {
        matches!(self, Expectation::Outcome(words) if words.contains(&OutcomeWord::Promised))
    }
}

/// How an exchange ended, in the words of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutcomeWord {
    /// The operation's own rule says so; for `refresh` with tokens.
    Granted,
    /// Answered, well-formed or empty, no token anywhere in it, not a crash.
    Refused,
    /// Granted or refused, in a listed type or without a body.
    Clean,
    /// The server failed by the dialect's rule.
    Crash,
    /// The server ended the connection in time without an answer.
    Closed,
    /// What the policy allows at this point.
    Promised,
}

impl OutcomeWord {
    /// All of them, in the order of the language.
    pub const ALL: [OutcomeWord; 6] = [
        OutcomeWord::Granted,
        OutcomeWord::Refused,
        OutcomeWord::Clean,
        OutcomeWord::Crash,
        OutcomeWord::Closed,
        OutcomeWord::Promised,
    ];

    /// The word in suites.
    pub fn word(self) -> &'static str {
        match self {
            OutcomeWord::Granted => "granted",
            OutcomeWord::Refused => "refused",
            OutcomeWord::Clean => "clean",
            OutcomeWord::Crash => "crash",
            OutcomeWord::Closed => "closed",
            OutcomeWord::Promised => "promised",
        }
    }
}

/// `405`, or a family such as `2xx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusPattern {
    /// This status.
    Exactly(u16),
    /// The hundreds: 4 for `4xx`.
    Family(u16),
}

/// An aspect of the declared shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aspect {
    /// The bytes are well-formed in their media type, read strictly.
    Syntax,
    /// The declared charset decodes the bytes.
    Charset,
    /// Every declared member is there, exact case.
    Names,
    /// No member beyond the declared ones.
    Only,
    /// Every value is of its declared kind.
    Kinds,
    /// Members stand in the declared order.
    Order,
    /// XML: root element and namespaces.
    Root,
    /// Null is written in the format's own way.
    Nulls,
    /// No member name twice, whatever its case.
    UniqueNames,
    /// It is some declared shape: the operation's, or the dialect's error document.
    Known,
    /// The status layers agree.
    Layers,
    /// What was sent comes back unharmed and escaped, if it comes back.
    Echo,
}

impl Aspect {
    /// All of them, with their words.
    pub const ALL: [(Aspect, &'static str); 12] = [
        (Aspect::Syntax, "syntax"),
        (Aspect::Charset, "charset"),
        (Aspect::Names, "names"),
        (Aspect::Only, "only"),
        (Aspect::Kinds, "kinds"),
        (Aspect::Order, "order"),
        (Aspect::Root, "root"),
        (Aspect::Nulls, "nulls"),
        (Aspect::UniqueNames, "unique-names"),
        (Aspect::Known, "known"),
        (Aspect::Layers, "layers"),
        (Aspect::Echo, "echo"),
    ];

    /// The word in suites.
    pub fn word(self) -> &'static str {
        Aspect::ALL.iter().find(|(aspect, _)| *aspect == self).map_or("", |(_, word)| word)
    }
}

/// An abstract field of an answer: the closed list that dialects map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The access token.
    Access,
    /// The refresh token.
    Refresh,
    /// The ID token.
    Id,
    /// The granted scope.
    Scope,
    /// When the access token was made.
    Issued,
    /// When it ends.
    Expires,
    /// The server's own time of the answer.
    Served,
    /// The success flag.
    Ok,
    /// The error code.
    Code,
    /// The error message.
    Message,
}

impl Field {
    /// All fields with their words.
    pub const ALL: [(Field, &'static str); 10] = [
        (Field::Access, "access"),
        (Field::Refresh, "refresh"),
        (Field::Id, "id"),
        (Field::Scope, "scope"),
        (Field::Issued, "issued"),
        (Field::Expires, "expires"),
        (Field::Served, "served"),
        (Field::Ok, "ok"),
        (Field::Code, "code"),
        (Field::Message, "message"),
    ];

    /// The word in suites and dialects.
    pub fn word(self) -> &'static str {
        Field::ALL.iter().find(|(field, _)| *field == self).map_or("", |(_, word)| word)
    }

    /// The field of that word.
    pub fn from_word(word: &str) -> Option<Field> {
        Field::ALL.iter().find(|(_, candidate)| *candidate == word).map(|(field, _)| *field)
    }

    /// Whether its value is a token.
    pub fn is_token(self) -> bool {
        matches!(self, Field::Access | Field::Refresh | Field::Id)
    }
}

/// Where in an answer a value stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldPlace {
    /// An abstract field.
    Field(Field),
    /// `/RefreshTokenResponse/isSuccess`: members below the root, in JSON and XML alike.
    Path(String),
    /// `header:Name`
    Header(String),
    /// `cookie:Name`
    Cookie(String),
    /// `access#exp`: a claim of a JWT.
    Claim(Field, String),
    /// `access@alg`: a JOSE header member of a JWT.
    Jose(Field, String),
}

/// A regular expression, compiled once for all answers that it is held against.
#[derive(Clone, Debug)]
pub struct Pattern(pub regex::Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// What is asked of the value at a place; all parts must hold.
#[derive(Clone, Debug, Default)]
pub struct Test {
    /// Equal to this text.
    pub equals: Option<Template>,
    /// Not equal to this text.
    pub not: Option<Template>,
    /// One of these.
    pub one_of: Option<Vec<Template>>,
    /// Matches this regular expression somewhere.
    pub like: Option<Pattern>,
    /// Matches it nowhere.
    pub unlike: Option<Pattern>,
    /// Is of this kind.
    pub is: Option<Kind>,
    /// Nothing is claimed of a value that is absent.
    pub optional: bool,
    /// Every word of it is one of these.
    pub among: Option<Template>,
    /// A moment near another place's moment.
    pub near: Option<(FieldPlace, Duration)>,
    /// A moment after another place's moment.
    pub after: Option<FieldPlace>,
}

/// Kinds of values at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum Kind {
    Filled,
    Empty,
    Absent,
    Null,
    Text,
    Number,
    Flag,
    Object,
}

impl Kind {
    /// All kinds with their words.
    pub const ALL: [(Kind, &'static str); 8] = [
        (Kind::Filled, "filled"),
        (Kind::Empty, "empty"),
        (Kind::Absent, "absent"),
        (Kind::Null, "null"),
        (Kind::Text, "text"),
        (Kind::Number, "number"),
        (Kind::Flag, "flag"),
        (Kind::Object, "object"),
    ];
}

/// What ties a token to its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum Link {
    Tenant,
    User,
    Client,
    Family,
    Pair,
}

impl Link {
    /// All links with their words.
    pub const ALL: [(Link, &'static str); 5] = [
        (Link::Tenant, "tenant"),
        (Link::User, "user"),
        (Link::Client, "client"),
        (Link::Family, "family"),
        (Link::Pair, "pair"),
    ];
}

/// What an answer must not hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Lack {
    /// Any secret that was sent, in any usual encoding.
    Secrets,
    /// Stack traces.
    StackTrace,
    /// Names of the server's own types.
    TypeNames,
    /// Members of a detailed error (`ExceptionMessage` and its like).
    Details,
    /// Paths of the server's file system.
    FilePaths,
    /// What an entity or include would have fetched.
    FileContent,
    /// Twelve-digit personal numbers.
    PersonalNumbers,
    /// Version banners.
    Banners,
    /// Markup that was sent, unescaped in an answer that a browser would run.
    Markup,
    /// Tokens of the body in headers, too.
    TokensInHeaders,
    /// JWTs signed with a secret that everybody knows.
    WeakKeys,
    /// This text.
    Text(String),
    /// This regular expression.
    Pattern(Pattern),
}

/// `within`: a time, or a multiple of the median of good calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// This long.
    Time(Duration),
    /// This many times the median of good calls.
    Times(f64),
}

/// One claim on many exchanges.
#[derive(Clone, Debug)]
pub struct SetClaim {
    /// How much hangs on it.
    pub strength: Strength,
    /// What must hold.
    pub what: SetExpectation,
    /// Key and value of the entry.
    pub at: Span,
}

/// What is claimed of a set.
#[derive(Clone, Debug)]
pub enum SetExpectation {
    /// Equal values at these places.
    Same(Vec<SetPlace>),
    /// Equal form at these places.
    Alike(Vec<SetPlace>),
    /// The groups differ from each other at these places.
    Apart(Vec<SetPlace>),
    /// No value twice.
    Distinct(Vec<SetPlace>),
    /// Exactly one of the dialect's date formats reads all of them.
    PlainDates(Vec<FieldPlace>),
    /// An expression over counts.
    Measured(Expression),
    /// `entropy: { of: refresh, bits: 128 }`: the tokens there hold at least so many bits that cannot be guessed.
    Entropy {
        /// Which token.
        of: Field,
        /// How many bits.
        bits: u32,
    },
    /// `timing: { effect: 0.2 }`: no two groups differ in time by more than this effect size. The groups are
    /// interleaved.
    Timing {
        /// The largest effect size that is borne, 0 to 1.
        effect: f64,
    },
    /// What the policy promises a race.
    Promised(Vec<RacePromise>),
}

impl SetExpectation {
    /// The claim's word, as `proof:` names it.
    pub fn word(&self) -> &'static str {
        match self {
            SetExpectation::Same(_) => "same",
            SetExpectation::Alike(_) => "alike",
            SetExpectation::Apart(_) => "apart",
            SetExpectation::Distinct(_) => "distinct",
            SetExpectation::PlainDates(_) => "plain-dates",
            SetExpectation::Measured(_) => "measured",
            SetExpectation::Promised(_) => "promised",
            SetExpectation::Entropy { .. } => "entropy",
            SetExpectation::Timing { .. } => "timing",
        }
    }

    /// Whether the policy says what is right.
    pub fn is_promise(&self) -> bool {
        match self {
            SetExpectation::Measured(condition) => {
                condition.names().iter().any(|name| name.starts_with("policy."))
            }
            SetExpectation::Promised(_) => true,
            SetExpectation::Same(_)
            | SetExpectation::Alike(_)
            | SetExpectation::Apart(_)
            | SetExpectation::Distinct(_)
            | SetExpectation::PlainDates(_)
            | SetExpectation::Entropy { .. }
            | SetExpectation::Timing { .. } => false,
        }
    }
}

/// What a policy promises of several uses at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RacePromise {
    /// At least one is granted. Holds under every policy.
    Winner,
    /// How many are granted.
    Successes,
    /// How many different refresh tokens they get.
    Successors,
    /// How many of those can be used afterwards.
    Live,
    /// Whether the family can go on.
    Family,
    /// Some order of the calls, one after another, is a run of the policy.
    Order,
}

impl RacePromise {
    /// All of them, with their words.
    pub const ALL: [(RacePromise, &'static str); 6] = [
        (RacePromise::Winner, "winner"),
        (RacePromise::Successes, "successes"),
        (RacePromise::Successors, "successors"),
        (RacePromise::Live, "live"),
        (RacePromise::Family, "family"),
        (RacePromise::Order, "order"),
    ];

    /// The word in suites.
    pub fn word(self) -> &'static str {
        RacePromise::ALL.iter().find(|(promise, _)| *promise == self).map_or("", |(_, word)| word)
    }

    /// Whether it is known only after the successors were tried.
    pub fn asks_for_aftermath(self) -> bool {
        match self {
            RacePromise::Winner | RacePromise::Successes | RacePromise::Successors => false,
            RacePromise::Live | RacePromise::Family | RacePromise::Order => true,
        }
    }
}

/// What is compared over a set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetPlace {
    /// A place in the answers.
    Place(FieldPlace),
    /// The HTTP status.
    Status,
    /// The abstract error class.
    Class,
    /// The media type.
    Type,
    /// The order of members.
    MemberOrder,
    /// Names, kinds and null pattern of the whole body.
    Body,
    /// The size within 5 %.
    Size,
}
