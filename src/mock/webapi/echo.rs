//! The controller of the golden vectors: it answers with what was bound.

use super::{Action, ActionResult, Call};

/// Its actions: `pfms_get_refresh_token` and `strict`, on the page's model.
pub fn actions() -> Vec<Action> {
    todo!()
}

/// Its answer to a call.
pub fn answer(call: &Call) -> ActionResult {
    let _ = call;
    todo!()
}
