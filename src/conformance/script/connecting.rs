//! Playing a connection: it is made, the headers of the refresh path are asked for, and what was seen is judged.

use std::sync::Arc;

use crate::client::look::{Look, Seen, Way};
use crate::client::reply;
use crate::conformance::promise::Allowed;
use crate::conformance::transcript::Taken;
use crate::suite::call::Operation;
use crate::suite::check::{Connect, Step, TlsVersion};

use super::{Cut, Going, Play, Scene};

impl Play<'_> {
    pub(super) async fn connect(&mut self, scene: &mut Scene<'_>, step: &Step, connect: &Connect) -> Going {
        let way = self.way(scene, connect).map_err(Cut::Unset)?;
        let times = step.times.map_or(1, |times| times.at(self.court.ground.full));
        for _ in 0..times {
            self.go_on()?;
            let look = self.look(way).await;
            let taken = self.looked(scene, step, way, look);
            self.requests += 1;
            self.judge(scene, step, Arc::new(taken))?;
        }
        Ok(())
    }

    fn way(&self, scene: &Scene<'_>, connect: &Connect) -> Result<Way, String> {
        let Some(version) = &connect.tls else {
            return Ok(if connect.plain { Way::Clear } else { Way::Usual });
        };
        let word = self.scope(scene).text(version)?;
        let version =
            TlsVersion::from_word(&word).ok_or(format!("`{word}` is no version that can be offered"))?;
        Ok(Way::Offering(version))
    }

    /// What the port of HTTP says proves something only where HTTPS says the same: another site may live there.
    async fn look(&self, way: Way) -> Look {
        let ground = &self.court.ground;
        let path = &ground.dialect.refresh().path;
        let look = ground.client.look(way, path).await;
        let status = |look: &Look| look.exchange.result.as_ref().ok().map(|answer| answer.status);
        if way != Way::Clear || look.seen != Seen::Answered {
            return look;
        }
        let secure = status(&ground.client.look(Way::Usual, path).await);
        if secure == status(&look) {
            return look;
        }
        Look { seen: Seen::Refused("another answer than over TLS".to_owned()), ..look }
    }

    fn looked(&self, scene: &Scene<'_>, step: &Step, way: Way, look: Look) -> Taken {
        let ground = &self.court.ground;
        let answer = look.exchange.result.as_ref().ok().cloned();
        let read = |answer| reply::read(&ground.dialect, Operation::Refresh, Arc::new(answer));
        Taken {
            operation: Operation::Refresh,
            step: step.name.clone(),
            chain: "own".to_owned(),
            chain_number: 0,
            cell: scene.cell.values.clone(),
            round: scene.round,
            identity: Arc::clone(&ground.identities[0]),
            origin: None,
            good: ground.identities[0].slots.clone(),
            sent: crate::client::compose::Slots::default(),
            exchange: look.exchange.clone(),
            reply: answer.map(|answer| Arc::new(read(answer))),
            allowed: Allowed::Unknown("a connection".to_owned()),
            called_back: None,
            look: Some(look),
            now: self.court.clock.now(),
            manner: match way {
                Way::Usual => "a connection of its own".to_owned(),
                Way::Clear => "a connection in the clear".to_owned(),
                Way::Offering(version) => format!("TLS {} offered and nothing else", version.word()),
            },
        }
    }
}
