//! What the endpoint does with used tokens, in the words of `policy:`. Pure: trials in, words out.

use std::time::Duration;

use crate::conformance::clock::spoken;

use super::Tried;

/// Answers later than this say nothing of what happens at once.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Which refresh token the answer to a used token carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gave {
    /// The one that the chain has now.
    Current,
    /// The one that this token was first answered with, which is no longer the chain's.
    Former,
    /// One that the chain has never had.
    New,
}

/// A used token that was presented again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replay {
    pub came: Tried,
    /// What a grant carried.
    pub gave: Option<Gave>,
}

/// What was tried, in the order of the calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Trials {
    /// For each good refresh, whether it brought another refresh token.
    pub rotated: Vec<bool>,
    /// The current refresh token beside an access token that was never issued.
    pub foreign_access: Option<Tried>,
    /// The current access token and the one before it, at a protected resource.
    pub probes: Option<(Tried, Tried)>,
    /// The parent of the current token, once and again.
    pub parent: Vec<Replay>,
    /// How long after its use the parent was presented again.
    pub after: Duration,
    /// The current token after that.
    pub current: Option<Tried>,
    /// A pair that a replay was granted, where the current token was refused after that.
    pub sibling: Option<Tried>,
    /// An access token that had been granted, after the current refresh token was refused.
    pub access_after: Option<Tried>,
    /// An older token that was not replayed before.
    pub elder: Option<Replay>,
    /// The current token after that.
    pub current_again: Option<Tried>,
    /// How long an access token lives, as its answers say.
    pub access_lifetime: Option<Duration>,
    /// Why no used token was presented, where that is so.
    pub no_replay: Option<String>,
}

/// A word of the policy, its value if it could be learned, and what was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub name: &'static str,
    pub value: Option<String>,
    pub because: String,
}

impl Word {
    fn known(name: &'static str, value: impl Into<String>, because: impl Into<String>) -> Word {
        Word { name, value: Some(value.into()), because: because.into() }
    }

    fn unknown(name: &'static str, because: impl Into<String>) -> Word {
        Word { name, value: None, because: because.into() }
    }
}

/// The policy in its words.
pub(super) fn words(trials: &Trials) -> Vec<Word> {
    let mut words = vec![rotation(trials)];
    words.extend(used_tokens(trials));
    words.extend(old_access(trials));
    words.extend(pair(trials));
    words.extend(access_lifetime(trials));
    words
}

fn rotation(trials: &Trials) -> Word {
    let all = trials.rotated.len();
    let changed = trials.rotated.iter().filter(|changed| **changed).count();
    let because = format!("{changed} of {all} good refreshes brought another refresh token");
    match changed {
        _ if all == 0 => Word::unknown("rotation", "no good refresh was seen"),
        0 => Word::known(
            "rotation",
            "never",
            format!("{because} (`conditional` looks the same while a token is young)"),
        ),
        changed if changed == all => Word::known("rotation", "always", because),
        _ => Word::known("rotation", "conditional", because),
    }
}

/// `replay` and `grace`.
fn used_tokens(trials: &Trials) -> Vec<Word> {
    let unknown = |why: &str| vec![Word::unknown("replay", why), Word::unknown("grace", why)];
    if let Some(why) = &trials.no_replay {
        return unknown(why);
    }
    let Some(first) = trials.parent.first() else { return unknown("no used token could be tried") };
    let promptly = trials.after <= AT_ONCE;
    let at = moment(trials.after);
    match &first.came {
        Tried::Else(what) => unknown(&format!("a used token was answered with something else: {what}")),
        Tried::Refused => {
            let replay = replay(trials, &format!("a used token was refused {at}"));
            let grace = if is_grace_without_penalty(trials) {
                Word::known(
                    "grace",
                    "{ answer: refused, reach: parent }",
                    "the used token was refused and nothing else happened; an older one revoked the chain",
                )
            } else if promptly {
                Word::known("grace", "none", format!("the used token was refused {at}"))
            } else {
                Word::unknown("grace", format!("the used token was refused, but it came only {at}"))
            };
            vec![replay, grace]
        }
        Tried::Granted => vec![replay(trials, &refusal_after_grants(trials)), grace(trials, &at)],
    }
}

