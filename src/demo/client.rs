//! The hosts' service and its client: datagrams that say which host answers, requested without a pause.

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::core::base::time::Time;
use crate::shell::linux::{boot_time, lab};

use super::network::VIP;

/// The port on which the hosts' services answer.
pub(super) const SERVICE: u16 = 7_777;

/// The interval between requests of the client, which is also the precision of outages.
const ASK_EVERY: Duration = Duration::from_micros(500);
/// How long a thread waits before it checks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// A thread that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Going {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Going {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Runs a host's service: it answers every datagram with the datagram and the host's name.
pub(super) fn serve(process: u32, host: &'static str) -> io::Result<Going> {
    let socket = lab::within(process, || UdpSocket::bind(("0.0.0.0", SERVICE)))?;
    socket.set_read_timeout(Some(LOOK))?;
    let stop = Arc::new(AtomicBool::new(false));
    let ends = stop.clone();
    let thread = thread::spawn(move || {
        let mut buffer = [0; 64];
        while !ends.load(Ordering::Relaxed) {
            if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let answer = [&buffer[..length], host.as_bytes()].concat();
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    Ok(Going { stop, threads: vec![thread] })
}

/// The client and its answers: the time of the request, the time of the answer, and the host.
#[derive(Debug)]
pub(super) struct Client {
    answers: Arc<Mutex<Vec<(Time, Time, String)>>>,
    _going: Going,
}

impl Client {
    /// Starts to send requests to the address without a pause.
    pub(super) fn start(process: u32) -> io::Result<Client> {
        let socket = lab::within(process, || UdpSocket::bind("0.0.0.0:0"))?;
        socket.set_read_timeout(Some(LOOK))?;
        let receiver = socket.try_clone()?;
        let stop = Arc::new(AtomicBool::new(false));
        let answers: Arc<Mutex<Vec<(Time, Time, String)>>> = Arc::default();
        let asks = thread::spawn({
            let stop = stop.clone();
            move || {
                while !stop.load(Ordering::Relaxed) {
                    let _ = socket.send_to(&boot_time().micros().to_be_bytes(), (VIP, SERVICE));
                    thread::sleep(ASK_EVERY);
                }
            }
        });
        let listens = thread::spawn({
            let (stop, answers) = (stop.clone(), answers.clone());
            move || {
                let mut buffer = [0; 64];
                while !stop.load(Ordering::Relaxed) {
                    let Ok(length) = receiver.recv(&mut buffer) else { continue };
                    let Some((asked, host)) = buffer[..length].split_first_chunk::<8>() else { continue };
                    let asked = Time::from_micros(i64::from_be_bytes(*asked));
                    let host = String::from_utf8_lossy(host).into_owned();
                    answers.lock().unwrap_or_else(PoisonError::into_inner).push((asked, boot_time(), host));
                }
            }
        });
        Ok(Client { answers, _going: Going { stop, threads: vec![asks, listens] } })
    }

    /// The time of the first answer of a host to a request that was sent after a time.
    pub(super) fn first_answer(&self, host: &str, after: Time) -> Option<Time> {
        let all = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|(asked, _, by)| *asked >= after && by == host).map(|(_, came, _)| *came).min()
    }

    /// The longest time after `from` in which no request was answered by any host.
    pub(super) fn outage(&self, from: Time) -> Duration {
        let all = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asked: Vec<Time> = all.iter().map(|(asked, ..)| *asked).filter(|asked| *asked >= from).collect();
        asked.push(from);
        asked.sort();
        asked.windows(2).map(|two| two[1].since(two[0])).max().unwrap_or_default()
    }
}

/// Sends a log record of a server as a datagram from its own host.
pub(super) fn say(process: u32, record: String, to: String) -> io::Result<()> {
    lab::within(process, move || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.send_to(record.as_bytes(), to).map(drop)
    })
}
