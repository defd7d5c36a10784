//! The straight line from request to action, and from result to answer.

use super::quirks::Quirks;
use super::{Action, ActionResult, Call, HttpRequest, HttpResponse, Received};
use crate::suite::environment::Generation;

/// A configured host: actions, generation and switches. Stateless but for a counter of answers.
#[derive(Debug)]
pub struct Pipeline {
    /// Which generation is imitated.
    pub generation: Generation,
    /// What can be called.
    pub actions: Vec<Action>,
    /// Defects and variants.
    pub quirks: Quirks,
    /// Whether error documents carry details (`IncludeErrorDetailPolicy.Always`).
    pub details: bool,
    /// Whether the layer of the web host is there: cache headers and banners on every answer.
    pub host_layer: bool,
}

/// How the answers of a call will be written.
#[derive(Clone, Debug)]
pub(crate) struct Choice {}

impl Pipeline {
    /// A pipeline of that generation, without details, with the host layer.
    pub fn new(generation: Generation, actions: Vec<Action>, quirks: Quirks) -> Pipeline {
        Pipeline { generation, actions, quirks, details: false, host_layer: true }
    }

    /// Routes and reads a request.
    pub fn receive(&self, request: &HttpRequest) -> Received {
        let _ = request;
        todo!()
    }

    /// Writes what an action returned for this call.
    pub fn answer(&self, call: &Call, result: &ActionResult) -> HttpResponse {
        let _ = (call, result);
        todo!()
    }

    /// Both, for controllers that need no time.
    pub fn serve(&self, request: &HttpRequest, controller: &dyn Fn(&Call) -> ActionResult) -> HttpResponse {
        match self.receive(request) {
            Received::Done(response) => response,
            Received::Act(call) => self.answer(&call, &controller(&call)),
        }
    }
}
