//! Environments: what a suite can be run against.

use std::net::SocketAddr;
use std::time::Duration;

use indexmap::IndexMap;

use crate::source::Place;

use super::call::{Operation, Slot, Template};
use super::defect::Defect;
use super::policy::OldAccess;
use super::transport::Transport;

/// One entry of `environments`.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its key.
    pub name: String,
    /// What stands there.
    pub target: Target,
    /// `identities`: name → slot → value, in order. A mock brings its own.
    pub identities: IndexMap<String, Identity>,
    /// `chains`: where chains come from.
    pub chains: ChainSource,
    /// `guard`: required for everything that is not our own mock.
    pub guard: Option<Guard>,
    /// `offers`: operations beyond the documented ones that this environment has (`probe`, `revoke`).
    pub offers: Vec<Operation>,
    /// `public-key`: a file with the key that the endpoint signs its tokens with, as PEM.
    pub public_key: Option<String>,
    /// `callback`: an address of this machine that the endpoint can reach; port 0 for any.
    pub callback: Option<SocketAddr>,
    /// `patience`: how long a `wait` may really sleep where the clock cannot be moved.
    pub patience: Duration,
    /// `timeout`: for each exchange.
    pub timeout: Duration,
    /// `http`, `tls`, `addresses`, `proxy`, `bind`, `ip`: how it is reached.
    pub transport: Transport,
    /// The key.
    pub at: Place,
}

/// What stands at an environment.
#[derive(Clone, Debug)]
pub enum Target {
    /// The embedded mock, started for the run.
    Mock(Box<MockSpec>),
    /// A mock that already runs: its address and its control port's.
    RunningMock {
        /// `mock: { url: … }`
        url: Template,
        /// `mock: { control: … }`
        control: Template,
    },
    /// Anything else.
    Url(Template),
}

/// The credentials of one caller, in slots.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The values; secrets only as `$secret:NAME`.
    pub slots: Vec<(Slot, Template)>,
    /// Where it is written.
    pub at: Place,
}

/// `chains`: where a run's chains come from.
#[derive(Clone, Debug, PartialEq)]
pub enum ChainSource {
    /// The dialect's login operation.
    Login,
    /// A file of pairs: JSON lines whose keys are slots, or CSV whose head names them.
    File(String),
    /// An environment variable that holds JSON lines.
    Variable(String),
    /// A command that prints JSON lines.
    Exec(String),
}

/// `guard`: what a run may do to a target that is not our own mock.
#[derive(Clone, Debug)]
pub struct Guard {
    /// `hosts`: the allow-list.
    pub hosts: Vec<String>,
    /// `rate`: requests per second, at most.
    pub rate: Option<f64>,
    /// `requests`: in the whole run, at most.
    pub requests: Option<u64>,
    /// `destructive: true`: consent of the suite; the command line must consent as well.
    pub destructive: bool,
    /// Where it is written.
    pub at: Place,
}

/// How the embedded mock behaves.
#[derive(Clone, Debug)]
pub struct MockSpec {
    /// `policy`: a preset.
    pub policy: MockPolicy,
    /// `access-lifetime`, `refresh-lifetime`, `idle`, `cap`, `old-access`: what differs from the preset.
    pub lifetimes: MockLifetimes,
    /// `webapi`: the generation, 1 or 2.
    pub webapi: Generation,
    /// `seed`: everything random follows from it.
    pub seed: u64,
    /// `latency`: how long answers take.
    pub latency: MockLatency,
    /// `workers`: so many requests are worked on at once, and the others wait their turn.
    pub workers: Option<u32>,
    /// `stall`: one pause of everything.
    pub stall: Option<Stall>,
    /// The share of refreshes that it fails on, 0 to 1. No word of suites: `assay mock --errors`.
    pub errors: f64,
    /// `defects`: what is wrong with it.
    pub defects: Vec<Defect>,
    /// `variants`: what is unusual and right.
    pub variants: Vec<Variant>,
}

