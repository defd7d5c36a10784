//! The shape of checks, steps and claims.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::yaml::{OneOrMany, Spanned};
use super::call::{Call, Changes};
use super::{Profile, Race, Word, words};

/// A check: what is sent, in order, and what must be true.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Check {
    /// The sentence that the check proves.
    pub(in super::super) title: Word,
    /// Where the rule comes from.
    #[serde(default)]
    pub(in super::super) basis: Option<OneOrMany<Spanned<Basis>>>,
    /// Why it matters, where the title does not say so.
    #[serde(default)]
    pub(in super::super) because: Option<String>,
    /// What to change in a server that fails it.
    #[serde(default)]
    pub(in super::super) fix: Option<String>,
    /// A condition over `policy.*`, `dialect.*`, `environment.*`; false or unknown means skipped.
    #[serde(default)]
    pub(in super::super) when: Option<Word>,
    /// What can be harmed. Its presence asks for consent.
    #[serde(default)]
    pub(in super::super) destructive: Option<String>,
    /// Further chains beside `own`.
    #[serde(default)]
    pub(in super::super) chains: IndexMap<String, Spanned<ChainNeed>>,
    /// Dimensions; the steps run once per cell of the product.
    #[serde(default)]
    pub(in super::super) over: IndexMap<String, Spanned<Dimension>>,
    /// The whole script again on fresh chains: `30..300` is 30 times in a quick run, 300 in a full one.
    #[serde(default)]
    #[schemars(schema_with = "words::text")]
    pub(in super::super) rounds: Option<Word>,
    /// What is done, in order.
    #[serde(default)]
    pub(in super::super) steps: Vec<Spanned<Step>>,
    /// Claims on many exchanges.
    #[serde(default)]
    pub(in super::super) together: Vec<Spanned<Together>>,
    /// Claims on every exchange of the whole run.
    #[serde(default)]
    pub(in super::super) always: Vec<Spanned<Always>>,
    /// The defects of the mock that the check must catch, and at which claims.
    #[serde(default)]
    #[schemars(schema_with = "words::proof")]
    pub(in super::super) proof: Option<Spanned<Proof>>,
}

/// Where a rule comes from.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Basis", untagged)]
pub(in super::super) enum Basis {
    /// `page`, `policy` or `practice`.
    Word(#[schemars(schema_with = "words::basis")] String),
    /// A document and the place in it.
    Map(BasisOf),
}

/// A document and the place in it.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum BasisOf {
    /// What the framework implies.
    Aspnet(String),
    /// An RFC and its section: `6749 5.2`.
    Rfc(String),
    /// OpenID Connect.
    Oidc(String),
    /// FAPI.
    Fapi(String),
    /// A public issue.
    Issue(String),
}

/// A further chain.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ChainNeed {
    /// Of the same tenant as `own`, or of another.
    #[serde(default)]
    #[schemars(schema_with = "words::sameness")]
    pub(in super::super) tenant: Option<Word>,
    /// Of the same user, or of another.
    #[serde(default)]
    #[schemars(schema_with = "words::sameness")]
    pub(in super::super) user: Option<Word>,
    /// Of the same client, or of another.
    #[serde(default)]
    #[schemars(schema_with = "words::sameness")]
    pub(in super::super) client: Option<Word>,
    /// Whether its access token is `live` or `expired`.
    #[serde(default)]
    #[schemars(schema_with = "words::access")]
    pub(in super::super) access: Option<Word>,
    /// Slots that its identity has: `proof`, `client-secret`.
    #[serde(default)]
    #[schemars(schema_with = "words::slots")]
    pub(in super::super) carries: Option<OneOrMany<Word>>,
    /// Slots that its identity does not have.
    #[serde(default)]
    #[schemars(schema_with = "words::slots")]
    pub(in super::super) without: Option<OneOrMany<Word>>,
    /// How many such chains.
    #[serde(default)]
    #[schemars(schema_with = "words::text")]
    pub(in super::super) count: Option<Word>,
}

