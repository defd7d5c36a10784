//! Which checks a defect turns red beside those it is meant for: an alarm that nobody expected fails the proof
//! instead of being taken for thoroughness.
//!
//! What follows from the defect itself is derived: one that spoils every document of a format may be seen by every
//! check that has to do with that format. The rest is declared, check by check.

use crate::suite::check::Check;
use crate::suite::defect::Defect;

/// Who meets a defect, whatever else a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Everybody: nothing can be relied on any more.
    Everybody,
    /// Whoever makes good calls, which are JSON where nothing else is said.
    Json,
    /// Whoever sends or asks for a type that one of these words names.
    Asking(&'static [&'static str]),
    /// Nobody but those that ask for just that.
    Listed,
}

/// Whether `check` may be red under `defect` as well.
pub(super) fn expected(defect: Defect, check: &Check) -> bool {
    let reached = match reach(defect) {
        Reach::Everybody | Reach::Json => true,
        Reach::Asking(words) => !check.always.is_empty() || words.iter().any(|word| mentions(check, word)),
        Reach::Listed => false,
    };
    reached
        || also_red(defect).iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => check.id.starts_with(start),
            None => *pattern == check.id,
        })
}

/// Whether a check's words name a type: `xml` is in `text/xml`, and not the other way round.
fn mentions(check: &Check, word: &str) -> bool {
    let breaks =
        |character: char| !(character.is_ascii_alphanumeric() || matches!(character, '/' | '-' | '+'));
    let names = |own: &str| own == word || own.rsplit('/').next() == Some(word);
    check.text().split(breaks).any(names)
}

fn reach(defect: Defect) -> Reach {
    match defect {
        // Every answer, every chain, or every second request.
        Defect::AlwaysFixed
        | Defect::RefusalPoisons
        | Defect::RefreshTokenMissing
        | Defect::ReuseRevokesTenant
        | Defect::ReplayHarmsOtherFamily
        | Defect::RevokeEndsAll
        | Defect::RevokeUnknownEnds
        // Who is hit is a matter of how many ask at that moment, or of who comes next.
        | Defect::RandomRefusals
        | Defect::PoolLeak
        | Defect::RushCrash
        | Defect::SpikeLeavesErrors
        | Defect::StampedeDrops
        | Defect::StampedeSlow
        | Defect::UnknownPathPoisons
        | Defect::ManyHeadersPoison
        | Defect::BigFieldSlow => Reach::Everybody,
        // Every document in JSON.
        Defect::JsonIllFormed
        | Defect::JsonAsTextJson
        | Defect::EnvelopeCamel
        | Defect::FlagAsBoolean
        | Defect::InnerAsText
        | Defect::InnerAsList
        | Defect::JsonDuplicateMember
        | Defect::JsonCaseTwin => Reach::Json,
        // Every document in XML, or every refusal.
        Defect::XmlOrderOfInput
        | Defect::XmlLabelledJson
        | Defect::XmlNamespaceCase
        | Defect::XmlNoNamespace
        | Defect::XmlDeclarationOrder
        | Defect::XmlNullText
        | Defect::XmlNullEmpty
        | Defect::XmlRefusalCrash
        | Defect::XmlControlCharacter => Reach::Asking(&["xml"]),
        // Every document of one media type.
        Defect::TextJsonRefused | Defect::TextJsonAnswerRelabelled => Reach::Asking(&["text/json"]),
        Defect::TextXmlRefused | Defect::TextXmlAnswerRelabelled => Reach::Asking(&["text/xml"]),
        Defect::FormRefused | Defect::FormPercentKept => {
            Reach::Asking(&["form", "application/x-www-form-urlencoded"])
        }
        Defect::TextTypesUnacceptable => Reach::Asking(&["text/json", "text/xml"]),
        // Whoever asks for anything but plain JSON.
        Defect::AcceptIgnored => Reach::Asking(&["xml", "text/json"]),
        _ => Reach::Listed,
    }
}

