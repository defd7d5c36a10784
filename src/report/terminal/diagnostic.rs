//! A failed check in the manner of a compiler: the line of the suite, what was found, the exchange.

use std::fmt::Write as _;

use super::Screen;
use super::paint::{Tint, cut, paint, wrap};
use crate::report::clean::{self, line};
use crate::results::wording::{OBSERVED, time};
use crate::results::{CheckResult, Evidence, Finding, Quote};

/// Findings of one check that are shown.
const FINDINGS: usize = 2;
/// Lines of one message that are shown.
const LINES: usize = 14;

/// The whole diagnostic of `check`.
pub(super) fn full(check: &CheckResult, screen: Screen) -> String {
    let mut text = String::new();
    let head = paint(screen, Tint::Fail, &format!("FAIL[{}]", line(&check.id)));
    let title = wrap(&lowercase(&line(&check.title)), "", "  ", screen.columns() - check.id.len() - 8);
    let _ = write!(text, "{head}: {title}");
    for (number, finding) in check.findings.iter().take(FINDINGS).enumerate() {
        claim(&mut text, check, finding, number == 0, screen);
    }
    if check.findings.len() > FINDINGS {
        let _ = writeln!(text, "   and {} more findings on the page\n", check.findings.len() - FINDINGS);
    }
    if check.findings.is_empty() {
        text.push('\n');
    }
    text
}

/// One line for a failed should.
pub(super) fn short(check: &CheckResult, screen: Screen) -> String {
    let head = format!("fail[{}]: ", line(&check.id));
    let found =
        check.findings.first().map_or(String::new(), |finding| format!(" · found {}", line(&finding.found)));
    let observed = if check.observed { format!(" · {OBSERVED}") } else { String::new() };
    let rest = format!("{}{observed}{found}", lowercase(&line(&check.title)));
    let rest = cut(&rest, screen.columns().saturating_sub(head.chars().count()));
    format!("{}{rest}\n", paint(screen, Tint::Weak, &head))
}

/// The first letter small, unless the word is written in capitals.
fn lowercase(title: &str) -> String {
    let mut letters = title.chars();
    let (Some(first), second) = (letters.next(), title.chars().nth(1)) else { return String::new() };
    if second.is_some_and(|c| c.is_uppercase() || c.is_ascii_digit()) {
        return title.to_owned();
    }
    first.to_lowercase().chain(letters).collect()
}

fn claim(text: &mut String, check: &CheckResult, finding: &Finding, first: bool, screen: Screen) {
    let wide = quote(text, &finding.quote, screen);
    let margin = " ".repeat(wide + 1);
    let mut note = |name: &str, words: &str| {
        let head = format!("{margin}= {name}: ");
        let indent = " ".repeat(head.chars().count());
        text.push_str(&wrap(&line(words), &head, &indent, screen.columns()));
    };
    let (times, of) = finding.times;
    let counted = if of > 1 { format!(", {times} of {of}") } else { String::new() };
    note("found", &format!("{}; {} expected{counted}", finding.found, finding.expected));
    if let Some(cell) =
        finding.cell.as_ref().filter(|_| !finding.notes.iter().any(|(name, _)| name == "where"))
    {
        note("where", cell);
    }
    for (name, words) in finding.notes.iter().take(6) {
        note(&line(name), words);
    }
    if let Some(because) = &check.because {
        note("because", &line(because));
    }
    if !check.basis.is_empty() {
        note("basis", &check.basis.join(", "));
    }
    // Once is enough: a second claim of the same check is mended with the first.
    if let Some(fix) = check.fix.as_ref().filter(|_| first) {
        note("fix", &line(fix));
    }
    text.push('\n');
    for evidence in finding.evidence.iter().take(1) {
        exchange(text, evidence, screen);
    }
    if let Some(again) = &finding.again {
        // A command is never cut: it is there to be copied.
        for part in clean::clean(again).lines() {
            let _ = writeln!(text, "   {part}");
        }
        text.push('\n');
    }
}

