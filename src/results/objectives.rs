//! Objectives: what a suite calls good enough, judged over what was measured.
//!
//! Owns the metrics that an objective can name (`steady.response.p99`, `steady.json.service.p50`,
//! `steady.errors`, `steady.ledger.duplicates`) and their meaning. A name that was not measured makes the
//! objective undecided, never met.

use std::time::Duration;

use crate::source::Place;
use crate::suite::claim;
use crate::suite::expression::{Comparison, Expression, Names, Node, Truth, Value};
use crate::suite::profile::{Objective, Profile};

use super::{Clock, LoadResult, Measured, ObjectiveResult, Part, Quote, Strength, class, window};

/// A quantile that rests on fewer values than this says little.
const BEYOND_MIN: f64 = 10.0;

/// Judges every objective over the profiles that ran.
pub fn judge(objectives: &[Objective], load: &[LoadResult]) -> Vec<ObjectiveResult> {
    objectives.iter().map(|objective| judge_one(objective, load)).collect()
}

fn judge_one(objective: &Objective, load: &[LoadResult]) -> ObjectiveResult {
    if let Some(length) = objective.over {
        return over_windows(objective, length, load);
    }
    let metrics = Metrics { load };
    let (met, unknown) = match objective.condition.truth(&metrics) {
        Truth::True => (Some(true), None),
        Truth::False => (Some(false), None),
        Truth::Unknown(name) => (None, Some(why_unknown(&name, load))),
    };
    let compared = compared(&objective.condition, &metrics);
    let (measured, limit, comparison) = match compared {
        Some((measured, limit, how)) => (measured, limit, Some(how.to_owned())),
        None => (None, None, None),
    };
    let notes = thin_quantiles(&objective.condition, load);
    let label = label(met, measured, notes.as_deref());
    ObjectiveResult {
        name: objective.name.clone(),
        strength: strength(objective.strength),
        condition: objective.condition.text.clone(),
        met,
        // Where it was judged, what there is to say is how little a quantile rests on.
        reason: unknown.or(notes),
        measured,
        limit,
        comparison,
        quote: quote(&objective.at, label),
    }
}

/// Judges a condition that must hold in every window of a profile.
fn over_windows(objective: &Objective, length: Duration, load: &[LoadResult]) -> ObjectiveResult {
    let condition = &objective.condition;
    let of = condition.names().into_iter().find_map(|name| split(name, load)).map(|(result, _)| result);
    let only = match load {
        [only] => Some(only),
        _ => None,
    };
    let windows = of.or(only).map(|result| window::all(result, length)).unwrap_or_default();
    let truths: Vec<Truth> = windows.iter().map(|one| condition.truth(&OfLoad(&one.figures))).collect();
    let failed = truths.iter().filter(|truth| **truth == Truth::False).count();
    let told = truths.iter().filter(|truth| !matches!(truth, Truth::Unknown(_))).count();
    let met = if failed > 0 { Some(false) } else { (told > 0).then_some(true) };
    let worst = worst(condition, &windows, &truths);
    let (measured, limit, comparison) = match worst.and_then(|one| sides(condition, &one.figures)) {
        Some((measured, limit, how)) => (measured, limit, Some(how.to_owned())),
        None => (None, None, None),
    };
    let words = seconds(length);
    let note = match (met, worst) {
        (None, _) if windows.is_empty() => Some(format!("no window of {words} lies in what was measured")),
        (None, _) => Some(format!("nothing was granted in any window of {words}")),
        (Some(true), _) => None,
        (Some(false), worst) => Some(format!(
            "missed in {failed} of {told} windows of {words}{}",
            worst.map_or_else(String::new, |one| format!(", worst from {} s on", one.from_s))
        )),
    };
    ObjectiveResult {
        name: objective.name.clone(),
        strength: strength(objective.strength),
        condition: format!("{} over any {words}", condition.text),
        met,
        quote: quote(&objective.at, label(met, measured, note.as_deref())),
        reason: note,
        measured,
        limit,
        comparison,
    }
}

