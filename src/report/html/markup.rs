//! Text that is already HTML, and the few ways to make it: everything in it was escaped here.

use std::fmt;

use crate::report::clean::{LONGEST, clean, cut, more};

/// HTML that may stand in the page as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Html(String);

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

impl Html {
    /// Markup of our own making: a chart, a file of this folder.
    pub(super) fn ours(markup: impl Into<String>) -> Html {
        Html(markup.into())
    }

    /// A sentence: `backticks` become code, fingerprints get their color.
    pub(super) fn prose(text: &str) -> Html {
        let text = clean(text);
        let (text, left) = cut(&text, LONGEST);
        let mut html = String::new();
        for (at, part) in text.split('`').enumerate() {
            // An odd backtick at the end opens nothing.
            let code = at % 2 == 1;
            if code {
                html.push_str("<code>");
            }
            push_tokens(&mut html, part);
            if code {
                html.push_str("</code>");
            }
        }
        push_more(&mut html, left);
        Html(html)
    }

    /// An exchange: fingerprints colored, the first places of at most two `marks` marked.
    pub(super) fn exchange(text: &str, marks: &[String]) -> Html {
        let text = clean(text);
        let (text, left) = cut(&text, LONGEST);
        let mut html = String::new();
        let mut at = 0;
        for range in marked(text, marks) {
            push_tokens(&mut html, &text[at..range.start]);
            html.push_str("<mark>");
            push_tokens(&mut html, &text[range.clone()]);
            html.push_str("</mark>");
            at = range.end;
        }
        push_tokens(&mut html, &text[at..]);
        push_more(&mut html, left);
        Html(html)
    }

    /// A line of a suite with one part marked, in characters.
    pub(super) fn quoted(line: &str, from: usize, length: usize) -> Html {
        let line = clean(line);
        let (line, left) = cut(&line, 400);
        let letters: Vec<char> = line.chars().collect();
        let start = from.min(letters.len());
        let end = start.saturating_add(length).min(letters.len());
        let text = |part: &[char]| part.iter().collect::<String>();
        let mut html = String::new();
        push_tokens(&mut html, &text(&letters[..start]));
        if end > start {
            html.push_str("<mark>");
            push_tokens(&mut html, &text(&letters[start..end]));
            html.push_str("</mark>");
        }
        push_tokens(&mut html, &text(&letters[end..]));
        push_more(&mut html, left);
        Html(html)
    }
}

fn push_more(html: &mut String, left: usize) {
    if left > 0 {
        html.push_str(" <span class=\"more\">… ");
        html.push_str(&more(left));
        html.push_str("</span>");
    }
}

/// The places of the marks in order, without overlap, at most two.
fn marked(text: &str, marks: &[String]) -> Vec<std::ops::Range<usize>> {
    let mut ranges: Vec<std::ops::Range<usize>> = marks
        .iter()
        .filter(|mark| !mark.is_empty())
        .filter_map(|mark| {
            let mark = clean(mark);
            text.find(mark.as_ref()).map(|at| at..at + mark.len())
        })
        .collect();
    ranges.sort_by_key(|range| range.start);
    let mut end = 0;
    ranges.retain(|range| {
        let apart = range.start >= end;
        if apart {
            end = range.end;
        }
        apart
    });
    ranges.truncate(2);
    ranges
}

/// `‹refresh 3c07›` in its color, the rest escaped.
fn push_tokens(html: &mut String, text: &str) {
    let mut rest = text;
    while let Some(start) = rest.find('‹') {
        let Some(length) = rest[start..].find('›') else { break };
        let end = start + length + '›'.len_utf8();
        push_escaped(html, &rest[..start]);
        html.push_str("<span class=\"tok\">");
        push_escaped(html, &rest[start..end]);
        html.push_str("</span>");
        rest = &rest[end..];
    }
    push_escaped(html, rest);
}

fn push_escaped(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_from_elsewhere_stays_text() {
        assert_eq!(
            Html::prose("`<b>` & ‹refresh 3c07>›").to_string(),
            "<code>&lt;b&gt;</code> &amp; <span class=\"tok\">‹refresh 3c07&gt;›</span>"
        );
        assert_eq!(
            Html::exchange("<script>", &["script".to_owned()]).to_string(),
            "&lt;<mark>script</mark>&gt;"
        );
    }

    #[test]
    fn two_places_are_marked_at_most_and_never_twice() {
        let marks = ["b".to_owned(), "bc".to_owned(), String::new(), "e".to_owned(), "g".to_owned()];
        assert_eq!(Html::exchange("abcdefg", &marks).to_string(), "a<mark>b</mark>cd<mark>e</mark>fg");
    }

    #[test]
    fn a_mark_outside_its_line_marks_nothing() {
        assert_eq!(Html::quoted("abc", 9, 4).to_string(), "abc");
        assert_eq!(Html::quoted("abc", 1, 400).to_string(), "a<mark>bc</mark>");
    }

    #[test]
    fn a_long_text_ends_with_what_is_left() {
        let html = Html::prose(&"x".repeat(4000)).to_string();
        assert!(html.ends_with("2.0 kB more in the run file</span>"), "{}", &html[2000..]);
    }
}
