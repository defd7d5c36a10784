//! Which checks a defect turns red beside those it is meant for. Declared here, so that an alarm that nobody
//! expected fails the proof instead of being taken for thoroughness.

use crate::suite::check::Check;
use crate::suite::defect::Defect;

/// Which answers a defect spoils.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// None in particular.
    Some,
}

impl Answers {
    pub(super) fn of(_defect: Defect) -> Answers {
        Answers::Some
    }
}

/// Whether `check` may be red under `defect` as well.
pub(super) fn expected(defect: Defect, _answers: Answers, check: &str, _of: Option<&Check>) -> bool {
    let declared = also_red(defect);
    declared.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => check.starts_with(start),
        None => *pattern == check,
    })
}

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
        Defect::JsonAsTextJson => &["FMT-08", "FMT-09", "FMT-10", "SCH-09"],
        Defect::TextJsonRefused => &["FMT-08", "FMT-09"],
        Defect::XmlOrderOfInput => &["FMT-04", "FMT-08", "FMT-09", "FMT-11", "FMT-23", "SCH-05", "SCH-06"],
        Defect::XmlLabelledJson => &[
            "SCH-01", "SCH-02", "FMT-04", "FMT-07", "FMT-08", "FMT-09", "FMT-12", "FMT-14", "FMT-20",
            "FMT-23", "SCH-05", "SCH-06", "SCH-07", "SCH-09", "SCH-12", "ERR-01", "ERR-04", "ERR-05",
            "ERR-06", "ERR-20",
        ],
        Defect::TextXmlRefused => &["FMT-08", "FMT-09"],
        Defect::FormRefused => &["FMT-08", "FMT-10", "ERR-06"],
        Defect::FormPercentKept => &["FMT-08", "FMT-10"],
        Defect::TextJsonAnswerRelabelled => &["FMT-08", "FMT-09"],
        Defect::TextXmlAnswerRelabelled => &["FMT-08", "FMT-09"],
        Defect::AcceptIgnored => {
            &["FMT-03", "FMT-06", "FMT-07", "FMT-09", "FMT-12", "FMT-14", "FMT-20", "SCH-09"]
        }
        Defect::QualityIgnored => &["FMT-14"],
        Defect::TypeSniffed => &["FMT-20"],
        Defect::Utf16Mislabelled => &["FMT-21"],
        Defect::EnvelopeCamel => &[
            "SCH-02", "FMT-01", "FMT-02", "FMT-05", "FMT-06", "FMT-08", "FMT-09", "FMT-10", "FMT-11",
            "FMT-17", "FMT-23", "SCH-03", "SCH-09", "ERR-06", "ERR-20",
        ],
        Defect::EnvelopeExtra => &["SCH-02", "SCH-09"],
        Defect::InnerMemberMissing => &["SCH-09"],
        Defect::FlagAsBoolean => &["SCH-04", "SCH-09"],
        Defect::InnerAsText => &[
            "SCH-02", "FMT-01", "FMT-02", "FMT-05", "FMT-06", "FMT-08", "FMT-09", "FMT-10", "FMT-11",
            "FMT-17", "FMT-23", "SCH-03", "SCH-09", "SUC-02", "ERR-06", "ERR-20",
        ],
        Defect::InnerAsList => &[
            "SCH-02", "FMT-01", "FMT-02", "FMT-05", "FMT-06", "FMT-08", "FMT-09", "FMT-10", "FMT-11",
            "FMT-17", "FMT-23", "SCH-03", "SCH-09", "SUC-02", "ERR-06", "ERR-20",
        ],
        Defect::XmlNamespaceCase => &["SCH-09"],
        Defect::XmlNoNamespace => &["SCH-02", "FMT-08", "SCH-08", "SCH-09"],
        Defect::XmlNullText => &["FMT-08", "SCH-08", "SCH-09", "ERR-05", "ERR-06", "ERR-20"],
        Defect::XmlNullEmpty => &["FMT-08"],
        Defect::RefusalHtml => &["SCH-07"],
        Defect::JsonDuplicateMember => &["FMT-08", "SCH-08"],
        Defect::JsonCaseTwin => &["FMT-08", "SCH-01", "SCH-02", "SCH-08", "SCH-09"],
        Defect::XmlControlCharacter => &[
            "SCH-01", "SCH-02", "FMT-03", "FMT-04", "FMT-07", "FMT-08", "FMT-09", "FMT-12", "FMT-14",
            "FMT-23", "SCH-05", "SCH-06", "SCH-07", "SCH-09", "ERR-05", "ERR-06", "ERR-20",
        ],
        Defect::RefreshTokenMissing => {
            &["OAU-11", "OAU-16", "OAU-26", "SCH-02", "FMT-08", "FMT-09", "FMT-23", "ERR-14", "LIF-*"]
        }
        Defect::CreatedNaiveLocal => &["SUC-08"],
        Defect::ExpiresBeforeCreated => &["SUC-08", "LIF-14", "LIF-29"],
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