/// A dimension: words, or named changes.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Dimension", untagged)]
pub(in super::super) enum Dimension {
    /// Words, for `$name`.
    List(#[schemars(schema_with = "words::texts")] Vec<Word>),
    /// Named changes, for `with`.
    Map(IndexMap<String, Spanned<Changes>>),
}

/// One step: exactly one verb, and what to think of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Step {
    /// One refresh. Nothing inside: the good call.
    #[serde(default)]
    pub(in super::super) refresh: Option<Spanned<Option<Call>>>,
    /// Tries an access token on the protected resource.
    #[serde(default)]
    pub(in super::super) probe: Option<Spanned<Option<Call>>>,
    /// Ends the chain.
    #[serde(default)]
    pub(in super::super) revoke: Option<Spanned<Option<Call>>>,
    /// Opens a chain; the good way is to declare it under `chains`.
    #[serde(default)]
    pub(in super::super) login: Option<Spanned<Option<Call>>>,
    /// Moves the clock where it can be moved, else sleeps.
    #[serde(default)]
    pub(in super::super) wait: Option<Spanned<Wait>>,
    /// Restarts the target.
    #[serde(default)]
    pub(in super::super) restart: Option<Spanned<Option<Nothing>>>,
    /// Runs a load profile.
    #[serde(default)]
    pub(in super::super) load: Option<Spanned<Profile>>,
    /// Calls that leave together on one chain.
    #[serde(default)]
    pub(in super::super) race: Option<Spanned<Race>>,
    /// Mutated calls; the run's seed makes them.
    #[serde(default)]
    pub(in super::super) fuzz: Option<Spanned<Fuzz>>,
    /// Opens a connection of its own, and asks for nothing but headers.
    #[serde(default)]
    pub(in super::super) connect: Option<Spanned<Option<Connect>>>,
    /// Names what the step yields.
    #[serde(rename = "as", default)]
    pub(in super::super) name: Option<Word>,
    /// Repeats the step: `20`, or `10..100` (quick run, full run).
    #[serde(default)]
    #[schemars(schema_with = "words::text")]
    pub(in super::super) times: Option<Word>,
    /// The time between two of them.
    #[serde(default)]
    pub(in super::super) every: Option<Word>,
    /// How long in all, instead of `times`.
    #[serde(rename = "for", default)]
    pub(in super::super) lasting: Option<Word>,
    /// False: the stage was not set, and the check is inconclusive.
    #[serde(default)]
    pub(in super::super) given: Option<Spanned<Claims>>,
    /// False: the check fails.
    #[serde(default)]
    pub(in super::super) must: Option<Spanned<Claims>>,
    /// False: a warning.
    #[serde(default)]
    pub(in super::super) should: Option<Spanned<Claims>>,
    /// False: noted.
    #[serde(default)]
    pub(in super::super) info: Option<Spanned<Claims>>,
}

/// A connection of its own. Nothing inside: as the environment's address says.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Connect {
    /// The only version of TLS that is offered, an old one: `1.0` or `1.1`, or a dimension that names one.
    #[serde(default)]
    #[schemars(schema_with = "words::text")]
    pub(in super::super) tls: Option<Word>,
    /// HTTP in the clear, where the address says https.
    #[serde(default)]
    pub(in super::super) plain: bool,
}

/// Mutated calls.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Fuzz {
    /// Formats of the dialect, in turn; left out: every one that is listed.
    #[serde(default)]
    pub(in super::super) formats: Option<OneOrMany<Word>>,
    /// The stages at which calls are mutated; left out: `slots`, `document` and `body`.
    #[serde(default)]
    #[schemars(schema_with = "words::fuzz_stages")]
    pub(in super::super) change: Option<OneOrMany<Word>>,
    /// How many cases: `200`, or `1000..10000` (quick run, full run).
    #[schemars(schema_with = "words::text")]
    pub(in super::super) count: Word,
}

/// Nothing to say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Nothing {}

/// How long, or until when.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Wait", untagged)]
pub(in super::super) enum Wait {
    /// A time or an expression: `30d`, `policy.grace.for + 1s`.
    Word(Word),
    /// Until a moment of an answer.
    Map(Until),
}

/// Until a moment of an answer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Until {
    /// The field that holds the moment: `expires`, or `step.expires`.
    pub(in super::super) until: Word,
}

