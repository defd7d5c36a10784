//! What a name most likely means: the words that endpoints have for slots and fields.

use crate::suite::call::Slot;
use crate::suite::claim::Field;

use super::Value;

/// Names of members that carry a slot, in small letters without signs; the best first.
const SLOTS: [(Slot, &[&str]); 10] = [
    (Slot::Refresh, &["refreshtoken", "refresh", "rtoken", "renewaltoken", "reftoken"]),
    (Slot::Access, &["expiredaccesstoken", "accesstoken", "access", "expiredtoken", "oldtoken"]),
    (Slot::Tenant, &["tenant", "tenantid", "statecode", "realm", "organization", "orgid", "companycode"]),
    (Slot::ClientSecret, &["clientsecret", "appsecret", "consumersecret"]),
    (Slot::Client, &["clientid", "client", "appid", "apikey", "key", "consumerkey", "applicationid"]),
    (Slot::Secret, &["authstring", "secret", "password", "sharedsecret", "passphrase", "authkey"]),
    (Slot::Code, &["authcode", "pin", "otp"]),
    (Slot::User, &["username", "user", "email", "login", "userid", "loginid"]),
    (Slot::Scope, &["scope", "scopes"]),
    (Slot::Device, &["deviceid", "device", "devicekey"]),
];

/// Names of members that are read as a field.
const FIELDS: [(Field, &[&str]); 10] = [
    (Field::Access, &["accesstoken", "access", "token", "jwt", "idtoken2"]),
    (Field::Refresh, &["refreshtoken", "refresh", "newrefreshtoken"]),
    (Field::Id, &["idtoken"]),
    (Field::Scope, &["scope", "scopes"]),
    (Field::Issued, &["issuedat", "issued", "iat", "tokencreated", "created", "createdat"]),
    (
        Field::Expires,
        &[
            "expires",
            "expiresin",
            "expiresinms",
            "expiresat",
            "expiry",
            "expiration",
            "tokenexpires",
            "exp",
            "validuntil",
        ],
    ),
    (Field::Served, &["dateofdata", "servertime", "serverdate", "timestamp"]),
    (Field::Ok, &["issuccess", "success", "succeeded", "ok"]),
    (Field::Code, &["errorcode", "errcode", "error", "code"]),
    (Field::Message, &["errormessage", "errordescription", "message", "detail", "msg"]),
];

/// A name without case and signs, and without the `X-` that many headers begin with.
pub(super) fn bare(name: &str) -> String {
    let local = name.rsplit(':').next().unwrap_or(name);
    let local = local.strip_prefix("X-").or_else(|| local.strip_prefix("x-")).unwrap_or(local);
    local.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// What is sent under a name; `sample` is what the document shows there.
pub(super) fn sent(name: &str, sample: Option<&str>) -> Value {
    let bare = bare(name);
    if bare == "granttype" {
        return Value::Constant("refresh_token".to_owned());
    }
    let slot = SLOTS.iter().find(|(_, names)| names.contains(&bare.as_str())).map(|(slot, _)| *slot);
    match (slot, sample) {
        (Some(slot), _) => Value::Slot("", slot),
        // A constant of a description, not a filler of its generator.
        (None, Some(sample)) if !sample.is_empty() && !sample.starts_with("sample string") => {
            Value::Constant(sample.to_owned())
        }
        (None, _) => Value::Question,
    }
}

/// The field that a name is read as, and how well the name fits: less is better.
pub(super) fn field(name: &str) -> Option<(Field, usize)> {
    let bare = bare(name);
    FIELDS.iter().find_map(|(field, names)| {
        let rank = names.iter().position(|own| *own == bare)?;
        Some((*field, rank))
    })
}
