//! What was typed becomes a [`Dialect`]; every mistake of meaning is found here.

mod answers;
mod computed;
mod sense;
mod shown;
mod speech;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;

use crate::source::{Diagnostic, Place, SourceFile, Span, nearest};
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, Link};
use crate::suite::yaml::Spanned;

use super::{
    Blank, DateFormat, Dates, Dialect, ErrorClass, ErrorDocument, Function, Zone, pattern, places, written,
};

/// The operations with their words.
const OPERATIONS: [Operation; 4] =
    [Operation::Refresh, Operation::Login, Operation::Probe, Operation::Revoke];

/// The operation that stands in for `probe`.
const INTROSPECT: &str = "introspect";

/// The meaning of what was typed, or every mistake in file order.
pub(super) fn lower(source: &SourceFile, written: &written::Dialect) -> Result<Dialect, Vec<Diagnostic>> {
    let mut lowering = Lowering {
        source,
        slots: Vec::new(),
        functions: IndexMap::new(),
        prefixes_matter: None,
        found: Vec::new(),
    };
    let dialect = lowering.dialect(written);
    let mut found = lowering.found;
    found.sort_by_key(|diagnostic| diagnostic.at.span.start);
    match dialect {
        Some(dialect) if found.is_empty() => Ok(dialect),
        _ => Err(found),
    }
}

struct Lowering<'s> {
    source: &'s SourceFile,
    slots: Vec<Slot>,
    /// `computed`, by name.
    functions: IndexMap<String, Function>,
    /// The declared prefixes, while places of an operation that answers in XML are read.
    prefixes_matter: Option<Vec<(String, String)>>,
    found: Vec<Diagnostic>,
}

