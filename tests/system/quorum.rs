//! One owner by quorum, with real programs: networks that are partially cut, programs that are killed, frozen and restarted.
//! Every host's kernel is watched during each test: two holders at once fail it, whatever else happens.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use pointsman::demo::{ControllerSite, Lab, Layout};
use pointsman::shell::linux::boot_time;
use pointsman::shell::live::questions::Question;

use crate::site::PROGRAM;

/// Several times the duration of a vote.
const SEVERAL_TERMS: Duration = Duration::from_secs(10);

/// A lab with two hosts, the controller and some agents that only vote. The address is on the first host.
fn with_lab(voters: usize, test: impl FnOnce(&mut Lab) -> Result<(), String> + Send) {
    thread::scope(|scope| {
        let run = scope.spawn(|| {
            let takeover: &[&str] = match voters {
                0 => &["takeover: quorum"],
                1 => &["takeover: quorum", "voters: [voter1]"],
                _ => &["takeover: quorum", "voters: [voter1, voter2]"],
            };
            let layout = Layout { voters, takeover, ..Layout::usual(ControllerSite::Apart) };
            let mut lab = Lab::start(Path::new(PROGRAM), layout).unwrap();
            let ended = move_to(&lab, "sip1").and_then(|()| lab.until_settled("sip1")).and_then(|()| test(&mut lab));
            let overlap = lab.overlap();
            if ended.is_err() || overlap.is_some() {
                panic!("{ended:?}, two holders for {overlap:?}; files are in {}", lab.keep().display());
            }
        });
        run.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

fn move_to(lab: &Lab, host: &str) -> Result<(), String> {
    lab.ask(&Question::Move("sip_vip".to_owned(), host.to_owned())).map(drop)
}

/// A host has the address through several terms without a break.
fn goes_on(lab: &Lab, host: &str) -> Result<(), String> {
    let end = boot_time() + SEVERAL_TERMS;
    let mut always = true;
    lab.until("several terms pass", |lab| {
        always &= lab.holders() == [host];
        !always || boot_time() > end
    })?;
    if always { Ok(()) } else { Err(format!("{host} lost the address: {:?}", lab.holders())) }
}

/// The holder is cut off from the other host and from the controller, and all three reach everybody else. The other host should
/// have the address: the holder must lose it first.
fn holder_is_cut_off_in_part(voters: usize) {
    with_lab(voters, |lab| {
        lab.cut("sip1", "sip2", true)?;
        lab.cut("sip1", "control", true)?;
        move_to(lab, "sip2")?;
        lab.until("sip2 has it", |lab| lab.holders() == ["sip2"])?;
        goes_on(lab, "sip2")?;
        lab.cut("sip1", "sip2", false)?;
        lab.cut("sip1", "control", false)?;
        lab.until_settled("sip2")
    });
}

#[test]
fn a_holder_that_is_cut_off_in_part_loses_it_first_with_three_voters() {
    holder_is_cut_off_in_part(0);
}

#[test]
fn a_holder_that_is_cut_off_in_part_loses_it_first_with_five_voters() {
    holder_is_cut_off_in_part(2);
}

/// No other host should have the address: a holder that a majority still hears keeps it, whoever else does not.
#[test]
fn a_holder_with_a_majority_keeps_it() {
    with_lab(2, |lab| {
        // A voter that was started votes for nobody at first.
        goes_on(lab, "sip1")?;
        lab.cut("sip1", "sip2", true)?;
        lab.cut("sip1", "control", true)?;
        goes_on(lab, "sip1")
    });
}

#[test]
fn the_death_of_the_controller_takes_nothing_away() {
    with_lab(0, |lab| {
        // A voter that was started votes for nobody at first.
        goes_on(lab, "sip1")?;
        lab.kill_controller();
        goes_on(lab, "sip1")?;
        lab.start_controller()?;
        goes_on(lab, "sip1")?;
        lab.until_settled("sip1")
    });
    with_lab(2, |lab| {
        goes_on(lab, "sip1")?;
        lab.kill_controller();
        // An agent that starts while there is no controller knows the others from before, and votes again after a while. Then
        // three of five are enough.
        lab.kill_agent("voter1");
        lab.start_agent_alone("voter1")?;
        goes_on(lab, "sip1")?;
        lab.kill_agent("voter2");
        goes_on(lab, "sip1")?;
        lab.start_controller()?;
        lab.until_settled("sip1")
    });
}

#[test]
fn a_holder_whose_agent_was_killed_is_succeeded() {
    with_lab(0, |lab| {
        lab.kill_agent("sip1");
        move_to(lab, "sip2")?;
        lab.until("sip2 has it", |lab| lab.holders() == ["sip2"])?;
        lab.start_agent("sip1")?;
        lab.until_settled("sip2")
    });
}

/// The agent can do nothing, and does not notice that time passes: its kernel removes the address.
#[test]
fn a_holder_whose_agent_is_frozen_is_succeeded() {
    with_lab(0, |lab| {
        lab.freeze_agent("sip1", true)?;
        move_to(lab, "sip2")?;
        lab.until("sip2 has it", |lab| lab.holders() == ["sip2"])?;
        lab.freeze_agent("sip1", false)?;
        goes_on(lab, "sip2")?;
        lab.until_settled("sip2")
    });
}

#[test]
fn an_agent_that_is_started_anew_keeps_the_address() {
    with_lab(0, |lab| {
        // A voter that was started votes for nobody at first: the controller, too. Of three voters only one may be without a vote.
        goes_on(lab, "sip1")?;
        lab.kill_agent("sip1");
        lab.start_agent("sip1")?;
        goes_on(lab, "sip1")?;
        lab.until_settled("sip1")
    });
}

#[test]
fn a_planned_move_needs_no_waiting() {
    with_lab(0, |lab| {
        for host in ["sip2", "sip1", "sip2"] {
            move_to(lab, host)?;
            lab.until_settled(host)?;
        }
        Ok(())
    });
}

/// An agent whose store was put back from a copy may have promised more than it knows: it votes for nobody until any promise has
/// ended. The others are a majority meanwhile.
#[test]
fn a_voter_with_a_copied_store_votes_for_nobody_for_long() {
    with_lab(1, |lab| {
        let data = lab.folder().join("voter1/data");
        let said = |lab: &Lab| fs::read_to_string(lab.folder().join("voter1/agent.log")).unwrap_or_default();
        let places = |lab: &Lab| lab.folder().join("voter1/data/agent.place").exists();
        lab.until("the agent remembers the place of its store", places)?;
        lab.kill_agent("voter1");
        let copy = lab.folder().join("voter1/copy");
        let copied = Command::new("cp").arg("-a").arg(&data).arg(&copy).status().map_err(|e| e.to_string())?;
        assert!(copied.success());
        fs::rename(&data, lab.folder().join("voter1/newer"))
            .and_then(|()| fs::rename(&copy, &data))
            .map_err(|e| e.to_string())?;
        lab.start_agent("voter1")?;
        lab.until("it says so", |lab| said(lab).contains("store is a copy") && said(lab).contains("votes for nobody"))?;
        move_to(lab, "sip2")?;
        lab.until_settled("sip2")
    });
}
