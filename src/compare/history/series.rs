//! Which runs belong together, and which column of the time axis each stands in.

use indexmap::IndexMap;
use jiff::civil::Date;

use super::{By, Column, Night};

/// The most columns that are drawn: beyond, several nights share one.
const MOST: usize = 60;

/// Runs in a row, and what of others was left out: what, how many.
type Series = (Vec<Night>, Vec<(String, u64)>);

/// The runs of one suite and environment, oldest first, and what was left out.
pub(super) fn one_series(nights: Vec<Night>, environment: Option<&str>) -> Result<Series, String> {
    let mut nights = nights;
    nights.sort_by(|a, b| a.began_at.cmp(&b.began_at).then_with(|| a.run.cmp(&b.run)));
    // The same run under two paths is one run.
    nights.dedup_by(|a, b| a.run == b.run && a.began_at == b.began_at);
    let wanted = |night: &Night| environment.is_none_or(|name| night.environment == name);
    let Some(newest) = nights.iter().rfind(|night| wanted(night)) else {
        return Err(match environment {
            Some(name) => format!("no run of the environment `{name}` was found"),
            None => "no run file was found".to_owned(),
        });
    };
    let key = |night: &Night| (night.suite.clone(), night.environment.clone());
    let own = key(newest);
    let mut others: IndexMap<String, u64> = IndexMap::new();
    for night in nights.iter().filter(|night| key(night) != own) {
        *others.entry(format!("{} on {}", night.suite, night.environment)).or_default() += 1;
    }
    nights.retain(|night| key(night) == own);
    Ok((nights, others.into_iter().collect()))
}

/// Days, if no day has two runs, else runs; several to a column where there are many.
pub(super) fn columns(nights: &[Night]) -> (By, Vec<Column>) {
    match days(nights) {
        Some((first, last)) => (By::Night, day_columns(nights, first, last)),
        None => (By::Run, run_columns(nights)),
    }
}

/// The first and the last day, where each day has at most one run.
fn days(nights: &[Night]) -> Option<(Date, Date)> {
    let days: Option<Vec<Date>> = nights.iter().map(|night| night.day).collect();
    let days = days?;
    let apart = days.windows(2).all(|pair| pair[0] < pair[1]);
    Some((*days.first()?, *days.last()?)).filter(|_| apart)
}

fn days_between(from: Date, to: Date) -> usize {
    let span = from.until(to).map_or(0, |span| i64::from(span.get_days()));
    usize::try_from(span).unwrap_or(0)
}

fn day_columns(nights: &[Night], first: Date, last: Date) -> Vec<Column> {
    let all = days_between(first, last) + 1;
    // Whole weeks: a habit of one day of the week stays out of the picture.
    let each = if all <= MOST { 1 } else { 7 * all.div_ceil(MOST * 7) };
    let mut columns: Vec<Column> = (0..all.div_ceil(each))
        .map(|at| {
            let day = first.checked_add(jiff::Span::new().days(i64::try_from(at * each).unwrap_or(0)));
            let label = day.map_or_else(|_| String::new(), |day| written(day, first, last));
            Column { label, nights: Vec::new() }
        })
        .collect();
    for (number, night) in nights.iter().enumerate() {
        let at = night.day.map_or(0, |day| days_between(first, day) / each);
        if let Some(column) = columns.get_mut(at) {
            column.nights.push(number);
        }
    }
    columns
}

fn run_columns(nights: &[Night]) -> Vec<Column> {
    let each = nights.len().div_ceil(MOST).max(1);
    let numbers: Vec<usize> = (0..nights.len()).collect();
    numbers
        .chunks(each)
        .map(|some| Column { label: label(&nights[some[0]], nights, By::Run), nights: some.to_vec() })
        .collect()
}

/// `14 Nov`, with the year where the history has more than one; with the time where days have several runs.
pub(super) fn label(night: &Night, nights: &[Night], by: By) -> String {
    let ends = (nights.first().and_then(|night| night.day), nights.last().and_then(|night| night.day));
    let (Some(day), (Some(first), Some(last))) = (night.day, ends) else {
        return night.began_at.chars().take(16).collect();
    };
    let day = written(day, first, last);
    let time = night.began_at.get(11..16);
    match (by, time) {
        (By::Run, Some(time)) => format!("{day} {time}"),
        (By::Night, _) | (By::Run, None) => day,
    }
}

fn written(day: Date, first: Date, last: Date) -> String {
    let form = if first.year() == last.year() { "%-d %b" } else { "%-d %b %Y" };
    day.strftime(form).to_string()
}

/// Where a run stands along the time axis, 0 to 1.
pub(super) fn along(nights: &[Night], by: By, night: usize) -> f64 {
    let share = |part: usize, whole: usize| if whole == 0 { 0.5 } else { part as f64 / whole as f64 };
    let day = |at: usize| nights.get(at).and_then(|night| night.day);
    match (by, day(0), day(nights.len().saturating_sub(1)), day(night)) {
        (By::Night, Some(first), Some(last), Some(own)) => {
            share(days_between(first, own), days_between(first, last))
        }
        _ => share(night, nights.len().saturating_sub(1)),
    }
}
