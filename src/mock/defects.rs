//! What is switched on, as a set that costs one comparison to ask, and who in the mock answers for it.

use crate::dialect::{Codec, Dialect};
use crate::suite::call::Slot;
use crate::suite::defect::Defect;
use crate::suite::environment::{MockSpec, Variant};

use super::spoken;

/// The defects and variants of one mock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Switches {
    defects: [u64; WORDS],
    variants: u64,
}

/// So many words of 64 switches.
const WORDS: usize = 8;

impl Switches {
    /// Those of `spec`.
    pub fn of(spec: &MockSpec) -> Switches {
        let mut switches = Switches::default();
        for defect in &spec.defects {
            switches.defects[*defect as usize / 64] |= 1 << (*defect as usize % 64);
        }
        for variant in &spec.variants {
            switches.variants |= 1 << (*variant as u32);
        }
        switches
    }

    /// Whether a defect is switched on.
    pub fn has(self, defect: Defect) -> bool {
        self.defects[defect as usize / 64] & (1 << (defect as usize % 64)) != 0
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
    /// The token endpoint of OAuth 2.0: how it reads, authenticates and answers.
    TokenEndpoint,
    /// The authority: what is granted.
    Authority,
    /// The strain: what shows only under load.
    Strain,
    /// The server: every answer alike.
    Server,
    /// The rivals: what several requests on their way do to each other.
    Rivals,
}

/// Where a defect is implemented. Without a wildcard, so that a new word needs a home before it compiles.
#[cfg_attr(not(test), expect(clippy::enum_glob_use, reason = "the table names every one of them"))]
pub fn home(defect: Defect) -> Home {
    use Defect::*;
    match defect {
        XxeFileRead | XxeFetches | EntityBomb | XincludeResolved | TypeGadgetNamed | SqlSleep
        | SqlErrorShown | CrlfHeader | HtmlReflected | SecretEchoed | SecretEchoedInBase64
        | CacheableGrant | NoStoreForgotten | TokenInCookie | TokenInLocation | CorsReflected
        | EarlyExitCompare | DtdCrash | FileEntitySlow | InclusionCrash | TypeNameCrash | TypeSearchSlow
        | OldTlsAccepted | CertificateExpired | ServedInTheClear | TemplateEvaluated | UnknownPathPoisons
        | ManyHeadersPoison => Home::Server,
        SequentialTokens
        | TimeSeededTokens
        | GuidV1Tokens
        | GuidV4Tokens
        | CounterInBase64
        | ShortTokens
        | BiasedTokens
        | WeakSigningKey
        | KeyConfusion
        | KidPathFollowed
        | JkuFollowed
        | ExpiryMissing
        | PersonalNumberInToken
        | SecretInToken => Home::Authority,
        StackTraceOnError
        | DetailsOnError
        | JsonIllFormed
        | TextTypesUnacceptable
        | FormNeedsAccept
        | QualityRefused
        | ErrorsBare
        | PreflightCrash => Home::Pipeline,
        TenantEnumeration | NoThrottle | LockoutByIp | XmlRefusalCrash | AccessWithSpace
        | ExpiresRemembered | BlankClassedApart => Home::Controllers,
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
        | DeepJsonCrash
        | DeepXmlCrash
        | ObjectCoerced
        | NumberCrash
        | NulCrash
        | CommentCrash
        | RareBytesCrash
        | LoneSurrogateIllFormed
        | LargeBodyCrash
        | ManyKeysCrash
        | XmlPrefixRefused
        | XmlNamespaceIgnored
        | XmlOrderCrash
        | TwoLabelsCrash
        | ManyHeadersCrash
        | LongHeaderCrash
        | LongPathCrash
        | GzipCrash
        | ChunkedCrash
        | DuplicateCrash
        | DoubleSlashCrash
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
        | RevokeUnknownError
        | RefusalSpendsSecret
        | RefusalSpendsMissing
        | ControlEchoed
        | EchoUnbounded
        | DuplicateForeign
        | XmlLostSecretAccepted
        | SlashSkipsSecret
        | ControlSpends
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
        | AlgNoneAccepted
        | RefreshUnchanged
        | RefreshRotates
        | RevokeUnknownEnds
        | OldRefreshValid
        | ReuseNotPunished
        | ReuseEndsFamily
        | GrandparentUnpunished
        | ReuseRevokesTenant
        | ReplayHarmsOtherFamily
        | GraceIgnored
        | GraceOtherPair
        | GraceUnknownToken
        | GraceTooLong
        | GraceRestarts
        | GraceAnyGeneration
        | GraceUsesIgnored
        | SiblingPruned
        | SiblingKept
        | RefreshNeverExpires
        | IdleIgnored
        | IdleNotReset
        | CapReset
        | CapEarly
        | OldAccessAccepted
        | OldAccessDies
        | AccessOutlivesExpiry
        | AccessDiesEarly
        | RefreshAfterRevoke
        | AccessAfterRevoke
        | RevokeEndsAll
        | NodeMemory
        | NodesDisagree
        | RestartForgetsUsed
        | ChainDiesAfterTwenty
        | JtiRepeated
        | RefusalSpendsAccess
        | ExpiresFrozen
        | TenantDrifts
        | ScopeSticks
        | ScopeWidens
        | ClientUnbound => Home::Authority,
        ScopeErrorMisnamed
        | ClientAuthOptional
        | WrongClientSecretAccepted
        | ClientErrorMisnamed
        | WwwAuthenticateMissing
        | TwoAuthMethodsAccepted
        | GrantTypeIgnored
        | GrantTypeCaseFolded
        | GrantTypeMisnamed
        | RequestMisnamed
        | MissingTokenGranted
        | ErrorsForbidden
        | RefusalsSpend
        | ScopeRequired
        | ScopeCrash
        | NarrowScopeRefused
        | NarrowScopeWidens
        | UnknownScopeIgnored
        | RevokeRefused
        | InvalidGrantMisnamed
        | InvalidGrantUnauthorized
        | InvalidGrantCrash
        | RepeatedParameterAccepted
        | UnknownParameterRefused
        | EmptyParameterRead
        | CharsetLabelRefused
        | GetRefreshes
        | JsonBodyAccepted
        | NoStoreMissing
        | ExpiresInText
        | ExpiresInZero
        | TokenTypeMissing
        | TokenTypeOdd
        | ErrorWithQuotes
        | ErrorCodeBroken
        | ErrorUriSpaced
        | GrantMislabelled
        | ErrorMislabelled
        | AccessClaimsMissing
        | AccessUnsigned
        | ErrorUnnamed
        | RevokeUnknownRefused
        | RevokeIgnored
        | RevokeForeign
        | RevokeOpen
        | IdTokenSubjectChanges
        | IdTokenIssuerChanges
        | IdTokenAudienceChanges
        | IdTokenPartyChanges
        | IdTokenLoginMoves
        | IdTokenStale
        | IdTokenNonce
        | DpopOptional
        | DpopOtherKey
        | DpopUnsigned
        | DpopMethodIgnored
        | DpopAddressIgnored
        | DpopStaleAccepted
        | DpopReplayed
        | DpopNonceUnstated
        | DpopErrorMisnamed
        | DpopTypeBearer
        | FapiRotates => Home::TokenEndpoint,
        ActionPrefixRouted => Home::Pipeline,
        OtherTenantRefused => Home::Authority,
        RaceDoubleSpend | RaceSharedAnswer | RaceAllLose | RaceCrash | RaceMixedPair | RaceCrossFormat
        | RaceEndsOthers | ReplayBesideNext | RevokedRevived | RevocationLost | AbortLeavesLock
        | AbortThenCrash | AbortForgetsUse | BrokenBodyPoisons | BrokenBodyStalls | LateDuplicateGranted
        | LoadTokenSwapped | LoadDuplicateToken | LoadReplayGranted => Home::Rivals,
        RefusalPoisons | AlwaysCrash | BigFieldSlow | SlowBodyHang | ExpectHang | PipelinedLost
        | PipelinedRepeated | DeepHang | TruncatedHang | ManyHeadersHang | LengthAndChunksKept => {
            Home::Server
        }
        RandomRefusals => Home::Authority,
        SlowAnswers | SlowNowAndThen | GlobalLock | XmlSlow | SlowDrift | PoolLeak | RushCrash
        | SpikeNeverRecovers | SpikeLeavesErrors | StampedeSlow | StampedeDrops | HotFamilySlowsOthers
        | NegativePathSlow => Home::Strain,
    }
}

/// Defects of the Web API that a token endpoint of OAuth 2.0 can have as well.
const SHARED: [Defect; 7] = [
    Defect::AccessWithSpace,
    Defect::PutRefreshes,
    Defect::NoAllow,
    Defect::QueryBinds,
    Defect::TokenWithSpace,
    Defect::RefreshTokenMissing,
    Defect::AlwaysFixed,
];

/// Defects of tenants, and of what stands beside a refresh token: OAuth 2.0 has neither.
const BESIDE: [Defect; 8] = [
    Defect::DefaultTenant,
    Defect::ForeignTenantAccepted,
    Defect::OtherTenantRefused,
    Defect::PairMixed,
    Defect::ExpiredAccessRefused,
    Defect::AccessUnverified,
    Defect::AlgNoneAccepted,
    Defect::RefusalSpendsAccess,
];

/// Defects of the server that only documents in JSON provoke.
const OF_JSON: [Defect; 2] = [Defect::DeepHang, Defect::TruncatedHang];

/// Which of the mock's endpoints speaks a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// The Web API: tenants with a shared secret, documents in JSON and XML.
    WebApi,
    /// The token endpoint of OAuth 2.0.
    OAuth,
    /// The one that takes everything from the dialect's table.
    Table,
}

