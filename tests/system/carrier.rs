//! Interfaces without a carrier: what an agent observes, and the behaviour of a whole installation.

use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use pointsman::core::wire::LinkState;
use pointsman::demo::{ControllerSite, Lab, Layout};
use pointsman::shell::linux::{NeighborMonitor, NetworkEvent, lab};
use pointsman::shell::live::questions::Question;

use crate::network::{spot, with_network};
use crate::site::PROGRAM;

const PATIENCE: Duration = Duration::from_secs(20);

/// The kernel reports a pulled cable, an interface that is set down, and a missing interface.
#[test]
fn the_state_of_an_interface_is_noticed() {
    with_network(|network| {
        let (sender, heard) = channel();
        let spots = vec![
            spot("10.9.0.100", 24),
            pointsman::shell::linux::Spot { interface: "eth9".to_owned(), ..spot("10.9.0.101", 24) },
        ];
        let _ear = network.on(0, move || NeighborMonitor::open(spots, move |h| drop(sender.send(h))).unwrap());
        let until = |interface: &str, state| loop {
            match heard.recv_timeout(PATIENCE) {
                Ok(NetworkEvent::Link(name, now)) if (name.as_str(), now) == (interface, state) => return,
                Ok(_) => {}
                Err(e) => panic!("{interface}: {state:?} is not heard: {e}"),
            }
        };
        until("eth0", LinkState::Up);
        lab::set_up("to-1", false).unwrap();
        until("eth0", LinkState::NoCarrier);
        lab::set_up("to-1", true).unwrap();
        until("eth0", LinkState::Up);
        network.on(0, || lab::set_up("eth0", false).unwrap());
        until("eth0", LinkState::Down);
        network.on(0, || lab::set_up("eth0", true).unwrap());
        until("eth0", LinkState::Up);
    });
    // A missing interface is reported at the start.
    with_network(|network| {
        let (sender, heard) = channel();
        let nowhere = pointsman::shell::linux::Spot { interface: "eth9".to_owned(), ..spot("10.9.0.101", 24) };
        let _ear = network.on(0, move || NeighborMonitor::open(vec![nowhere], move |h| drop(sender.send(h))).unwrap());
        let missing = NetworkEvent::Link("eth9".to_owned(), LinkState::Missing);
        // The system may change addresses of its own meanwhile.
        while heard.recv_timeout(PATIENCE).expect("the missing interface is reported") != missing {}
    });
}

/// A lab whose address is on a separate network, so that a host without that network still communicates with the controller.
fn with_lab(takeover: &'static [&'static str], test: impl FnOnce(&mut Lab) -> Result<(), String> + Send) {
    thread::scope(|scope| {
        let run = scope.spawn(|| {
            let layout = Layout { apart: true, takeover, ..Layout::usual(ControllerSite::Apart) };
            let mut lab = Lab::start(Path::new(PROGRAM), layout).unwrap();
            if let Err(why) = test(&mut lab) {
                panic!("{why}; files are in {}", lab.keep().display());
            }
            assert_eq!(lab.overlap(), None);
        });
        run.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

/// An operator moves the address. The answer may be that it waits.
fn move_to(lab: &Lab, host: &str) -> Result<(), String> {
    lab.ask(&Question::Move("sip_vip".to_owned(), host.to_owned())).map(drop)
}

fn history(lab: &Lab, word: &str) -> bool {
    lab.history().is_ok_and(|history| history.iter().any(|entry| entry.to_string().contains(word)))
}

/// The reason in the table of resources.
fn reason(lab: &Lab) -> String {
    lab.ask(&Question::Resources).map(|r| r[0]["held"].to_string()).unwrap_or_default()
}

#[test]
fn nothing_moves_to_a_host_whose_cable_is_out() {
    with_lab(&["takeover: confirmed"], |lab| {
        move_to(lab, "sip1")?;
        lab.until_settled("sip1")?;
        lab.cable("sip2", false)?;
        lab.until("the lost link is reported", |lab| history(lab, "eth0 on sip2 has no carrier"))?;
        move_to(lab, "sip2")?;
        lab.until("the reason is shown", |lab| reason(lab).contains("eth0 on sip2 has no carrier"))?;
        assert_eq!(lab.holders(), ["sip1"]);
        lab.cable("sip2", true)?;
        lab.until_settled("sip2")
    });
}

#[test]
fn a_holder_whose_cable_is_out_is_moved_away_from() {
    with_lab(&["takeover: confirmed", "on_link_loss: move"], |lab| {
        move_to(lab, "sip1")?;
        lab.until_settled("sip1")?;
        lab.cable("sip1", false)?;
        lab.until("it is on sip2", |lab| lab.holders() == ["sip2"])?;
        assert!(history(lab, "clients can't reach sip_vip"));
        lab.cable("sip1", true)?;
        lab.until_settled("sip1")
    });
}