impl Lowering<'_> {
    fn place(&self, span: Span) -> Place {
        Place { file: self.source.clone(), span }
    }

    fn wrong(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) {
        let diagnostic = Diagnostic::error(code, self.place(span), message, label);
        self.found.push(diagnostic);
    }

    /// A word of none of the candidates; what it is called in the sentence is `what`.
    fn unknown<'a>(
        &mut self,
        span: Span,
        word: &str,
        what: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        let message = format!("`{word}` is no {what}");
        let mut diagnostic =
            Diagnostic::error("dialect::unknown-word", self.place(span), message, "not known");
        if let Some(near) = nearest(word, candidates.iter().copied()) {
            diagnostic.label = format!("did you mean `{near}`?");
            // A word in quotes keeps them.
            let written = self.source.slice(span);
            if written == word {
                diagnostic.patch = Some(near.to_owned());
            }
        } else {
            let shown: Vec<String> = candidates.iter().take(7).map(|word| format!("`{word}`")).collect();
            diagnostic.help = Some(format!("it could be {}", shown.join(", ")));
        }
        self.found.push(diagnostic);
    }

    /// The meaning of a word out of a closed list.
    fn word<T: Copy>(&mut self, written: &Spanned<String>, what: &str, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == written.value);
        if found.is_none() {
            self.unknown(written.span, &written.value, what, words.iter().map(|(word, _)| *word));
        }
        found.map(|(_, meaning)| *meaning)
    }

    fn dialect(&mut self, written: &written::Dialect) -> Option<Dialect> {
        if written.version.value != 1 {
            let message = format!("`assay-dialect: {}` is not known", written.version.value);
            self.wrong("dialect::version", written.version.span, message, "this is version 1");
        }
        self.slots(&written.slots);
        let computed = self.computed(&written.computed);
        let operations = self.operations(&written.operations);
        let mapped: Vec<(Field, super::Reading)> = operations
            .values()
            .flat_map(|speech| speech.answers.fields.iter().map(|(field, source)| (*field, source.reading)))
            .collect();
        let errors: Vec<_> =
            written.errors.iter().filter_map(|rule| self.error_rule(rule, &mapped)).collect();
        let error_documents: Vec<ErrorDocument> =
            written.error_documents.iter().map(|document| self.error_document(document)).collect();
        self.linked(&written.links, &operations);
        let showable = self.showable(&written.showable, &operations, &error_documents);
        let dialect = Dialect {
            name: written.name.value.clone(),
            slots: self.slots.clone(),
            computed,
            links: self.links(&written.links),
            blank: blank(written.blank.as_deref()),
            dates: self.dates(written.dates.as_ref()),
            operations,
            errors,
            error_documents,
            showable,
        };
        dialect.operations.contains_key(&Operation::Refresh).then_some(dialect)
    }

    fn slots(&mut self, written: &[Spanned<String>]) {
        let words = Slot::ALL.map(|slot| (slot.word(), slot));
        for slot in written {
            if let Some(slot) = self.word(slot, "slot", &words) {
                self.slots.push(slot);
            }
        }
    }

    fn operations(
        &mut self,
        written: &Spanned<written::Keyed<written::Speech>>,
    ) -> IndexMap<Operation, super::Speech> {
        let words = OPERATIONS.map(|operation| (operation.word(), operation));
        // RFC 7662 asks what a token is worth, as a resource would find out: it is how an endpoint without one is probed.
        let words = words.into_iter().chain([(INTROSPECT, Operation::Probe)]);
        let words: Vec<(&str, Operation)> = words.collect();
        let mut operations = IndexMap::new();
        for (word, speech) in &written.value {
            let Some((_, operation)) = words.iter().find(|(candidate, _)| candidate == word) else {
                self.unknown(speech.key, word, "operation", words.iter().map(|(word, _)| *word));
                continue;
            };
            if let Some(lowered) = self.speech(*operation, speech) {
                self.carries_a_token(*operation, speech.key, &lowered);
                if word == INTROSPECT && written.value.contains_key(operation.word()) {
                    continue;
                }
                operations.insert(*operation, lowered);
            }
        }
        if !written.value.contains_key(Operation::Refresh.word()) {
            let message = "a dialect needs the operation `refresh`";
            self.wrong("dialect::no-refresh", written.key, message, "`refresh` is missing here");
        }
        operations
    }

    fn links(&mut self, written: &written::Keyed<String>) -> IndexMap<Link, crate::suite::claim::FieldPlace> {
        let mut links = IndexMap::new();
        for (word, place) in written {
            let Some((link, _)) = Link::ALL.iter().find(|(_, candidate)| candidate == word) else {
                self.unknown(place.key, word, "link", Link::ALL.iter().map(|(_, word)| *word));
                continue;
            };
            if let Some(place) = self.field_place(place) {
                links.insert(*link, place);
            }
        }
        links
    }

    fn field_place(&mut self, written: &Spanned<String>) -> Option<crate::suite::claim::FieldPlace> {
        match places::parse(&written.value) {
            Ok(place) => Some(place),
            Err((message, near)) => {
                let label = near.map_or_else(
                    || "write e.g. `/a/b`, `header:Name` or `access#exp`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                self.wrong("dialect::place", written.span, message, label);
                None
            }
        }
    }

    fn dates(&mut self, written: Option<&written::Dates>) -> Dates {
        let Some(written) = written else {
            return Dates { formats: vec![DateFormat::Iso], zone: Zone::Unknown };
        };
        let formats: Vec<DateFormat> =
            written.formats.iter().filter_map(|format| self.date_format(format)).collect();
        self.dates_apart(&written.formats, &formats);
        let zone = written.zone.as_ref().and_then(|zone| self.zone(zone));
        Dates { formats, zone: zone.unwrap_or(Zone::Unknown) }
    }

    fn date_format(&mut self, written: &Spanned<String>) -> Option<DateFormat> {
        match written.value.as_str() {
            "iso" => Some(DateFormat::Iso),
            "dotnet" => Some(DateFormat::Dotnet),
            "epoch" => Some(DateFormat::Epoch),
            "epoch-ms" => Some(DateFormat::EpochMs),
            text => match pattern::mistake(text) {
                None => Some(DateFormat::Pattern(text.to_owned())),
                Some(mistake) => {
                    let message =
                        format!("`{text}` is neither `iso`, `dotnet`, `epoch`, `epoch-ms` nor a pattern");
                    self.wrong("dialect::date-format", written.span, message, mistake);
                    None
                }
            },
        }
    }

    /// `unknown`, `utc`, `+05:30`
    fn zone(&mut self, written: &Spanned<String>) -> Option<Zone> {
        let offset = || {
            let (sign, digits) = match written.value.split_at_checked(1)? {
                ("+", digits) => (1, digits),
                ("-", digits) => (-1, digits),
                _ => return None,
            };
            let (hours, minutes) = digits.split_once(':').filter(|(h, m)| h.len() == 2 && m.len() == 2)?;
            let number = |text: &str| text.parse::<u8>().ok().map(i32::from);
            let (hours, minutes) = (number(hours)?, number(minutes)?);
            (hours <= 14 && minutes < 60).then_some(Zone::Fixed(sign * (hours * 3600 + minutes * 60)))
        };
        let zone = match written.value.as_str() {
            "unknown" => Some(Zone::Unknown),
            "utc" => Some(Zone::Fixed(0)),
            _ => offset(),
        };
        if zone.is_none() {
            let message = format!("`{}` is no zone", written.value);
            self.wrong("dialect::zone", written.span, message, "write `unknown`, `utc` or e.g. `+05:30`");
        }
        zone
    }

    fn error_rule(
        &mut self,
        written: &written::Rule,
        mapped: &[(Field, super::Reading)],
    ) -> Option<(crate::suite::expression::Expression, ErrorClass)> {
        let words = ErrorClass::ALL.map(|(class, word)| (word, class));
        let class = self.word(&written.class, "class", &words);
        let when = self.rule(&written.when, mapped);
        Some((when?, class?))
    }

    fn error_document(&mut self, written: &written::ErrorDocument) -> ErrorDocument {
        ErrorDocument {
            root: written.root.as_ref().map(|root| root.value.clone()),
            body: self.declared(&written.body, &[]),
        }
    }
}

/// What counts as empty; null and empty text where nothing is said.
fn blank(written: Option<&[Option<String>]>) -> Vec<Blank> {
    let Some(written) = written else { return vec![Blank::Null, Blank::Text(String::new())] };
    written.iter().map(|blank| blank.clone().map_or(Blank::Null, Blank::Text)).collect()
}