impl Manner {
    /// That of a dialect.
    pub fn of(dialect: &Dialect) -> Manner {
        let has = |slot: Slot| dialect.slots.contains(&slot);
        let accepts = &dialect.refresh().accepts;
        let speaks = |codec: Codec| accepts.values().any(|accepts| accepts.codec == codec);
        let tenants = has(Slot::Tenant) && has(Slot::Secret) && has(Slot::Code);
        if dialect.is_oauth2() {
            Manner::OAuth
        } else if tenants && speaks(Codec::Json) && speaks(Codec::Xml) {
            Manner::WebApi
        } else {
            Manner::Table
        }
    }
}

/// Whether the mock of a dialect can be wrong in this way: one of OAuth 2.0 has no Web API that could, and the other
/// way round.
pub fn is_possible(defect: Defect, dialect: &Dialect) -> bool {
    match Manner::of(dialect) {
        Manner::WebApi => home(defect) != Home::TokenEndpoint,
        Manner::OAuth => match home(defect) {
            Home::Pipeline | Home::Controllers => SHARED.contains(&defect),
            Home::Authority => !BESIDE.contains(&defect),
            Home::Server => !OF_JSON.contains(&defect),
            Home::TokenEndpoint | Home::Strain | Home::Rivals => true,
        },
        Manner::Table if !spoken::has_room(dialect, defect) => false,
        Manner::Table => match home(defect) {
            Home::Pipeline | Home::Controllers | Home::TokenEndpoint => spoken::can_have(dialect, defect),
            Home::Authority => !BESIDE.contains(&defect) || spoken::has_beside(dialect, defect),
            Home::Server => {
                let mut accepts = dialect.refresh().accepts.values();
                !OF_JSON.contains(&defect) || accepts.any(|accepts| accepts.codec == Codec::Json)
            }
            Home::Strain | Home::Rivals => true,
        },
    }
}

