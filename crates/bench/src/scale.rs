//! Who works on what, when a thousand workers share a table of items: claims, leases and fencing in virtual time.
//!
//! The protocol is that of a run on a database that many machines share: an item is claimed in batches, for as long as
//! a lease lasts by the database's clock; a lease is renewed while its holder works; what was done is recorded in the
//! transaction that checks the lease. Workers crash, stall for longer than their leases, have clocks that run wrong,
//! and lose the answers to what they asked. Every item has to be recorded once. The same world without the check at the
//! end shows what the check is for.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use anyhow::{Result, ensure};

use crate::printer;

/// Items in a claim: seconds of work, so that a thousand workers claim some fifty times a second in all.
const CLAIM: usize = 32;

/// How long a claim lasts unless it is renewed, in ms.
const LEASE: u64 = 60_000;

/// A worker renews when this much of its lease has passed, by its own clock, in ms.
const RENEW: u64 = 20_000;

/// Mean time for an item, in ms: a track of four minutes, by `bench import`.
const WORK: f64 = 570.0;

/// Probabilities, for each claim, of a crash, a stall and an answer that is lost: guesses that are far worse than any
/// machine, so that each happens thousands of times.
const CRASH: f64 = 0.01;
const STALL: f64 = 0.01;
const LOST: f64 = 0.01;

/// After so long a crashed worker is started again, in ms.
const RESTART: u64 = 30_000;

/// How wrong the clock of a worker runs, at most: a fifth. Real ones are a thousand times better.
const DRIFT: f64 = 0.2;

/// Tries after which an item is given up.
const TRIES: u8 = 5;

/// Nobody.
const NONE: u32 = u32::MAX;

/// What came of a world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Items recorded exactly once.
    pub once: u64,
    /// Items recorded more than once.
    pub more: u64,
    /// Items given up after too many tries.
    pub given_up: u64,
    /// Results that came too late and were refused.
    pub refused: u64,
    /// Claims made.
    pub claims: u64,
    /// Leases renewed.
    pub renewals: u64,
    /// Claims that were taken from somebody whose lease had ended.
    pub taken_over: u64,
    /// Crashes and stalls.
    pub accidents: u64,
    /// Virtual time, in ms.
    pub time_ms: u64,
}

/// Simulates both worlds and prints them.
pub fn run(items: u32, workers: u32, seed: u64) -> Result<()> {
    for (name, is_fenced) in [("with fencing", true), ("without", false)] {
        let outcome = simulate(items, workers, seed, is_fenced);
        let seconds = outcome.time_ms as f64 / 1000.0;
        printer::result(&format!(
            "{name}: {items} items, {workers} workers: {} recorded once, {} more than once, {} given up; {} late results \
             refused; {} accidents, {} claims taken over; {:.1} h, {:.0} claims/s, {:.0} renewals/s",
            outcome.once,
            outcome.more,
            outcome.given_up,
            outcome.refused,
            outcome.accidents,
            outcome.taken_over,
            seconds / 3600.0,
            outcome.claims as f64 / seconds,
            outcome.renewals as f64 / seconds,
        ));
        if is_fenced {
            ensure!(
                outcome.more == 0,
                "{} items are recorded twice",
                outcome.more
            );
            let all = outcome.once + outcome.given_up;
            ensure!(
                all == u64::from(items),
                "{all} of {items} items have an end"
            );
        }
    }
    Ok(())
}

/// A batch of items that somebody holds.
struct Claim {
    items: Vec<u32>,
    /// By the database's clock, in ms.
    until: u64,
    /// Somebody else took it over.
    is_over: bool,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A worker asks for work.
    Ask,
    /// A worker renews its lease while it works until this time.
    Renew { done: u64 },
    /// A worker comes with its results; for the second time, if the first answer was lost.
    Finish { again: bool },
}

struct World {
    random: fastrand::Rng,
    is_fenced: bool,
    next: u32,
    items: u32,
    /// Claims by number; the database's table.
    claims: Vec<Option<Claim>>,
    free: Vec<u32>,
    /// Ends of leases that were true when they were noted.
    ends: BinaryHeap<Reverse<(u64, u32)>>,
    /// Items that came back, since their holder's lease had ended.
    back: VecDeque<u32>,
    tries: Vec<u8>,
    recorded: Vec<u8>,
    outcome: Outcome,
    left: u64,
}

