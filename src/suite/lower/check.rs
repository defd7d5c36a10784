//! Checks and their steps.

use indexmap::IndexMap;

use crate::source::Span;

use super::super::call::{Operation, Slot};
use super::super::check::{
    AccessNeed, Always, Basis, ChainNeed, Check, Connect, Dimension, Fuzz, FuzzStage, ProofClaim, Standing,
    Step, TlsVersion, Together, Verb, Wait,
};
use super::super::claim::{Claim, Expectation, OutcomeWord, Strength};
use super::super::defect::Defect;
use super::super::units::{self, Depth};
use super::super::written;
use super::super::yaml::{OneOrMany, Spanned};
use super::call::{Parts, call, changes};
use super::claim::{claims, set_claims};
use super::notes::{Notes, shown};
use super::reference::{self, Scope, template};
use super::{WrittenChecks, expect, load, race, vocabulary};

/// Once in every run.
const ONCE: Depth = Depth { quick: 1, full: 1 };

/// All checks of a file.
pub(super) fn checks(group: &str, written: &WrittenChecks, notes: &mut Notes<'_>) -> Vec<Check> {
    written.iter().map(|(id, check)| lower(id, group, check, notes)).collect()
}

fn lower(id: &str, group: &str, written: &Spanned<written::Check>, notes: &mut Notes<'_>) -> Check {
    let check = &written.value;
    identifier(id, written.key, notes);
    if check.title.value.trim().is_empty() {
        notes.error("suite::wrong-value", check.title.span, "the title is empty", "one sentence");
    }
    let mut scope = Scope::default();
    let chains = chains(check, &mut scope, notes);
    let over = dimensions(check, &mut scope, notes);
    let steps: Vec<Step> =
        check.steps.iter().filter_map(|written| step(written, &mut scope, notes)).collect();
    let together: Vec<Together> = check.together.iter().map(|written| set(written, &scope, notes)).collect();
    scope.in_claim = true;
    let always: Vec<Always> = check.always.iter().map(|written| lasting(written, &scope, notes)).collect();
    let mut lowered = Check {
        id: id.to_owned(),
        group: group.to_owned(),
        title: check.title.value.clone(),
        basis: check.basis.iter().flat_map(|basis| &basis.0).filter_map(|it| basis(it, notes)).collect(),
        because: check.because.clone(),
        fix: check.fix.clone(),
        when: check.when.as_ref().and_then(|when| Some((expect::when(when, notes)?, when.span))),
        destructive: check.destructive.clone(),
        chains,
        over,
        rounds: check.rounds.as_ref().and_then(|rounds| notes.depth(rounds)).unwrap_or(ONCE),
        steps,
        together,
        always,
        proof: IndexMap::new(),
        file: notes.file.clone(),
        at: written.key,
        standing: Standing::Run,
        observed: Vec::new(),
    };
    if check.steps.is_empty() && check.always.is_empty() {
        let message = format!("`{id}` does nothing");
        notes.error("suite::no-claim", written.key, message, "a check has `steps` or `always`");
    }
    race::dimensions(&lowered, &lowered.over, notes);
    if let Some(proof) = &check.proof {
        lowered.proof = proofs(proof, &lowered, notes);
    }
    lowered
}

fn identifier(id: &str, span: Span, notes: &mut Notes<'_>) {
    let fits = id.starts_with(char::is_alphanumeric)
        && id.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
        && id.len() <= 64;
    if !fits {
        let message = format!("`{}` cannot be the id of a check", shown(id));
        notes.error("suite::wrong-name", span, message, "letters, digits, `-`, `_` and `.`");
    }
}

fn basis(written: &Spanned<written::Basis>, notes: &mut Notes<'_>) -> Option<Basis> {
    match &written.value {
        written::Basis::Word(word) => {
            let words = [(Basis::Page, "page"), (Basis::Policy, "policy"), (Basis::Practice, "practice")];
            let found = words.iter().find(|(_, known)| known == word).map(|(basis, _)| basis.clone());
            if found.is_none() {
                let message = format!("`{}` is no basis", shown(word));
                let all = ["page", "policy", "practice", "aspnet", "rfc", "oidc", "fapi", "issue"];
                let diagnostic = notes.unknown(written.span, message, word, all);
                if all[3..].contains(&word.as_str()) {
                    "which part of it?".clone_into(&mut diagnostic.label);
                    diagnostic.patch = None;
                    diagnostic.help = Some(format!("write `{word}: …` with the section"));
                }
            }
            found
        }
        written::Basis::Map(basis) => Some(match basis {
            written::BasisOf::Aspnet(section) => Basis::Aspnet(section.clone()),
            written::BasisOf::Rfc(section) => Basis::Rfc(section.clone()),
            written::BasisOf::Oidc(section) => Basis::Oidc(section.clone()),
            written::BasisOf::Fapi(section) => Basis::Fapi(section.clone()),
            written::BasisOf::Issue(name) => Basis::Issue(name.clone()),
        }),
    }
}