/// `at once`, `4 s after its use`
fn moment(after: Duration) -> String {
    if after < Duration::from_secs(1) {
        "at once".to_owned()
    } else {
        format!("{} after its use", spoken(after))
    }
}

/// Where the refusal of a used token was seen, if it was granted at first.
fn refusal_after_grants(trials: &Trials) -> String {
    let granted = trials.parent.iter().filter(|replay| replay.came == Tried::Granted).count();
    if granted < trials.parent.len() {
        format!("a used token was refused after {granted} further uses")
    } else {
        "an older token was refused".to_owned()
    }
}

/// What a used token gets in the end, and what its use revokes.
fn replay(trials: &Trials, seen: &str) -> Word {
    let of_parent = trials.parent.last().map(|replay| &replay.came);
    let of_elder = trials.elder.as_ref().map(|replay| &replay.came);
    let refused = Some(&Tried::Refused);
    if of_parent != refused && of_elder != refused {
        return Word::unknown("replay", "every used token was granted, so no replay was seen to be refused");
    }
    let after = |then: &Option<Tried>, wanted: Tried| *then == Some(wanted);
    let known = |revokes: &str, why: &str| {
        Word::known("replay", format!("{{ answer: refused, revokes: {revokes} }}"), format!("{seen}; {why}"))
    };
    if of_elder == refused && after(&trials.current_again, Tried::Refused) {
        return known("family", "after an older token, the chain's current one was refused as well");
    }
    if of_parent == refused && after(&trials.current, Tried::Refused) {
        return if trials.access_after == Some(Tried::Refused) {
            known(
                "family",
                "after it the chain's current one was refused as well, and an access token that was good",
            )
        } else {
            // The parent's successor is all that lives of the family: what was seen is promised, and no more.
            known(
                "successor",
                "after it the chain's current one was refused as well (`family` and `session` look the same here)",
            )
        };
    }
    if of_elder == refused && after(&trials.current_again, Tried::Granted)
        || of_parent == refused && after(&trials.current, Tried::Granted)
    {
        return known("nothing", "the chain's current one was granted after it");
    }
    Word::known("replay", "{ answer: refused }", format!("{seen}; what that revokes could not be seen"))
}

/// Refused and forgiven at once, while an older token is not.
fn is_grace_without_penalty(trials: &Trials) -> bool {
    let elder_refused = trials.elder.as_ref().is_some_and(|replay| replay.came == Tried::Refused);
    trials.current == Some(Tried::Granted) && elder_refused && trials.current_again == Some(Tried::Refused)
}

fn grace(trials: &Trials, at: &str) -> Word {
    let granted = trials.parent.iter().take_while(|replay| replay.came == Tried::Granted).count();
    let mut parts = Vec::new();
    let mut seen = vec![format!("the used token was granted {at}, and {granted} times in all")];
    let counted = trials.parent.get(granted).is_some_and(|replay| replay.came == Tried::Refused);
    if counted {
        parts.push(format!("uses: {granted}"));
    } else {
        seen.push("no end was seen: find out how long, and write `for`".to_owned());
    }
    if let Some((answer, why)) = answer(trials) {
        parts.push(format!("answer: {answer}"));
        seen.push(why.to_owned());
    }
    match trials.elder.as_ref().map(|replay| &replay.came) {
        Some(Tried::Granted) => parts.push("reach: any".to_owned()),
        Some(Tried::Refused) => parts.push("reach: parent".to_owned()),
        Some(Tried::Else(_)) | None => seen.push("no older token was tried".to_owned()),
    }
    let forked = trials.parent.iter().any(|replay| replay.gave == Some(Gave::New));
    match &trials.current {
        Some(Tried::Granted) if forked => parts.push("siblings: live".to_owned()),
        Some(Tried::Refused) if trials.sibling == Some(Tried::Granted) => {
            parts.push("siblings: pruned".to_owned());
            seen.push(
                "the pair that it brought was granted after that, and the chain's own was not".to_owned(),
            );
        }
        _ => {}
    }
    Word::known("grace", format!("{{ {} }}", parts.join(", ")), seen.join("; "))
}

