//! What is switched on, as a set that costs one comparison to ask, and who in the mock answers for it.

use crate::suite::defect::Defect;
use crate::suite::environment::{MockSpec, Variant};

/// The defects and variants of one mock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Switches {
    defects: u128,
    variants: u32,
}

impl Switches {
    /// Those of `spec`.
    pub fn of(spec: &MockSpec) -> Switches {
        let mut switches = Switches::default();
        for defect in &spec.defects {
            switches.defects |= 1 << (*defect as u32);
        }
        for variant in &spec.variants {
            switches.variants |= 1 << (*variant as u32);
        }
        switches
    }

    /// Whether a defect is switched on.
    pub fn has(self, defect: Defect) -> bool {
        self.defects & (1 << (defect as u32)) != 0
    }

    /// Whether a variant is switched on.
    pub fn is(self, variant: Variant) -> bool {
        self.variants & (1 << (variant as u32)) != 0
    }
}

/// Who in the mock implements a defect or a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// The pipeline: how requests are read and answers written.
    Pipeline,
    /// The controllers: what an answer says, and which checks come before the authority.
    Controllers,
    /// The authority: what is granted.
    Authority,
    /// The server: every answer alike.
    Server,
}

/// Where a defect is implemented. Without a wildcard, so that a new word needs a home before it compiles.
#[expect(clippy::enum_glob_use, reason = "the table names every one of them")]
pub fn home(defect: Defect) -> Home {
    use Defect::*;
    match defect {
        JsonAsTextJson
        | TextJsonRefused
        | XmlOrderOfInput
        | XmlLabelledJson
        | TextXmlRefused
        | FormRefused
        | FormPercentKept
        | TextJsonAnswerRelabelled
        | TextXmlAnswerRelabelled
        | AcceptIgnored
        | FormAnswersJson
        | NoAcceptJson
        | NoAcceptFormXml
        | WildcardRefused
        | QualityIgnored
        | TieAlternates
        | QualityZeroServed
        | UnacceptableHtml
        | UnacceptableCrash
        | Latin1Replaced
        | TypeCaseSensitive
        | TypeSniffed
        | UntypedSniffed
        | ErrorsAlwaysJson
        | CharsetMislabelled
        | Utf16Mislabelled
        | Utf16Crash
        | BomBreaks
        | EnvelopeCamel
        | EnvelopeExtra
        | InnerMemberMissing
        | FlagAsBoolean
        | InnerAsText
        | InnerAsList
        | XmlNamespaceCase
        | XmlNoNamespace
        | XmlDeclarationOrder
        | XmlNullText
        | XmlNullEmpty
        | JsonOrderShuffled
        | JsonDuplicateMember
        | JsonCaseTwin
        | XmlControlCharacter
        | EmptyBodyCrash
        | NullDocumentCrash
        | TwoRootsAccepted
        | MalformedXmlCrash
        | PutRefreshes
        | NoAllow
        | OptionsWildcard
        | UnknownActionTrace
        | QueryBinds => Home::Pipeline,
        DatesPerFormat
        | RefusalHtml
        | RefusalBare
        | TokenWithSpace
        | RefreshTokenMissing
        | InnerFailureInside
        | EnvelopeFailureOutside
        | ErrorResidue
        | FlagSpelling
        | CreatedNaiveLocal
        | CreatedStale
        | ExpiresBeforeCreated
        | DateCultureFlips
        | DateZoneFlips
        | ExpiresOffJwt
        | TruncatedAccepted
        | TruncatedSpends
        | SecretOptional
        | AccessOptional
        | BlankSecretInForm
        | WrongSecretAccepted
        | TenantIgnored
        | ClassesRandom
        | ClassesPerFormat
        | AlwaysFixed => Home::Controllers,
        AccessUnchanged
        | AccessDead
        | DefaultTenant
        | ForeignTenantAccepted
        | ForeignTenantRevokes
        | UnknownGranted
        | RefreshCaseFolded
        | RefreshTrimmed
        | AccessAsRefresh
        | PairMixed
        | ExpiredAccessRefused
        | AccessUnverified
        | AlgNoneAccepted => Home::Authority,
        AlwaysCrash => Home::Server,
    }
}

/// Where a variant is implemented.
pub fn variant_home(variant: Variant) -> Home {
    match variant {
        Variant::NotAcceptable
        | Variant::EmptyForNull
        | Variant::HeaderNoise
        | Variant::NoBanners
        | Variant::TieXml => Home::Pipeline,
        Variant::TrueSpelledUpper
        | Variant::FailuresByStatus
        | Variant::MicrosoftDates
        | Variant::ForbiddenSecret => Home::Controllers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_fits_into_the_set_and_is_a_switch_of_its_own() {
        assert!(Defect::ALL.len() <= 128);
        for defect in Defect::ALL {
            let switches = Switches::of(&MockSpec { defects: vec![*defect], ..MockSpec::default() });
            let on: Vec<Defect> = Defect::ALL.iter().copied().filter(|other| switches.has(*other)).collect();
            assert_eq!(on, [*defect]);
        }
    }

    /// The files of a home, but for the pipeline, which asks its own set.
    fn files(home: Home) -> Option<String> {
        let files: &[&str] = match home {
            Home::Pipeline => return None,
            Home::Controllers => &[include_str!("controllers/mod.rs"), include_str!("controllers/answer.rs")],
            Home::Authority => &[include_str!("authority/mod.rs")],
            Home::Server => &[include_str!("server.rs")],
        };
        Some(files.concat())
    }

    #[test]
    fn every_defect_and_variant_is_asked_for_where_its_home_says() {
        for defect in Defect::ALL {
            if let Some(text) = files(home(*defect)) {
                assert!(text.contains(&format!("Defect::{defect:?}")), "{defect:?} is not implemented");
            }
        }
        for (variant, _) in Variant::ALL {
            if let Some(text) = files(variant_home(variant)) {
                assert!(text.contains(&format!("Variant::{variant:?}")), "{variant:?} is not implemented");
            }
        }
    }
}
