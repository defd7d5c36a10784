//! Which formatter writes an answer, under which media type, in which charset.
//!
//! Each writing formatter gets its best match: a mapping, an `Accept` value, the type of the request, or just
//! that it can write. Of the matches the best category wins; within `Accept`, quality decides, and what is
//! equal goes to the literal before the range and to JSON before XML.

use super::charset::Charset;
use super::media::{self, MediaType, Range};
use super::quirks::Quirks;
use super::{Format, HttpRequest};
use crate::suite::defect::Defect;
use crate::suite::environment::Variant;

/// A formatter with the types that it supports; the first is its default.
pub(super) struct Formatter {
    pub(super) format: Format,
    pub(super) types: &'static [&'static str],
}

/// The writing formatters in their order.
pub(super) const WRITERS: [Formatter; 2] = [
    Formatter { format: Format::Json, types: &["application/json", "text/json"] },
    Formatter { format: Format::Xml, types: &["application/xml", "text/xml"] },
];

/// Where forms are read.
pub(super) const FORM_TYPE: &str = "application/x-www-form-urlencoded";

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Written {
    pub(super) format: Format,
    pub(super) media: &'static str,
    pub(super) charset: Charset,
}

/// What negotiation came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Choice {
    /// Written so.
    Written(Written),
    /// 406 without a body.
    NotAcceptable,
    /// A page for people: a defect.
    Page,
    /// 500: a defect.
    Crash,
}

/// What a request says about the answer that it wants.
pub(super) struct Wishes {
    accept: Vec<MediaType>,
    content_type: Option<MediaType>,
    charset: Option<Charset>,
    ajax: bool,
}

impl Wishes {
    pub(super) fn of(request: &HttpRequest) -> Wishes {
        let charsets = media::accepted_charsets(request.header("Accept-Charset"));
        let charset = charsets.iter().find_map(|name| match name.as_str() {
            "*" => Some(Charset::Utf8),
            name => Charset::named(name),
        });
        let ajax = request.header("X-Requested-With").any(|by| by.eq_ignore_ascii_case("XMLHttpRequest"));
        Wishes {
            accept: media::accepted(request.header("Accept")),
            content_type: content_type(request),
            charset,
            ajax,
        }
    }

    /// `X-Requested-With` counts where nothing is asked for, or anything.
    fn is_mapped(&self) -> bool {
        let open = match self.accept.as_slice() {
            [] => true,
            [only] => only.is_all(),
            _ => false,
        };
        self.ajax && open
    }

    fn is_form(&self) -> bool {
        self.content_type.as_ref().is_some_and(|media| media.covers(FORM_TYPE).is_some())
    }
}

/// The media type of a request's body; a value that cannot be read counts as none, and so do two of them.
pub(super) fn content_type(request: &HttpRequest) -> Option<MediaType> {
    let mut lines = request.header("Content-Type");
    let media = MediaType::parse(&lines.next()?);
    if lines.next().is_some() { None } else { media }
}

/// What an answer matches by, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Mapping,
    Accept(Range),
    RequestType,
    CanWrite,
}

struct Match {
    rank: Rank,
    quality: f64,
    format: Format,
    media: &'static str,
}

/// Negotiates; `turn` counts answers, for the defect that alternates.
pub(super) fn negotiate(wishes: &Wishes, quirks: &Quirks, turn: u64) -> Choice {
    let charset = wishes.charset.unwrap_or_else(|| Charset::of_body(wishes.content_type.as_ref()));
    let accept = media::by_quality(wishes.accept.clone());
    if let Some(wrong) = wrong_choice(wishes, &accept, quirks, turn) {
        return match wrong {
            Wrong::Written(format, media) => Choice::Written(Written { format, media, charset }),
            Wrong::Choice(choice) => choice,
        };
    }
    let matches: Vec<Match> =
        WRITERS.iter().filter_map(|formatter| match_of(formatter, wishes, &accept, quirks)).collect();
    match best(&matches, quirks.is(Variant::TieXml)) {
        Some(found) => Choice::Written(Written { format: found.format, media: found.media, charset }),
        None => Choice::NotAcceptable,
    }
}

fn match_of(formatter: &Formatter, wishes: &Wishes, accept: &[MediaType], quirks: &Quirks) -> Option<Match> {
    let format = formatter.format;
    let found = |rank, quality, media| Some(Match { rank, quality, format, media });
    if format == Format::Json && wishes.is_mapped() {
        return found(Rank::Mapping, 1.0, formatter.types[0]);
    }
    if let Some((range, quality, media)) = match_accept(formatter, accept) {
        return found(Rank::Accept(range), quality, media);
    }
    let request_type = wishes.content_type.as_ref();
    let mirrored = |media: &&&str| request_type.is_some_and(|sent| sent.covers(media).is_some());
    if let Some(media) = formatter.types.iter().find(mirrored) {
        return found(Rank::RequestType, 1.0, media);
    }
    // A negotiator that refuses what nobody asked for writes anything only where nothing was asked for.
    let any = !quirks.is(Variant::NotAcceptable) || accept.is_empty();
    if any { found(Rank::CanWrite, 1.0, formatter.types[0]) } else { None }
}

