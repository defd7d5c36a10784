//! The switches of the pipeline, defects and variants, and what those that change an answer do to it.
//!
//! A switch that lets one step go wrong stands at that step; here is what can be said of an answer as a whole.

use std::collections::HashSet;

use super::charset::Charset;
use super::json_writer;
use super::xml_writer::{Null, Style};
use super::{Class, Format, Graph, Kind, Member};
use crate::suite::defect::Defect;
use crate::suite::environment::Variant;

/// What is switched on.
#[derive(Clone, Debug, Default)]
pub struct Quirks {
    defects: HashSet<Defect>,
    variants: HashSet<Variant>,
}

impl Quirks {
    /// These and no others.
    pub fn new(defects: &[Defect], variants: &[Variant]) -> Quirks {
        Quirks { defects: defects.iter().copied().collect(), variants: variants.iter().copied().collect() }
    }

    /// Whether a defect is switched on.
    pub fn has(&self, defect: Defect) -> bool {
        !self.defects.is_empty() && self.defects.contains(&defect)
    }

    /// Whether a variant is switched on.
    pub fn is(&self, variant: Variant) -> bool {
        !self.variants.is_empty() && self.variants.contains(&variant)
    }

    /// How XML is written.
    pub(super) fn xml_style(&self, control: bool) -> Style {
        let null = match (self.has(Defect::XmlNullText), self.has(Defect::XmlNullEmpty)) {
            (true, _) => Null::Word,
            (_, true) => Null::Empty,
            _ => Null::Nil,
        };
        Style {
            control,
            null,
            declared_order: self.has(Defect::XmlDeclarationOrder),
            plain: self.has(Defect::XmlNoNamespace),
        }
    }
}

/// The page that `unacceptable-html` answers with.
pub(super) const PAGE: &str = "<!DOCTYPE html><html><head><title>406 - Client browser does not accept the MIME \
    type of the requested page.</title></head><body><h2>406 - Client browser does not accept the MIME type of \
    the requested page.</h2></body></html>";

/// The media type that the answer is labelled with.
pub(super) fn media_label(media: &'static str, format: Format, quirks: &Quirks) -> &'static str {
    if format == Format::Xml && quirks.has(Defect::XmlLabelledJson) {
        return "application/json";
    }
    let wrong = [
        (Defect::JsonAsTextJson, "application/json", "text/json"),
        (Defect::TextJsonAnswerRelabelled, "text/json", "application/json"),
        (Defect::TextXmlAnswerRelabelled, "text/xml", "application/xml"),
    ];
    let found = wrong.into_iter().find(|(defect, right, _)| *right == media && quirks.has(*defect));
    found.map_or(media, |(_, _, label)| label)
}

/// The charset that the answer is labelled with.
pub(super) fn charset_label(charset: Charset, quirks: &Quirks) -> &'static str {
    match charset {
        Charset::Utf8 if quirks.has(Defect::CharsetMislabelled) => "iso-8859-1",
        Charset::Utf16 if quirks.has(Defect::Utf16Mislabelled) => "utf-8",
        Charset::Utf8 | Charset::Utf16 => charset.label(),
    }
}

/// The format that a body looks like.
pub(super) fn sniff(body: &[u8]) -> Format {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    match body.first() {
        Some(b'{' | b'[') => Format::Json,
        Some(b'<') => Format::Xml,
        _ => Format::Form,
    }
}

