//! `listen:` of both files: the addresses on which the controller and agents listen, and which of them exclude each other.

use std::net::{IpAddr, SocketAddr};

use crate::core::diag::{Code, Place};
use crate::core::inventory::{AGENT_PORT, Inventory, Listening};
use crate::core::yaml::{Section, YamlNode, YamlReader};

use super::files::{self, Transport};
use super::{Listen, keys};

/// The default of `listen: agents`: where the controller listens for agents.
const AGENTS: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 5750);

/// Reads `listen: 0.0.0.0:5751` of an agent, or `off`.
pub(super) fn of_agent(reader: &mut YamlReader<'_>, node: &YamlNode) -> Listening {
    let text = reader.text(node).unwrap_or_default();
    match (text, text.parse()) {
        ("off", _) => Listening::Off,
        (_, Ok(address)) => Listening::At(address),
        _ => {
            let message = format!("`{text}` is not an address with a port where other agents can connect");
            reader.report(Code::BadValue, &node.place, message).help =
                Some(format!("listen: 0.0.0.0:{AGENT_PORT}, or `off` where no resource has `takeover: quorum`"));
            Listening::Off
        }
    }
}

/// Reads `listen: { syslog: [udp://0.0.0.0:514, tcp://0.0.0.0:601], agents: 0.0.0.0:5750, privileged_senders: true }`.
/// `agents_wanted` makes the controller listen for agents by default. `monitoring` is where monitoring systems ask.
pub(super) fn read(
    reader: &mut YamlReader<'_>,
    top: &Section<'_>,
    inventory: &mut Inventory,
    agents_wanted: bool,
    monitoring: Option<(SocketAddr, Place)>,
) -> Listen {
    let mut listen = Listen { agents: agents_wanted.then_some(AGENTS), ..Listen::default() };
    let mut taken: Vec<Taken> = Vec::new();
    if let Some((address, place)) = monitoring {
        taken.push(Taken { transport: Transport::Tcp, address, what: "`metrics`".to_owned(), place });
    }
    let of_agents = |address, place| Taken { transport: Transport::Tcp, address, what: "`agents`".to_owned(), place };
    let Some(node) = top.get("listen") else {
        // Agents have a usual address, which needs no line of its own.
        if let Some((address, metrics)) = listen.agents.zip(taken.first()) {
            let place = metrics.place.clone();
            take(reader, &mut taken, of_agents(address, place));
        }
        return listen;
    };
    let Some(section) = reader.section(node, "listen", &node.place.clone(), &keys::LISTEN) else { return listen };
    for (text, node, zone) in files::listeners(reader, section.get("syslog")) {
        let parsed = text.split_once("://").and_then(|(kind, address)| Some((kind, address.parse::<SocketAddr>().ok()?)));
        let (transport, address) = match parsed {
            Some(("udp", address)) => (Transport::Udp, address),
            Some(("tcp", address)) => (Transport::Tcp, address),
            _ => {
                reader.report(Code::BadValue, &node.place, format!("`{text}` is not the address of a syslog listener")).help =
                    Some("write the protocol, an IP address and a port: udp://0.0.0.0:514 or tcp://0.0.0.0:601".to_owned());
                continue;
            }
        };
        take(reader, &mut taken, Taken { transport, address, what: format!("`{text}`"), place: node.place.clone() });
        match transport {
            Transport::Udp => listen.udp.push(address),
            Transport::Tcp => listen.tcp.push(address),
        }
        listen.zones.extend(zone.map(|zone| ((transport, address), zone)));
    }
    inventory.privileged_senders = section.get("privileged_senders").and_then(|n| reader.truth(n)).unwrap_or_default();
    let agents = section.get("agents");
    if let Some(node) = agents {
        let text = reader.text(node).unwrap_or_default().to_owned();
        match text.parse() {
            Ok(address) => listen.agents = Some(address),
            Err(_) => {
                reader.report(Code::BadValue, &node.place, format!("`{text}` is not an address with a port")).help =
                    Some("agents: 0.0.0.0:5750".to_owned());
            }
        }
    }
    if let Some(address) = listen.agents {
        let place = agents.unwrap_or(node).place.clone();
        take(reader, &mut taken, of_agents(address, place));
    }
    listen
}

/// Reports `metrics: { listen: ... }` of an agent on the port on which other agents connect to it.
pub(super) fn of_agents_metrics(
    reader: &mut YamlReader<'_>,
    agents: (Listening, Option<&YamlNode>),
    metrics: (SocketAddr, Place),
) {
    let address = match agents.0 {
        Listening::Off => return,
        Listening::At(address) => address,
        Listening::Usual => SocketAddr::new(IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED), AGENT_PORT),
    };
    let place = agents.1.map_or(&metrics.1, |node| &node.place).clone();
    let for_agents =
        Taken { transport: Transport::Tcp, address, what: format!("the listener for other agents, {address}"), place };
    let for_monitoring = Taken { transport: Transport::Tcp, address: metrics.0, what: "`metrics`".to_owned(), place: metrics.1 };
    take(reader, &mut vec![for_agents], for_monitoring);
}

/// An address on which something listens.
struct Taken {
    transport: Transport,
    address: SocketAddr,
    /// The listener, as messages name it.
    what: String,
    place: Place,
}

impl Taken {
    /// True if the system refuses to let both listen.
    fn excludes(&self, other: &Taken) -> bool {
        let (a, b) = (self.address.ip(), other.address.ip());
        // On Linux, `[::]` includes every IPv4 address.
        let includes = |all: IpAddr, one: IpAddr| all.is_unspecified() && (all.is_ipv6() || one.is_ipv4());
        // The system chooses a free port in the place of port 0.
        let port = self.address.port();
        self.transport == other.transport
            && port == other.address.port()
            && port != 0
            && (a == b || includes(a, b) || includes(b, a))
    }
}

/// Takes an address, or reports that an earlier listener has it.
fn take(reader: &mut YamlReader<'_>, taken: &mut Vec<Taken>, new: Taken) {
    if let Some(first) = taken.iter().find(|first| first.excludes(&new)) {
        let message = format!("{} listens on the same port as {}", new.what, first.what);
        let diagnostic = reader.report(Code::NameTaken, &new.place, message);
        if first.place != new.place {
            diagnostic.context.push((first.place.clone(), "first here".to_owned()));
        }
        diagnostic.help = Some("give it another port; 0.0.0.0 and [::] include every address of the machine".to_owned());
    }
    taken.push(new);
}
