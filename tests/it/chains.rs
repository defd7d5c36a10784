//! Custody over real sockets: when a chain moves, and when it is over.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use assay::chain::source::{NoChain, Source};
use assay::chain::{Chain, Identity};
use assay::client::compose::{self, Slots};
use assay::client::guard::Guard;
use assay::client::reply::Outcome;
use assay::client::{Client, Failure, Request, Target};
use assay::dialect::{Dialect, builtin};
use assay::mock::{Controller, MockOptions, MockServer};
use assay::secret::Token;
use assay::suite::call::{Abort, Slot};
use assay::suite::defect::Defect;
use assay::suite::environment::{MockPolicy, MockSpec};

/// A mock and a client of it.
struct Bench {
    mock: MockServer,
    client: Arc<Client>,
    dialect: Arc<Dialect>,
    source: Source,
}

impl Bench {
    fn new(dialect: &str, spec: MockSpec) -> Bench {
        let dialect = builtin(dialect).unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mock = MockServer::start(MockOptions {
            spec,
            dialect: dialect.clone(),
            listen: any,
            control: any,
            controller: Controller::Endpoint,
            threads: 1,
        })
        .unwrap();
        let target = Target {
            url: mock.url().parse().unwrap(),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            body_max: 1 << 20,
        };
        let client = Arc::new(Client::new(target, Guard::exempt()).unwrap());
        let dialect = Arc::new(dialect);
        let source = Source::login(Arc::clone(&client), Arc::clone(&dialect));
        Bench { mock, client, dialect, source }
    }

    fn identity(&self) -> Arc<Identity> {
        let (name, slots) = self.mock.identities().remove(0);
        Arc::new(Identity { name, slots: slots.into_iter().collect() })
    }

    async fn chain(&self) -> Chain {
        self.source.open(&self.identity()).await.unwrap()
    }

    fn good(&self, slots: &Slots) -> Request {
        let draft = compose::good(self.dialect.refresh(), None, None, slots).unwrap();
        draft.request(draft.body())
    }

    /// Refreshes with the current pair; how it was answered.
    async fn refresh(&self, chain: &mut Chain) -> Outcome {
        let request = self.good(&chain.slots(chain.pairs.len() - 1));
        chain.spend(&self.client, &self.dialect, request).await.reply.unwrap().outcome.clone()
    }
}

#[tokio::test]
async fn a_grant_moves_the_chain_in_both_dialects() {
    for dialect in ["pfms", "oauth2"] {
        let bench = Bench::new(dialect, MockSpec::default());
        let mut chain = bench.chain().await;
        for generation in 1..=3 {
            assert_eq!(bench.refresh(&mut chain).await, Outcome::Granted, "{dialect}");
            assert_eq!(chain.pairs.len(), generation + 1);
        }
        let tokens: Vec<&Token> = chain.pairs.iter().map(|pair| pair.refresh.as_ref().unwrap()).collect();
        assert!(tokens.windows(2).all(|pair| pair[0] != pair[1]), "{dialect}");
        assert!(chain.clean && !chain.in_doubt);
        assert_eq!(bench.mock.ledger().granted, 3);
    }
}

#[tokio::test]
async fn a_refusal_leaves_the_pair_and_retires_the_chain() {
    let bench = Bench::new("pfms", MockSpec::default());
    let mut chain = bench.chain().await;
    let mut slots = chain.slots(0);
    slots.insert(Slot::Secret, Token::new("not-the-secret"));
    let called = chain.spend(&bench.client, &bench.dialect, bench.good(&slots)).await;
    assert_eq!(called.reply.unwrap().outcome, Outcome::Refused);
    assert_eq!((chain.pairs.len(), chain.clean, chain.in_doubt), (1, false, false));
    assert_eq!(bench.refresh(&mut chain).await, Outcome::Granted, "nothing was spent");
}

#[tokio::test]
async fn a_lost_answer_puts_the_chain_in_doubt() {
    let bench = Bench::new("pfms", MockSpec::default());
    let hang_up = async |abort| {
        let mut chain = bench.chain().await;
        let mut request = bench.good(&chain.slots(0));
        request.travel.abort = Some(abort);
        let called = chain.spend(&bench.client, &bench.dialect, request).await;
        assert_eq!(called.exchange.result.unwrap_err(), Failure::Aborted);
        (chain.in_doubt, chain.clean)
    };
    assert_eq!(hang_up(Abort::Sent).await, (true, false));
    assert_eq!(hang_up(Abort::HalfSent).await, (true, false));
    assert_eq!(hang_up(Abort::Connected).await, (false, false), "no token was on its way");
}

#[tokio::test]
async fn a_replay_burns_the_chain_and_does_not_move_it() {
    let bench = Bench::new("pfms", MockSpec { policy: MockPolicy::GraceNewPair, ..MockSpec::default() });
    let mut chain = bench.chain().await;
    assert_eq!(bench.refresh(&mut chain).await, Outcome::Granted);
    let replay = bench.good(&chain.slots(0));
    let called = chain.burn(&bench.client, &bench.dialect, replay).await;
    assert_eq!(called.reply.unwrap().outcome, Outcome::Granted);
    assert_eq!((chain.pairs.len(), chain.clean), (2, false));
}

#[tokio::test]
async fn chains_are_counted_and_numbered() {
    let bench = Bench::new("pfms", MockSpec::default());
    let numbers = [bench.chain().await.number, bench.chain().await.number];
    assert_eq!((numbers, bench.source.opened()), ([0, 1], 2));
}

#[tokio::test]
async fn a_login_that_brings_no_pair_opens_no_chain() {
    let spec = MockSpec { defects: vec![Defect::AlwaysCrash], ..MockSpec::default() };
    let bench = Bench::new("pfms", spec);
    let failed = bench.source.open(&bench.identity()).await.unwrap_err();
    assert_eq!(failed.to_string(), "the login was answered 500 and not granted");
    assert_eq!(bench.source.opened(), 0);
    let nobody = Arc::new(Identity { name: "nobody".to_owned(), slots: Slots::new() });
    let bench = Bench::new("pfms", MockSpec::default());
    assert!(matches!(bench.source.open(&nobody).await.unwrap_err(), NoChain::Login(_)));
}

#[tokio::test]
async fn seeds_of_the_mock_are_a_file_of_chains() {
    let bench = Bench::new("pfms", MockSpec::default());
    let lines: Vec<String> = bench
        .mock
        .seeds(2)
        .into_iter()
        .map(|slots| {
            let members: serde_json::Map<String, serde_json::Value> =
                slots.iter().map(|(slot, token)| (slot.word().to_owned(), token.expose().into())).collect();
            serde_json::Value::Object(members).to_string()
        })
        .collect();
    let identity = bench.identity();
    let source = Source::file(&lines.join("\n"), &[Arc::clone(&identity)]).unwrap();
    let mut chain = source.open(&identity).await.unwrap();
    assert_eq!(bench.refresh(&mut chain).await, Outcome::Granted);
}
