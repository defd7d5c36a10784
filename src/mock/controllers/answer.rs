//! What the answers say: envelope and inner object, codes, dates, and everything that can be wrong with them.

use std::sync::atomic::{AtomicU64, Ordering};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::suite::call::Operation;
use crate::suite::defect::Defect;
use crate::suite::environment::Variant;

use super::super::authority::{Pair, Refusal};
use super::super::clock::Moment;
use super::super::defects::Switches;
use super::super::webapi::{ActionResult, Format, Graph};
use super::Fault;
use super::table::{Meaning, Part, Table};

/// What an action has to say.
#[derive(Clone, Copy, Debug)]
pub(super) enum Said<'a> {
    /// A pair.
    Granted(&'a Pair),
    /// A refusal.
    Refused(&'a Fault),
    /// It is done, and there is nothing to hand over.
    Done,
}

/// Writes answers.
#[derive(Debug)]
pub(super) struct Writer {
    switches: Switches,
    seed: u64,
    answers: AtomicU64,
}

/// The code and the message of a refusal.
struct Reason {
    code: String,
    remarks: String,
}

/// One answer in the making.
struct Page<'a> {
    refresh: bool,
    writer: &'a Writer,
    format: Option<Format>,
    now: Moment,
    said: &'a Said<'a>,
    reason: Option<Reason>,
}

impl Fault {
    fn code(&self) -> &'static str {
        match self {
            Fault::Token(Refusal::Unknown) => "E101",
            Fault::Token(Refusal::Expired) => "E102",
            Fault::Token(Refusal::Reused) => "E103",
            Fault::Token(Refusal::Revoked) => "E104",
            Fault::Token(Refusal::Mismatch) => "E105",
            Fault::BadSecret(_) => "E201",
            Fault::Waits => "E205",
            Fault::UnknownTenant(_) => "E202",
            Fault::Token(Refusal::Foreign) => "E203",
            Fault::BadCode => "E204",
            Fault::Token(Refusal::Scope) => "E301",
            Fault::Missing(_) => "E302",
        }
    }

    fn remarks(&self, switches: Switches) -> String {
        match self {
            Fault::Token(Refusal::Unknown) => "The refresh token is not known".to_owned(),
            Fault::Token(Refusal::Expired) => "The refresh token has expired".to_owned(),
            Fault::Token(Refusal::Reused) => "The refresh token was used before".to_owned(),
            Fault::Token(Refusal::Revoked) => "The refresh token was revoked".to_owned(),
            Fault::Token(Refusal::Mismatch) => {
                "The access token does not belong to the refresh token".to_owned()
            }
            Fault::Token(Refusal::Foreign) => "The refresh token was issued to another state".to_owned(),
            Fault::Token(Refusal::Scope) => "The scope exceeds the grant".to_owned(),
            Fault::BadSecret(state) => {
                format!("State '{}' is not registered with this AuthString", repeated(state, switches))
            }
            Fault::Waits => "Too many attempts, wait a moment".to_owned(),
            Fault::BadCode => "The AuthCode is not valid".to_owned(),
            Fault::UnknownTenant(state) => format!("State '{}' is not registered", repeated(state, switches)),
            Fault::Missing(member) => format!("{member} is required"),
        }
    }

    /// What another implementation says of all this.
    fn other_remarks(&self) -> &'static str {
        match self {
            Fault::Token(_) => "टोकन अमान्य है",
            Fault::BadSecret(_) | Fault::BadCode | Fault::Waits => "प्रमाणीकरण विफल",
            Fault::UnknownTenant(_) => "अज्ञात राज्य",
            Fault::Missing(_) => "अधूरा अनुरोध <&>",
        }
    }

    /// The status under [`Variant::RefusalsVaried`].
    fn own_status(&self) -> u16 {
        match self {
            Fault::Token(Refusal::Unknown) => 404,
            Fault::Token(Refusal::Reused) => 409,
            Fault::Token(Refusal::Foreign) | Fault::BadSecret(_) | Fault::BadCode => 403,
            Fault::Waits => 429,
            Fault::Token(Refusal::Scope) | Fault::UnknownTenant(_) | Fault::Missing(_) => 422,
            Fault::Token(_) => 401,
        }
    }

    /// The status under [`Variant::FailuresByStatus`].
    fn status(&self) -> u16 {
        match self {
            Fault::Token(Refusal::Scope) | Fault::UnknownTenant(_) | Fault::Missing(_) => 400,
            Fault::Waits => 429,
            Fault::Token(_) | Fault::BadSecret(_) | Fault::BadCode => 401,
        }
    }
}

/// What was sent as it may be repeated: its beginning, without what cannot stand in every format.
fn repeated(text: &str, switches: Switches) -> String {
    let most = if switches.has(Defect::EchoUnbounded) { usize::MAX } else { 16 };
    let fits = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let shown = |c: char| if fits(c) || switches.has(Defect::ControlEchoed) { c } else { '\u{fffd}' };
    text.chars().take(most).map(shown).collect()
}

