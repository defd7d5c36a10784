//! Whether a dialect that is well written also makes sense: whether a refresh carries a token, whether two fields
//! are read from one place, whether prefixes are declared and dates can be told apart.

use indexmap::IndexMap;

use crate::dialect::pattern::{Piece, pieces};
use crate::dialect::{Accepts, Codec, DateFormat, FieldSource, Speech, written};
use crate::source::Span;
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace};
use crate::suite::yaml::Spanned;

use super::Lowering;

impl Lowering<'_> {
    /// A call that carries no token has nothing to trade.
    pub(super) fn carries_a_token(&mut self, operation: Operation, key: Span, speech: &Speech) {
        let (slots, label): (&[Slot], _) = match operation {
            Operation::Refresh => (&[Slot::Refresh], "put `$refresh` where the endpoint reads it"),
            Operation::Revoke => (&[Slot::Refresh, Slot::Access], "put `$refresh` or `$access` somewhere"),
            Operation::Probe => (&[Slot::Access], "e.g. `headers: { Authorization: Bearer $access }`"),
            Operation::Login => return,
        };
        // What is wrong already may be why: a slot that is misspelt, a format that was not understood.
        if self.found.is_empty() && !slots.iter().any(|slot| speech.carries(*slot)) {
            let message = format!("a call of `{}` carries no token", operation.word());
            self.wrong("dialect::no-token", key, message, label);
        }
    }

    /// Two fields that are read from one place are one field.
    pub(super) fn fields_apart(
        &mut self,
        written: &written::Keyed<written::Field>,
        fields: &IndexMap<Field, FieldSource>,
    ) {
        let mut seen: Vec<(&FieldPlace, Field)> = Vec::new();
        for (field, source) in fields {
            for place in &source.at {
                let other = seen.iter().find(|(known, own)| *known == place && own != field);
                if let (Some((_, other)), Some(at)) = (other, written.get(field.word())) {
                    let message =
                        format!("`{}` and `{}` are read from the same place", other.word(), field.word());
                    self.wrong("dialect::same-place", at.key, message, "one of the two is somewhere else");
                }
                seen.push((place, *field));
            }
        }
    }

    /// Prefixes of element names mean what `namespaces` says.
    pub(super) fn prefixed_names(
        &mut self,
        root: Option<&Spanned<String>>,
        body: &written::Keyed<written::Branch>,
        namespaces: &[(String, String)],
    ) {
        if let Some(root) = root {
            self.prefix(&root.value, root.span, namespaces);
        }
        for (name, branch) in body {
            self.prefix(name, branch.key, namespaces);
            if let written::Branch::Map(members) = &branch.value {
                self.prefixed_names(None, members, namespaces);
            }
        }
    }

    /// Prefixes of places in XML answers.
    pub(super) fn prefixed_place(&mut self, written: &Spanned<String>, namespaces: &[(String, String)]) {
        if !written.value.starts_with('/') {
            return;
        }
        for name in written.value.split('/') {
            self.prefix(name, written.span, namespaces);
        }
    }

    fn prefix(&mut self, name: &str, span: Span, namespaces: &[(String, String)]) {
        let Some((prefix, _)) = name.split_once(':') else { return };
        if namespaces.iter().any(|(known, _)| known == prefix) {
            return;
        }
        let message = format!("the prefix `{prefix}` is not declared");
        let known: Vec<&str> =
            namespaces.iter().map(|(known, _)| known.as_str()).filter(|known| !known.is_empty()).collect();
        let label = match crate::source::nearest(prefix, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write `namespaces: {{ {prefix}: … }}`"),
        };
        self.wrong("dialect::prefix", span, message, label);
    }

    /// Two formats that read the same text as different days cannot stand in one list.
    pub(super) fn dates_apart(&mut self, written: &[Spanned<String>], formats: &[DateFormat]) {
        if written.len() != formats.len() {
            return;
        }
        for (at, format) in formats.iter().enumerate() {
            if let Some(other) = formats[..at].iter().find(|other| are_confused(other, format)) {
                let message =
                    format!("`{}` and `{}` read the same text differently", other.word(), format.word());
                self.wrong(
                    "dialect::ambiguous-date",
                    written[at].span,
                    message,
                    "keep the one that the endpoint writes",
                );
            }
        }
    }
}

/// The namespaces of XML documents that are sent.
pub(super) fn sent_namespaces<'a>(accepts: impl Iterator<Item = &'a Accepts>) -> Vec<(String, String)> {
    let xml = accepts.filter(|accepts| accepts.codec == Codec::Xml);
    xml.flat_map(|accepts| accepts.namespaces.iter().cloned()).collect()
}

/// Whether one text can be read in both, and means two things.
fn are_confused(one: &DateFormat, other: &DateFormat) -> bool {
    match (one, other) {
        (DateFormat::Epoch, DateFormat::EpochMs) | (DateFormat::EpochMs, DateFormat::Epoch) => true,
        (DateFormat::Pattern(one), DateFormat::Pattern(other)) => {
            let (one, other): (Vec<_>, Vec<_>) = (pieces(one).collect(), pieces(other).collect());
            one != other
                && one.len() == other.len()
                && one.iter().zip(&other).all(|(a, b)| look_alike(*a, *b))
        }
        _ => false,
    }
}

fn look_alike(one: Piece<'_>, other: Piece<'_>) -> bool {
    match (one, other) {
        (Piece::Literal(one), Piece::Literal(other)) => one == other,
        // A month in letters and a day in digits cannot be taken for each other, nor can `AM` and an hour.
        (Piece::Run(a, n), Piece::Run(b, m)) => {
            let digits = |letter, count| letter != 't' && !(letter == 'M' && count == 3);
            digits(a, n) == digits(b, m) && (n == m || (n <= 2 && m <= 2)) && (digits(a, n) || a == b)
        }
        (Piece::Literal(_), Piece::Run(..)) | (Piece::Run(..), Piece::Literal(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_first_and_month_first_are_confused_and_others_are_not() {
        let of = |pattern: &str| DateFormat::Pattern(pattern.to_owned());
        assert!(are_confused(&of("dd-MM-yyyy HH:mm"), &of("MM-dd-yyyy HH:mm")));
        assert!(are_confused(&DateFormat::Epoch, &DateFormat::EpochMs));
        assert!(!are_confused(&of("dd-MM-yyyy"), &of("dd/MM/yyyy")));
        assert!(!are_confused(&of("dd-MMM-yyyy"), &of("dd-MM-yyyy")));
        assert!(!are_confused(&of("yyyy-MM-dd"), &of("dd-MM-yyyy")));
        assert!(!are_confused(&DateFormat::Iso, &DateFormat::Epoch));
    }
}
