//! The fragment: `policy:` in the language of suites, and above each word what was observed.

use std::fmt::Write as _;

use super::Lesson;

/// Comments are broken before this column.
const WIDTH: usize = 110;

/// What stands above a fragment.
#[derive(Clone, Copy, Debug)]
pub struct Heading<'a> {
    /// The environment's name.
    pub environment: &'a str,
    /// The dialect's name.
    pub dialect: &'a str,
    /// The day, `2026-11-23`.
    pub day: &'a str,
}

pub(super) fn write(lesson: &Lesson, heading: &Heading<'_>) -> String {
    let mut text = String::new();
    let remark = |text: &mut String, words: &str| comment(text, "# ", "# ", words);
    remark(
        &mut text,
        &format!(
            "What the endpoint of `{}` did on {}, asked by {} requests on one chain. What an endpoint does is no \
             promise: have its operator confirm every line, then write `confirmed: true`. Until then each verdict \
             that hangs on it reads \"observed, not promised\".",
            heading.environment, heading.day, lesson.requests
        ),
    );
    policy(&mut text, lesson);
    text.push('\n');
    remark(
        &mut text,
        &format!(
            "How it speaks, for the dialect (`{}`); comments alone, a suite holds no dialect.",
            heading.dialect
        ),
    );
    let answers = &lesson.answers;
    section(&mut text, "success", &answers.success);
    section(&mut text, "refusals, one call each", &answers.refusals);
    section(&mut text, "dates", &answers.dates);
    section(&mut text, "nothing", &answers.nulls);
    if !answers.hints.is_empty() {
        remark(&mut text, "");
        remark(&mut text, "lines of a dialect that would fit better:");
        for hint in &answers.hints {
            let _ = writeln!(text, "#   {hint}");
        }
    }
    text
}

fn policy(text: &mut String, lesson: &Lesson) {
    text.push_str("policy:\n  confirmed: false\n");
    for word in &lesson.policy {
        match &word.value {
            Some(value) => {
                comment(text, "  # ", "  # ", &word.because);
                let _ = writeln!(text, "  {}: {value}", word.name);
            }
            None => {
                comment(text, "  # ", "  # ", &format!("`{}` was not learned: {}", word.name, word.because));
            }
        }
    }
    comment(
        text,
        "  # ",
        "  # ",
        "not asked for, because it takes days or a race: `idle`, `cap`, `refresh-lifetime`, `race`",
    );
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "#\n# {title}");
    for line in lines {
        comment(text, "#   ", "#     ", line);
    }
}

/// `words` as comment lines. Whatever they hold, no line of them is anything but a comment.
fn comment(text: &mut String, first: &str, next: &str, words: &str) {
    let mut line = first.trim_end().to_owned();
    let mut is_empty = true;
    for word in words.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            next.trim_end().clone_into(&mut line);
            line.push_str(&next[next.trim_end().len()..]);
            line.push_str(word);
            continue;
        }
        let gap = if is_empty { &first[first.trim_end().len()..] } else { " " };
        line.push_str(gap);
        line.push_str(word);
        is_empty = false;
    }
    let _ = writeln!(text, "{line}");
}