fn chains(check: &written::Check, scope: &mut Scope, notes: &mut Notes<'_>) -> IndexMap<String, ChainNeed> {
    let mut chains = IndexMap::new();
    for (name, need) in &check.chains {
        // `own` is always there; what a check asks of it is written as of any other.
        if name != "own" {
            scope.declare("chain", name, need.key, notes);
            scope.chains.push(name.clone());
        }
        let need = &need.value;
        let mut other = |word: &Option<written::Word>| {
            word.as_ref()
                .and_then(|word| {
                    notes.word("word here", &word.value, word.span, &[(false, "same"), (true, "other")])
                })
                .unwrap_or(false)
        };
        let (other_tenant, other_user, other_client) =
            (other(&need.tenant), other(&need.user), other(&need.client));
        let states = [(AccessNeed::Live, "live"), (AccessNeed::Expired, "expired")];
        let access = need
            .access
            .as_ref()
            .and_then(|word| notes.word("state of a token", &word.value, word.span, &states));
        let count = need.count.as_ref().and_then(|count| notes.depth(count));
        let carries = slots(need.carries.as_ref(), notes);
        let without = slots(need.without.as_ref(), notes);
        let need = ChainNeed { other_tenant, other_user, other_client, access, carries, without, count };
        chains.insert(name.clone(), need);
    }
    chains
}

fn slots(words: Option<&OneOrMany<written::Word>>, notes: &mut Notes<'_>) -> Vec<Slot> {
    let words = words.iter().flat_map(|words| &words.0);
    words.filter_map(|word| reference::slot(&word.value, word.span, notes)).collect()
}

fn dimensions(
    check: &written::Check,
    scope: &mut Scope,
    notes: &mut Notes<'_>,
) -> IndexMap<String, Dimension> {
    for (name, dimension) in &check.over {
        scope.declare("dimension", name, dimension.key, notes);
        scope.dimensions.push(name.clone());
        if matches!(dimension.value, written::Dimension::Map(_)) {
            scope.changes.push(name.clone());
        }
    }
    let mut over = IndexMap::new();
    for (name, dimension) in &check.over {
        let lowered = match &dimension.value {
            written::Dimension::List(words) => {
                Dimension::Words(words.iter().map(|word| word.value.clone()).collect())
            }
            written::Dimension::Map(named) => {
                let mut all = IndexMap::new();
                for (word, change) in named {
                    all.insert(word.clone(), changes(&Parts::of_changes(&change.value), scope, notes));
                }
                Dimension::Changes(all)
            }
        };
        let empty = match &lowered {
            Dimension::Words(words) => words.is_empty(),
            Dimension::Changes(changes) => changes.is_empty(),
        };
        if empty {
            let message = format!("the dimension `{name}` is empty, so nothing would run");
            notes.error("suite::no-claim", dimension.key, message, "empty");
        }
        over.insert(name.clone(), lowered);
    }
    over
}