impl Default for MockSpec {
    fn default() -> Self {
        MockSpec {
            policy: MockPolicy::StrictFamily,
            lifetimes: MockLifetimes::default(),
            webapi: Generation::Two,
            seed: 7,
            latency: MockLatency::None,
            workers: None,
            stall: None,
            errors: 0.0,
            defects: Vec::new(),
            variants: Vec::new(),
        }
    }
}

/// What the mock does with used refresh tokens, and how long it lets things live. What each of them promises is
/// said by [`MockPolicy::promised`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MockPolicy {
    /// Rotates always; a replay is refused and revokes the family.
    StrictFamily,
    /// Rotates always; a replay is refused and nothing else happens.
    StrictReject,
    /// Rotates always; a replay is refused and revokes the successor.
    StrictSuccessor,
    /// Rotates always; for ten seconds the parent is answered with the pair it was answered with.
    GraceSamePair,
    /// Rotates always; for ten seconds the parent is answered with the active pair.
    GraceActivePair,
    /// Rotates always; for ten seconds the parent is answered with a new sibling pair.
    GraceNewPair,
    /// The same, and the new sibling takes the place of its elders.
    GracePruned,
    /// Rotates always; for ten seconds a replay of the parent is refused without a penalty.
    GraceRefused,
    /// Rotates always; for ten seconds every ancestor is answered with the active pair.
    GraceAnyAncestor,
    /// Rotates always; for ten seconds the parent is answered with its pair, once.
    GraceOnce,
    /// Never rotates.
    None,
    /// Rotates a token that has lived through seven tenths of its time; a replay revokes the family.
    Conditional,
    /// Rotates always; a token may be used twice more.
    Count,
    /// Rotates always, and every token stays good for its own lifetime.
    Stateless,
    /// Strict, with short sessions: half an hour of rest, eight hours in all; an access token ends with the next.
    ShortLived,
}

impl MockPolicy {
    /// All presets with their words.
    pub const ALL: [(MockPolicy, &'static str); 15] = [
        (MockPolicy::StrictFamily, "strict-family"),
        (MockPolicy::StrictReject, "strict-reject"),
        (MockPolicy::StrictSuccessor, "strict-successor"),
        (MockPolicy::GraceSamePair, "grace-same-pair"),
        (MockPolicy::GraceActivePair, "grace-active-pair"),
        (MockPolicy::GraceNewPair, "grace-new-pair"),
        (MockPolicy::GracePruned, "grace-pruned"),
        (MockPolicy::GraceRefused, "grace-refused"),
        (MockPolicy::GraceAnyAncestor, "grace-any-ancestor"),
        (MockPolicy::GraceOnce, "grace-once"),
        (MockPolicy::None, "none"),
        (MockPolicy::Conditional, "conditional"),
        (MockPolicy::Count, "count"),
        (MockPolicy::Stateless, "stateless"),
        (MockPolicy::ShortLived, "short-lived"),
    ];
}

/// Lifetimes that differ from those of the mock's policy. What is absent is the policy's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MockLifetimes {
    /// `access-lifetime`
    pub access: Option<Duration>,
    /// `refresh-lifetime`
    pub refresh: Option<Duration>,
    /// `idle`: a chain may rest this long.
    pub idle: Option<Duration>,
    /// `cap`: a chain may last this long.
    pub cap: Option<Duration>,
    /// `old-access`: whether an access token outlives the next refresh.
    pub old_access: Option<OldAccess>,
}

/// The generation of ASP.NET Web API that the mock imitates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// Web API 1.x
    One,
    /// Web API 2
    Two,
}

/// How long the mock's answers take.
#[derive(Clone, Debug, PartialEq)]
pub enum MockLatency {
    /// As fast as it can.
    None,
    /// Always this long.
    Constant(Duration),
    /// Log-normal: the median and sigma of the logarithm.
    Lognormal {
        /// Half of the answers are faster.
        median: Duration,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// Two peaks.
    Bimodal {
        /// The common one.
        fast: Duration,
        /// The rare one.
        slow: Duration,
        /// The share of slow answers, 0 to 1.
        share: f64,
    },
    /// A base with rare spikes.
    Spikes {
        /// The base.
        base: Duration,
        /// How long a spike takes.
        spike: Duration,
        /// One request in this many.
        one_in: u32,
    },
}

/// One pause of everything: no request that arrives or waits during it is answered before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// After the first refresh request of a load (counted from the mock's first refresh after it was armed).
    pub after: Duration,
    /// How long.
    pub lasting: Duration,
}

