//! What is said of usual mistakes of shape, beyond "no key here".

use crate::source::Diagnostic;

use super::super::claim::OutcomeWord;
use super::super::lower::vocabulary;
use super::super::yaml::{Misfit, Wrong};

const CLAIM_WORDS: [&str; 12] = [
    "outcome",
    "class",
    "status",
    "type",
    "shape",
    "part",
    "at",
    "belongs",
    "lacks",
    "within",
    "callback",
    "certificate",
];
const SET_WORDS: [&str; 9] =
    ["same", "alike", "apart", "distinct", "plain-dates", "measured", "entropy", "timing", "promised"];
const MODIFIERS: [&str; 8] = ["as", "times", "every", "for", "given", "must", "should", "info"];

/// Says more of a misfit than its words and the expected ones tell.
pub(in super::super) fn advise(misfit: &Misfit, diagnostic: &mut Diagnostic) {
    match &misfit.wrong {
        Wrong::Unknown { word, within, is_key: true, .. } => unknown_key(word, within, diagnostic),
        Wrong::Unknown { .. } | Wrong::Missing(_) | Wrong::Kind { .. } | Wrong::Said(_) => {}
    }
}

fn unknown_key(word: &str, within: &str, diagnostic: &mut Diagnostic) {
    let mut say = |message: String, label: &str, help: String| {
        diagnostic.message = message;
        label.clone_into(&mut diagnostic.label);
        diagnostic.help = Some(help);
        diagnostic.patch = None;
    };
    match within {
        "Call" | "Changes" if MODIFIERS.contains(&word) || CLAIM_WORDS.contains(&word) => say(
            format!("`{word}` belongs beside the verb, not inside its call"),
            "this is no part of a call",
            "write `{ refresh: { … }, must: … }`: what is sent stands inside, what to think of it beside"
                .to_owned(),
        ),
        "ClaimMap" if SET_WORDS.contains(&word) => say(
            format!("`{word}` judges many exchanges, and this is one"),
            "a claim on a set",
            "name this step with `as` and put the claim under `together`".to_owned(),
        ),
        "ClaimMap" if is_outcome(word) => say(
            format!("`{word}` is an outcome and takes no value"),
            "an outcome",
            format!("write `outcome: {word}`"),
        ),
        "SetClaims" if CLAIM_WORDS.contains(&word) || is_outcome(word) => say(
            format!("`{word}` judges one exchange, and `together` judges many"),
            "a claim on one exchange",
            "put it beside the verb of its step".to_owned(),
        ),
        "Step" => {
            diagnostic.message = format!("`{word}` is no verb and no modifier");
            let verbs = vocabulary::VERBS.join("`, `");
            let modifiers = MODIFIERS.join("`, `");
            if diagnostic.patch.is_none() {
                diagnostic.help = Some(format!("verbs are `{verbs}`\nmodifiers are `{modifiers}`"));
            }
        }
        "Check" if MODIFIERS.contains(&word) || vocabulary::VERBS.contains(&word) => say(
            format!("`{word}` belongs into a step"),
            "a word of steps",
            "put it below `steps:`, behind a `-`".to_owned(),
        ),
        "Suite" if word == "own" || word == "use" || word == "skip" => say(
            format!("`{word}` belongs under `checks`"),
            "a word of `checks`",
            "write `checks:` and this below it".to_owned(),
        ),
        _ => {}
    }
}

fn is_outcome(word: &str) -> bool {
    OutcomeWord::ALL.into_iter().any(|outcome| outcome.word() == word)
}