fn step(written: &Spanned<written::Step>, scope: &mut Scope, notes: &mut Notes<'_>) -> Option<Step> {
    let step = &written.value;
    let verb = verb(written, scope, notes);
    let yields = verb.as_ref().is_none_or(|(verb, _)| match verb {
        Verb::Call(_) | Verb::Race(_) | Verb::Load(_) | Verb::Fuzz(_) | Verb::Connect(_) => true,
        Verb::Wait(_) | Verb::Restart => false,
    });
    if let Some(name) = &step.name {
        scope.declare("step", &name.value, name.span, notes);
        scope.steps.push(name.value.clone());
    }
    scope.in_claim = true;
    let mut all = Vec::new();
    for (strength, written) in [
        (Strength::Given, &step.given),
        (Strength::Must, &step.must),
        (Strength::Should, &step.should),
        (Strength::Info, &step.info),
    ] {
        if let Some(written) = written {
            if !yields {
                let message = "this step yields no answer that could be judged";
                notes.error("suite::no-claim", written.key, message, "nothing to judge");
            }
            all.extend(claims(strength, written, scope, notes));
        }
    }
    scope.in_claim = false;
    let times = step.times.as_ref().and_then(|times| notes.depth(times));
    let (every, lasting) = (timed(step.every.as_ref(), notes), timed(step.lasting.as_ref(), notes));
    if let (Some(times), Some(lasting)) = (&step.times, &step.lasting) {
        let first = notes.place(times.key);
        let diagnostic =
            notes.error("suite::contradiction", lasting.key, "`for` stands instead of `times`", "or this");
        diagnostic.also.push((first, "either this".to_owned()));
    }
    let (verb, at) = verb?;
    if all.is_empty() && is_good_refresh(&verb) {
        // A refresh without changes and without a claim sets the stage.
        let what = Expectation::Outcome(vec![OutcomeWord::Granted]);
        all.push(Claim { strength: Strength::Given, what, at });
    }
    let name = step.name.as_ref().map(|name| name.value.clone());
    Some(Step { verb, name, times, every, lasting, claims: all, at })
}

fn timed(
    word: Option<&written::Word>,
    notes: &mut Notes<'_>,
) -> Option<(super::super::expression::Expression, Span)> {
    word.and_then(|word| Some((expect::length(word, notes)?, word.span)))
}

fn is_good_refresh(verb: &Verb) -> bool {
    match verb {
        Verb::Call(call) => {
            call.operation == Operation::Refresh
                && call.changes.is_none()
                && call.with.is_empty()
                && call.pair == super::super::call::PairUse::Current
        }
        Verb::Race(_) | Verb::Load(_) | Verb::Fuzz(_) | Verb::Wait(_) | Verb::Restart | Verb::Connect(_) => {
            false
        }
    }
}

/// The one verb of a step, with its key.
fn verb(written: &Spanned<written::Step>, scope: &mut Scope, notes: &mut Notes<'_>) -> Option<(Verb, Span)> {
    let step = &written.value;
    let mut verbs: Vec<(&str, Span)> = [
        ("refresh", step.refresh.as_ref().map(|it| it.key)),
        ("probe", step.probe.as_ref().map(|it| it.key)),
        ("revoke", step.revoke.as_ref().map(|it| it.key)),
        ("login", step.login.as_ref().map(|it| it.key)),
        ("wait", step.wait.as_ref().map(|it| it.key)),
        ("restart", step.restart.as_ref().map(|it| it.key)),
        ("load", step.load.as_ref().map(|it| it.key)),
        ("race", step.race.as_ref().map(|it| it.key)),
        ("fuzz", step.fuzz.as_ref().map(|it| it.key)),
        ("connect", step.connect.as_ref().map(|it| it.key)),
    ]
    .into_iter()
    .filter_map(|(word, key)| key.map(|key| (word, key)))
    .collect();
    verbs.sort_by_key(|(_, key)| key.start);
    let Some((word, at)) = verbs.first().copied() else {
        let verbs: Vec<String> = vocabulary::VERBS.iter().map(|verb| format!("`{verb}`")).collect();
        notes
            .error(
                "suite::no-verb",
                first_key(step).unwrap_or(written.span),
                "this step does nothing",
                "no verb",
            )
            .help = Some(format!("a step has one of {}", verbs.join(", ")));
        return None;
    };
    if let Some((second, key)) = verbs.get(1).copied() {
        let first = notes.place(at);
        let diagnostic = notes.error(
            "suite::two-verbs",
            key,
            format!("a step does one thing, and this one does `{word}` and `{second}`"),
            "a second verb",
        );
        diagnostic.also.push((first, "the first verb".to_owned()));
        diagnostic.help = Some(format!("put a `-` before `{second}` to make it a step of its own"));
    }
    let verb = if let Some(it) = &step.refresh {
        Verb::Call(Box::new(call(Operation::Refresh, it, scope, notes)))
    } else if let Some(it) = &step.probe {
        Verb::Call(Box::new(call(Operation::Probe, it, scope, notes)))
    } else if let Some(it) = &step.revoke {
        Verb::Call(Box::new(call(Operation::Revoke, it, scope, notes)))
    } else if let Some(it) = &step.login {
        Verb::Call(Box::new(call(Operation::Login, it, scope, notes)))
    } else if let Some(it) = &step.race {
        Verb::Race(Box::new(race::race(it, scope, notes)?))
    } else if let Some(it) = &step.wait {
        Verb::Wait(wait(it, scope, notes)?)
    } else if let Some(it) = &step.load {
        let name = step.name.as_ref().map_or("load", |name| name.value.as_str());
        Verb::Load(Box::new(load::depths(name, it, notes)))
    } else if let Some(it) = &step.connect {
        Verb::Connect(connect(it, scope, notes))
    } else if let Some(it) = &step.fuzz {
        Verb::Fuzz(Box::new(fuzz(&it.value, notes)?))
    } else {
        Verb::Restart
    };
    Some((verb, at))
}