impl Writer {
    pub fn new(switches: Switches, seed: u64) -> Writer {
        Writer { switches, seed, answers: AtomicU64::new(0) }
    }

    /// The answer of an operation, to be written in `format`.
    pub fn write(&self, table: &Table, format: Option<Format>, now: Moment, said: &Said<'_>) -> ActionResult {
        let refresh = table.operation == Operation::Refresh;
        if let Said::Refused(Fault::Token(_)) = said {
            if refresh && self.switches.has(Defect::RefusalHtml) {
                return ActionResult::Html { status: 401, page: REFUSAL_PAGE.to_owned() };
            }
            if refresh && self.switches.has(Defect::RefusalBare) {
                let document = r#"{"result":"invalid refresh token"}"#.to_owned();
                return ActionResult::RawJson { status: 400, document };
            }
        }
        let xml = format == Some(Format::Xml);
        if refresh && xml && matches!(said, Said::Refused(_)) && self.switches.has(Defect::XmlRefusalCrash) {
            let (exception, message) = ("System.InvalidOperationException", "The type was not expected.");
            return ActionResult::Crash { exception: exception.to_owned(), message: message.to_owned() };
        }
        let reason = match said {
            Said::Refused(fault) => Some(self.reason(fault, format)),
            Said::Granted(_) | Said::Done => None,
        };
        if table.parts.is_empty() {
            return bare(said, reason);
        }
        let page = Page { writer: self, refresh, format, now, said, reason };
        let graph = Graph::Object(table.parts.iter().map(|part| page.value(part)).collect());
        match said {
            Said::Refused(fault) => match self.status(fault) {
                200 => ActionResult::Ok(graph),
                status => ActionResult::Status(status, graph),
            },
            Said::Granted(_) | Said::Done => ActionResult::Ok(graph),
        }
    }

    fn status(&self, fault: &Fault) -> u16 {
        if *fault == Fault::Waits {
            429
        } else if matches!(fault, Fault::BadSecret(_)) && self.switches.is(Variant::ForbiddenSecret) {
            403
        } else if self.switches.is(Variant::RefusalsVaried) {
            fault.own_status()
        } else if self.switches.is(Variant::FailuresByStatus) {
            fault.status()
        } else {
            200
        }
    }

    fn reason(&self, fault: &Fault, format: Option<Format>) -> Reason {
        let unknown = *fault == Fault::Token(Refusal::Unknown);
        let code = if unknown && self.switches.has(Defect::ClassesRandom) {
            let number = self.answers.fetch_add(1, Ordering::Relaxed);
            let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ number.rotate_left(32));
            format!("E{}", 400 + random.next_u32() % 500)
        } else if unknown && format == Some(Format::Xml) && self.switches.has(Defect::ClassesPerFormat) {
            "E901".to_owned()
        } else {
            fault.code().to_owned()
        };
        let other = self.switches.is(Variant::OtherTexts);
        let remarks = if other { fault.other_remarks().to_owned() } else { fault.remarks(self.switches) };
        Reason { code, remarks }
    }
}

/// The answer of an operation that declares no document.
fn bare(said: &Said<'_>, reason: Option<Reason>) -> ActionResult {
    match (said, reason) {
        (Said::Refused(fault), Some(reason)) => {
            ActionResult::Error { status: fault.status(), message: reason.remarks }
        }
        _ => ActionResult::Empty(200),
    }
}