/// What a grant within grace carries.
fn answer(trials: &Trials) -> Option<(&'static str, &'static str)> {
    let first = trials.parent.first()?.gave?;
    let elder = trials.elder.as_ref().and_then(|replay| replay.gave);
    Some(match (first, elder) {
        (Gave::New | Gave::Former, _) => ("new-pair", "it brought a pair of its own"),
        (Gave::Current, Some(Gave::Current)) => ("active-pair", "an older one brought the chain's pair too"),
        (Gave::Current, Some(Gave::Former)) => ("same-pair", "an older one brought its own pair again"),
        (Gave::Current, Some(Gave::New) | None) => {
            ("same-pair", "it brought the chain's own pair (`active-pair` looks the same for a parent)")
        }
    })
}

fn old_access(trials: &Trials) -> Option<Word> {
    let (current, old) = trials.probes.as_ref()?;
    Some(match (current, old) {
        (Tried::Granted, Tried::Granted) => {
            Word::known("old-access", "valid", "the access token before the current one was granted")
        }
        (Tried::Granted, Tried::Refused) => Word::known(
            "old-access",
            "revoked",
            "the current access token was granted, and the one before it refused",
        ),
        _ => Word::unknown(
            "old-access",
            "the current access token was not granted, so the old one says nothing",
        ),
    })
}

fn pair(trials: &Trials) -> Option<Word> {
    Some(match trials.foreign_access.as_ref()? {
        Tried::Granted => Word::known(
            "pair",
            "ignored",
            "a refresh beside an access token that was never issued was granted",
        ),
        Tried::Refused => Word::known(
            "pair",
            "checked",
            "a refresh beside an access token that was never issued was refused; one of another chain was not tried",
        ),
        Tried::Else(what) => {
            Word::unknown("pair", format!("an access token that was never issued was answered: {what}"))
        }
    })
}