/// The first accepted value, best first, that covers a type; what has quality zero is passed by.
fn match_accept(formatter: &Formatter, accept: &[MediaType]) -> Option<(Range, f64, &'static str)> {
    accept.iter().filter(|wanted| wanted.quality() > 0.0).find_map(|wanted| {
        let covers = |media: &&'static str| Some((wanted.covers(media)?, wanted.quality(), *media));
        formatter.types.iter().find_map(covers)
    })
}

/// The best match: a mapping if no `Accept` value is better, then `Accept`, then the request, then any.
fn best(matches: &[Match], xml_wins_ties: bool) -> Option<&Match> {
    let of = |wanted: Rank| {
        matches.iter().filter(move |found| found.rank == wanted).reduce(move |best, next| {
            let tie = xml_wins_ties && wanted == Rank::Accept(Range::Literal);
            better(best, next, tie)
        })
    };
    let accepted = [Range::Literal, Range::Subtype, Range::All]
        .into_iter()
        .filter_map(|range| of(Rank::Accept(range)))
        .reduce(|best, next| better(best, next, false));
    let preferred = of(Rank::Mapping).into_iter().chain(accepted);
    preferred
        .reduce(|best, next| better(best, next, false))
        .or_else(|| matches.iter().find(|found| found.rank == Rank::RequestType))
        .or_else(|| matches.iter().find(|found| found.rank == Rank::CanWrite))
}

fn better<'a>(best: &'a Match, next: &'a Match, later_wins_ties: bool) -> &'a Match {
    let wins = if later_wins_ties { next.quality >= best.quality } else { next.quality > best.quality };
    if wins { next } else { best }
}

/// What a defect makes of negotiation.
enum Wrong {
    Written(Format, &'static str),
    Choice(Choice),
}

const JSON: Wrong = Wrong::Written(Format::Json, WRITERS[0].types[0]);
const XML: Wrong = Wrong::Written(Format::Xml, WRITERS[1].types[0]);

fn wrong_choice(wishes: &Wishes, accept: &[MediaType], quirks: &Quirks, turn: u64) -> Option<Wrong> {
    let on = |defect| quirks.has(defect);
    let supported = |wanted: &MediaType| {
        WRITERS.iter().find_map(|writer| {
            let media = writer.types.iter().find(|media| wanted.covers(media).is_some())?;
            Some(Wrong::Written(writer.format, media))
        })
    };
    let unmet = !accept.is_empty() && WRITERS.iter().all(|writer| match_accept(writer, accept).is_none());
    if on(Defect::AcceptIgnored)
        || (on(Defect::FormAnswersJson) && wishes.is_form())
        || (on(Defect::NoAcceptJson) && accept.is_empty())
    {
        return Some(JSON);
    }
    if on(Defect::NoAcceptFormXml) && accept.is_empty() && wishes.is_form() {
        return Some(XML);
    }
    if on(Defect::WildcardRefused) && accept.len() == 1 && accept[0].is_all() {
        return Some(Wrong::Choice(Choice::NotAcceptable));
    }
    let refused = on(Defect::TextTypesUnacceptable) && accept.iter().any(is_text)
        || on(Defect::FormNeedsAccept) && accept.is_empty() && wishes.is_form()
        || on(Defect::QualityRefused) && accept.iter().any(|wanted| wanted.quality() < 1.0);
    if refused {
        return Some(Wrong::Choice(Choice::NotAcceptable));
    }
    if on(Defect::UnacceptableHtml) && unmet {
        return Some(Wrong::Choice(Choice::Page));
    }
    if on(Defect::UnacceptableCrash) && unmet {
        return Some(Wrong::Choice(Choice::Crash));
    }
    if on(Defect::QualityIgnored) {
        return wishes.accept.iter().find_map(supported);
    }
    if on(Defect::QualityZeroServed) {
        return accept.iter().filter(|wanted| wanted.quality() <= 0.0).find_map(supported);
    }
    if on(Defect::TieAlternates) && is_tied(accept) {
        return Some(if turn.is_multiple_of(2) { JSON } else { XML });
    }
    None
}

/// `text/json`, `text/xml`, and no range.
fn is_text(wanted: &MediaType) -> bool {
    ["text/json", "text/xml"].iter().any(|media| wanted.essence().eq_ignore_ascii_case(media))
}

/// Whether both formatters are asked for by name, with one quality.
fn is_tied(accept: &[MediaType]) -> bool {
    let literal = |writer: &Formatter| match_accept(writer, accept).filter(|found| found.0 == Range::Literal);
    match (literal(&WRITERS[0]), literal(&WRITERS[1])) {
        (Some(json), Some(xml)) => json.1.total_cmp(&xml.1).is_eq(),
        _ => false,
    }
}
