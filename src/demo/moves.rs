//! Measures how long each stage of a planned move takes, from the server's datagram to the client's first answer.

use std::path::Path;
use std::time::Duration;

use crate::core::base::time::Time;
use crate::shell::linux::{AddressDriver, Announcer, Spot, boot_time, lab, wall_time};

use super::client::{Client, serve};
use super::network::VIP;
use super::network::{ControllerSite, Lab, Layout};
use super::workflows::{PRIMARY_NOW, Stage};

#[derive(Clone, Copy, Debug)]
pub struct Move {
    pub to: &'static str,
    /// The time from the datagram to the client's first answer from the new host.
    pub whole: Duration,
    /// The time from the datagram to the instruction to release: received, matched, script evaluated, synced to the disk.
    pub decided: Duration,
    /// The time from there until the old host is observed without the address: instruction on its disk, address removed,
    /// observed, reported.
    pub released: Duration,
    /// The time from there to the client's first answer: instruction on both disks, address added, announced, requested,
    /// answered.
    pub answered: Duration,
    /// How long no host answered.
    pub outage: Duration,
}

/// Makes `count` planned moves with this program, one after another, and the same number by hand. By hand means that the address
/// is removed from one host, added to the other and announced, without any decision in between.
///
/// # Errors
/// Returns an error text if the networks cannot be made, or a move does not complete.
pub fn measure(program: &Path, placement: ControllerSite, count: usize) -> Result<(Vec<Move>, Vec<Duration>), String> {
    let mut lab = Lab::start(program, Layout::usual(placement))?;
    let mut moves = Vec::new();
    {
        let stage = Stage::new(&mut lab).map_err(|e| e.to_string())?;
        let since = stage.says("sip1", PRIMARY_NOW)?;
        stage.arrives("sip1", since)?;
        for n in 0..count {
            let host = if n % 2 == 0 { "sip2" } else { "sip1" };
            moves.push(one(&stage, host)?);
        }
        if let Some(span) = stage.lab.overlap() {
            return Err(format!("two hosts had the address at once for {} us", span.as_micros()));
        }
    }
    lab.take_down_programs();
    let floor = by_hand(&lab, count)?;
    Ok((moves, floor))
}

fn one(stage: &Stage<'_>, host: &'static str) -> Result<Move, String> {
    let wall = wall_time();
    let since = stage.says(host, PRIMARY_NOW)?;
    stage.arrives(host, since)?;
    let answered = stage.client.first_answer(host, since).ok_or("nobody answered")?;
    let whole = answered.since(since);
    // The controller's clock starts with the wall clock and continues with the boot clock.
    let history = stage.lab.history()?;
    let step = |verb: &str| {
        let all = history.iter().rev();
        let found =
            all.filter(|e| e["kind"] == "step").find(|e| e["text"].as_str().is_some_and(|t| t.split(' ').nth(1) == Some(verb)));
        found.and_then(|e| Time::parse_rfc3339(e["at"].as_str()?)).unwrap_or(wall)
    };
    let (release, released) = (step("release"), step("released"));
    let decided = release.since(wall);
    let released = released.since(release);
    let outage = stage.client.outage(since);
    Ok(Move { to: host, whole, decided, released, answered: whole.saturating_sub(decided + released), outage })
}

fn by_hand(lab: &Lab, count: usize) -> Result<Vec<Duration>, String> {
    let client = Client::start(lab.process("client")).map_err(|e| e.to_string())?;
    let _services = [("sip1", lab.process("sip1")), ("sip2", lab.process("sip2"))]
        .map(|(host, process)| serve(process, host).map_err(|e| e.to_string()));
    let address = VIP.parse().map_err(|e| format!("{VIP}: {e}"))?;
    let spot = Spot { address, prefix: 24, interface: "eth0".to_owned() };
    let mut floor = Vec::new();
    let mut from = lab.process("sip1");
    for n in 0..=count {
        let (host, to) = if n % 2 == 0 { ("sip2", lab.process("sip2")) } else { ("sip1", lab.process("sip1")) };
        // Threads and sockets are ready in advance, as those of an agent are.
        let (off, on) = (hand(from, &spot)?, hand(to, &spot)?);
        let since = boot_time();
        off(false);
        on(true);
        lab.until(&format!("{host} answers"), |_| client.first_answer(host, since).is_some())?;
        // For the first move there is no host to remove the address from.
        if n > 0 {
            floor.extend(client.first_answer(host, since).map(|at| at.since(since)));
        }
        from = to;
    }
    Ok(floor)
}

/// A thread in a network that removes the address, or adds and announces it.
fn hand(process: u32, spot: &Spot) -> Result<impl Fn(bool) + use<>, String> {
    let spot = spot.clone();
    let (sender, work) = std::sync::mpsc::sync_channel::<bool>(0);
    let (done, ended) = std::sync::mpsc::sync_channel::<()>(0);
    let (ready, opened) = std::sync::mpsc::sync_channel::<()>(0);
    std::thread::spawn(move || {
        lab::within(process, move || {
            let (driver, mut announcer) = (AddressDriver::new(spot.clone()), Announcer::new(&spot));
            let _ = ready.send(());
            if let Ok(on) = work.recv() {
                let not_after = boot_time() + Duration::from_secs(60);
                let operation = match on {
                    true => crate::core::agent::Operation::Add { until: None, not_after },
                    false => crate::core::agent::Operation::Remove,
                };
                driver.drive(operation);
                if on {
                    let _ = announcer.announce();
                }
                let _ = done.send(());
            }
            Ok(())
        })
    });
    opened.recv().map_err(|_| "the network can't be entered".to_owned())?;
    Ok(move |on| {
        let _ = sender.send(on);
        let _ = ended.recv();
    })
}