impl Page<'_> {
    fn has(&self, defect: Defect) -> bool {
        self.writer.switches.has(defect)
    }

    fn is(&self, variant: Variant) -> bool {
        self.writer.switches.is(variant)
    }

    fn pair(&self) -> Option<&Pair> {
        match self.said {
            Said::Granted(pair) => Some(pair),
            Said::Refused(_) | Said::Done => None,
        }
    }

    fn value(&self, part: &Part) -> Graph {
        let refused = self.reason.as_ref();
        let text = |text: &str| Graph::Text(text.to_owned());
        match part.meaning {
            Meaning::Inner => Graph::Object(part.members.iter().map(|part| self.value(part)).collect()),
            Meaning::Ack => text(self.words().0),
            Meaning::Status => text(self.words().1),
            Meaning::Remarks => text(refused.map_or("", |reason| &reason.remarks)),
            Meaning::Served => Graph::Text(self.date(self.now, false)),
            Meaning::Access => self.access_token(),
            Meaning::Refresh => self.refresh_token(),
            Meaning::Issued => self.created(),
            Meaning::Expires => self.expires(),
            Meaning::Ok => Graph::Text(self.flag(refused.is_none())),
            Meaning::Message => Graph::text(refused.map(|reason| reason.remarks.as_str())),
            Meaning::Code => self.code(),
            Meaning::Source => Graph::text(self.pair().map(|_| "assay-mock")),
            Meaning::User => Graph::text(self.pair().map(|_| "mock user")),
            Meaning::Data | Meaning::Nothing => Graph::Null,
        }
    }

    /// `AckCode` and `Status`.
    fn words(&self) -> (&'static str, &'static str) {
        let (yes, no) = if self.is(Variant::WordsYes) {
            (("0", "S"), ("1", "F"))
        } else if self.is(Variant::WordsOk) {
            (("200", "OK"), ("500", "Failed"))
        } else {
            (("00", "Success"), ("01", "Failure"))
        };
        if self.envelope_succeeds() { yes } else { no }
    }

    fn envelope_succeeds(&self) -> bool {
        match self.reason {
            Some(_) => self.has(Defect::InnerFailureInside),
            None => !self.has(Defect::EnvelopeFailureOutside),
        }
    }

    fn access_token(&self) -> Graph {
        let end = if self.has(Defect::AccessWithSpace) { "\n" } else { "" };
        self.pair().map_or(Graph::Null, |pair| Graph::Text(format!("{}{end}", pair.access.expose())))
    }

    fn refresh_token(&self) -> Graph {
        match self.pair() {
            Some(_) if self.refresh && self.has(Defect::RefreshTokenMissing) => Graph::Null,
            Some(pair) if self.has(Defect::TokenWithSpace) => {
                Graph::Text(format!("{}\n", pair.refresh.expose()))
            }
            pair => Graph::text(pair.map(|pair| pair.refresh.expose())),
        }
    }

    fn created(&self) -> Graph {
        let Some(pair) = self.pair().filter(|_| !self.is(Variant::NoExpiry)) else { return Graph::Null };
        let moment = if self.has(Defect::CreatedStale) { pair.born } else { pair.issued };
        Graph::Text(self.date(moment, self.has(Defect::CreatedNaiveLocal)))
    }

    fn expires(&self) -> Graph {
        let Some(pair) = self.pair().filter(|_| !self.is(Variant::NoExpiry)) else { return Graph::Null };
        let mut moment = pair.expires;
        if self.has(Defect::ExpiresRemembered) {
            moment.0 -= pair.issued.0 - pair.born.0;
        }
        if self.has(Defect::ExpiresOffJwt) {
            moment.0 += 3_600_000;
        }
        if self.has(Defect::ExpiresBeforeCreated) {
            // As if UTC were written where local time is meant: five and a half hours too early.
            moment.0 -= 19_800_000;
        }
        Graph::Text(self.date(moment, false))
    }

    fn flag(&self, value: bool) -> String {
        if self.is(Variant::WordsYes) {
            return if value { "Y" } else { "N" }.to_owned();
        }
        if self.is(Variant::WordsOk) {
            return if value { "1" } else { "0" }.to_owned();
        }
        let upper = self.is(Variant::TrueSpelledUpper)
            || self.has(Defect::FlagSpelling) && self.format == Some(Format::Json);
        match (value, upper) {
            (true, true) => "True",
            (true, false) => "true",
            (false, true) => "False",
            (false, false) => "false",
        }
        .to_owned()
    }

    fn code(&self) -> Graph {
        match &self.reason {
            Some(reason) => Graph::Text(reason.code.clone()),
            None if self.has(Defect::ErrorResidue) => Graph::Text("E000".to_owned()),
            None if self.is(Variant::CodeZero) => Graph::Text("0".to_owned()),
            None => Graph::Null,
        }
    }

    /// A date: Indian time with its offset, to the second.
    fn date(&self, moment: Moment, naive: bool) -> String {
        let odd = self.pair().is_some_and(|pair| pair.number % 2 == 1);
        let local = moment.in_india();
        if self.has(Defect::DateCultureFlips) {
            let pattern = if odd { "%m-%d-%Y %H:%M:%S" } else { "%d-%m-%Y %H:%M:%S" };
            return local.strftime(pattern).to_string();
        }
        if self.has(Defect::DatesPerFormat) && self.format == Some(Format::Xml) {
            return local.strftime("%d-%m-%Y %H:%M:%S").to_string();
        }
        if self.is(Variant::MicrosoftDates) {
            return format!("/Date({}+0530)/", moment.seconds() * 1000);
        }
        if self.is(Variant::DayFirstDates) {
            return local.strftime("%d-%m-%Y %H:%M:%S").to_string();
        }
        if self.is(Variant::FractionalDates) {
            return local.strftime("%Y-%m-%dT%H:%M:%S.0000000+05:30").to_string();
        }
        if self.is(Variant::UtcDates) {
            return moment.in_utc().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        }
        let naive = naive || odd && self.has(Defect::DateZoneFlips);
        local.strftime(if naive { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S+05:30" }).to_string()
    }
}

/// What IIS shows to people.
const REFUSAL_PAGE: &str = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \
\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">\r\n\
<html xmlns=\"http://www.w3.org/1999/xhtml\">\r\n<head>\r\n\
<title>401 - Unauthorized: Access is denied due to invalid credentials.</title>\r\n</head>\r\n<body>\r\n\
<div id=\"header\"><h1>Server Error</h1></div>\r\n<div id=\"content\">\r\n\
<h2>401 - Unauthorized: Access is denied due to invalid credentials.</h2>\r\n\
<h3>You do not have permission to view this directory or page using the credentials that you supplied.</h3>\r\n\
</div>\r\n</body>\r\n</html>\r\n";