fn access_lifetime(trials: &Trials) -> Option<Word> {
    let lifetime = trials.access_lifetime?;
    let value = spoken(lifetime).replace(' ', "");
    Some(Word::known("access-lifetime", value, "as the answers state it; nobody waited for it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(came: Tried, gave: Option<Gave>) -> Replay {
        Replay { came, gave }
    }

    fn granted(gave: Gave) -> Replay {
        came(Tried::Granted, Some(gave))
    }

    fn refused() -> Replay {
        came(Tried::Refused, None)
    }

    fn rotating() -> Trials {
        Trials { rotated: vec![true; 3], after: Duration::from_millis(3), ..Trials::default() }
    }

    #[track_caller]
    fn learns(trials: &Trials, word: &str, value: Option<&str>) {
        let words = words(trials);
        let found = words.iter().find(|one| one.name == word).unwrap_or_else(|| panic!("no `{word}`"));
        assert_eq!(found.value.as_deref(), value, "{}", found.because);
    }

    #[test]
    fn rotation_is_what_the_good_refreshes_brought() {
        let of = |rotated: &[bool]| Trials { rotated: rotated.to_vec(), ..Trials::default() };
        learns(&of(&[true, true]), "rotation", Some("always"));
        learns(&of(&[false, false]), "rotation", Some("never"));
        learns(&of(&[true, false]), "rotation", Some("conditional"));
        learns(&of(&[]), "rotation", None);
    }

    #[test]
    fn a_refused_replay_revokes_what_no_longer_works() {
        let strict = |current| Trials { parent: vec![refused()], current: Some(current), ..rotating() };
        learns(&strict(Tried::Refused), "replay", Some("{ answer: refused, revokes: successor }"));
        let all = Trials { access_after: Some(Tried::Refused), ..strict(Tried::Refused) };
        learns(&all, "replay", Some("{ answer: refused, revokes: family }"));
        learns(&strict(Tried::Granted), "replay", Some("{ answer: refused, revokes: nothing }"));
        learns(&strict(Tried::Else("crash".into())), "replay", Some("{ answer: refused }"));
        learns(&strict(Tried::Granted), "grace", Some("none"));
        let late = Trials { after: Duration::from_mins(1), ..strict(Tried::Granted) };
        learns(&late, "grace", None);
    }

    #[test]
    fn grace_ends_by_count_or_its_end_is_not_known() {
        let window = Trials {
            parent: vec![granted(Gave::Current); 4],
            current: Some(Tried::Granted),
            elder: Some(refused()),
            current_again: Some(Tried::Refused),
            ..rotating()
        };
        learns(&window, "grace", Some("{ answer: same-pair, reach: parent }"));
        learns(&window, "replay", Some("{ answer: refused, revokes: family }"));
        let count = Trials {
            parent: vec![granted(Gave::New), granted(Gave::New), refused()],
            current: Some(Tried::Granted),
            elder: Some(granted(Gave::New)),
            ..rotating()
        };
        learns(&count, "grace", Some("{ uses: 2, answer: new-pair, reach: any, siblings: live }"));
        learns(&count, "replay", Some("{ answer: refused, revokes: nothing }"));
    }

    #[test]
    fn a_parent_that_is_forgiven_while_an_older_token_is_not_is_grace() {
        let forgiven = Trials {
            parent: vec![refused()],
            current: Some(Tried::Granted),
            elder: Some(refused()),
            current_again: Some(Tried::Refused),
            ..rotating()
        };
        learns(&forgiven, "grace", Some("{ answer: refused, reach: parent }"));
        learns(&forgiven, "replay", Some("{ answer: refused, revokes: family }"));
    }

    #[test]
    fn a_sibling_that_lives_in_place_of_the_elder_was_pruned_for() {
        let pruned = |sibling| Trials {
            parent: vec![granted(Gave::New); 4],
            current: Some(Tried::Refused),
            sibling,
            ..rotating()
        };
        learns(&pruned(Some(Tried::Granted)), "grace", Some("{ answer: new-pair, siblings: pruned }"));
        learns(&pruned(Some(Tried::Refused)), "grace", Some("{ answer: new-pair }"));
        learns(&pruned(None), "replay", None);
    }

    #[test]
    fn a_server_that_never_refuses_a_used_token_promises_no_refusal() {
        let lax = Trials {
            parent: vec![granted(Gave::New); 4],
            current: Some(Tried::Granted),
            elder: Some(granted(Gave::New)),
            ..rotating()
        };
        learns(&lax, "replay", None);
        learns(&lax, "grace", Some("{ answer: new-pair, reach: any, siblings: live }"));
    }

    #[test]
    fn an_older_token_tells_the_active_pair_from_the_same_one() {
        let of = |elder| Trials {
            parent: vec![granted(Gave::Current)],
            current: Some(Tried::Granted),
            elder: Some(granted(elder)),
            ..rotating()
        };
        learns(&of(Gave::Current), "grace", Some("{ answer: active-pair, reach: any }"));
        learns(&of(Gave::Former), "grace", Some("{ answer: same-pair, reach: any }"));
    }

    #[test]
    fn a_crash_teaches_nothing() {
        let crash = Trials { parent: vec![came(Tried::Else("crash (500)".into()), None)], ..rotating() };
        learns(&crash, "replay", None);
        learns(&crash, "grace", None);
        let mixed = Trials { foreign_access: Some(Tried::Else("crash (500)".into())), ..rotating() };
        learns(&mixed, "pair", None);
    }

    #[test]
    fn an_old_access_token_says_nothing_where_the_current_one_is_not_granted() {
        let of = |current, old| Trials { probes: Some((current, old)), ..rotating() };
        learns(&of(Tried::Granted, Tried::Granted), "old-access", Some("valid"));
        learns(&of(Tried::Granted, Tried::Refused), "old-access", Some("revoked"));
        learns(&of(Tried::Refused, Tried::Refused), "old-access", None);
    }

    #[test]
    fn lifetimes_are_written_as_suites_write_them() {
        let of = |seconds| Trials { access_lifetime: Some(Duration::from_secs(seconds)), ..rotating() };
        learns(&of(300), "access-lifetime", Some("5m"));
        learns(&of(90), "access-lifetime", Some("90s"));
    }
}
