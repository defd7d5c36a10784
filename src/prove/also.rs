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
        Defect::RefusalHtml => &["SCH-07"],
        Defect::CreatedNaiveLocal => &["SUC-08"],
        Defect::ExpiresBeforeCreated => &["SUC-08", "LIF-14", "LIF-29"],
        Defect::ExpiresRemembered => &["LIF-29"],
        Defect::DateCultureFlips => &["SCH-08"],
        Defect::DateZoneFlips => &["SCH-08", "SUC-05", "SUC-08"],
        Defect::AccessUnchanged => &["SUC-12", "LIF-28", "LIF-29"],
        Defect::EmptyBodyCrash => &["ERR-19"],
        Defect::SecretOptional => &["ERR-06"],
        Defect::AccessOptional => &["ERR-06"],
        Defect::WrongSecretAccepted => &["ERR-20"],
        Defect::TenantIgnored => &["ERR-05", "ERR-06"],
        Defect::UnknownGranted => &["OAU-06", "OAU-19", "SCH-09", "ERR-11", "ERR-12", "ERR-20", "ERR-21"],
        Defect::AccessUnverified => &["ERR-12", "ERR-13"],
        Defect::AccessAsRefresh => &["OAU-06"],
        Defect::ScopeRequired => &["OAU-21"],
        Defect::ClientAuthOptional => &["OAU-26"],
        Defect::WrongClientSecretAccepted => &["OAU-20"],
        Defect::GrantTypeIgnored => &["OAU-19"],
        Defect::RequestMisnamed => &["OAU-04"],
        Defect::MissingTokenGranted => &["ERR-05", "ERR-06", "OAU-19"],
        Defect::ErrorsForbidden => &["OAU-06", "OAU-07"],
        Defect::RefusalsSpend => &["ERR-*", "LIF-*", "OAU-07"],
        Defect::InvalidGrantCrash => &["ERR-*", "LIF-*", "RAC-*", "SEC-*", "FUZ-*", "OAU-07", "OAU-25"],
        Defect::GetRefreshes => &["ERR-16"],
        Defect::ExpiresInZero => &["SUC-06", "SUC-08"],
        Defect::TokenTypeMissing | Defect::TokenTypeOdd => &["OAU-30"],
        Defect::ErrorMislabelled | Defect::ErrorUnnamed | Defect::ErrorCodeBroken => &["OAU-*"],
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
        Defect::DefaultTenant => &["LIF-30"],
        Defect::RefreshNeverExpires | Defect::ExpiredAccessRefused => &["LIF-12"],
        Defect::IdleNotReset => &["LIF-12"],
        // More calls than the chain has steps.
        Defect::NodesDisagree => &["FMT-08", "LIF-12"],
        Defect::ChainDiesAfterTwenty => &["LIF-12"],
        Defect::RefusalSpendsSecret => &["ERR-07", "ERR-09"],
        Defect::DeepJsonCrash | Defect::DeepXmlCrash | Defect::NulCrash | Defect::XmlOrderCrash => {
            &["FUZ-10"]
        }
        Defect::NumberCrash | Defect::CommentCrash => &["FUZ-10", "FUZ-14"],
        Defect::RareBytesCrash | Defect::LongHeaderCrash | Defect::ExpectHang => &["FUZ-14"],
        Defect::ChunkedCrash => &["FUZ-12", "FUZ-14"],
        Defect::PipelinedLost | Defect::PipelinedRepeated => &["FUZ-10", "FUZ-12", "FUZ-14"],
        Defect::DuplicateCrash => &["FUZ-05", "FUZ-10", "FUZ-14"],
        Defect::TruncatedHang => &["FUZ-14"],
        // Whoever comes next is slow, whatever it is about.
        Defect::BigFieldSlow => &["*"],
        _ => &[],
    }
}
