//! The controller of the golden vectors: it answers with what was bound.

use super::{Action, ActionResult, Call, Class, Graph, Kind, Member};

const NAMESPACE: &str = "http://schemas.datacontract.org/2004/07/BLL.PFMS";

const REFRESH: usize = 0;
const STRICT: usize = 1;

/// Its actions: `pfms_get_refresh_token` and `strict`, on the page's model.
pub fn actions() -> Vec<Action> {
    let action = |name: &str, response: Class, key: usize| Action {
        path: format!("/api/PFMS/{name}"),
        methods: vec!["POST".to_owned()],
        request: Some(request_class()),
        response,
        key,
        under_test: true,
    };
    let length = Class {
        name: "int".to_owned(),
        namespace: "http://schemas.microsoft.com/2003/10/Serialization/".to_owned(),
        members: Vec::new(),
    };
    vec![action("pfms_get_refresh_token", response_class(), REFRESH), action("strict", length, STRICT)]
}

fn request_class() -> Class {
    let members = ["stateCode", "AuthString", "expiredAccessToken", "RefreshToken"];
    Class::of_text("RequestModelRefreshToken", NAMESPACE, &members)
}

fn response_class() -> Class {
    let inner = [
        "accessToken",
        "refreshToken",
        "created",
        "expires",
        "responseData",
        "errorMessage",
        "isSuccess",
        "errorCode",
    ];
    let mut class = Class::of_text(
        "ResponseModelRefreshToken",
        NAMESPACE,
        &["AckCode", "Status", "Remarks", "DateOfData"],
    );
    let kind = Kind::Object(Class::of_text("RefreshTokenResponse", NAMESPACE, &inner));
    class.members.push(Member { name: "RefreshTokenResponse".to_owned(), kind });
    class
}

/// Its answer to a call.
pub fn answer(call: &Call) -> ActionResult {
    if call.key == STRICT { strict(call) } else { refresh(call) }
}

fn refresh(call: &Call) -> ActionResult {
    let (status, inner) = match call.bound.model.as_deref() {
        Some([state, secret, access, refresh]) => {
            let [state, secret, access, refresh] =
                [state, secret, access, refresh].map(|value| Graph::text(value.as_deref()));
            let null = || Graph::Null;
            let inner = vec![access, refresh, state, secret, null(), null(), null(), null()];
            ("MODEL-OK", Graph::Object(inner))
        }
        _ => ("MODEL-NULL", Graph::Null),
    };
    let text = |value: &str| Graph::Text(value.to_owned());
    ActionResult::Ok(Graph::Object(vec![text("00"), text(status), text(&remarks(call)), Graph::Null, inner]))
}

fn remarks(call: &Call) -> String {
    let errors = call.bound.errors_by_key();
    let shown: Vec<String> = errors
        .iter()
        .flat_map(|(_, errors)| errors)
        .map(|error| format!("{}={}:{}", error.key, error.exception, error.message))
        .collect();
    shown.join(" || ")
}

fn strict(call: &Call) -> ActionResult {
    if !call.bound.is_valid() {
        return ActionResult::InvalidModel;
    }
    let refresh = call.bound.model.as_ref().and_then(|model| model.last()).and_then(Option::as_deref);
    match refresh {
        Some(refresh) => ActionResult::Ok(Graph::Number(refresh.encode_utf16().count().to_string())),
        None => ActionResult::Crash {
            exception: "System.NullReferenceException".to_owned(),
            message: "Object reference not set to an instance of an object".to_owned(),
        },
    }
}
