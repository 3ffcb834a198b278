//! The network: the control network between controller and agents, and the local network that carries the address.
//!
//! Cuts of the local network are per host and direction, per pair of hosts, or split hosts and witnesses into two sides. Cuts of
//! pairs break the assumption of `probe` (hosts that reach a common witness hear each other), and the audit takes that into
//! account.

use std::time::Duration;

use super::rng::Rng;
use super::scenario::{Fault, WITNESSES};

/// What is broken in the network now. Faults that overlap are counted, so that each ends by itself.
#[derive(Debug)]
pub(super) struct Network {
    to_agent: Vec<u32>,
    to_controller: Vec<u32>,
    lan_in: Vec<u32>,
    lan_out: Vec<u32>,
    witness: Vec<[u32; WITNESSES]>,
    peer: Vec<Vec<u32>>,
    lan_pair: Vec<Vec<u32>>,
    lan_way: Vec<Vec<u32>>,
    splits: Vec<(Vec<usize>, Vec<usize>)>,
    partitions: Vec<(bool, Vec<usize>)>,
    noises: Vec<(u64, u64, u64)>,
}

impl Network {
    pub(super) fn new(hosts: usize) -> Network {
        Network {
            to_agent: vec![0; hosts],
            to_controller: vec![0; hosts],
            lan_in: vec![0; hosts],
            lan_out: vec![0; hosts],
            witness: vec![[0; WITNESSES]; hosts],
            peer: vec![vec![0; hosts]; hosts],
            lan_pair: vec![vec![0; hosts]; hosts],
            lan_way: vec![vec![0; hosts]; hosts],
            splits: Vec::new(),
            partitions: Vec::new(),
            noises: Vec::new(),
        }
    }

    /// A fault of the network begins or ends; other faults are ignored.
    pub(super) fn change(&mut self, what: &Fault, begins: bool) {
        let count = |n: &mut u32| *n = if begins { *n + 1 } else { n.saturating_sub(1) };
        match what {
            Fault::CutControl(h, true) => count(&mut self.to_agent[*h]),
            Fault::CutControl(h, false) => count(&mut self.to_controller[*h]),
            Fault::CutLan(h, true) => count(&mut self.lan_in[*h]),
            Fault::CutLan(h, false) => count(&mut self.lan_out[*h]),
            Fault::CutWitness(h, w) => count(&mut self.witness[*h][*w]),
            Fault::Split(hosts, witnesses) => {
                toggle(&mut self.splits, (hosts.clone(), witnesses.clone()), begins);
            }
            Fault::CutPeer(from, to) => count(&mut self.peer[*from][*to]),
            Fault::CutLanWay(from, to) => count(&mut self.lan_way[*from][*to]),
            Fault::Unplug(h) => {
                count(&mut self.lan_in[*h]);
                count(&mut self.lan_out[*h]);
            }
            Fault::CutLanPair(a, b) => {
                count(&mut self.lan_pair[*a][*b]);
                count(&mut self.lan_pair[*b][*a]);
            }
            Fault::Partition(controller, hosts) => toggle(&mut self.partitions, (*controller, hosts.clone()), begins),
            Fault::Noise(loss, double, late) => toggle(&mut self.noises, (*loss, *double, *late), begins),
            _ => {}
        }
    }

    /// When each copy of a message between the controller and a host's agent arrives, from now. Empty if the message is lost.
    pub(super) fn control(&self, host: usize, to_agent: bool, rng: &mut Rng) -> Vec<Duration> {
        let cut = if to_agent { self.to_agent[host] } else { self.to_controller[host] };
        if cut > 0 || self.partitions.iter().any(|(controller, far)| far.contains(&host) != *controller) {
            return Vec::new();
        }
        self.copies(rng)
    }

    /// The same for a message from the agent of one host to that of another.
    pub(super) fn peers(&self, from: usize, to: usize, rng: &mut Rng) -> Vec<Duration> {
        if self.peer[from][to] > 0 || self.partitions.iter().any(|(_, far)| far.contains(&from) != far.contains(&to)) {
            return Vec::new();
        }
        self.copies(rng)
    }

    fn copies(&self, rng: &mut Rng) -> Vec<Duration> {
        let mut copies = vec![Duration::from_micros(rng.between(100, 2_000))];
        for (loss, double, late) in &self.noises {
            if rng.percent(*loss) {
                copies.clear();
            } else if rng.percent(*double) {
                copies.push(Duration::from_micros(rng.between(100, 2_000)));
            }
            for copy in &mut copies {
                *copy += Duration::from_micros(rng.below(late * 1_000));
            }
        }
        copies
    }

    /// True if frames from one host reach the other and are answered.
    pub(super) fn hear_each_other(&self, a: usize, b: usize) -> bool {
        let whole = |h: usize| self.lan_in[h] == 0 && self.lan_out[h] == 0;
        let both_ways = self.lan_way[a][b] == 0 && self.lan_way[b][a] == 0;
        whole(a)
            && whole(b)
            && both_ways
            && self.are_joined(a, b)
            && self.splits.iter().all(|(far, _)| far.contains(&a) == far.contains(&b))
    }

    fn are_joined(&self, a: usize, b: usize) -> bool {
        self.lan_pair[a][b] == 0 && self.partitions.iter().all(|(_, far)| far.contains(&a) == far.contains(&b))
    }

    /// True if a host's ping of a witness is answered.
    pub(super) fn reaches_witness(&self, host: usize, witness: usize) -> bool {
        self.lan_in[host] == 0
            && self.lan_out[host] == 0
            && self.witness[host][witness] == 0
            && self.splits.iter().all(|(far, w)| far.contains(&host) == w.contains(&witness))
    }

    /// True if a host's broadcast reaches the other.
    pub(super) fn broadcast_reaches(&self, from: usize, to: usize) -> bool {
        self.lan_out[from] == 0
            && self.lan_in[to] == 0
            && self.lan_way[from][to] == 0
            && self.are_joined(from, to)
            && self.splits.iter().all(|(far, _)| far.contains(&from) == far.contains(&to))
    }
}

fn toggle<T: PartialEq>(list: &mut Vec<T>, item: T, begins: bool) {
    if begins {
        list.push(item);
    } else if let Some(i) = list.iter().position(|x| *x == item) {
        list.remove(i);
    }
}
