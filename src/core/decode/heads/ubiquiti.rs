//! Heads of access points, switches and gateways of Ubiquiti.

use super::head::{Head, HeadPlace};

pub(super) const HEADS: &[Head] = &[
    Head {
        name: "Ubiquiti UniFi: model, address and version in parentheses",
        place: HeadPlace::Syslog,
        form: "(\"{=model}\") {app}:~{text}",
        samples: &[(
            "<30>Mar 14 02:11:57 (\"U7LT,788a20aabbcc,v3.9.27.8537\") hostapd: ath1: STA 00:00:5e:00:53:01 left",
            "at=2026-03-14T02:11:57Z app=hostapd level=info model=U7LT,788a20aabbcc,v3.9.27.8537 text=ath1: STA 00:00:5e:00:53:01 left",
        )],
    },
    Head {
        name: "Ubiquiti UniFi: model before the program",
        place: HeadPlace::Syslog,
        form: "{host} {=model}: {app}[{pid}]:~{text}",
        samples: &[(
            "<30>Mar 14 02:11:57 ap-1 fcecdaabcdef,U7-Pro-8.0.19+16077: hostapd[7]: wifi0: STA 00:00:5e:00:53:01 left",
            "at=2026-03-14T02:11:57Z host=ap-1 app=hostapd pid=7 level=info model=fcecdaabcdef,U7-Pro-8.0.19+16077 text=wifi0: STA 00:00:5e:00:53:01 left",
        )],
    },
    Head {
        name: "Ubiquiti UniFi: address and model before the program, no process",
        place: HeadPlace::Syslog,
        form: "{host} {=address},{=model}: {app}:~{text}",
        samples: &[(
            "<30>Mar 14 02:11:57 ap-1 fcecdaabcdef,U7-Pro-8.0.19+16077: kernel: [123.456] wifi0: link is up",
            "at=2026-03-14T02:11:57Z host=ap-1 app=kernel level=info address=fcecdaabcdef model=U7-Pro-8.0.19+16077 text=[123.456] wifi0: link is up",
        )],
    },
    Head {
        name: "Ubiquiti UniFi before version 5: model, address and version",
        place: HeadPlace::Syslog,
        form: "{=model},{=address},v{-}: {app}[{pid}]:~{text}",
        samples: &[(
            "<30>Mar 14 02:11:57 U7PG2,788a2056b182,v4.0.66.10832: logread[5495]: ath0: connected",
            "at=2026-03-14T02:11:57Z app=logread pid=5495 level=info model=U7PG2 address=788a2056b182 text=ath0: connected",
        )],
    },
    Head {
        name: "Ubiquiti UniFi before version 5: model, address and version, no process",
        place: HeadPlace::Syslog,
        form: "{=model},{=address},v{-}: {app}:~{text}",
        samples: &[(
            "<30>Mar 14 02:11:57 U7PG2,788a2056b182,v4.0.66.10832: hostapd: ath0: connected",
            "at=2026-03-14T02:11:57Z app=hostapd level=info model=U7PG2 address=788a2056b182 text=ath0: connected",
        )],
    },
    Head {
        name: "Ubiquiti UniFi before version 5: model, address and version, no colon",
        place: HeadPlace::Syslog,
        form: "{=model},{=address},v{-} {app}[{pid}]:~{text}",
        samples: &[(
            "<30>Mar 14 02:11:57 U7PG2,788a2056b182,v4.0.66.10832 logread[5495]: ath0: connected",
            "at=2026-03-14T02:11:57Z app=logread pid=5495 level=info model=U7PG2 address=788a2056b182 text=ath0: connected",
        )],
    },
    Head {
        name: "Ubiquiti UniFi before version 5: model, address and version, no colon, no process",
        place: HeadPlace::Syslog,
        form: "{=model},{=address},v{-} {app}:~{text}",
        samples: &[(
            "<30>Mar 14 02:11:57 U7PG2,788a2056b182,v4.0.66.10832 hostapd: ath0: connected",
            "at=2026-03-14T02:11:57Z app=hostapd level=info model=U7PG2 address=788a2056b182 text=ath0: connected",
        )],
    },
    Head {
        name: "Ubiquiti UniFi before version 5: address and version",
        place: HeadPlace::Syslog,
        form: "{=address},v{-}: {app}[{pid}]:~{text}",
        samples: &[(
            "<30>Mar 14 02:11:57 788a2056b183,v4.0.66.10832: logread[5495]: connected",
            "at=2026-03-14T02:11:57Z app=logread pid=5495 level=info address=788a2056b183 text=connected",
        )],
    },
    Head {
        name: "Ubiquiti UniFi: name, address and model before the program",
        place: HeadPlace::Syslog,
        form: "{host},{=model}: {app}[{pid}]:~{text}",
        samples: &[(
            "<30>Mar 14 02:11:57 ap-lobby,788a20aabbcc,UAP-AC-Pro-6.6.55+15189: mcad[7]: wireless_agg_stats.log_sta_anomalies()",
            "at=2026-03-14T02:11:57Z host=ap-lobby app=mcad pid=7 level=info model=788a20aabbcc,UAP-AC-Pro-6.6.55+15189 text=wireless_agg_stats.log_sta_anomalies()",
        )],
    },
    Head {
        name: "Ubiquiti UniFi: name, address and model before the program, no process",
        place: HeadPlace::Syslog,
        form: "{host},{=model}: {app}:~{text}",
        samples: &[(
            "<30>Mar 14 02:11:57 ap-lobby,788a20aabbcc,UAP-AC-Pro-6.6.55+15189: kernel: [123.456] wifi0: link is up",
            "at=2026-03-14T02:11:57Z host=ap-lobby app=kernel level=info model=788a20aabbcc,UAP-AC-Pro-6.6.55+15189 text=[123.456] wifi0: link is up",
        )],
    },
    Head {
        name: "Ubiquiti gateways: the host twice",
        place: HeadPlace::Syslog,
        form: "{host} {same} {app}[{pid}]:~{text}",
        samples: &[(
            "<13>Mar 14 02:11:57 UDM-Pro UDM-Pro ubios-udapi-server[7]: dns: configuration is unchanged",
            "at=2026-03-14T02:11:57Z host=UDM-Pro app=ubios-udapi-server pid=7 level=notice text=dns: configuration is unchanged",
        )],
    },
    Head {
        name: "Ubiquiti gateways: the host twice, no process",
        place: HeadPlace::Syslog,
        form: "{host} {same} {app}:~{text}",
        samples: &[(
            "<13>Mar 14 02:11:57 Dream-Machine Dream-Machine kernel: eth9 left promiscuous mode",
            "at=2026-03-14T02:11:57Z host=Dream-Machine app=kernel level=notice text=eth9 left promiscuous mode",
        )],
    },
];