macro_rules! variants {
    ($($name:ident $word:literal $what:literal;)*) => {
        /// Unusual and right: a suite must stay green on each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Variant { $(#[doc = $what] $name,)* }

        impl Variant {
            /// All variants with their words.
            pub const ALL: &'static [(Variant, &'static str)] = &[$((Variant::$name, $word),)*];

            /// The word in suites and on the command line.
            pub fn word(self) -> &'static str {
                match self { $(Variant::$name => $word,)* }
            }

            /// What is unusual, as a sentence without a full stop.
            pub fn what(self) -> &'static str {
                match self { $(Variant::$name => $what,)* }
            }
        }
    };
}

variants! {
    TrueSpelledUpper "true-spelled-upper" "the flag is spelled True everywhere";
    FailuresByStatus "failures-by-status" "business failures are answered with 400 or 401";
    NotAcceptable "not-acceptable" "an unknown Accept is answered 406";
    MicrosoftDates "microsoft-dates" "dates are /Date(…)/";
    EmptyForNull "empty-for-null" "empty strings stand for null throughout";
    HeaderNoise "header-noise" "answers carry headers of gateways and caches";
    ForbiddenSecret "forbidden-secret" "a bad shared secret is answered 403";
    AsymmetricTokens "asymmetric-tokens" "access tokens are signed with a pair of keys";
    NoBanners "no-banners" "no header names the software";
    TieXml "tie-xml" "a tie of two types is answered in XML";

    CodeZero "code-zero" "errorCode is 0 on success";
    OtherTexts "other-texts" "errors have other texts, in another script";
    WordsYes "words-yes" "success is S, Y and 0";
    WordsOk "words-ok" "success is OK, 1 and 200";
    FractionalDates "fractional-dates" "dates have seven digits of a second";
    DayFirstDates "day-first-dates" "dates are dd-MM-yyyy, in local time and without a zone";
    UtcDates "utc-dates" "dates are UTC and end in Z";
    RefusalsVaried "refusals-varied" "every kind of refusal has a status of its own: 401, 403, 404, 409, 422";
    NoExpiry "no-expiry" "neither issue nor expiry is stated";

    ExtraMembers "extra-members" "the answer has members that nobody documented";
    CharsetUpper "charset-upper" "the charset is spelled UTF-8, without a space before it";
    CharsetUnsaid "charset-unsaid" "no charset is named";
    PrettyPrinted "pretty-printed" "documents are indented";
    XmlDeclaration "xml-declaration" "XML begins with its declaration";

    OpaqueTokens "opaque-tokens" "access tokens are opaque texts";
    LongTokens "long-tokens" "refresh tokens are four thousand characters long";
    ShortLifetimes "short-lifetimes" "an access token lives for a minute";

    SlowServer "slow-server" "every answer takes its time";
    ClosesConnections "closes-connections" "every answer ends its connection";
    IdleTimeout "idle-timeout" "a connection that rests is closed without a word";
    OldHttp "old-http" "answers are HTTP/1.0";
    Chunked "chunked" "answers come in chunks";
    SplitAnswers "split-answers" "answers come in many small segments";
    HeadersReordered "headers-reordered" "headers stand in another order";
    HeadersLowerCase "headers-lower-case" "header names are in lower case";
    NoDate "no-date" "answers have no Date";
    ContinueIgnored "continue-ignored" "100-continue is never sent";

    NoDpopNonce "no-dpop-nonce" "a proof of possession needs no nonce";
    ScopeUnstated "scope-unstated" "a token endpoint of OAuth 2.0 states no scope";
    KeptTokenUnstated "kept-token-unstated" "a refresh token that goes on is not stated again";
}
