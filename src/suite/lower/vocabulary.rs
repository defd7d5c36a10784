//! The closed lists of words that have no table beside their type.

use super::super::call::{Abort, Encoding, ForgeKey, ForgeSignature, Where};
use super::super::claim::Lack;
use super::super::policy::{
    GraceAnswer, GraceReach, OldAccess, PairRule, RaceRule, ReplayAnswer, ReplayRevokes, Rotation, Siblings,
};
use super::super::race::Release;

/// Words and what they mean.
pub(in super::super) type Words<T, const N: usize> = [(T, &'static str); N];

pub(in super::super) const VERBS: [&str; 10] =
    ["refresh", "probe", "revoke", "login", "wait", "restart", "load", "fuzz", "connect", "race"];

pub(in super::super) const ROTATION: Words<Rotation, 3> =
    [(Rotation::Always, "always"), (Rotation::Never, "never"), (Rotation::Conditional, "conditional")];
pub(in super::super) const REPLAY_ANSWER: Words<ReplayAnswer, 2> =
    [(ReplayAnswer::Refused, "refused"), (ReplayAnswer::Granted, "granted")];
pub(in super::super) const REPLAY_REVOKES: Words<ReplayRevokes, 5> = [
    (ReplayRevokes::Nothing, "nothing"),
    (ReplayRevokes::Presented, "presented"),
    (ReplayRevokes::Successor, "successor"),
    (ReplayRevokes::Family, "family"),
    (ReplayRevokes::Session, "session"),
];
pub(in super::super) const GRACE_ANSWER: Words<GraceAnswer, 4> = [
    (GraceAnswer::SamePair, "same-pair"),
    (GraceAnswer::ActivePair, "active-pair"),
    (GraceAnswer::NewPair, "new-pair"),
    (GraceAnswer::Refused, "refused"),
];
pub(in super::super) const GRACE_REACH: Words<GraceReach, 2> =
    [(GraceReach::Parent, "parent"), (GraceReach::Any, "any")];
pub(in super::super) const SIBLINGS: Words<Siblings, 2> =
    [(Siblings::Live, "live"), (Siblings::Pruned, "pruned")];
pub(in super::super) const OLD_ACCESS: Words<OldAccess, 2> =
    [(OldAccess::Valid, "valid"), (OldAccess::Revoked, "revoked")];
pub(in super::super) const PAIR: Words<PairRule, 3> = [
    (PairRule::Ignored, "ignored"),
    (PairRule::Checked, "checked"),
    (PairRule::MustBeExpired, "must-be-expired"),
];
pub(in super::super) const RACE: Words<RaceRule, 2> =
    [(RaceRule::OneWins, "one-wins"), (RaceRule::MayAllLose, "may-all-lose")];
pub(in super::super) const RELEASE: Words<Release, 2> =
    [(Release::LastByte, "last-byte"), (Release::Barrier, "barrier")];
pub(in super::super) const ENCODING: Words<Encoding, 5> = [
    (Encoding::Utf8, "utf-8"),
    (Encoding::Utf16Le, "utf-16le"),
    (Encoding::Utf16Be, "utf-16be"),
    (Encoding::Latin1, "latin-1"),
    (Encoding::Gzip, "gzip"),
];
pub(in super::super) const ABORT: Words<Abort, 3> =
    [(Abort::Connected, "connected"), (Abort::HalfSent, "half-sent"), (Abort::Sent, "sent")];
pub(in super::super) const WHERE: Words<Where, 3> =
    [(Where::Start, "start"), (Where::Middle, "middle"), (Where::End, "end")];
pub(in super::super) const FORGE_KEY: Words<ForgeKey, 3> =
    [(ForgeKey::Other, "other"), (ForgeKey::Public, "public"), (ForgeKey::Empty, "empty")];
pub(in super::super) const FORGE_SIGNATURE: Words<ForgeSignature, 2> =
    [(ForgeSignature::Kept, "kept"), (ForgeSignature::Empty, "empty")];
pub(in super::super) const LACK: Words<Lack, 11> = [
    (Lack::Secrets, "secrets"),
    (Lack::StackTrace, "stack-trace"),
    (Lack::TypeNames, "type-names"),
    (Lack::Details, "details"),
    (Lack::FilePaths, "file-paths"),
    (Lack::FileContent, "file-content"),
    (Lack::PersonalNumbers, "personal-numbers"),
    (Lack::Banners, "banners"),
    (Lack::Markup, "markup"),
    (Lack::TokensInHeaders, "tokens-in-headers"),
    (Lack::WeakKeys, "weak-keys"),
];

/// The abstract classes of refusals. They belong to dialects, which stand above suites; a test of the whole
/// keeps the two lists equal.
pub(in super::super) const CLASS: [&str; 13] = [
    "invalid-token",
    "expired",
    "reused",
    "revoked",
    "wrong-client",
    "bad-credentials",
    "malformed",
    "unsupported-media",
    "no-such-operation",
    "rate-limited",
    "invalid-scope",
    "invalid-proof",
    "unknown",
];

/// What a promise may always be.
pub(in super::super) const UNKNOWN: &str = "unknown";

/// The words of a promise with `unknown`.
pub(in super::super) fn with_unknown<T>(words: &[(T, &'static str)]) -> Vec<&'static str> {
    words.iter().map(|(_, word)| *word).chain([UNKNOWN]).collect()
}
