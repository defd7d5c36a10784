//! Defects: everything that the mock can get wrong, each one switch, combinable.
//!
//! The list is closed, so a defect without an implementation in the mock does not compile. Which check must
//! catch a defect is said by the check (`proof:`), not here.

use super::environment::MockPolicy;

/// How hard a defect is to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subtlety {
    /// Nothing works.
    Gross,
    /// Seen by looking at one answer.
    Medium,
    /// Seen only by asking for it.
    Subtle,
}

macro_rules! defects {
    ($($name:ident $word:literal $subtlety:ident $what:literal;)*) => {
        /// One thing that the mock gets wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Defect { $(#[doc = $what] $name,)* }

        impl Defect {
            /// All defects, in the order of the groups they belong to.
            pub const ALL: &'static [Defect] = &[$(Defect::$name,)*];

            /// The name in suites and on the command line.
            pub fn word(self) -> &'static str {
                match self { $(Defect::$name => $word,)* }
            }

            /// What is wrong, as a sentence without a full stop.
            pub fn what(self) -> &'static str {
                match self { $(Defect::$name => $what,)* }
            }

            /// How hard it is to see.
            pub fn subtlety(self) -> Subtlety {
                match self { $(Defect::$name => Subtlety::$subtlety,)* }
            }
        }
    };
}

impl Defect {
    /// The mock policy that it lives in, where it needs a certain one to show: without grace nothing can be wrong
    /// with grace. Whoever tries it gives the suite the policy that fits that preset.
    pub fn lives_in(self) -> Option<MockPolicy> {
        match self {
            Defect::ReuseEndsFamily => Some(MockPolicy::StrictReject),
            Defect::RefreshRotates => Some(MockPolicy::None),
            Defect::GraceIgnored
            | Defect::GraceOtherPair
            | Defect::GraceTooLong
            | Defect::GraceRestarts
            | Defect::GraceAnyGeneration => Some(MockPolicy::GraceSamePair),
            Defect::GraceUnknownToken | Defect::SiblingPruned => Some(MockPolicy::GraceNewPair),
            Defect::SiblingKept => Some(MockPolicy::GracePruned),
            Defect::GraceUsesIgnored => Some(MockPolicy::GraceOnce),
            Defect::IdleIgnored | Defect::IdleNotReset | Defect::OldAccessAccepted => {
                Some(MockPolicy::ShortLived)
            }
            _ => None,
        }
    }

    /// The defect of that name.
    pub fn from_word(word: &str) -> Option<Defect> {
        Defect::ALL.iter().copied().find(|defect| defect.word() == word)
    }
}

