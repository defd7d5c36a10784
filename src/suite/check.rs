//! Checks: a script of steps, claims on them, and the defects that prove it.

use std::time::Duration;

use indexmap::IndexMap;

use crate::source::{Place, SourceFile, Span};

use super::call::{Call, Changes, Slot, Template};
use super::claim::{Claim, SetClaim, Strength};
use super::defect::Defect;
use super::expression::Expression;
use super::profile::Depths;
use super::race::Race;
use super::units::Depth;

/// A step of a sentinel repeats no oftener than this.
const CALLS_OF_A_SENTINEL: u32 = 64;

/// One check, from the catalogue or from the suite itself.
#[derive(Clone, Debug)]
pub struct Check {
    /// `FMT-08`: the key in its file.
    pub id: String,
    /// The catalogue file's name (`format`), or `own`.
    pub group: String,
    /// The sentence.
    pub title: String,
    /// Where the rule comes from.
    pub basis: Vec<Basis>,
    /// Why it matters, where the title does not say so.
    pub because: Option<String>,
    /// What to change in a server that fails it.
    pub fix: Option<String>,
    /// False or unknown: skipped, with the reason.
    pub when: Option<(Expression, Span)>,
    /// What can be harmed; its presence asks for consent.
    pub destructive: Option<String>,
    /// Further chains beside `own`.
    pub chains: IndexMap<String, ChainNeed>,
    /// Dimensions; the steps run once per cell of the product.
    pub over: IndexMap<String, Dimension>,
    /// The whole script again on fresh chains, this often.
    pub rounds: Depth,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// Claims on many exchanges.
    pub together: Vec<Together>,
    /// Claims on every exchange of the whole run.
    pub always: Vec<Always>,
    /// The defects it must catch, and at which claims.
    pub proof: IndexMap<Defect, Vec<ProofClaim>>,
    /// The file it stands in.
    pub file: SourceFile,
    /// The id's key.
    pub at: Span,
    /// What the suite says of it.
    pub standing: Standing,
    /// The words of the claims that hang on a policy which nobody has confirmed.
    pub observed: Vec<Span>,
}

impl Check {
    /// The strongest claim below `given`: the severity of the whole check.
    pub fn severity(&self) -> Strength {
        let of_steps = self.steps.iter().flat_map(|step| step.claims.iter().map(|claim| claim.strength));
        let of_sets = self.together.iter().flat_map(|set| set.claims.iter().map(|claim| claim.strength));
        let of_all = self.always.iter().flat_map(|always| always.claims.iter().map(|claim| claim.strength));
        of_steps
            .chain(of_sets)
            .chain(of_all)
            .filter(|strength| *strength != Strength::Given)
            .max()
            .unwrap_or(Strength::Info)
    }

    /// The check as it stands in its file, from its id to its last line.
    pub fn text(&self) -> &str {
        let text = self.file.text();
        let start = text[..self.at.start as usize].rfind('\n').map_or(0, |at| at + 1);
        let indent = self.at.start as usize - start;
        let mut end = start;
        for (number, line) in text[start..].split_inclusive('\n').enumerate() {
            let depth = line.len() - line.trim_start().len();
            if number > 0 && !line.trim().is_empty() && depth <= indent {
                break;
            }
            end += line.len();
        }
        text[start..end].trim_end()
    }

    /// Why it cannot run inside a load, if so: it asks for the whole endpoint, or for too much of it.
    pub fn no_sentinel(&self) -> Option<&'static str> {
        if self.steps.is_empty() {
            return Some("it judges what other checks send");
        }
        if self.steps.iter().any(|step| step.times.is_some_and(|times| times.quick > CALLS_OF_A_SENTINEL)) {
            return Some("it makes too many calls");
        }
        self.steps.iter().find_map(|step| match &step.verb {
            Verb::Load(_) => Some("it is a load itself"),
            Verb::Fuzz(_) => Some("it sends mutated calls"),
            Verb::Restart => Some("it restarts the endpoint"),
            Verb::Call(_) | Verb::Race(_) | Verb::Wait(_) | Verb::Connect(_) => None,
        })
    }

    /// A span of this check's file as a place.
    pub fn place(&self, span: Span) -> Place {
        Place { file: self.file.clone(), span }
    }
}