/// Simulates a world until every item is recorded or given up.
pub fn simulate(items: u32, workers: u32, seed: u64, is_fenced: bool) -> Outcome {
    let mut world = World {
        random: fastrand::Rng::with_seed(seed),
        is_fenced,
        next: 0,
        items,
        claims: Vec::new(),
        free: Vec::new(),
        ends: BinaryHeap::new(),
        back: VecDeque::new(),
        tries: vec![0; items as usize],
        recorded: vec![0; items as usize],
        outcome: Outcome::default(),
        left: u64::from(items),
    };
    let drifts: Vec<f64> = (0..workers)
        .map(|_| 1.0 + DRIFT * (2.0 * world.random.f64() - 1.0))
        .collect();
    let mut held = vec![NONE; workers as usize];
    let mut events = BinaryHeap::new();
    for worker in 0..workers {
        events.push(Reverse((world.random.u64(..1_000), worker, What::Ask)));
    }
    while let Some(Reverse((now, worker, what))) = events.pop() {
        // When all is done, those who still hold something come with it.
        if world.left > 0 {
            world.outcome.time_ms = now;
        } else if what == What::Ask {
            continue;
        }
        let drift = drifts[worker as usize];
        let held = &mut held[worker as usize];
        let (at, next) = match what {
            What::Ask => world.ask(now, drift, held),
            What::Renew { done } => world.renew(now, drift, *held, done),
            What::Finish { again } => world.finish(now, held, again),
        };
        events.push(Reverse((at, worker, next)));
    }
    for times in &world.recorded {
        world.outcome.once += u64::from(*times == 1);
        world.outcome.more += u64::from(*times > 1);
    }
    world.outcome
}

impl World {
    /// Gives a worker items that nobody holds, and says what it does next.
    fn ask(&mut self, now: u64, drift: f64, held: &mut u32) -> (u64, What) {
        self.reap(now);
        let mut items = Vec::with_capacity(CLAIM);
        while items.len() < CLAIM {
            let item = match self.back.pop_front() {
                Some(item) => item,
                None if self.next < self.items => {
                    self.next += 1;
                    self.next - 1
                }
                None => break,
            };
            // Tries are counted when an item is claimed, so that a crash counts.
            self.tries[item as usize] += 1;
            if self.tries[item as usize] > TRIES {
                self.outcome.given_up += 1;
                self.left -= 1;
            } else {
                items.push(item);
            }
        }
        if items.is_empty() {
            return (now + 1_000, What::Ask);
        }
        self.outcome.claims += 1;
        let work: f64 = items.iter().map(|_| 2.0 * WORK * self.random.f64()).sum();
        let claim = Claim {
            items,
            until: now + LEASE,
            is_over: false,
        };
        let number = self.free.pop().unwrap_or_else(|| {
            self.claims.push(None);
            (self.claims.len() - 1) as u32
        });
        self.claims[number as usize] = Some(claim);
        self.ends.push(Reverse((now + LEASE, number)));
        *held = number;
        if self.random.f64() < CRASH {
            // What it held comes back when its lease ends; it begins anew and knows nothing.
            self.outcome.accidents += 1;
            *held = NONE;
            return (now + self.random.u64(..RESTART) + 1, What::Ask);
        }
        let mut done = now + work as u64;
        if self.random.f64() < STALL {
            // Its renewals stall as well.
            self.outcome.accidents += 1;
            done += self.random.u64(..3 * LEASE);
            return (done, What::Finish { again: false });
        }
        Self::go_on(now, drift, done)
    }

    /// Works on until the lease has to be renewed, or the work is done.
    fn go_on(now: u64, drift: f64, done: u64) -> (u64, What) {
        let renew = now + (RENEW as f64 * drift) as u64;
        if renew < done {
            (renew, What::Renew { done })
        } else {
            (done.max(now), What::Finish { again: false })
        }
    }

    fn renew(&mut self, now: u64, drift: f64, held: u32, done: u64) -> (u64, What) {
        if let Some(Some(claim)) = self.claims.get_mut(held as usize)
            && !claim.is_over
            && claim.until > now
        {
            self.outcome.renewals += 1;
            claim.until = now + LEASE;
            self.ends.push(Reverse((claim.until, held)));
        }
        Self::go_on(now, drift, done)
    }

    /// Records results, if the lease still holds, in one transaction.
    fn finish(&mut self, now: u64, held: &mut u32, again: bool) -> (u64, What) {
        let number = std::mem::replace(held, NONE);
        let Some(claim) = self.claims.get_mut(number as usize).and_then(Option::take) else {
            return (now, What::Ask);
        };
        let holds = !claim.is_over && claim.until > now;
        if !holds {
            self.outcome.refused += u64::from(!again);
        }
        if holds || !self.is_fenced {
            for item in &claim.items {
                let is_first = self.recorded[*item as usize] == 0;
                self.left = self.left.saturating_sub(u64::from(is_first));
                self.recorded[*item as usize] += 1;
            }
        } else if !claim.is_over {
            // Nobody asked for it yet: it waits for the next one who does.
            self.back.extend(&claim.items);
        }
        if holds && !again && self.random.f64() < LOST {
            // The transaction is done and its answer lost: the worker comes again, and finds nothing of its own.
            *held = number;
            self.claims[number as usize] = Some(Claim {
                items: claim.items,
                until: 0,
                is_over: true,
            });
            return (now + 1_000, What::Finish { again: true });
        }
        self.free.push(number);
        (now, What::Ask)
    }

    /// Takes items back whose holders' leases have ended.
    fn reap(&mut self, now: u64) {
        while let Some(Reverse((until, number))) = self.ends.peek().copied() {
            if until > now {
                break;
            }
            self.ends.pop();
            if let Some(Some(claim)) = self.claims.get_mut(number as usize)
                && !claim.is_over
                && claim.until <= now
            {
                claim.is_over = true;
                self.outcome.taken_over += 1;
                self.back.extend(&claim.items);
            }
        }
    }
}