defects! {
    JsonAsTextJson "json-as-text-json" Subtle "an answer asked for as application/json is labelled text/json";
    TextJsonRefused "text-json-refused" Subtle "a text/json request is answered 415 while application/json works";
    XmlOrderOfInput "xml-order-of-input" Subtle "the XML reader expects the order of the JSON sample, so the refresh token is read as null";
    XmlLabelledJson "xml-labelled-json" Medium "an XML body goes out with a JSON Content-Type";
    TextXmlRefused "text-xml-refused" Subtle "a text/xml request is answered 415 while application/xml works";
    FormRefused "form-refused" Medium "a form request is answered 415";
    FormPercentKept "form-percent-kept" Subtle "percent escapes in a form are not decoded, which corrupts tokens with + / =";
    TextJsonAnswerRelabelled "text-json-answer-relabelled" Subtle "Accept text/json is answered as application/json";
    TextXmlAnswerRelabelled "text-xml-answer-relabelled" Subtle "Accept text/xml is answered as application/xml";
    AcceptIgnored "accept-ignored" Medium "every answer is JSON whatever Accept says";
    FormAnswersJson "form-answers-json" Subtle "a form request is always answered in JSON";
    NoAcceptJson "no-accept-json" Subtle "without Accept the answer is JSON, even to XML";
    NoAcceptFormXml "no-accept-form-xml" Subtle "a form request without Accept is answered in XML";
    WildcardRefused "wildcard-refused" Medium "Accept */* is answered 406";
    QualityIgnored "quality-ignored" Subtle "q-values are ignored, the first type listed wins";
    TieAlternates "tie-alternates" Subtle "two types of equal q are served in turn";
    QualityZeroServed "quality-zero-served" Subtle "a type with q=0 is served before one that is accepted";
    UnacceptableHtml "unacceptable-html" Medium "an unacceptable Accept is answered with an HTML page";
    UnacceptableCrash "unacceptable-crash" Medium "an unacceptable Accept is answered 500";
    Latin1Replaced "latin1-replaced" Subtle "bytes that are not UTF-8 become U+FFFD and are dropped, and the rest is accepted as the token";
    TypeCaseSensitive "type-case-sensitive" Subtle "the Content-Type is compared with case";
    TypeSniffed "type-sniffed" Subtle "an unsupported Content-Type is parsed by sniffing and accepted";
    UntypedSniffed "untyped-sniffed" Subtle "a body without Content-Type is parsed by sniffing and accepted";
    ErrorsAlwaysJson "errors-always-json" Subtle "error documents are JSON whatever Accept says";
    CharsetMislabelled "charset-mislabelled" Subtle "the label says iso-8859-1, the bytes are UTF-8";
    Utf16Mislabelled "utf16-mislabelled" Subtle "a UTF-16 request is answered in UTF-16 that is labelled utf-8";
    Utf16Crash "utf16-crash" Medium "a UTF-16 request is answered 500";
    BomBreaks "bom-breaks" Subtle "a UTF-8 byte order mark before the document makes it unreadable";

    EnvelopeCamel "envelope-camel" Medium "the envelope's members are written in camel case";
    EnvelopeExtra "envelope-extra" Subtle "the envelope has a member that is not documented";
    InnerMemberMissing "inner-member-missing" Subtle "responseData is left out where it is null";
    FlagAsBoolean "flag-as-boolean" Subtle "isSuccess is a JSON boolean";
    InnerAsText "inner-as-text" Medium "the inner object is JSON inside a JSON string";
    InnerAsList "inner-as-list" Medium "the inner object is wrapped in an array";
    XmlNamespaceCase "xml-namespace-case" Subtle "the XML namespace has the wrong case";
    XmlNoNamespace "xml-no-namespace" Medium "XML is written without the namespace, members in declared order";
    XmlDeclarationOrder "xml-declaration-order" Subtle "XML elements stand in declared order, not in ordinal order";
    XmlNullText "xml-null-text" Medium "null is written as the text null in XML";
    XmlNullEmpty "xml-null-empty" Subtle "null is an empty element in XML while it is null in JSON";
    DatesPerFormat "dates-per-format" Subtle "dates are written differently in JSON and in XML";
    RefusalHtml "refusal-html" Medium "a refused token is answered with an HTML error page";
    RefusalBare "refusal-bare" Medium "a refused token is answered with a document of another shape";
    JsonOrderShuffled "json-order-shuffled" Subtle "JSON members stand in another order each time";
    JsonDuplicateMember "json-duplicate-member" Subtle "a JSON member is written twice";
    JsonCaseTwin "json-case-twin" Subtle "a JSON member is there twice, in two spellings that differ in case";
    XmlControlCharacter "xml-control-character" Subtle "a control character in Remarks makes the XML ill-formed and leaves the JSON whole";
    TokenWithSpace "token-with-space" Subtle "the refresh token ends with a line break";

    RefreshTokenMissing "refresh-token-missing" Medium "a granted answer has no refresh token";
    InnerFailureInside "inner-failure-inside" Subtle "a refusal's envelope says success while the inner layer says failure";
    EnvelopeFailureOutside "envelope-failure-outside" Subtle "a grant's envelope says failure while the inner layer says success";
    ErrorResidue "error-residue" Subtle "errorCode is set on success";
    FlagSpelling "flag-spelling" Subtle "isSuccess is True in JSON and true in XML";
    CreatedNaiveLocal "created-naive-local" Subtle "created is local time (+05:30) without its zone";
    CreatedStale "created-stale" Subtle "created stays at the moment of the login";
    ExpiresBeforeCreated "expires-before-created" Subtle "expires lies before created";
    DateCultureFlips "date-culture-flips" Subtle "dates flip between day first and month first";
    DateZoneFlips "date-zone-flips" Subtle "the zone suffix of dates is sometimes missing";
    ExpiresOffJwt "expires-off-jwt" Subtle "expires differs from the token's own exp by an hour";
    AccessUnchanged "access-unchanged" Medium "the new access token is the old one";
    AccessDead "access-dead" Subtle "the new access token is not accepted by the resource";
    DefaultTenant "default-tenant" Medium "every token belongs to one tenant, whoever asked";

    EmptyBodyCrash "empty-body-crash" Medium "an empty body is answered 500";
    NullDocumentCrash "null-document-crash" Medium "a JSON root that is not an object is answered 500";
    TruncatedAccepted "truncated-accepted" Subtle "a truncated JSON document is accepted with the members read so far";
    TruncatedSpends "truncated-spends" Subtle "a truncated JSON document is refused and spends the token all the same";
    TwoRootsAccepted "two-roots-accepted" Subtle "a second XML root after the first is ignored";
    MalformedXmlCrash "malformed-xml-crash" Medium "an XML document that is not closed is answered 500";
    SecretOptional "secret-optional" Subtle "a request without AuthString is granted";
    AccessOptional "access-optional" Subtle "a request without expiredAccessToken is granted";
    BlankSecretInForm "blank-secret-in-form" Subtle "an empty AuthString is granted in a form and refused elsewhere";
    WrongSecretAccepted "wrong-secret-accepted" Medium "a wrong AuthString is granted when the token is valid";
    TenantIgnored "tenant-ignored" Medium "stateCode is not looked at";
    ForeignTenantAccepted "foreign-tenant-accepted" Subtle "any known stateCode is granted, the caller's own or not";
    ForeignTenantRevokes "foreign-tenant-revokes" Subtle "a foreign stateCode is refused and ends the chain";
    UnknownGranted "unknown-granted" Medium "a refresh token that was never issued is granted";
    RefreshCaseFolded "refresh-case-folded" Subtle "refresh tokens are compared without case";
    RefreshTrimmed "refresh-trimmed" Subtle "spaces and padding around a refresh token are ignored";
    AccessAsRefresh "access-as-refresh" Subtle "an access token is accepted as a refresh token";
    PairMixed "pair-mixed" Subtle "access and refresh token of two chains are granted together";
    ExpiredAccessRefused "expired-access-refused" Subtle "an access token that has expired is refused, though the endpoint exists for it";
    AccessUnverified "access-unverified" Subtle "any text is good as expired access token";
    AlgNoneAccepted "alg-none-accepted" Medium "an unsigned JWT is good as expired access token";
    PutRefreshes "put-refreshes" Subtle "PUT refreshes as POST does";
    NoAllow "no-allow" Subtle "405 names no allowed method";
    OptionsWildcard "options-wildcard" Subtle "a preflight from any origin is allowed with credentials";
    UnknownActionTrace "unknown-action-trace" Medium "an unknown action is answered with a stack trace";
    QueryBinds "query-binds" Subtle "credentials in the query string are bound where the body is empty";
    ClassesRandom "classes-random" Subtle "one kind of error has random codes";
    ClassesPerFormat "classes-per-format" Subtle "one kind of error has another code in XML than in JSON";

    ScopeSticks "scope-sticks" Subtle "a narrowed scope becomes the scope of the chain";
    ScopeWidens "scope-widens" Medium "any known scope is granted, whatever was granted first";
    ScopeRequired "scope-required" Subtle "a refresh without scope is refused";
    ScopeCrash "scope-crash" Medium "too wide a scope is answered 500";
    NarrowScopeRefused "narrow-scope-refused" Subtle "less than the granted scope is refused";
    NarrowScopeWidens "narrow-scope-widens" Subtle "whoever asks for less is granted every scope there is";
    UnknownScopeIgnored "unknown-scope-ignored" Subtle "a scope that nobody knows is passed over in silence";
    ScopeErrorMisnamed "scope-error-misnamed" Subtle "too wide a scope is refused as invalid_request";
    ClientUnbound "client-unbound" Medium "a refresh token is granted to any client";
    ClientAuthOptional "client-auth-optional" Medium "a confidential client is granted without its secret";
    WrongClientSecretAccepted "wrong-client-secret-accepted" Medium "a wrong client secret is granted";
    ClientErrorMisnamed "client-error-misnamed" Subtle "failed client authentication is answered invalid_grant";
    WwwAuthenticateMissing "www-authenticate-missing" Subtle "failed Basic authentication is answered without a challenge";
    TwoAuthMethodsAccepted "two-auth-methods-accepted" Subtle "credentials in header and body at once are accepted";
    GrantTypeIgnored "grant-type-ignored" Subtle "any grant_type, or none, refreshes";
    GrantTypeCaseFolded "grant-type-case-folded" Subtle "grant_type is compared without case";
    GrantTypeMisnamed "grant-type-misnamed" Subtle "an unknown grant_type is answered invalid_grant";
    RequestMisnamed "invalid-request-misnamed" Subtle "what is an invalid_request is answered invalid_client";
    MissingTokenGranted "missing-token-granted" Medium "a refresh without a token is granted to any client that proves itself";
    ErrorsForbidden "errors-forbidden" Subtle "every error is answered 403";
    RefusalsSpend "refusals-spend" Subtle "a request that is refused ends the chain whose token it carries";
    InvalidGrantMisnamed "invalid-grant-misnamed" Subtle "a bad refresh token is answered invalid_token, which is the resource's word";
    InvalidGrantUnauthorized "invalid-grant-unauthorized" Subtle "a bad refresh token is answered 401";
    InvalidGrantCrash "invalid-grant-as-500" Medium "a bad refresh token is answered 500";
    RepeatedParameterAccepted "repeated-parameter-accepted" Subtle "of a repeated parameter the first is taken";
    UnknownParameterRefused "unknown-parameter-refused" Subtle "a parameter that nobody knows is refused";
    EmptyParameterRead "empty-parameter-read" Subtle "a parameter without a value is read as one with an empty value";
    CharsetLabelRefused "charset-label-refused" Subtle "a form whose label names its charset is refused";
    GetRefreshes "get-refreshes" Subtle "GET refreshes with parameters of the query";
    JsonBodyAccepted "json-body-accepted" Subtle "a JSON body is read as the form would be";
    NoStoreMissing "oauth-no-store-missing" Subtle "tokens are answered without Cache-Control";
    ExpiresInText "expires-in-as-text" Subtle "expires_in is text";
    ExpiresInZero "expires-in-zero" Subtle "expires_in is 0";
    TokenTypeMissing "token-type-missing" Medium "a grant has no token_type";
    TokenTypeOdd "token-type-odd" Subtle "token_type is a word that no client knows";
    ErrorWithQuotes "error-with-quotes" Subtle "error_description holds a quotation mark";
    ErrorCodeBroken "error-code-broken" Subtle "error ends in a line break";
    ErrorUriSpaced "error-uri-spaced" Subtle "error_uri holds a space";
    GrantMislabelled "grant-mislabelled" Subtle "tokens are labelled with a media type of the server's own";
    ErrorMislabelled "error-mislabelled" Subtle "an error document is labelled text/html";
    ErrorUnnamed "error-unnamed" Medium "an error document has no member error";
    RevokeUnknownRefused "revoke-unknown-refused" Subtle "the revocation of a token that nobody knows is refused";
    RevokeRefused "revoke-refused" Subtle "every revocation is done and answered 400";
    RevokeIgnored "revoke-ignored" Medium "a revocation is answered 200 and does nothing";
    RevokeForeign "revoke-foreign" Subtle "a client can revoke another client's token";
    RevokeOpen "revoke-open" Subtle "revocation asks for no client authentication";
    IdTokenSubjectChanges "id-token-sub-changes" Subtle "the ID token of a refresh has another sub";
    IdTokenIssuerChanges "id-token-iss-changes" Subtle "the ID token of a refresh has another iss";
    IdTokenAudienceChanges "id-token-aud-changes" Subtle "the ID token of a refresh has another aud";
    IdTokenPartyChanges "id-token-azp-changes" Subtle "the ID token of a refresh has another azp";
    IdTokenLoginMoves "id-token-auth-time-moves" Subtle "auth_time moves with every refresh";
    IdTokenStale "id-token-stale" Subtle "the ID token of a refresh has the iat of the login";
    IdTokenNonce "id-token-nonce" Subtle "the ID token of a refresh has a nonce that nobody sent";
    DpopOptional "dpop-optional" Subtle "a bound refresh token is granted without a proof";
    DpopOtherKey "dpop-other-key" Subtle "a bound refresh token is granted to a proof by any key";
    DpopUnsigned "dpop-unsigned" Medium "the signature of a proof is not looked at";
    DpopMethodIgnored "dpop-method-ignored" Subtle "a proof for another method is accepted";
    DpopAddressIgnored "dpop-address-ignored" Subtle "a proof for another address is accepted";
    DpopStaleAccepted "dpop-stale-accepted" Subtle "a proof of last year is accepted";
    DpopReplayed "dpop-replayed" Subtle "a proof can be used twice";
    DpopNonceUnstated "dpop-nonce-unstated" Subtle "a refused refresh asks for a nonce and gives none";
    DpopErrorMisnamed "dpop-error-misnamed" Subtle "a bad proof is answered invalid_client";
    DpopTypeBearer "dpop-type-bearer" Subtle "bound tokens are answered with token_type Bearer";
    AccessClaimsMissing "at-jwt-claims-missing" Subtle "an access token that says at+jwt has none of its claims";
    AccessUnsigned "at-jwt-unsigned" Medium "an access token that says at+jwt is not signed";
    FapiRotates "fapi-rotates-without-retry" Subtle "where no rotation is promised the refresh token rotates, and the old one is dead";

    RefreshUnchanged "refresh-unchanged" Subtle "the refresh token stays the same although it is promised to rotate";
    RefreshRotates "refresh-rotates" Subtle "the refresh token is replaced although it is promised to stay";
    RevokeUnknownEnds "revoke-unknown-ends" Subtle "the revocation of an unknown token ends the caller's other chains";
    OldRefreshValid "old-refresh-valid" Medium "the refresh token rotates and the old one stays valid";
    ReuseNotPunished "reuse-not-punished" Subtle "a replay is refused and the successor lives on, whatever is promised";
    ReuseEndsFamily "reuse-ends-family" Subtle "a replay ends the family although nothing of the kind is promised";
    GrandparentUnpunished "grandparent-unpunished" Subtle "only the replay of the parent ends the family, not that of an older token";
    ReuseRevokesTenant "reuse-revokes-tenant" Subtle "a replay ends every chain of the tenant";
    ReplayHarmsOtherFamily "replay-harms-other-family" Subtle "a replay ends every chain of the user";
    GraceIgnored "grace-ignored" Medium "grace is promised and not given";
    GraceOtherPair "grace-other-pair" Subtle "grace answers with a new pair where the known one is promised";
    GraceUnknownToken "grace-unknown-token" Subtle "grace answers with a refresh token that was never stored";
    GraceTooLong "grace-too-long" Subtle "grace lasts ten times as long as promised";
    GraceRestarts "grace-restarts" Subtle "every use in grace begins its time anew";
    GraceAnyGeneration "grace-any-generation" Subtle "grace covers every ancestor, not the parent alone";
    GraceUsesIgnored "grace-uses-ignored" Subtle "uses in grace are not counted";
    SiblingPruned "sibling-pruned" Subtle "a new pair in grace ends its sibling, which is promised to live";
    SiblingKept "sibling-kept" Subtle "a sibling of a new pair in grace lives, though it is promised to end";
    RefreshNeverExpires "refresh-never-expires" Subtle "refresh tokens never expire";
    IdleIgnored "idle-ignored" Subtle "a chain may rest as long as it likes";
    IdleNotReset "idle-not-reset" Subtle "use does not begin the time of rest anew";
    CapReset "cap-reset" Subtle "every rotation begins the time of the whole chain anew";
    CapEarly "cap-early" Subtle "a chain ends at half of the time that it is promised";
    OldAccessAccepted "old-access-accepted" Subtle "the access token before the last refresh is accepted though it is promised to end";
    OldAccessDies "old-access-dies" Subtle "the access token before the last refresh ends though it is promised to last";
    AccessOutlivesExpiry "access-outlives-expiry" Subtle "an access token is accepted after it expired";
    AccessDiesEarly "access-dies-early" Subtle "an access token is accepted for a quarter of its lifetime";
    RefreshAfterRevoke "refresh-after-revoke" Medium "a chain can be refreshed after it was revoked";
    AccessAfterRevoke "access-after-revoke" Subtle "an access token is accepted after its chain was revoked";
    RevokeUnknownError "revoke-unknown-error" Subtle "the revocation of an unknown token is answered with an error";
    RevokeEndsAll "revoke-ends-all" Subtle "the revocation of one chain ends every chain of the user";
    NodeMemory "node-memory" Subtle "rotation is kept in memory, so that a restart ends every chain";
    NodesDisagree "nodes-disagree" Subtle "every eighth token of a chain is asked of a node that does not know it";
    RestartForgetsUsed "restart-forgets-used" Subtle "after a restart nobody knows which tokens were used";
    ChainDiesAfterTwenty "chain-dies-after-20" Subtle "a chain ends after twenty refreshes";
    JtiRepeated "jti-repeated" Subtle "access tokens of a chain share their jti";
    RefusalSpendsSecret "refusal-spends-secret" Subtle "a request with wrong credentials is refused and spends the token all the same";
    RefusalSpendsAccess "refusal-spends-access" Subtle "a request with a wrong access token is refused and spends the refresh token all the same";
    RefusalSpendsMissing "refusal-spends-missing" Subtle "a request without an access token is refused and spends the refresh token all the same";
    ExpiresFrozen "expires-frozen" Subtle "the expiry of access tokens is counted from the login";
    TenantDrifts "tenant-drifts" Subtle "deep in a chain the tokens belong to somebody else";

    RaceDoubleSpend "race-double-spend" Subtle "a token is read, and written as used two milliseconds later: who reads meanwhile is granted as well";
    RaceSharedAnswer "race-shared-answer" Subtle "who loses a race is given the winner's answer, though no grace is promised";
    RaceAllLose "race-all-lose" Subtle "uses of one token at the same time are all refused";
    RaceCrash "race-crash" Subtle "who loses a race is answered 500, as a unique key is violated";
    RaceMixedPair "race-mixed-pair" Subtle "the winner of a race gets the access token that belongs to another refresh token";
    RaceCrossFormat "race-cross-format" Subtle "requests of different formats do not see each other's uses for two milliseconds";
    RaceEndsOthers "race-ends-others" Subtle "a race ends the other chains of its tenant";
    ReplayBesideNext "replay-beside-next" Subtle "a replay is granted while the legitimate next use is on its way";
    RevokedRevived "revoked-revived" Subtle "a refresh that began before a revocation makes the chain live again";
    RevocationLost "revocation-lost" Subtle "a revocation beside a refresh is confirmed and comes to nothing, and so does the refresh";
    AbortLeavesLock "abort-leaves-lock" Subtle "a client that hangs up leaves a lock behind, and the next request waits for it";
    AbortThenCrash "abort-then-crash" Subtle "after a client hung up, the next use of its token is answered 500";
    AbortForgetsUse "abort-forgets-use" Subtle "after a client hung up, its token can be used twice";
    BrokenBodyPoisons "broken-body-poisons" Subtle "after a request that was cut off, the next request is answered 500";
    BrokenBodyStalls "broken-body-stalls" Subtle "after a request that was cut off, the next request waits three seconds";
    LateDuplicateGranted "late-duplicate-granted" Subtle "a duplicate that comes four to sixty milliseconds after the first use is granted";
    LoadTokenSwapped "load-token-swapped" Subtle "with many chains at once, an answer now and then goes to another chain";
    LoadDuplicateToken "load-duplicate-token" Subtle "with many chains at once, an access token is now and then issued a second time";
    LoadReplayGranted "load-replay-granted" Subtle "with many chains at once, a used refresh token is granted again";

    RefusalPoisons "refusal-poisons" Subtle "after a refused request a good one is turned away";
    OtherTenantRefused "other-tenant-refused" Subtle "nothing is granted to any tenant but the first";
    ActionPrefixRouted "action-prefix-routed" Subtle "a path that begins like the action's leads to it";

    DeepJsonCrash "deep-json-crash" Gross "a deeply nested JSON document overflows the stack of its reader";
    DeepXmlCrash "deep-xml-crash" Medium "a deeply nested XML document overflows the stack of its reader";
    ObjectCoerced "object-coerced" Subtle "a list or an object in the place of a text becomes text by itself, and is accepted";
    NumberCrash "number-crash" Medium "a JSON number in the place of a text is answered 500";
    NulCrash "nul-crash" Medium "U+0000 in a value is answered 500";
    CommentCrash "comment-crash" Medium "a comment in a JSON document is answered 500";
    RareBytesCrash "rare-bytes-crash" Subtle "a JSON document with the bytes 5C 1B in it is answered 500";
    LoneSurrogateIllFormed "lone-surrogate-ill-formed" Subtle "half of a surrogate pair is repeated as it came, and the answer is no UTF-8";
    ControlEchoed "control-echoed" Subtle "control characters are repeated as they came, and an XML answer is ill-formed";
    EchoUnbounded "echo-unbounded" Subtle "a refused value is repeated whole, however large";
    BigFieldSlow "big-field-slow" Medium "after a value of a megabyte every answer takes its time";
    LargeBodyCrash "large-body-crash" Medium "a body of more than four megabytes is answered 500";
    ManyKeysCrash "many-keys-crash" Medium "a form of more than a thousand keys is answered 500";
    DuplicateForeign "duplicate-member-foreign" Subtle "of a refresh token that is there twice the first is looked at and the last is used";
    XmlPrefixRefused "xml-prefix-refused" Subtle "an XML document with a prefix is refused";
    XmlNamespaceIgnored "xml-namespace-ignored" Subtle "an XML document of any namespace is accepted";
    XmlOrderCrash "xml-order-crash" Medium "an XML document in another order is answered 500";
    XmlLostSecretAccepted "xml-lost-secret-accepted" Subtle "where the order of elements hides the shared secret it is not asked for";
    SlashSkipsSecret "slash-skips-secret" Subtle "with a slash behind the path any shared secret is good";
    TwoLabelsCrash "two-labels-crash" Medium "two Content-Type headers are answered 500";
    ManyHeadersCrash "many-headers-crash" Medium "more than sixty headers are answered 500";
    LongHeaderCrash "long-header-crash" Medium "a header of eight kilobytes is answered 500";
    LongPathCrash "long-path-crash" Medium "a path of two kilobytes is answered 500";
    GzipCrash "gzip-crash" Medium "a body with Content-Encoding: gzip is answered 500";
    ChunkedCrash "chunked-crash" Medium "a chunked body is answered 500";
    SlowBodyHang "slow-body-hang" Medium "a body that comes in pieces is not answered for seconds";
    ExpectHang "expect-hang" Medium "whoever asks to be told to go on is not answered for seconds";
    PipelinedLost "pipelined-lost" Subtle "of two requests in one packet the second is never answered";
    PipelinedRepeated "pipelined-repeated" Subtle "of two requests in one packet both get the answer to the first";
    LengthAndChunksKept "length-and-chunks-kept" Subtle "after a request with a length and chunks both, what follows is read as a request";
    DuplicateCrash "duplicate-member-crash" Medium "a refresh token that is there twice is answered 500";
    DoubleSlashCrash "double-slash-crash" Medium "a path that begins with two slashes is answered 500";
    DeepHang "deep-hang" Medium "a very deep JSON document is not answered for seconds";
    TruncatedHang "truncated-hang" Subtle "a JSON document that ends too early is not answered for seconds";
    ManyHeadersHang "many-headers-hang" Subtle "a request of more than sixty headers is not answered for seconds";
    ControlSpends "control-character-spends" Subtle "a value with a control character is refused and the token spent all the same";

    SlowAnswers "slow-answers" Medium "every answer takes 300 ms";
    SlowNowAndThen "slow-now-and-then" Subtle "every tenth answer takes 300 ms";
    GlobalLock "global-lock" Medium "one lock for all: refreshes are worked on one after another";
    RandomRefusals "random-refusals" Subtle "one of 200 good requests is refused, with status 200";
    XmlSlow "xml-slow" Subtle "XML takes 60 ms longer than JSON";
    SlowDrift "slow-drift" Subtle "answers take longer the longer the server runs";
    PoolLeak "pool-leak" Subtle "connections of a pool leak, and after a while requests fail";
    RushCrash "rush-crash" Medium "when many ask at once, some are answered 500";
    SpikeNeverRecovers "spike-never-recovers" Subtle "after a rush answers stay slow";
    SpikeLeavesErrors "spike-leaves-errors" Subtle "after a rush some requests are answered 500 for good";
    StampedeSlow "stampede-slow" Medium "when many chains renew at once, each waits two seconds";
    StampedeDrops "stampede-drops" Subtle "when many chains renew at once, some connections close after the token was spent";
    HotFamilySlowsOthers "hot-family-slows-others" Subtle "while one family refreshes often, all others are slow";
    NegativePathSlow "negative-path-slow" Subtle "a refusal takes 150 ms longer than a grant";

    XxeFileRead "xxe-file-read" Medium "an external entity is replaced by the file that it names";
    XxeFetches "xxe-fetches" Medium "an external entity is fetched from the address that it names";
    EntityBomb "entity-bomb" Medium "entities are expanded without a limit";
    XincludeResolved "xinclude-resolved" Subtle "included documents and the schemas that a document names are fetched";
    TypeGadgetNamed "type-gadget-named" Subtle "$type in JSON makes the reader load the type, and the error names it";
    SqlSleep "sql-sleep" Medium "stateCode is pasted into SQL, so that a database told to sleep does";
    SqlErrorShown "sql-error-shown" Medium "an apostrophe in stateCode is answered 500 with the words of the database";
    CrlfHeader "crlf-header" Subtle "a line break in a member ends a header of the answer, and another begins";
    HtmlReflected "html-reflected" Medium "an error page repeats markup of the request as it is";
    SecretEchoed "secret-echoed" Medium "a refusal repeats AuthString in a header";
    SecretEchoedInBase64 "secret-echoed-in-base64" Subtle "a refusal repeats AuthString in a header, in base64";
    StackTraceOnError "stack-trace-on-error" Medium "error documents carry exceptions with their stack traces";
    DetailsOnError "details-on-error" Subtle "error documents carry MessageDetail";
    CacheableGrant "cacheable-grant" Subtle "a grant may be cached for a minute";
    NoStoreForgotten "no-store-missing" Subtle "a grant says no-cache and not no-store";
    TokenInCookie "token-in-cookie" Subtle "the refresh token is set as a cookie as well";
    TokenInLocation "token-in-location" Subtle "the refresh token stands in a Location header as well";
    CorsReflected "cors-reflected" Subtle "any origin may read the answer of a refresh, with credentials";
    SequentialTokens "sequential-tokens" Medium "refresh tokens are numbered";
    TimeSeededTokens "time-seeded-tokens" Subtle "refresh tokens come from java.util.Random, seeded by the clock";
    GuidV1Tokens "guid-v1-tokens" Medium "refresh tokens are GUIDs of version 1";
    GuidV4Tokens "guid-v4-tokens" Subtle "refresh tokens are GUIDs of version 4, with 122 random bits";
    CounterInBase64 "counter-in-base64" Subtle "refresh tokens are a counter between constant bytes, in base64";
    ShortTokens "short-tokens" Medium "refresh tokens have 64 bits";
    BiasedTokens "biased-tokens" Subtle "three of four bits of refresh tokens are zero";
    WeakSigningKey "weak-signing-key" Subtle "access tokens are signed with the secret `secret`";
    KeyConfusion "key-confusion" Subtle "an access token under HS256 is verified with the text of the public key";
    KidPathFollowed "kid-path-followed" Subtle "kid of an access token is a path, and the file there is the key";
    JkuFollowed "jku-followed" Subtle "the keys that jku of an access token names are fetched";
    ExpiryMissing "expiry-missing" Medium "access tokens have no exp";
    PersonalNumberInToken "personal-number-in-token" Subtle "access tokens carry a personal number";
    SecretInToken "secret-in-token" Subtle "access tokens carry AuthString";
    EarlyExitCompare "early-exit-compare" Subtle "secrets are compared byte by byte up to the first difference";
    TenantEnumeration "tenant-enumeration" Subtle "a wrong secret of an unknown tenant is answered otherwise than one of a known tenant";
    NoThrottle "no-throttle" Subtle "secrets can be guessed without end";
    LockoutByIp "lockout-by-ip" Subtle "whoever guesses locks out everybody behind the same address";

    JsonIllFormed "json-ill-formed" Medium "a comma stands behind the last member of a JSON answer";
    TextTypesUnacceptable "text-types-unacceptable" Medium "Accept text/json and Accept text/xml are answered 406";
    FormNeedsAccept "form-needs-accept" Medium "a form request without Accept is answered 406";
    QualityRefused "quality-refused" Medium "an Accept with q-values is answered 406";
    ErrorsBare "errors-bare" Subtle "what does not reach the action is answered with a document of another shape";
    PreflightCrash "preflight-crash" Medium "OPTIONS is answered 500";
    XmlRefusalCrash "xml-refusal-crash" Medium "a refusal that is to be written in XML is answered 500";
    AccessWithSpace "access-token-with-space" Subtle "the access token ends with a line break";
    ExpiresRemembered "expires-remembered" Subtle "expires stays what it was at the login, while the tokens expire later";
    BlankClassedApart "blank-classed-apart" Subtle "an empty member is refused as a token that nobody knows, a null one as missing";
    UnknownPathPoisons "unknown-path-poisons" Subtle "after a path that is not found the next request is not found either";
    ManyHeadersPoison "many-headers-poison" Subtle "after a request of more than sixty headers the next one is turned away";
    DtdCrash "dtd-crash" Medium "an XML document with a document type is answered 500";
    FileEntitySlow "file-entity-slow" Subtle "a reader waits for the file that an external entity names";
    InclusionCrash "inclusion-crash" Medium "an XML document that points to others (to include, schemas, style sheets) is answered 500";
    TypeNameCrash "type-name-crash" Medium "a JSON document that names a type is answered 500";
    TypeSearchSlow "type-search-slow" Subtle "a type that a JSON document names is looked for in every library, which takes seconds";
    OldTlsAccepted "old-tls-accepted" Medium "a hello of TLS 1.0 or 1.1 is answered with that version";
    CertificateExpired "certificate-expired" Medium "one of two machines behind the name has a certificate that has expired";
    ServedInTheClear "served-in-the-clear" Medium "the port of TLS serves HTTP in the clear as well";
    TemplateEvaluated "template-evaluated" Medium "text between braces is evaluated, and the error says what came of it";

    AlwaysCrash "always-crash" Gross "every answer is 500";
    AlwaysFixed "always-fixed" Gross "every answer is the same success with the same tokens";
}