/// The length of a window in words: it is whole seconds.
fn seconds(length: Duration) -> String {
    format!("{} s", length.as_secs())
}

/// The window that is furthest from good: by its figure where the condition is one comparison, else the first that
/// misses.
fn worst<'w>(
    condition: &Expression,
    windows: &'w [window::Window],
    truths: &[Truth],
) -> Option<&'w window::Window> {
    let figure = |one: &window::Window| {
        let (measured, _, how) = sides(condition, &one.figures)?;
        let value = match measured? {
            Measured::TimeUs(value)
            | Measured::Share(value)
            | Measured::Rate(value)
            | Measured::Count(value) => value,
        };
        Some(if how.starts_with('>') { -value } else { value })
    };
    let measured = windows.iter().filter_map(|one| Some((figure(one)?, one)));
    let furthest = measured.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, one)| one);
    let first = truths.iter().position(|truth| *truth == Truth::False).and_then(|at| windows.get(at));
    furthest.or(first)
}

fn sides(
    condition: &Expression,
    figures: &LoadResult,
) -> Option<(Option<Measured>, Option<Measured>, &'static str)> {
    compared(condition, &Metrics { load: std::slice::from_ref(figures) })
}

/// What ended profiles by their own `abort`: each that says when to, as an objective.
pub fn aborts<'p>(
    profiles: impl IntoIterator<Item = &'p Profile>,
    load: &[LoadResult],
) -> Vec<ObjectiveResult> {
    profiles
        .into_iter()
        .filter_map(|profile| {
            let abort = profile.abort.as_ref()?;
            let result = load.iter().find(|result| result.name == profile.name)?;
            let early = result.ended_early.as_ref().filter(|early| early.aborted);
            let at = early.map(|early| format!("aborted after {:.0} s", early.at_us as f64 / 1e6));
            let label = at.clone().unwrap_or_else(|| "never held".to_owned());
            Some(ObjectiveResult {
                name: format!("{}.abort", profile.name),
                strength: Strength::Must,
                condition: format!("not ({}) over any {}", abort.when.text, seconds(abort.over)),
                met: Some(early.is_none()),
                reason: at,
                measured: None,
                limit: None,
                comparison: None,
                quote: quote(&abort.at, label),
            })
        })
        .collect()
}

fn strength(strength: claim::Strength) -> Strength {
    match strength {
        claim::Strength::Info => Strength::Info,
        claim::Strength::Should => Strength::Should,
        // The language gives objectives no `given`; whoever made one meant that it must hold.
        claim::Strength::Must | claim::Strength::Given => Strength::Must,
    }
}

/// The names of the metrics of one load, for a condition that stands beside it: `errors`, `json.response.p95`.
#[derive(Clone, Copy, Debug)]
pub struct OfLoad<'a>(pub &'a LoadResult);

impl Names for OfLoad<'_> {
    fn value(&self, name: &str) -> Option<Value> {
        let own = name.strip_prefix(self.0.name.as_str()).and_then(|rest| rest.strip_prefix('.'));
        metric(self.0, name).or_else(|| metric(self.0, own?))
    }
}

/// The names of the metrics of all profiles, each after its profile.
struct Metrics<'a> {
    load: &'a [LoadResult],
}

impl Names for Metrics<'_> {
    fn value(&self, name: &str) -> Option<Value> {
        match split(name, self.load) {
            Some((result, rest)) => metric(result, rest),
            // With one profile there is no doubt whose metric it is.
            None => match self.load {
                [only] => metric(only, name),
                _ => None,
            },
        }
    }
}

/// The profile that a name begins with, and the rest.
fn split<'a, 'n>(name: &'n str, load: &'a [LoadResult]) -> Option<(&'a LoadResult, &'n str)> {
    load.iter().find_map(|result| Some((result, name.strip_prefix(result.name.as_str())?.strip_prefix('.')?)))
}