/// Claims on one exchange: an outcome, several to choose from, or a mapping whose entries must all hold.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Claims", untagged)]
pub(in super::super) enum Claims {
    /// An outcome.
    Word(#[schemars(schema_with = "words::outcome")] Word),
    /// One of these outcomes.
    List(#[schemars(schema_with = "words::outcome_list")] Vec<Word>),
    /// All of these.
    Map(Box<ClaimMap>),
}

/// Claims on one exchange; all must hold.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ClaimMap {
    /// How the exchange ended: one of these.
    #[serde(default)]
    #[schemars(schema_with = "words::outcomes")]
    pub(in super::super) outcome: Option<Spanned<OneOrMany<Word>>>,
    /// The abstract class of a refusal: one of these.
    #[serde(default)]
    #[schemars(schema_with = "words::classes")]
    pub(in super::super) class: Option<Spanned<OneOrMany<Word>>>,
    /// The HTTP status: one of these (`405`, `2xx`).
    #[serde(default)]
    #[schemars(schema_with = "words::statuses")]
    pub(in super::super) status: Option<Spanned<OneOrMany<Word>>>,
    /// The media type of label and bytes: one of these.
    #[serde(rename = "type", default)]
    pub(in super::super) media: Option<Spanned<OneOrMany<Word>>>,
    /// Aspects of the declared shape.
    #[serde(default)]
    #[schemars(schema_with = "words::aspects")]
    pub(in super::super) shape: Option<Spanned<OneOrMany<Word>>>,
    /// The part that `shape` is about: a path; `/` is the envelope alone.
    #[serde(default)]
    pub(in super::super) part: Option<Word>,
    /// Values at places: a field, a path, `header:Name`, `cookie:Name`, `access#exp`, `access@alg`.
    #[serde(default)]
    pub(in super::super) at: Option<Spanned<IndexMap<String, Spanned<At>>>>,
    /// What of the chain's own the tokens carry.
    #[serde(default)]
    #[schemars(schema_with = "words::links")]
    pub(in super::super) belongs: Option<Spanned<OneOrMany<Word>>>,
    /// What is nowhere in the answer.
    #[serde(default)]
    pub(in super::super) lacks: Option<Spanned<OneOrMany<Spanned<Lack>>>>,
    /// Answered within a time, or within `2x` the median of good calls.
    #[serde(default)]
    pub(in super::super) within: Option<Word>,
    /// `never`: the listener behind `$callback` was not called.
    #[serde(default)]
    #[schemars(schema_with = "words::never")]
    pub(in super::super) callback: Option<Word>,
    /// `valid`: the chain of certificates verifies for the host.
    #[serde(default)]
    #[schemars(schema_with = "words::valid")]
    pub(in super::super) certificate: Option<Word>,
}

impl ClaimMap {
    /// Whether nothing is written inside.
    pub(in super::super) fn is_empty(&self) -> bool {
        let lists = [&self.outcome, &self.class, &self.status, &self.media, &self.shape, &self.belongs];
        lists.into_iter().all(Option::is_none)
            && [&self.part, &self.within, &self.callback, &self.certificate].into_iter().all(Option::is_none)
            && self.at.as_ref().is_none_or(|at| at.value.is_empty())
            && self.lacks.is_none()
    }
}

/// What is asked of the value at a place: equal to a text, or more.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "At", untagged)]
pub(in super::super) enum At {
    /// Equal to this text.
    Word(#[schemars(schema_with = "words::text")] Word),
    /// All of these.
    Map(Box<Test>),
}

/// What is asked of the value at a place; all must hold.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in super::super) struct Test {
    /// Equal to this text.
    #[serde(default)]
    #[schemars(schema_with = "words::text")]
    pub(in super::super) equals: Option<Word>,
    /// Not equal to this text.
    #[serde(default)]
    #[schemars(schema_with = "words::text")]
    pub(in super::super) not: Option<Word>,
    /// One of these.
    #[serde(default)]
    #[schemars(schema_with = "words::texts")]
    pub(in super::super) one_of: Option<Vec<Word>>,
    /// Matches this regular expression somewhere.
    #[serde(default)]
    pub(in super::super) like: Option<Word>,
    /// Matches it nowhere.
    #[serde(default)]
    pub(in super::super) unlike: Option<Word>,
    /// Is of this kind.
    #[serde(default)]
    #[schemars(schema_with = "words::kinds")]
    pub(in super::super) is: Option<Word>,
    /// Nothing is claimed of a value that is absent.
    #[serde(default)]
    pub(in super::super) optional: bool,
    /// Every word of it is one of these: scopes.
    #[serde(default)]
    pub(in super::super) among: Option<Word>,
    /// A moment near another place's: `header:Date ± 2s`.
    #[serde(default)]
    pub(in super::super) near: Option<Word>,
    /// A moment after another place's.
    #[serde(default)]
    pub(in super::super) after: Option<Word>,
}

/// What an answer must not hold.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "$shape", rename_all = "lowercase")]
#[schemars(rename = "Lack", untagged)]
pub(in super::super) enum Lack {
    /// A known kind of leak.
    Word(#[schemars(schema_with = "words::lacks")] String),
    /// A text or a pattern.
    Map(LackOf),
}

/// A text or a pattern.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum LackOf {
    /// This text.
    Text(String),
    /// This regular expression.
    Pattern(Word),
}

/// Claims on many exchanges.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Together {
    /// The steps, by name: all their exchanges in all cells and rounds.
    pub(in super::super) of: OneOrMany<Word>,
    /// Groups by a dimension, or by `round` or `chain`.
    #[serde(default)]
    pub(in super::super) by: Option<Word>,
    /// False: the check is inconclusive.
    #[serde(default)]
    pub(in super::super) given: Option<Spanned<SetClaims>>,
    /// False: the check fails.
    #[serde(default)]
    pub(in super::super) must: Option<Spanned<SetClaims>>,
    /// False: a warning.
    #[serde(default)]
    pub(in super::super) should: Option<Spanned<SetClaims>>,
    /// False: noted.
    #[serde(default)]
    pub(in super::super) info: Option<Spanned<SetClaims>>,
}