fn connect(written: &Spanned<Option<written::Connect>>, scope: &Scope, notes: &mut Notes<'_>) -> Connect {
    let Some(connect) = &written.value else { return Connect::default() };
    if let (Some(tls), true) = (&connect.tls, connect.plain) {
        let message = "a connection in the clear has no version of TLS";
        notes.error("suite::contradiction", tls.key, message, "`plain` says that it is in the clear");
    }
    let tls = connect.tls.as_ref().map(|word| {
        let version = template(word, scope, notes);
        if let Some(plain) = version.as_plain() {
            notes.word("version of TLS", &plain, word.span, &TlsVersion::ALL);
        }
        version
    });
    Connect { tls, plain: connect.plain }
}

/// The first modifier of a step without a verb.
fn first_key(step: &written::Step) -> Option<Span> {
    let words = [&step.name, &step.times, &step.every, &step.lasting];
    let claims = [&step.given, &step.must, &step.should, &step.info];
    let keys = words.into_iter().flatten().map(|word| word.key);
    keys.chain(claims.into_iter().flatten().map(|claim| claim.key)).min_by_key(|key| key.start)
}

fn fuzz(written: &written::Fuzz, notes: &mut Notes<'_>) -> Option<Fuzz> {
    let formats = written.formats.iter().flat_map(|formats| &formats.0);
    let formats = formats.map(|format| format.value.clone()).collect();
    let stages = match &written.change {
        None => vec![FuzzStage::Slots, FuzzStage::Document, FuzzStage::Body],
        Some(words) => words
            .0
            .iter()
            .filter_map(|word| notes.word("stage of a call", &word.value, word.span, &FuzzStage::ALL))
            .collect(),
    };
    if let (true, Some(words)) = (stages.is_empty(), &written.change)
        && words.0.is_empty()
    {
        let message = "nothing would be changed";
        notes.error("suite::no-claim", written.count.key, message, "`change` names no stage");
    }
    Some(Fuzz { formats, stages, count: notes.depth(&written.count)? })
}

fn wait(written: &Spanned<written::Wait>, scope: &Scope, notes: &mut Notes<'_>) -> Option<Wait> {
    match &written.value {
        written::Wait::Word(word) => match units::duration(&word.value) {
            Ok(exactly) => Some(Wait::Exactly(exactly)),
            Err(_) => expect::length(word, notes).map(Wait::For),
        },
        written::Wait::Map(until) => expect::moment(&until.until, &scope.steps, notes).map(Wait::Until),
    }
}

fn set(written: &Spanned<written::Together>, scope: &Scope, notes: &mut Notes<'_>) -> Together {
    let set = &written.value;
    let mut of = Vec::new();
    for name in &set.of.0 {
        if !scope.steps.contains(&name.value) {
            let message = format!("no step is called `{}`", shown(&name.value));
            let diagnostic =
                notes.unknown(name.span, message, &name.value, scope.steps.iter().map(String::as_str));
            if scope.steps.is_empty() {
                diagnostic.help = Some("name the step with `as: …`".to_owned());
            }
        }
        of.push(name.value.clone());
    }
    if let Some(by) = &set.by
        && !["round", "chain"].contains(&by.value.as_str())
        && !scope.dimensions.contains(&by.value)
    {
        let message = format!("`{}` makes no groups", shown(&by.value));
        let known = scope.dimensions.iter().map(String::as_str).chain(["round", "chain"]);
        notes.unknown(by.span, message, &by.value, known.collect::<Vec<_>>());
    }
    let mut all = Vec::new();
    for (strength, written) in [
        (Strength::Given, &set.given),
        (Strength::Must, &set.must),
        (Strength::Should, &set.should),
        (Strength::Info, &set.info),
    ] {
        all.extend(written.iter().flat_map(|written| set_claims(strength, written, notes)));
    }
    if set.given.is_none() && set.must.is_none() && set.should.is_none() && set.info.is_none() {
        notes.error(
            "suite::no-claim",
            set.of.0.first().map_or(written.span, |of| of.span),
            "nothing is claimed of this set",
            "add `must`, `should` or `info`",
        );
    }
    Together { of, by: set.by.as_ref().map(|by| by.value.clone()), claims: all, at: written.span }
}