/// Whether a variant is one of the Web API alone, because what implements it is.
pub fn is_of_webapi(variant: Variant) -> bool {
    match variant_home(variant) {
        Home::Pipeline | Home::Controllers => true,
        Home::TokenEndpoint | Home::Authority | Home::Strain | Home::Server | Home::Rivals => false,
    }
}

/// Where a variant is implemented.
pub fn variant_home(variant: Variant) -> Home {
    match variant {
        Variant::NotAcceptable
        | Variant::EmptyForNull
        | Variant::HeaderNoise
        | Variant::NoBanners
        | Variant::TieXml
        | Variant::ExtraMembers
        | Variant::CharsetUpper
        | Variant::CharsetUnsaid
        | Variant::PrettyPrinted
        | Variant::XmlDeclaration => Home::Pipeline,
        Variant::NoDpopNonce | Variant::ScopeUnstated | Variant::KeptTokenUnstated => Home::TokenEndpoint,
        Variant::TrueSpelledUpper
        | Variant::FailuresByStatus
        | Variant::MicrosoftDates
        | Variant::ForbiddenSecret
        | Variant::CodeZero
        | Variant::OtherTexts
        | Variant::WordsYes
        | Variant::WordsOk
        | Variant::FractionalDates
        | Variant::DayFirstDates
        | Variant::UtcDates
        | Variant::RefusalsVaried
        | Variant::NoExpiry => Home::Controllers,
        Variant::OpaqueTokens | Variant::LongTokens | Variant::ShortLifetimes | Variant::AsymmetricTokens => {
            Home::Authority
        }
        Variant::SlowServer
        | Variant::ClosesConnections
        | Variant::IdleTimeout
        | Variant::OldHttp
        | Variant::Chunked
        | Variant::SplitAnswers
        | Variant::HeadersReordered
        | Variant::HeadersLowerCase
        | Variant::NoDate
        | Variant::ContinueIgnored => Home::Server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_fits_into_the_set_and_is_a_switch_of_its_own() {
        assert!(Defect::ALL.len() <= 64 * WORDS);
        for defect in Defect::ALL {
            let switches = Switches::of(&MockSpec { defects: vec![*defect], ..MockSpec::default() });
            let on: Vec<Defect> = Defect::ALL.iter().copied().filter(|other| switches.has(*other)).collect();
            assert_eq!(on, [*defect]);
        }
    }

    /// The code of a home, without its tests.
    fn code(home: Home) -> String {
        let files: &[&str] = match home {
            Home::Pipeline => &["webapi"],
            Home::Controllers => &["controllers", "throttle.rs"],
            Home::TokenEndpoint => &["oauth"],
            Home::Authority => &["authority", "signing.rs", "weak.rs"],
            Home::Strain => &["strain.rs"],
            Home::Rivals => &["rivals.rs"],
            Home::Server => {
                &["server.rs", "exchange.rs", "shared.rs", "written.rs", "host.rs", "stumbles.rs", "front.rs"]
            }
        };
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mock");
        let mut open: Vec<_> = files.iter().map(|file| root.join(file)).collect();
        let mut code = String::new();
        while let Some(path) = open.pop() {
            if let Ok(entries) = std::fs::read_dir(&path) {
                open.extend(entries.map(|entry| entry.unwrap().path()));
            } else if path.file_name().is_none_or(|name| name != "tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                code.push_str(text.split("#[cfg(test)]").next().unwrap_or_default());
            }
        }
        code
    }

    #[test]
    fn what_both_mocks_can_have_is_asked_for_in_the_token_endpoint_too() {
        let code = code(Home::TokenEndpoint);
        for defect in SHARED {
            assert!(code.contains(&format!("Defect::{defect:?}")), "{defect:?}");
            assert!(matches!(home(defect), Home::Pipeline | Home::Controllers), "{defect:?}");
        }
    }

    #[test]
    fn what_a_mock_by_the_table_can_have_is_asked_for_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mock/spoken");
        let files =
            std::fs::read_dir(root).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()));
        let code: String = files.map(Result::unwrap).collect();
        for defect in spoken::DEFECTS {
            // Once in the list, and once where it is done.
            assert!(code.matches(&format!("Defect::{defect:?}")).count() >= 2, "{defect:?}");
        }
    }

    #[test]
    fn every_defect_and_variant_is_asked_for_where_its_home_says() {
        let homes = [
            Home::Pipeline,
            Home::Controllers,
            Home::TokenEndpoint,
            Home::Authority,
            Home::Strain,
            Home::Server,
            Home::Rivals,
        ];
        let code: Vec<(Home, String)> = homes.into_iter().map(|home| (home, code(home))).collect();
        let asks = |home: Home, word: &str| {
            let (_, text) = code.iter().find(|(own, _)| *own == home).unwrap();
            text.match_indices(word)
                .any(|(at, _)| !text[at + word.len()..].starts_with(char::is_alphanumeric))
        };
        for defect in Defect::ALL {
            assert!(asks(home(*defect), &format!("Defect::{defect:?}")), "{defect:?} is not implemented");
        }
        for &(variant, _) in Variant::ALL {
            let word = format!("Variant::{variant:?}");
            assert!(asks(variant_home(variant), &word), "{variant:?} is not implemented");
        }
    }
}