/// Checks that meet a defect by what they do, each after thought.
fn also_red(defect: Defect) -> &'static [&'static str] {
    match defect {
        // What the last six hit is a matter of how many ask at that moment.
        Defect::AlwaysFixed
        | Defect::RefusalPoisons
        | Defect::RandomRefusals
        | Defect::PoolLeak
        | Defect::RushCrash
        | Defect::SpikeLeavesErrors
        | Defect::StampedeDrops
        | Defect::StampedeSlow => &["*"],
        Defect::QualityIgnored => &["FMT-14"],
        Defect::TypeSniffed => &["FMT-20"],
        Defect::Utf16Mislabelled => &["FMT-21"],
        Defect::EnvelopeExtra => &["SCH-02", "SCH-09"],
        Defect::InnerMemberMissing => &["SCH-09"],
        Defect::RefusalHtml => &["SCH-07", "RAC-02"],
        Defect::CreatedNaiveLocal | Defect::CreatedStale | Defect::DatesPerFormat => &["SUC-08"],
        Defect::ExpiresBeforeCreated => &["SUC-08", "LIF-14", "LIF-29"],
        Defect::ExpiresRemembered => &["LIF-29"],
        // A cookie cannot carry it, and the chain ends there.
        Defect::TokenWithSpace => &["SUC-01", "LIF-*", "RAC-*", "FUZ-*"],
        Defect::DateCultureFlips => &["SCH-08", "SUC-08"],
        Defect::DateZoneFlips => &["SCH-08", "SUC-05", "SUC-08"],
        Defect::AccessUnchanged => &["SUC-12", "LIF-28", "LIF-29", "RAC-05"],
        Defect::EmptyBodyCrash => &["ERR-19", "FUZ-11", "FUZ-12"],
        Defect::SecretOptional => &["ERR-06", "FUZ-01"],
        Defect::AccessOptional => &["ERR-06"],
        Defect::WrongSecretAccepted => &["ERR-20", "SEC-17", "SEC-18", "FUZ-04"],
        Defect::TenantIgnored => &["ERR-05", "ERR-06", "SEC-06"],
        Defect::ForeignTenantAccepted => &["OAU-07"],
        Defect::ClientUnbound => &["ERR-09"],
        Defect::OtherTenantRefused => &["SEC-18", "OAU-30"],
        Defect::UnknownGranted => {
            &["OAU-06", "OAU-19", "SCH-09", "ERR-11", "ERR-12", "ERR-20", "ERR-21", "FUZ-04"]
        }
        Defect::AccessUnverified => &["ERR-12", "ERR-13", "SEC-15", "SEC-24"],
        Defect::UnknownActionTrace => &["SEC-07", "SEC-08"],
        Defect::ScopeCrash | Defect::UnknownScopeIgnored | Defect::TruncatedSpends => &["FUZ-12"],
        Defect::CacheableGrant | Defect::NoStoreForgotten => &["OAU-02"],
        Defect::NoStoreMissing => &["SEC-09"],
        Defect::CorsReflected => &["ERR-17"],
        Defect::AccessAsRefresh => &["OAU-06"],
        Defect::ScopeRequired => &["OAU-21"],
        Defect::ClientAuthOptional => &["OAU-26"],
        Defect::WrongClientSecretAccepted => &["OAU-20"],
        Defect::GrantTypeIgnored => &["OAU-19"],
        Defect::RequestMisnamed => &["OAU-04"],
        Defect::MissingTokenGranted => &["ERR-05", "ERR-06", "OAU-19"],
        Defect::ErrorsForbidden => &["OAU-06", "OAU-07"],
        Defect::RefusalsSpend => &["ERR-*", "LIF-*", "FUZ-*", "OAU-07"],
        Defect::InvalidGrantCrash => &["ERR-*", "LIF-*", "RAC-*", "SEC-*", "FUZ-*", "OAU-07", "OAU-25"],
        Defect::GetRefreshes => &["ERR-16"],
        Defect::ExpiresInZero => &["SUC-06", "SUC-08", "LIF-14", "LIF-29"],
        Defect::TokenTypeMissing | Defect::TokenTypeOdd => &["OAU-30"],
        Defect::ErrorUnnamed | Defect::ErrorCodeBroken => &["OAU-*"],
        Defect::ErrorMislabelled => &["OAU-*", "RAC-02"],
        Defect::GrantMislabelled => &["RAC-02"],
        Defect::RevokeUnknownRefused => &["LIF-25"],
        Defect::RevokeIgnored => &["LIF-15", "LIF-24"],
        Defect::RefreshAfterRevoke => &["OAU-25"],
        Defect::GrandparentUnpunished | Defect::GraceAnyGeneration => &["RAC-08"],
        // More winners than one, or none, wherever requests meet.
        Defect::RaceDoubleSpend | Defect::RaceSharedAnswer | Defect::RaceAllLose => &["RAC-*"],
        // What is late, or many, by the server's clock is a matter of how busy the machine is.
        Defect::LateDuplicateGranted => &["LIF-04", "LIF-06", "LIF-17", "RAC-*"],
        Defect::LoadDuplicateToken => &["LIF-02"],
        Defect::LoadReplayGranted => &["LIF-06", "LIF-15", "RAC-*", "OAU-25"],
        Defect::AccessUnsigned | Defect::AccessClaimsMissing => &["SUC-*", "LIF-*", "RAC-*", "SEC-*"],
        Defect::PutRefreshes => &["FMT-20"],
        // Whatever runs beside the check that provokes them loses its chain.
        Defect::ReuseRevokesTenant
        | Defect::ReplayHarmsOtherFamily
        | Defect::RevokeEndsAll
        | Defect::RevokeUnknownEnds => &["*"],
        Defect::RefreshUnchanged | Defect::RefreshRotates => &["LIF-05", "LIF-12", "LIF-17", "RAC-*"],
        Defect::OldRefreshValid => &["RAC-*"],
        Defect::ReuseNotPunished | Defect::ReuseEndsFamily => &["LIF-17", "RAC-*"],
        Defect::GraceIgnored | Defect::GraceUnknownToken => &["LIF-18", "RAC-*"],
        Defect::GraceTooLong => &["LIF-27"],
        Defect::GraceOtherPair | Defect::GraceUsesIgnored | Defect::SiblingPruned | Defect::SiblingKept => {
            &["RAC-*"]
        }
        Defect::EnvelopeFailureOutside => &["LIF-25"],
        Defect::AccessDead => &["LIF-23"],
        Defect::DefaultTenant => &["LIF-30", "FUZ-03"],
        Defect::RefreshNeverExpires | Defect::ExpiredAccessRefused => &["LIF-12"],
        Defect::IdleNotReset => &["LIF-12"],
        // More calls than the chain has steps.
        Defect::NodesDisagree => &["FMT-08", "LIF-12", "RAC-*", "FUZ-*"],
        Defect::ChainDiesAfterTwenty => &["LIF-12"],
        Defect::RefusalSpendsSecret => &["ERR-07", "ERR-09", "FUZ-04"],
        Defect::DeepJsonCrash | Defect::DeepXmlCrash | Defect::NulCrash | Defect::XmlOrderCrash => {
            &["FUZ-10"]
        }
        Defect::NumberCrash => &["SEC-06", "FUZ-10", "FUZ-14"],
        Defect::CommentCrash => &["FUZ-10", "FUZ-14"],
        Defect::RareBytesCrash | Defect::LongHeaderCrash | Defect::ExpectHang => &["FUZ-14"],
        Defect::ChunkedCrash => &["FUZ-12", "FUZ-14"],
        Defect::PipelinedLost => &["FUZ-10", "FUZ-12", "FUZ-14"],
        // Whoever asks without a body just after another.
        Defect::PipelinedRepeated => &["*"],
        Defect::DuplicateCrash => &["ERR-04", "FUZ-05", "FUZ-10", "FUZ-14"],
        Defect::TruncatedHang => &["FUZ-14"],
        // Whoever comes next is slow, whatever it is about.
        Defect::BigFieldSlow => &["*"],
        _ => &[],
    }
}