fn lasting(written: &Spanned<written::Always>, scope: &Scope, notes: &mut Notes<'_>) -> Always {
    let always = &written.value;
    let filter =
        always.filter.iter().flat_map(|written| claims(Strength::Given, written, scope, notes)).collect();
    let mut all = Vec::new();
    for (strength, written) in
        [(Strength::Must, &always.must), (Strength::Should, &always.should), (Strength::Info, &always.info)]
    {
        all.extend(written.iter().flat_map(|written| claims(strength, written, scope, notes)));
    }
    if always.must.is_none() && always.should.is_none() && always.info.is_none() {
        notes.error("suite::no-claim", written.span, "nothing is claimed", "add `must`, `should` or `info`");
    }
    Always { filter, claims: all, at: written.span }
}

fn proofs(
    written: &Spanned<written::Proof>,
    check: &Check,
    notes: &mut Notes<'_>,
) -> IndexMap<Defect, Vec<ProofClaim>> {
    let mut proofs = IndexMap::new();
    let map = match &written.value {
        written::Proof::Map(map) => map,
        written::Proof::Word(_) | written::Proof::List(_) => {
            let first = match &written.value {
                written::Proof::Word(word) => word.value.clone(),
                written::Proof::List(words) => {
                    words.first().map_or_else(|| "DEFECT".to_owned(), |word| word.value.clone())
                }
                written::Proof::Map(_) => String::new(),
            };
            let message = "a proof says at which claim a defect is caught";
            notes
                .error("suite::wrong-kind", written.span, message, "expected a mapping of defects to claims")
                .help = Some(format!("write `proof: {{ {first}: outcome }}`"));
            return proofs;
        }
    };
    for (defect, words) in map {
        let known: Vec<(Defect, &str)> = Defect::ALL.iter().map(|defect| (*defect, defect.word())).collect();
        let claims = words.value.0.iter().filter_map(|word| proof_claim(word, check, notes)).collect();
        if let Some(defect) = notes.word("defect of the mock", defect, words.key, &known) {
            proofs.insert(defect, claims);
        }
    }
    proofs
}

/// A claim's word, perhaps after a step's name; the check must have such a claim.
fn proof_claim(word: &written::Word, check: &Check, notes: &mut Notes<'_>) -> Option<ProofClaim> {
    let (step, claim) = match word.value.rsplit_once('.') {
        Some((step, claim)) => (Some(step), claim),
        None => (None, word.value.as_str()),
    };
    if let Some(name) = step
        && !check.steps.iter().any(|step| step.name.as_deref() == Some(name))
    {
        let message = format!("no step is called `{}`", shown(name));
        let names = check.steps.iter().filter_map(|step| step.name.as_deref());
        let near = notes.unknown(word.span, message, name, names);
        near.patch = near.patch.take().map(|near| format!("{near}.{claim}"));
        return None;
    }
    let mut words: Vec<&str> = check
        .steps
        .iter()
        .filter(|candidate| step.is_none() || candidate.name.as_deref() == step)
        .flat_map(|step| step.claims.iter().map(|claim| claim.what.word()))
        .collect();
    // A set of one step bears its name.
    let of_step = |set: &&Together| step.is_none_or(|step| set.of.as_slice() == [step]);
    let sets = check.together.iter().filter(of_step);
    words.extend(sets.flat_map(|set| set.claims.iter().map(|claim| claim.what.word())));
    if step.is_none() {
        words.extend(check.always.iter().flat_map(|all| all.claims.iter().map(|claim| claim.what.word())));
    }
    if !words.contains(&claim) {
        words.sort_unstable();
        words.dedup();
        let whose = step.map_or_else(|| "the check".to_owned(), |step| format!("the step `{step}`"));
        let message = format!("{whose} makes no claim `{}`", shown(claim));
        let near = notes.unknown(word.span, message, claim, words);
        if let Some(step) = step {
            near.patch = near.patch.take().map(|near| format!("{step}.{near}"));
        }
        return None;
    }
    Some(ProofClaim { step: step.map(str::to_owned), word: claim.to_owned() })
}