/// The value of a metric of one load, such as `response.p99`, `xml.response.p50`, `errors`.
fn metric(result: &LoadResult, name: &str) -> Option<Value> {
    if let Some(value) = count(result, name) {
        return Some(value);
    }
    if let Some((clock, quantile)) = clock(result, name) {
        return quantile_us(clock, quantile).map(|us| Value::Duration(Duration::from_secs_f64(us / 1e6)));
    }
    let (part, rest) = name.split_once('.')?;
    let Some(part) = result.parts.iter().find(|candidate| candidate.name == part) else {
        // A profile of one stage is that stage.
        return if part == "stage1" { metric(result, rest) } else { None };
    };
    (rest == "errors").then(|| Value::Share(share(part.errors, part.errors + part.response.count)))
}

/// Metrics that are no latencies.
fn count(result: &LoadResult, name: &str) -> Option<Value> {
    let number = |count: u64| Some(Value::Number(count as f64));
    match name {
        "errors" => Some(Value::Share(error_share(result))),
        "granted" => number(result.response.count),
        "refusals" => Some(Value::Share(share(errors(result, class::is_refusal), ended(result)))),
        "refused" => number(errors(result, class::is_refusal)),
        "unavailable" => number(errors(result, class::is_unavailable)),
        "highest" => Some(Value::Rate(highest(result)?)),
        "chains" => number(u64::from(result.chains)),
        "crashes" => number(errors(result, class::is_crash)),
        "lost" => number(errors(result, class::is_lost)),
        "starved" => number(errors(result, |class| class == class::STARVED)),
        "rate-limited" => number(errors(result, |class| class == "refused: rate-limited")),
        "delayed" => number(result.book.delayed),
        "rate" => Some(Value::Rate(rate(result)?)),
        "ledger.duplicates" => number(result.ledger.duplicates),
        "ledger.strangers" => number(result.ledger.strangers),
        "violations" => number(violations(result)?),
        _ => None,
    }
}

/// The highest rate at which a search was not ended; nothing where it was ended at once.
fn highest(result: &LoadResult) -> Option<f64> {
    if let Some(knee) = &result.knee {
        return Some(knee.kept.unwrap_or(0.0));
    }
    (!result.rates.is_empty())
        .then(|| result.rates.iter().filter(|held| held.kept).map(|held| held.rate).fold(0.0, f64::max))
}

/// Rounds of sentinels in which a `must` did not hold; nothing where no round told anything.
fn violations(result: &LoadResult) -> Option<u64> {
    let told: u64 = result.sentinels.iter().map(|one| one.rounds - one.untold.min(one.rounds)).sum();
    (told > 0).then(|| result.violations())
}

/// Errors of some classes outside the warm-up.
fn errors(result: &LoadResult, of: impl Fn(&str) -> bool) -> u64 {
    result.errors.iter().filter(|error| of(&error.class)).map(|error| error.count).sum()
}

/// The share of requests outside the warm-up that were errors.
pub fn error_share(result: &LoadResult) -> f64 {
    share(errors(result, |_| true), ended(result))
}