/// Headers that mean nothing to a caller.
pub(super) fn noise() -> Vec<(String, String)> {
    [
        ("X-Request-Id", "6f1d2c50-7f3e-4b0e-9a37-3f6f0c1f7a11"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "SAMEORIGIN"),
        ("Vary", "Accept-Encoding"),
        ("Via", "1.1 gateway"),
        ("X-Cache", "Miss from gateway"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// An answer and its class as the switches change them; `None` where none does.
pub(super) fn distort(
    class: &Class,
    value: &Graph,
    format: Format,
    quirks: &Quirks,
    turn: u64,
) -> Option<(Class, Graph)> {
    let Graph::Object(values) = value else { return None };
    if quirks.defects.is_empty() && quirks.variants.is_empty() {
        return None;
    }
    let mut answer = Answer { class: class.clone(), values: values.clone() };
    if quirks.is(Variant::EmptyForNull) {
        fill(&answer.class, &mut answer.values);
    }
    if quirks.is(Variant::ExtraMembers) {
        answer.push(Member::text("correlationId"), Graph::Text("c-4711".to_owned()));
        answer.each_inner_more();
    }
    if quirks.has(Defect::InnerMemberMissing) {
        answer.each_inner(leave_out_data);
    }
    if quirks.has(Defect::XmlControlCharacter) {
        answer.spoil_remarks();
    }
    if quirks.has(Defect::EnvelopeExtra) {
        let member = Member::text("ServerNode");
        answer.push(member, Graph::Text("NODE-01".to_owned()));
    }
    match format {
        Format::Json | Format::Form => answer.distort_json(quirks, turn),
        Format::Xml => {
            if quirks.has(Defect::XmlNamespaceCase) {
                change_namespace(&mut answer.class);
            }
        }
    }
    Some((answer.class, Graph::Object(answer.values)))
}

struct Answer {
    class: Class,
    values: Vec<Graph>,
}

impl Answer {
    fn push(&mut self, member: Member, value: Graph) {
        self.class.members.push(member);
        self.values.push(value);
    }

    fn distort_json(&mut self, quirks: &Quirks, turn: u64) {
        if quirks.has(Defect::FlagAsBoolean) {
            self.each_inner(flag_as_boolean);
        }
        if quirks.has(Defect::InnerAsText) {
            self.inner_as_text();
        }
        if quirks.has(Defect::InnerAsList) {
            self.inner_as_list();
        }
        if quirks.has(Defect::EnvelopeCamel) {
            for member in &mut self.class.members {
                member.name = camel(&member.name);
            }
        }
        if quirks.has(Defect::JsonDuplicateMember) {
            self.repeat_first(str::to_owned);
        }
        if quirks.has(Defect::JsonCaseTwin) {
            self.repeat_first(camel);
        }
        if quirks.has(Defect::JsonOrderShuffled) && !self.values.is_empty() {
            let places = self.values.len();
            let by = usize::try_from(turn % places as u64).expect("less than a length");
            self.class.members.rotate_left(by);
            self.values.rotate_left(by);
        }
    }

    fn repeat_first(&mut self, spelled: fn(&str) -> String) {
        let (Some(member), Some(value)) = (self.class.members.first(), self.values.first()) else { return };
        let twin = Member { name: spelled(&member.name), kind: member.kind.clone() };
        let value = value.clone();
        self.push(twin, value);
    }

    fn each_inner(&mut self, change: fn(&mut Class, &mut [Graph])) {
        for (member, value) in self.class.members.iter_mut().zip(&mut self.values) {
            if let (Kind::Object(class), Graph::Object(values)) = (&mut member.kind, value) {
                change(class, values);
            }
        }
    }

    /// A member more in the inner object as well.
    fn each_inner_more(&mut self) {
        for (member, value) in self.class.members.iter_mut().zip(&mut self.values) {
            if let (Kind::Object(class), Graph::Object(values)) = (&mut member.kind, value) {
                class.members.push(Member::text("tokenType"));
                values.push(Graph::Text("Bearer".to_owned()));
            }
        }
    }

    fn inner_as_text(&mut self) {
        for (member, value) in self.class.members.iter_mut().zip(&mut self.values) {
            if let (Kind::Object(class), Graph::Object(_)) = (&member.kind, &*value) {
                *value = Graph::Text(json_writer::write(class, value));
                member.kind = Kind::Text;
            }
        }
    }

    fn inner_as_list(&mut self) {
        for (member, value) in self.class.members.iter().zip(&mut self.values) {
            if matches!((&member.kind, &*value), (Kind::Object(_), Graph::Object(_))) {
                *value = Graph::List(vec![value.clone()]);
            }
        }
    }

    fn spoil_remarks(&mut self) {
        for (member, value) in self.class.members.iter().zip(&mut self.values) {
            if member.name.eq_ignore_ascii_case("remarks") {
                let text = if let Graph::Text(text) = value { text.as_str() } else { "" };
                *value = Graph::Text(format!("{text}\u{1}"));
            }
        }
    }
}

/// Empty strings for nulls, wherever a text can be.
fn fill(class: &Class, values: &mut [Graph]) {
    for (member, value) in class.members.iter().zip(values) {
        match (&member.kind, value) {
            (Kind::Text, value @ Graph::Null) => *value = Graph::Text(String::new()),
            (Kind::Object(class), Graph::Object(values)) => fill(class, values),
            _ => {}
        }
    }
}

fn leave_out_data(class: &mut Class, values: &mut [Graph]) {
    for (member, value) in class.members.iter().zip(values) {
        if member.name.eq_ignore_ascii_case("responseData") && *value == Graph::Null {
            *value = Graph::Missing;
        }
    }
}

fn flag_as_boolean(class: &mut Class, values: &mut [Graph]) {
    for (member, value) in class.members.iter_mut().zip(values) {
        if let (true, Graph::Text(text)) = (member.name.eq_ignore_ascii_case("isSuccess"), &*value) {
            *value = Graph::Flag(json_writer::is_true(text));
            member.kind = Kind::Flag;
        }
    }
}

/// `BLL.PFMS` becomes `BLL.Pfms`, at every depth.
fn change_namespace(class: &mut Class) {
    let start = class.namespace.rfind(['.', '/']).map_or(0, |at| at + 1);
    let (kept, last) = class.namespace.split_at(start);
    let first = last.chars().next().map_or(0, char::len_utf8);
    class.namespace = format!("{kept}{}{}", &last[..first], last[first..].to_lowercase());
    for member in &mut class.members {
        if let Kind::Object(inner) = &mut member.kind {
            change_namespace(inner);
        }
    }
}

fn camel(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
