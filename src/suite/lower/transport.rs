//! How an environment is reached.

use super::super::call::{Part, Template};
use super::super::transport::{Address, Family, Http, PROXY_SCHEMES, Tls, TlsTerms, Transport};
use super::super::written::{self, Word};
use super::super::yaml::Spanned;
use super::environment::{in_clear, is_given};
use super::notes::{Notes, shown};
use super::reference::{Scope, template};

/// The words of an environment that say how it is reached.
pub(super) fn transport(environment: &written::Environment, notes: &mut Notes<'_>) -> Transport {
    let transport = Transport {
        http: environment.http.as_ref().and_then(|word| http(word, notes)).unwrap_or_default(),
        tls: environment.tls.as_ref().map(|terms| tls(terms, notes)).unwrap_or_default(),
        addresses: environment.addresses.iter().filter_map(|word| address(word, notes)).collect(),
        proxy: environment.proxy.as_ref().map(|word| proxy(word, notes)),
        bind: environment.bind.as_ref().and_then(|word| bind(word, notes)),
        family: environment
            .ip
            .as_ref()
            .and_then(|word| notes.word("family of addresses", &word.value, word.span, &Family::ALL)),
    };
    fits(environment, &transport, notes);
    transport
}

fn http(word: &Word, notes: &mut Notes<'_>) -> Option<Http> {
    notes.word("version of HTTP", &word.value, word.span, &Http::ALL)
}

fn tls(written: &Spanned<written::TlsTerms>, notes: &mut Notes<'_>) -> TlsTerms {
    let terms = &written.value;
    let file = |word: &Option<Word>| word.as_ref().map(|word| word.value.clone());
    if let (Some(alone), None) | (None, Some(alone)) = (&terms.certificate, &terms.key) {
        let message = "a client shows its certificate and proves it with the key of it";
        notes.error("suite::missing-key", alone.key, message, "one of the two is missing").help =
            Some("write `tls: { certificate: client.pem, key: client.key }`".to_owned());
    }
    let min = terms.min.as_ref().and_then(|word| version(word, notes));
    let max = terms.max.as_ref().and_then(|word| version(word, notes));
    if let (Some(oldest), Some(newest), Some(word)) = (min, max, &terms.max)
        && oldest > newest
    {
        notes.error("suite::contradiction", word.span, "no version is left", "older than `min`");
    }
    TlsTerms {
        ca: file(&terms.ca),
        certificate: file(&terms.certificate),
        key: file(&terms.key),
        min,
        max,
        name: terms.name.as_ref().and_then(|word| name(word, notes)),
    }
}

fn version(word: &Word, notes: &mut Notes<'_>) -> Option<Tls> {
    if matches!(word.value.as_str(), "1.0" | "1.1") {
        let message = format!("TLS {} is not spoken here", word.value);
        notes.error("suite::wrong-value", word.span, message, "`1.2` or `1.3`").help = Some(
            "whether a server still speaks it is asked by `connect: { tls: \"1.0\" }`; \
             a server that speaks nothing newer is reached through a relay (docs/transport.md)"
                .to_owned(),
        );
        return None;
    }
    notes.word("version of TLS", &word.value, word.span, &Tls::ALL)
}

fn name(word: &Word, notes: &mut Notes<'_>) -> Option<String> {
    let name = word.value.trim();
    let is_name = rustls::pki_types::ServerName::try_from(name.to_owned()).is_ok();
    if !is_name {
        let message = format!("`{}` is no name of a host", shown(name));
        notes.error("suite::wrong-value", word.span, message, "as `uat.example.org`, without scheme or port");
    }
    is_name.then(|| name.to_owned())
}

fn address(word: &Word, notes: &mut Notes<'_>) -> Option<Address> {
    let address = Address::read(&word.value);
    if address.is_none() {
        let message = format!("`{}` is no address", shown(&word.value));
        notes.error("suite::address", word.span, message, "as `10.1.2.3`, `10.1.2.3:8443`, `[::1]:8443`");
    }
    address
}

fn bind(word: &Word, notes: &mut Notes<'_>) -> Option<std::net::IpAddr> {
    let ip = word.value.trim().parse().ok();
    if ip.is_none() {
        let message = format!("`{}` is no address of this machine", shown(&word.value));
        notes.error("suite::address", word.span, message, "an address alone, as `10.1.2.3`");
    }
    ip
}

fn proxy(word: &Word, notes: &mut Notes<'_>) -> Template {
    let template = template(word, &Scope::default(), notes);
    if template.parts.iter().any(|part| !is_given(part)) {
        let message = "a proxy is an address, and this refers to something of a call";
        notes.error("suite::reference", word.span, message, "write text, `$env:NAME` or `$secret:NAME`");
    }
    let Some(Part::Text(start)) = template.parts.first() else { return template };
    let scheme = start.split("://").next().unwrap_or_default();
    if !start.contains("://") || !PROXY_SCHEMES.contains(&scheme) {
        let message = format!("`{}` is no proxy that is spoken to", shown(start));
        let label = "`http://host:3128`, `socks5://host:1080` or `socks5h://host:1080`";
        notes.error("suite::address", word.span, message, label);
        return template;
    }
    if let Some(text) = template.as_plain() {
        match url::Url::parse(&text) {
            Ok(url) if url.password().is_some() => in_clear("proxy", word, &template, notes),
            Ok(url) if url.host_str().is_some() => {}
            Ok(_) | Err(_) => {
                let message = format!("`{}` is no address", shown(&text));
                notes.error("suite::address", word.span, message, "as `http://proxy.example.org:3128`");
            }
        }
    }
    template
}

/// What fits neither the target nor the rest.
fn fits(environment: &written::Environment, transport: &Transport, notes: &mut Notes<'_>) {
    if environment.mock.is_some() {
        let words = [
            environment.tls.as_ref().map(|it| it.key),
            environment.addresses.first().map(|it| it.span),
            environment.proxy.as_ref().map(|it| it.key),
            environment.bind.as_ref().map(|it| it.key),
            environment.ip.as_ref().map(|it| it.key),
        ];
        if let Some(span) = words.into_iter().flatten().next() {
            let message = "a mock is reached in the clear, on the loopback interface of this machine";
            notes.error("suite::contradiction", span, message, "for an environment with a `url`");
        }
    }
    let clear = environment.url.as_ref().filter(|url| url.value.starts_with("http://"));
    if let (Some(tls), Some(url)) = (&environment.tls, clear) {
        let at = notes.place(url.span);
        let message = "TLS is spoken to an `https` address";
        let diagnostic = notes.error("suite::contradiction", tls.key, message, "never used");
        diagnostic.also.push((at, "this is `http`".to_owned()));
    }
    if let (Some(family), Some(bind), Some(word)) = (transport.family, transport.bind, &environment.bind)
        && !family.has(bind)
    {
        notes.error("suite::contradiction", word.span, "not of the family that `ip` names", "another family");
    }
}