/// The quoted lines; gives back the width of the line numbers.
fn quote(text: &mut String, quote: &Quote, screen: Screen) -> usize {
    let wide = quote.lines.iter().map(|(number, _)| number.to_string().len()).max().unwrap_or(1);
    let dim = |part: &str| paint(screen, Tint::Dim, part);
    let gutter = " ".repeat(wide);
    let _ = writeln!(text, "{gutter}{} {}:{}:{}", dim("-->"), line(&quote.path), quote.line, quote.column);
    let _ = writeln!(text, "{gutter} {}", dim("|"));
    let room = screen.columns().saturating_sub(wide + 3).max(20);
    for (number, words) in quote.lines.iter().take(10) {
        let words = cut(&clean::clean(words).replace(['\n', '\t'], " "), room);
        let _ = writeln!(text, "{} {words}", dim(&format!("{number:>wide$} |")));
        if *number == quote.line {
            underline(text, quote, &gutter, room, screen);
        }
    }
    let _ = writeln!(text, "{gutter} {}", dim("|"));
    wide
}

fn underline(text: &mut String, quote: &Quote, gutter: &str, room: usize, screen: Screen) {
    let from = (quote.column.saturating_sub(1) as usize).min(room.saturating_sub(1));
    let length = (quote.length as usize).clamp(1, room - from);
    let under = format!("{}{}", " ".repeat(from), "^".repeat(length));
    let label = line(&quote.label);
    let margin = format!("{gutter} {} ", paint(screen, Tint::Dim, "|"));
    if under.chars().count() + 1 + label.chars().count() <= room {
        let _ = writeln!(text, "{margin}{}", paint(screen, Tint::Fail, &format!("{under} {label}")));
        return;
    }
    let _ = writeln!(text, "{margin}{}", paint(screen, Tint::Fail, &under));
    // The label gets lines of its own, under the caret where there is room.
    let indent = " ".repeat(from.min(room.saturating_sub(30)));
    for part in wrap(&label, &indent, &indent, room).lines() {
        let _ = writeln!(text, "{margin}{}", paint(screen, Tint::Fail, part));
    }
}

fn exchange(text: &mut String, evidence: &Evidence, screen: Screen) {
    message(text, '>', &evidence.sent, None, screen);
    message(text, '<', &evidence.received, evidence.took_us, screen);
    text.push('\n');
}

fn message(text: &mut String, sign: char, message: &str, took_us: Option<u64>, screen: Screen) {
    let cleaned = clean::clean(message);
    let (shown, left) = clean::cut(&cleaned, 1000);
    let margin = format!("   {} ", paint(screen, Tint::Dim, &sign.to_string()));
    let room = screen.columns().saturating_sub(5);
    let mut lines: Vec<String> = shown
        .lines()
        .filter(|line| !line.trim().is_empty())
        .flat_map(|line| wrap(line, "", "  ", room).lines().map(ToOwned::to_owned).collect::<Vec<_>>())
        .collect();
    let cut_lines = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    if let (Some(took), Some(first)) = (took_us, lines.first_mut()) {
        let in_time = format!(" in {}", time(took as f64));
        if first.chars().count() + in_time.chars().count() <= room {
            first.push_str(&in_time);
        }
    }
    for line in lines {
        let _ = writeln!(text, "{margin}{}", tokens(&line, screen));
    }
    if left > 0 || cut_lines > 0 {
        let _ = writeln!(text, "{margin}{}", paint(screen, Tint::Dim, "… the rest is on the page"));
    }
}

/// Fingerprints in their color.
fn tokens(text: &str, screen: Screen) -> String {
    let mut painted = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('‹') {
        let Some(length) = rest[start..].find('›') else { break };
        let end = start + length + '›'.len_utf8();
        painted.push_str(&rest[..start]);
        painted.push_str(&paint(screen, Tint::Warn, &rest[start..end]));
        rest = &rest[end..];
    }
    painted.push_str(rest);
    painted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_begins_small_unless_it_is_an_abbreviation() {
        assert_eq!(lowercase("Every request"), "every request");
        assert_eq!(lowercase("JSON members"), "JSON members");
        assert_eq!(lowercase("A JSON request"), "a JSON request");
        assert_eq!(lowercase(""), "");
    }
}
