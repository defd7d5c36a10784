//! How an exchange ended: granted, refused, clean, crash, closed, promised.

use crate::client::Failure;
use crate::client::reply::{self, Outcome, Reply};
use crate::suite::claim::OutcomeWord;

use crate::conformance::promise::{Allowed, SuccessorWord};
use crate::conformance::transcript::{Taken, ending};

use super::{Bench, Judgement, either, speech, status_line};

/// One of the words must fit.
pub(super) fn outcome(words: &[OutcomeWord], taken: &Taken, bench: &Bench<'_>) -> Judgement {
    if let [OutcomeWord::Promised] = words {
        return promised(taken);
    }
    let mut untold = None;
    for word in words {
        match fits(*word, taken, bench) {
            Judgement::Holds => return Judgement::Holds,
            Judgement::Untold(why) | Judgement::Moot(why) => untold = Some(why),
            Judgement::Fails(_) => {}
        }
    }
    if let Some(why) = untold {
        return Judgement::Untold(why);
    }
    let names: Vec<String> = words.iter().map(|word| word.word().to_owned()).collect();
    failed(&either(&names), words, taken, bench)
}

fn failed(expected: &str, words: &[OutcomeWord], taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let mut found = odd_behind(taken, bench).unwrap_or_else(|| ending(taken));
    if words == [OutcomeWord::Clean]
        && let Some(reply) = &taken.reply
        && matches!(reply.outcome, Outcome::Granted | Outcome::Refused)
        && !is_listed(reply, taken, bench)
    {
        let media = reply.answer().media_type().unwrap_or_else(|| "no Content-Type".to_owned());
        let media: String = media.chars().filter(|c| !c.is_control()).take(80).collect();
        found = format!("{found}, in `{media}`, which is not listed");
    }
    let marks = taken.reply.iter().map(|reply| status_line(reply.answer().status));
    Judgement::fails(expected, found).marking(marks)
}

fn fits(word: OutcomeWord, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let reply = taken.reply.as_deref();
    let is = |outcome: &Outcome| reply.is_some_and(|reply| reply.outcome == *outcome);
    if let Some(odd) = odd_behind(taken, bench) {
        return Judgement::fails(word.word(), odd);
    }
    let holds = match word {
        OutcomeWord::Granted => is(&Outcome::Granted),
        OutcomeWord::Refused => is(&Outcome::Refused),
        OutcomeWord::Crash => is(&Outcome::Crash),
        OutcomeWord::Clean => {
            (is(&Outcome::Granted) || is(&Outcome::Refused))
                && reply.is_some_and(|reply| is_listed(reply, taken, bench))
        }
        OutcomeWord::Closed => match taken.failure() {
            // The connection was closed before this call used it: it says nothing about the call.
            Some(Failure::ReuseRace) => {
                return Judgement::Untold("an idle connection was closed as it was used again".to_owned());
            }
            failure => failure.is_some_and(is_closed),
        },
        OutcomeWord::Promised => return promised(taken),
    };
    if holds { Judgement::Holds } else { Judgement::fails(word.word(), ending(taken)) }
}

/// What is wrong with the answers to requests that rode behind and carried nothing. The end of the connection
/// is not: a server may answer one request and close.
fn odd_behind(taken: &Taken, bench: &Bench<'_>) -> Option<String> {
    taken.exchange.behind.iter().enumerate().find_map(|(index, behind)| {
        let what = match behind {
            Err(failure) if is_closed(*failure) || *failure == Failure::ClosedWithinAnswer => return None,
            Err(failure) => failure.word().to_owned(),
            Ok(answer) => {
                let answer = std::sync::Arc::new(answer.clone());
                let status = answer.status;
                match reply::read(bench.scope.dialect, taken.operation, answer).outcome {
                    Outcome::Granted => format!("granted ({status}), and it carried nothing"),
                    Outcome::Crash => format!("crash ({status})"),
                    Outcome::Refused | Outcome::Garbled(_) => return None,
                }
            }
        };
        Some(format!("{}; request {} behind it in the same write: {what}", ending(taken), index + 1))
    })
}

/// In a listed type, or without a body.
fn is_listed(reply: &Reply, taken: &Taken, bench: &Bench<'_>) -> bool {
    let answer = reply.answer();
    answer.body.is_empty()
        || answer.media_type().is_some_and(|media| {
            speech(taken, bench).is_some_and(|speech| speech.answers.types.contains(&media))
        })
}

/// The server ended the connection without an answer.
pub(super) fn is_closed(failure: Failure) -> bool {
    matches!(failure, Failure::ClosedBeforeAnswer | Failure::Reset | Failure::StreamReset | Failure::Aborted)
}

/// This side could not make the call, which says nothing about the other.
pub(super) fn is_ours(failure: Failure) -> bool {
    matches!(
        failure,
        Failure::LocalPorts
            | Failure::LocalFiles
            | Failure::Proxy
            | Failure::NotInHttp2
            | Failure::Guarded
            | Failure::Stopped
    )
}

/// What the policy's state machine allows at this point.
fn promised(taken: &Taken) -> Judgement {
    let reply = taken.reply.as_deref();
    let is = |outcome: &Outcome| reply.is_some_and(|reply| reply.outcome == *outcome);
    let marks = || taken.reply.iter().map(|reply| status_line(reply.answer().status));
    match &taken.allowed {
        // The policy is silent, so nothing is judged; what was seen is said all the same.
        Allowed::Unknown(word) => Judgement::Moot(format!("{word}; observed: {}", ending(taken))),
        Allowed::Either(by) => {
            if is(&Outcome::Granted) || is(&Outcome::Refused) {
                Judgement::Holds
            } else {
                Judgement::fails(format!("`granted` or `refused`, as `{by}` promises"), ending(taken))
                    .marking(marks())
            }
        }
        Allowed::Refused(by) => {
            if is(&Outcome::Refused) {
                Judgement::Holds
            } else {
                Judgement::fails(format!("`refused`, as `{by}` promises"), ending(taken)).marking(marks())
            }
        }
        Allowed::Granted(by, successor) => {
            if !is(&Outcome::Granted) {
                Judgement::fails(format!("`granted`, as `{by}` promises"), ending(taken)).marking(marks())
            } else if successor.fits {
                Judgement::Holds
            } else {
                let (promised, found) = carried(successor.promised);
                Judgement::fails(format!("{promised}, as `{by}` promises"), found)
            }
        }
    }
}

/// Which refresh token a grant must carry, and what it carries where it does not.
fn carried(promised: SuccessorWord) -> (&'static str, &'static str) {
    match promised {
        SuccessorWord::Any => ("a grant", "another"),
        SuccessorWord::Kept => ("the refresh token that was sent, or none", "another refresh token"),
        SuccessorWord::Known => ("the pair that the chain has", "another pair"),
        SuccessorWord::New => ("a new refresh token", "one that the chain had before, or none"),
    }
}