/// Claims on many exchanges; all must hold.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in super::super) struct SetClaims {
    /// Equal values at these places, or of `status`, `class`, `type`, `member-order`.
    #[serde(default)]
    pub(in super::super) same: Option<Spanned<OneOrMany<Word>>>,
    /// Equal form: of dates and spellings, of the whole `body`, of its `size`.
    #[serde(default)]
    pub(in super::super) alike: Option<Spanned<OneOrMany<Word>>>,
    /// The groups differ from each other.
    #[serde(default)]
    pub(in super::super) apart: Option<Spanned<OneOrMany<Word>>>,
    /// No value twice.
    #[serde(default)]
    pub(in super::super) distinct: Option<Spanned<OneOrMany<Word>>>,
    /// Exactly one of the dialect's date formats reads all of them.
    #[serde(default)]
    pub(in super::super) plain_dates: Option<Spanned<OneOrMany<Word>>>,
    /// A condition over counts and metrics.
    #[serde(default)]
    pub(in super::super) measured: Option<Word>,
    /// What the policy promises of a race: `winner`, `successes`, `successors`, `live`, `family`, `order`.
    #[serde(default)]
    #[schemars(schema_with = "words::race_promises")]
    pub(in super::super) promised: Option<Spanned<OneOrMany<Word>>>,
    /// The tokens at a place hold at least so many bits that cannot be guessed.
    #[serde(default)]
    pub(in super::super) entropy: Option<Spanned<Entropy>>,
    /// No two groups differ in time by more than this effect size; the groups are interleaved.
    #[serde(default)]
    pub(in super::super) timing: Option<Spanned<Timing>>,
}

/// How hard tokens are to guess.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Entropy {
    /// Which token: `refresh`, `access` or `id`.
    #[schemars(schema_with = "words::tokens")]
    pub(in super::super) of: Word,
    /// How many bits at least.
    pub(in super::super) bits: Spanned<u32>,
}

/// How alike groups are in time.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Timing {
    /// The largest effect size (Cliff's delta) that is borne: 0 to 1.
    #[schemars(schema_with = "words::text")]
    pub(in super::super) effect: Word,
}

impl SetClaims {
    /// Whether nothing is written inside.
    pub(in super::super) fn is_empty(&self) -> bool {
        let lists = [&self.same, &self.alike, &self.apart, &self.distinct, &self.plain_dates, &self.promised];
        lists.into_iter().all(Option::is_none)
            && self.measured.is_none()
            && self.entropy.is_none()
            && self.timing.is_none()
    }
}

/// Claims on every exchange of the whole run.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Always {
    /// Only exchanges of which this holds: an outcome, or claims.
    #[serde(rename = "where", default)]
    pub(in super::super) filter: Option<Spanned<Claims>>,
    /// False: the check fails.
    #[serde(default)]
    pub(in super::super) must: Option<Spanned<Claims>>,
    /// False: a warning.
    #[serde(default)]
    pub(in super::super) should: Option<Spanned<Claims>>,
    /// False: noted.
    #[serde(default)]
    pub(in super::super) info: Option<Spanned<Claims>>,
}

/// Defects and the claims that must catch them. Other shapes are read for the sake of the diagnostic.
#[derive(Deserialize)]
#[serde(rename = "$shape", rename_all = "lowercase")]
pub(in super::super) enum Proof {
    /// A single defect.
    Word(Word),
    /// Defects without claims.
    List(Vec<Word>),
    /// As it should be.
    Map(IndexMap<String, Spanned<OneOrMany<Word>>>),
}
