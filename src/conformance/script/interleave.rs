//! Playing cells side by side, one call of each in turn: what troubles the machine or the network troubles all of
//! them alike, so that their times can be compared.

use rand::seq::SliceRandom as _;

use crate::conformance::cell::Cell;
use crate::suite::check::{Step, Verb};

use super::{At, Cut, Going, Play, Scene};

impl Play<'_> {
    /// Plays all cells of one round together.
    pub(super) async fn side_by_side(&mut self, cells: &[Cell], round: u32) -> Going {
        let mut scenes: Vec<Scene<'_>> = cells.iter().map(|cell| Scene::of(cell, round)).collect();
        let mut going = Ok(());
        for scene in &mut scenes {
            self.tally.runs += 1;
            if going.is_ok() {
                going = self.casting(scene).await;
            }
        }
        if going.is_ok() {
            going = self.all_steps(&mut scenes).await;
        }
        for scene in scenes {
            self.put_away(scene.cast);
        }
        match going {
            Err(Cut::Unset(why)) => {
                // Groups of which one is missing are no comparison.
                self.sets.clear();
                self.tally.unset(why);
                Ok(())
            }
            going => going,
        }
    }

    async fn all_steps(&mut self, scenes: &mut [Scene<'_>]) -> Going {
        let check = self.check;
        for (index, step) in check.steps.iter().enumerate() {
            self.go_on()?;
            match &step.verb {
                Verb::Call(call) if step.every.is_none() && step.lasting.is_none() => {
                    let times = step.times.map_or(1, |times| times.at(self.court.ground.full));
                    for time in 0..times {
                        let at = At { step, call, number: (index as u64) << 32 | u64::from(time) };
                        self.in_turn(scenes, at).await?;
                    }
                }
                _ => {
                    for scene in &mut *scenes {
                        self.step(scene, step, index as u64).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// One call in every scene, in another order each time.
    async fn in_turn(&mut self, scenes: &mut [Scene<'_>], at: At<'_>) -> Going {
        let mut order: Vec<usize> = (0..scenes.len()).collect();
        if let Some(first) = scenes.first() {
            order.shuffle(&mut self.rng(first, at.number));
        }
        for scene in order {
            self.on_every_chain(&mut scenes[scene], at).await?;
        }
        Ok(())
    }

    /// One step of one scene.
    pub(super) async fn step(&mut self, scene: &mut Scene<'_>, step: &Step, index: u64) -> Going {
        match &step.verb {
            Verb::Call(call) => self.calls(scene, step, call, index).await,
            Verb::Race(race) => self.race(scene, step, race, index).await,
            Verb::Load(depths) => self.load(step, depths.at(self.court.ground.full)).await,
            Verb::Fuzz(fuzz) => self.fuzz(scene, step, fuzz, index).await,
            Verb::Wait(wait) => self.wait(scene, wait).await,
            Verb::Restart => self.restart().await,
            Verb::Connect(connect) => self.connect(scene, step, connect).await,
        }
    }
}
