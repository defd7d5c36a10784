//! What is unusual and right, and what a suite may say of it: nothing red, and nothing open without a reason.

use crate::dialect::{Dialect, Zone};
use crate::mock;
use crate::suite::environment::{Generation, MockPolicy, MockSpec, Variant};

/// One mock that is unusual and right.
#[derive(Clone, Debug)]
pub(super) struct Benign {
    /// What is unusual.
    pub(super) what: String,
    /// The mock.
    pub(super) spec: MockSpec,
    /// The switches.
    variants: Vec<Variant>,
}

/// All of them: the other generation, every policy, every switch, and switches that come together.
pub(super) fn all(spec: &MockSpec, dialect: &Dialect) -> Vec<Benign> {
    let mut all = Vec::new();
    if mock::is_web_api(dialect) {
        let older = MockSpec { webapi: Generation::One, ..spec.clone() };
        all.push(Benign { what: "Web API 1".to_owned(), spec: older, variants: Vec::new() });
    }
    for (policy, word) in MockPolicy::ALL {
        if policy != spec.policy {
            let spec = MockSpec { policy, ..spec.clone() };
            all.push(Benign { what: format!("policy {word}"), spec, variants: Vec::new() });
        }
    }
    if dialect.is_oauth2() {
        let variants = vec![Variant::KeptTokenUnstated];
        let spec = MockSpec { policy: MockPolicy::None, variants: variants.clone(), ..spec.clone() };
        all.push(Benign {
            what: "policy none, and no token that goes on is stated".to_owned(),
            spec,
            variants,
        });
    }
    let alone = Variant::ALL.iter().map(|(variant, _)| vec![*variant]);
    let together = TOGETHER.iter().map(|variants| variants.to_vec());
    for variants in alone.chain(together) {
        if !variants.iter().all(|variant| mock::can_vary(dialect, *variant)) {
            continue;
        }
        let words: Vec<&str> = variants.iter().map(|variant| variant.word()).collect();
        let spec = MockSpec { variants: variants.clone(), ..spec.clone() };
        all.push(Benign { what: words.join(" + "), spec, variants });
    }
    all
}

/// Indian time is so much ahead of UTC.
const INDIA_SECONDS: i32 = 19_800;

/// Switches that come together in the world: a gateway, another framework, another vocabulary.
const TOGETHER: &[&[Variant]] = &[
    &[Variant::Chunked, Variant::HeadersLowerCase, Variant::HeadersReordered, Variant::NoDate],
    &[Variant::PrettyPrinted, Variant::XmlDeclaration, Variant::CharsetUpper, Variant::SplitAnswers],
    &[Variant::WordsYes, Variant::CodeZero, Variant::OtherTexts, Variant::RefusalsVaried, Variant::UtcDates],
    &[Variant::OldHttp, Variant::NoBanners, Variant::CharsetUnsaid, Variant::EmptyForNull],
    &[Variant::OpaqueTokens, Variant::LongTokens, Variant::NoExpiry],
];

impl Benign {
    /// A mock that is as it should be.
    pub(super) fn plain(what: String, spec: MockSpec) -> Benign {
        Benign { what, spec, variants: Vec::new() }
    }

    /// The dialect as the author of a suite would write it for this endpoint; `None` where nothing is to be said.
    pub(super) fn tweaked(&self, dialect: &Dialect) -> Option<Dialect> {
        if !self.variants.contains(&Variant::DayFirstDates) {
            return None;
        }
        let mut dialect = dialect.clone();
        dialect.dates.zone = Zone::Fixed(INDIA_SECONDS);
        Some(dialect)
    }

    /// Why `check` may warn here, where it may.
    pub(super) fn may_warn(&self, check: &str) -> Option<&'static str> {
        self.variants.iter().find_map(|variant| {
            let (checks, why) = warnings(*variant);
            checks.contains(&check).then_some(why)
        })
    }

    /// Why `check` may stay open here, where it may.
    pub(super) fn may_be_open(&self, check: &str) -> Option<&'static str> {
        if check == "SUC-07" {
            match self.spec.policy {
                MockPolicy::None | MockPolicy::Conditional => {
                    return Some("a token that is not replaced does not outlive a month of days");
                }
                MockPolicy::ShortLived => return Some("no chain outlives a month of days"),
                _ => {}
            }
        }
        self.variants.iter().find_map(|variant| {
            let (checks, why) = doubts(*variant);
            checks.contains(&check).then_some(why)
        })
    }
}

/// Checks that warn, and why that is what a `should` is for.
fn warnings(variant: Variant) -> (&'static [&'static str], &'static str) {
    match variant {
        Variant::ExtraMembers => (
            &["SCH-01", "SCH-02", "SCH-09"],
            "members that nobody documented are worth a warning, and no failure",
        ),
        _ => (&[], ""),
    }
}

/// Checks that cannot be judged, and why.
fn doubts(variant: Variant) -> (&'static [&'static str], &'static str) {
    match variant {
        Variant::OpaqueTokens => (&["SUC-08", "SUC-10"], "what an opaque token says cannot be read"),
        Variant::NoExpiry => (
            &["SUC-05", "SUC-06", "SUC-07", "SUC-08", "SUC-12", "ERR-14"],
            "moments that are not stated cannot be compared",
        ),
        Variant::NoDate => (&["SUC-05"], "without a Date nobody knows the endpoint's own time"),
        _ => (&[], ""),
    }
}