/// What the suite says of a check.
#[derive(Clone, Debug)]
pub enum Standing {
    /// It is run.
    Run,
    /// `skip`: it will never apply.
    Skip {
        /// Why.
        reason: String,
        /// Where the suite says so.
        at: Place,
    },
    /// `expect-failures`: its failure is known.
    Known {
        /// After this day its failure counts again: `2027-03-31`.
        until: jiff::civil::Date,
        /// Who mends it.
        owner: String,
        /// Why it fails.
        why: String,
        /// It comes and goes: that it does not happen is no finding.
        intermittent: bool,
        /// Where the suite says so.
        at: Place,
    },
}

/// How strictly the catalogue is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words are those of the language")]
pub enum Standard {
    Contract,
    Aspnet,
    Secure,
    Oauth2,
    Fapi2,
}

impl Standard {
    /// All standards with their words.
    pub const ALL: [(Standard, &'static str); 5] = [
        (Standard::Contract, "contract"),
        (Standard::Aspnet, "aspnet"),
        (Standard::Secure, "secure"),
        (Standard::Oauth2, "oauth2"),
        (Standard::Fapi2, "fapi2"),
    ];

    /// The word in suites.
    pub fn word(self) -> &'static str {
        Standard::ALL.iter().find(|(standard, _)| *standard == self).map_or("", |(_, word)| word)
    }
}

/// Where a rule comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The endpoint's own page states it.
    Page,
    /// The suite's policy promises it.
    Policy,
    /// Good practice.
    Practice,
    /// The framework implies it: a section of the notes on ASP.NET.
    Aspnet(String),
    /// An RFC and its section: `6749 5.2`.
    Rfc(String),
    /// OpenID Connect, with the section.
    Oidc(String),
    /// FAPI, with the section.
    Fapi(String),
    /// A public issue.
    Issue(String),
}

impl std::fmt::Display for Basis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Basis::Page => f.write_str("the page"),
            Basis::Policy => f.write_str("policy of the suite"),
            Basis::Practice => f.write_str("good practice"),
            Basis::Aspnet(section) => write!(f, "ASP.NET Web API ({section})"),
            Basis::Rfc(section) => match section.split_once(' ') {
                Some((number, part)) => write!(f, "RFC {number} section {part}"),
                None => write!(f, "RFC {section}"),
            },
            Basis::Oidc(section) => write!(f, "OpenID Connect Core {section}"),
            Basis::Fapi(section) => write!(f, "FAPI 2.0 {section}"),
            Basis::Issue(name) => write!(f, "issue {name}"),
        }
    }
}

/// A further chain that a check asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainNeed {
    /// `tenant: other`: an identity that differs in this slot.
    pub other_tenant: bool,
    /// `user: other`.
    pub other_user: bool,
    /// `client: other`.
    pub other_client: bool,
    /// `access: live` asks for a token that has not expired, `expired` for one that has.
    pub access: Option<AccessNeed>,
    /// `carries`: slots that its identity has.
    pub carries: Vec<Slot>,
    /// `without`: slots that its identity does not have.
    pub without: Vec<Slot>,
    /// How many such chains.
    pub count: Option<Depth>,
}

impl ChainNeed {
    /// Whether an identity that has certain slots will do.
    pub fn fits(&self, has: impl Fn(Slot) -> bool) -> bool {
        self.carries.iter().all(|slot| has(*slot)) && !self.without.iter().any(|slot| has(*slot))
    }
}

/// The state in which a check wants an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessNeed {
    /// Not yet expired.
    Live,
    /// Expired.
    Expired,
}