/// Everything outside the warm-up that came to an end.
fn ended(result: &LoadResult) -> u64 {
    errors(result, |_| true) + result.response.count
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Answers per second outside the warm-up.
fn rate(result: &LoadResult) -> Option<f64> {
    let seconds = result.took_us.checked_sub(result.warm_up_us)? as f64 / 1e6;
    let answered = result.response.count + errors(result, class::is_answered);
    (seconds > 0.0).then(|| answered as f64 / seconds)
}

/// The clock and the quantile that a name means.
fn clock<'a, 'n>(result: &'a LoadResult, name: &'n str) -> Option<(&'a Clock, &'n str)> {
    let (part, rest) = match name.split_once('.')? {
        ("response" | "service" | "slip", _) => (None, name),
        (part, rest) => (result.parts.iter().find(|candidate| candidate.name == part), rest),
    };
    let (clock, quantile) = rest.split_once('.')?;
    let clock = match (clock, part) {
        ("response", Some(Part { response, .. })) => response,
        ("service", Some(Part { service, .. })) => service,
        ("response", None) if rest == name => &result.response,
        ("service", None) if rest == name => &result.service,
        ("slip", None) if rest == name => &result.slip,
        _ => return None,
    };
    Some((clock, quantile))
}

/// A quantile by name: one of the usual ones, or any other out of the histogram.
fn quantile_us(clock: &Clock, name: &str) -> Option<f64> {
    if let Some(value) = clock.quantiles_us.get(name) {
        return Some(*value);
    }
    clock.recorder().ok()?.quantile_us(quantile(name)?)
}

/// `p99.9` as 0.999.
fn quantile(name: &str) -> Option<f64> {
    let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

/// Both sides of a condition that is one comparison.
fn compared(
    condition: &Expression,
    metrics: &Metrics<'_>,
) -> Option<(Option<Measured>, Option<Measured>, &'static str)> {
    let Node::Compare(left, how, right) = &condition.root else { return None };
    let how = match how {
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Greater => ">",
        Comparison::AtLeast => ">=",
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::In | Comparison::Like => return None,
    };
    let side = |node: &Node| {
        let side = Expression { text: String::new(), root: node.clone() };
        side.value(metrics).ok().and_then(|value| measured(&value))
    };
    Some((side(left), side(right), how))
}

fn measured(value: &Value) -> Option<Measured> {
    match value {
        Value::Number(number) => Some(Measured::Count(*number)),
        Value::Share(share) => Some(Measured::Share(*share)),
        Value::Duration(span) => Some(Measured::TimeUs(span.as_secs_f64() * 1e6)),
        Value::Rate(rate) => Some(Measured::Rate(*rate)),
        Value::Size(_)
        | Value::Text(_)
        | Value::Word(_)
        | Value::Flag(_)
        | Value::List(_)
        | Value::Nothing => None,
    }
}

/// Why a name has no value.
fn why_unknown(name: &str, load: &[LoadResult]) -> String {
    let Some((result, rest)) = split(name, load) else {
        return if load.is_empty() {
            format!("`{name}`: no load was run")
        } else {
            format!("`{name}` was not measured")
        };
    };
    match clock(result, rest) {
        Some((clock, _)) if clock.count == 0 => format!("`{name}`: nothing was granted there"),
        Some(_) | None => format!("`{name}` was not measured"),
    }
}

/// The quantiles of a condition that rest on fewer than ten values, in words.
fn thin_quantiles(condition: &Expression, load: &[LoadResult]) -> Option<String> {
    let thin: Vec<String> = condition
        .names()
        .into_iter()
        .filter_map(|name| {
            let (result, rest) = split(name, load)?;
            let (beyond, count) = beyond(result, rest)?;
            (count > 0 && beyond < BEYOND_MIN)
                .then(|| format!("`{name}` rests on {} of {count} answers", beyond.ceil().max(1.0)))
        })
        .collect();
    (!thin.is_empty()).then(|| thin.join(", "))
}

/// For the name of a quantile: how many answers lie beyond it, and of how many.
pub fn beyond(result: &LoadResult, name: &str) -> Option<(f64, u64)> {
    let (clock, quantile_name) = clock(result, name)?;
    Some(((1.0 - quantile(quantile_name)?) * clock.count as f64, clock.count))
}

/// A value as it is read, where it is a figure.
pub fn worded(value: &Value) -> Option<String> {
    measured(value).map(words)
}

/// What stands under the condition.
fn label(met: Option<bool>, found: Option<Measured>, notes: Option<&str>) -> String {
    let found = found.map_or_else(String::new, |found| format!(": measured {}", words(found)));
    let thin = notes.map_or_else(String::new, |notes| format!(" ({notes})"));
    match met {
        Some(true) => format!("met{found}{thin}"),
        Some(false) => format!("missed{found}{thin}"),
        None => "not judged".to_owned(),
    }
}

fn words(found: Measured) -> String {
    match found {
        Measured::TimeUs(us) => format!("{:.1} ms", us / 1000.0),
        Measured::Share(share) => format!("{:.2} %", share * 100.0),
        Measured::Rate(rate) => format!("{rate:.1}/s"),
        Measured::Count(count) => format!("{count}"),
    }
}

/// The line at `place`, with `label` under its words.
fn quote(place: &Place, label: String) -> Quote {
    let (line, column) = place.file.line_column(place.span.start);
    let words = place.file.slice(place.span);
    let text = place.file.text().lines().nth(line as usize - 1).unwrap_or_default();
    Quote {
        path: place.file.name().to_owned(),
        line,
        column,
        lines: vec![(line, text.to_owned())],
        length: u32::try_from(words.lines().next().unwrap_or_default().chars().count()).unwrap_or(u32::MAX),
        label,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::latency::Recorder;
    use crate::results::{Book, ErrorCount, LedgerResult, LoadModel};
    use crate::source::{SourceFile, Span};

    fn clock(millis: impl Iterator<Item = u64>) -> Clock {
        let mut recorder = Recorder::default();
        millis.for_each(|value| recorder.record(Duration::from_millis(value)));
        recorder.clock()
    }

    fn error(class: &str, count: u64) -> ErrorCount {
        ErrorCount { class: class.to_owned(), count, first_us: 0, example: String::new() }
    }

    /// 990 granted in 1 to 990 ms, and ten errors.
    fn steady() -> LoadResult {
        let part = Part {
            name: "xml".to_owned(),
            response: clock([70, 70].into_iter()),
            service: clock([30, 30].into_iter()),
            errors: 2,
        };
        LoadResult {
            name: "steady".to_owned(),
            asks: "open, 100/s for 12 s".to_owned(),
            model: LoadModel::Open,
            took_us: 12_000_000,
            warm_up_us: 2_000_000,
            chains: 8,
            book: Book { delayed: 5, ..Book::default() },
            response: clock(1..=990),
            service: clock(1..=990),
            refused_response: Clock::default(),
            refused_service: Clock::default(),
            slip: clock(std::iter::once(1)),
            parts: vec![part],
            errors: vec![
                error("refused: expired", 3),
                error("http 5xx", 2),
                error("reset", 1),
                error("connect refused", 1),
                error("starved", 3),
            ],
            series: Vec::new(),
            stages: Vec::new(),
            ledger: LedgerResult { duplicates: 4, ..LedgerResult::default() },
            ..LoadResult::default()
        }
    }

    fn judged(condition: &str) -> ObjectiveResult {
        let text = format!("objectives:\n  fast: {condition}\n");
        let file = SourceFile::new("suite.yaml", text.clone());
        let start = text.find(condition).unwrap();
        let objective = Objective {
            name: "fast".to_owned(),
            strength: claim::Strength::Must,
            condition: Expression::parse(condition).unwrap(),
            over: None,
            at: Place { file, span: Span::new(start, start + condition.len()) },
        };
        judge(&[objective], &[steady()]).remove(0)
    }

    #[track_caller]
    fn check(condition: &str, met: Option<bool>) {
        let result = judged(condition);
        assert_eq!(result.met, met, "{condition}: {:?} {:?}", result.measured, result.reason);
    }

    #[test]
    fn latencies_are_compared() {
        check("steady.response.p99 < 985ms", Some(true));
        check("steady.response.p99 < 975ms", Some(false));
        check("steady.service.p50 <= 500ms and steady.response.max < 1s", Some(true));
        check("steady.response.p75 > 735ms and steady.response.p75 < 750ms", Some(true));
        check("steady.xml.response.p50 < 80ms and steady.xml.service.mean < 40ms", Some(true));
        check("steady.response.p99 < 2 * steady.response.p50", Some(true));
        check("steady.slip.p50 < 5ms", Some(true));
    }

    #[test]
    fn counts_shares_and_rates_are_compared() {
        check("steady.errors == 1%", Some(true));
        check("steady.errors < 1%", Some(false));
        check("steady.refusals == 0.3%", Some(true));
        check("steady.refused == 3 and steady.crashes == 2 and steady.lost == 1", Some(true));
        check("steady.starved == 3 and steady.delayed == 5", Some(true));
        check("steady.rate > 99/s and steady.rate < 100/s", Some(true));
        check("steady.ledger.duplicates == 0", Some(false));
        check("steady.ledger.strangers == 0", Some(true));
        check("steady.xml.errors == 50%", Some(true));
        check("errors == 1%", Some(true));
        check("steady.stage1.response.p99 < 985ms and steady.stage1.crashes == 2", Some(true));
        check("steady.stage2.crashes == 0", None);
    }

    #[test]
    fn what_was_not_measured_is_undecided_and_says_why() {
        let reason = |condition| judged(condition).reason.unwrap();
        check("spike.response.p99 < 1s", None);
        assert_eq!(reason("spike.response.p99 < 1s"), "`spike.response.p99` was not measured");
        assert_eq!(reason("steady.json.response.p99 < 1s"), "`steady.json.response.p99` was not measured");
        check("steady.response.p101 < 1s", None);
        check("steady.response.p99 < 7", None);
    }

    #[test]
    fn nothing_granted_is_no_good_latency() {
        let empty = LoadResult { response: Clock::default(), ..steady() };
        let file = SourceFile::new("suite.yaml", "steady.response.p99 < 1s");
        let objective = Objective {
            name: "fast".to_owned(),
            strength: claim::Strength::Should,
            condition: Expression::parse("steady.response.p99 < 1s").unwrap(),
            over: None,
            at: Place { file, span: Span::new(0, 24) },
        };
        let result = judge(&[objective], &[empty]).remove(0);
        assert_eq!((result.met, result.strength), (None, Strength::Should));
        assert_eq!(result.reason.unwrap(), "`steady.response.p99`: nothing was granted there");
    }

    #[test]
    fn one_comparison_states_both_sides_and_quotes_its_line() {
        let result = judged("steady.errors <= 0.5%");
        assert_eq!(result.measured, Some(Measured::Share(0.01)));
        assert_eq!(result.limit, Some(Measured::Share(0.005)));
        assert_eq!(result.comparison.as_deref(), Some("<="));
        assert_eq!((result.quote.line, result.quote.column, result.quote.length), (2, 9, 21));
        assert_eq!(result.quote.lines, [(2, "  fast: steady.errors <= 0.5%".to_owned())]);
        assert_eq!(result.quote.label, "missed: measured 1.00 %");
        assert_eq!(judged("steady.lost == 0 and steady.crashes == 0").comparison, None);
    }

    #[test]
    fn a_quantile_that_rests_on_little_is_judged_and_noted() {
        let thin = judged("steady.response.p99.9 < 2s");
        assert_eq!(thin.met, Some(true));
        assert_eq!(thin.reason.unwrap(), "`steady.response.p99.9` rests on 1 of 990 answers");
        assert_eq!(judged("steady.response.p90 < 2s").reason, None);
    }

    #[test]
    fn a_condition_beside_its_load_needs_no_profile() {
        let load = steady();
        let truth = |text| Expression::parse(text).unwrap().truth(&OfLoad(&load));
        assert_eq!(truth("xml.response.p95 < 100ms and errors < 2%"), Truth::True);
        assert_eq!(truth("steady.crashes == 2"), Truth::True);
    }
}