/// The values of a dimension.
#[derive(Clone, Debug)]
pub enum Dimension {
    /// A list of words (or numbers, as text).
    Words(Vec<String>),
    /// Named changes, for `with`.
    Changes(IndexMap<String, Changes>),
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub verb: Verb,
    /// `as`.
    pub name: Option<String>,
    /// `times`; absent is once.
    pub times: Option<Depth>,
    /// `every`: spacing.
    pub every: Option<(Expression, Span)>,
    /// `for`: total duration instead of `times`.
    pub lasting: Option<(Expression, Span)>,
    /// What must hold of each exchange.
    pub claims: Vec<Claim>,
    /// The verb's key.
    pub at: Span,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Verb {
    /// One call of an operation.
    Call(Box<Call>),
    /// Several calls that leave together.
    Race(Box<Race>),
    /// Runs a load profile.
    Load(Box<Depths>),
    /// Mutated calls, many of them.
    Fuzz(Box<Fuzz>),
    /// Moves the clock, or sleeps.
    Wait(Wait),
    /// Restarts the target.
    Restart,
    /// Opens a connection of its own, and asks for nothing but headers.
    Connect(Connect),
}

/// `connect`. Nothing inside: a connection as the environment's address says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Connect {
    /// `tls`: the only version of TLS that is offered: `1.0` or `1.1`.
    pub tls: Option<Template>,
    /// `plain`: HTTP in the clear, where the address says https.
    pub plain: bool,
}

/// A version of TLS that `connect` can offer: the old ones, which nobody should agree to. The others are what
/// every call goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the versions")]
pub enum TlsVersion {
    Tls10,
    Tls11,
}

impl TlsVersion {
    /// All of them with their words.
    pub const ALL: [(TlsVersion, &'static str); 2] = [(TlsVersion::Tls10, "1.0"), (TlsVersion::Tls11, "1.1")];

    /// The word in suites.
    pub fn word(self) -> &'static str {
        TlsVersion::ALL.iter().find(|(version, _)| *version == self).map_or("", |(_, word)| word)
    }

    /// The version of that word.
    pub fn from_word(word: &str) -> Option<TlsVersion> {
        TlsVersion::ALL.iter().find(|(_, candidate)| *candidate == word).map(|(version, _)| *version)
    }
}

/// `fuzz`: good calls, mutated at random; the run's seed and the number of a case make the case.
#[derive(Clone, Debug)]
pub struct Fuzz {
    /// `formats`: these formats in turn; every listed format where it is empty.
    pub formats: Vec<String>,
    /// `change`: the stages at which calls are mutated.
    pub stages: Vec<FuzzStage>,
    /// `count`: how many cases.
    pub count: Depth,
}

/// A stage at which a call is mutated; the later ones stay honest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FuzzStage {
    /// Values of slots.
    Slots,
    /// The tree of the document: members, names, kinds, nesting.
    Document,
    /// The bytes of the document.
    Body,
    /// Request line, headers and framing.
    Wire,
}

impl FuzzStage {
    /// All stages with their words.
    pub const ALL: [(FuzzStage, &'static str); 4] = [
        (FuzzStage::Slots, "slots"),
        (FuzzStage::Document, "document"),
        (FuzzStage::Body, "body"),
        (FuzzStage::Wire, "wire"),
    ];
}

/// `wait`.
#[derive(Clone, Debug)]
pub enum Wait {
    /// This long (an expression: `policy.grace.for + 1s`).
    For(Expression),
    /// Until this moment of an answer has passed: `{ until: expires }`.
    Until(Expression),
    /// Exactly this long.
    Exactly(Duration),
}

/// Claims on many exchanges.
#[derive(Clone, Debug)]
pub struct Together {
    /// The steps.
    pub of: Vec<String>,
    /// Groups by a dimension, `round` or `chain`.
    pub by: Option<String>,
    /// What must hold.
    pub claims: Vec<SetClaim>,
    /// The entry.
    pub at: Span,
}

/// Claims on every exchange of the run.
#[derive(Clone, Debug)]
pub struct Always {
    /// Only exchanges with this outcome.
    pub filter: Vec<Claim>,
    /// What must hold.
    pub claims: Vec<Claim>,
    /// The entry.
    pub at: Span,
}

/// A claim that `proof:` names: the claim's word, after an optional step name (`again.outcome`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofClaim {
    /// The step, if named.
    pub step: Option<String>,
    /// The word: `outcome`, `type`, `shape`, `same`, …
    pub word: String,
}
