//! Heads of security products and gateways at the beginning of a message's text, and behind the stamp of a message.

use super::head::{Head, HeadPlace};

pub(super) const HEADS: &[Head] = &[
    Head {
        name: "ArcSight's Common Event Format (CEF)",
        place: HeadPlace::Text,
        form: "{text}CEF:~{number}|{-}|{-}|{-}|{event}|{-}|{cef}|",
        samples: &[
            (
                "<134>Mar 14 02:11:57 sec-1 CEF:0|Vendor|Product|1.0|100|worm stopped|10|src=192.0.2.1 dst=192.0.2.2",
                "at=2026-03-14T02:11:57Z host=sec-1 id=00100 level=critical text=CEF:0|Vendor|Product|1.0|100|worm stopped|10|src=192.0.2.1 dst=192.0.2.2",
            ),
            (
                "CEF:0|Vendor|Product|1.0|login|failed login|Medium|suser=ann",
                "id=login level=warning text=CEF:0|Vendor|Product|1.0|login|failed login|Medium|suser=ann",
            ),
            (
                "<134>1 2026-03-14T02:11:57Z sec-1 CEF:0|Vendor|Product|1.0|100|worm stopped|10|src=192.0.2.1",
                "at=2026-03-14T02:11:57Z host=sec-1 id=00100 level=critical text=CEF:0|Vendor|Product|1.0|100|worm stopped|10|src=192.0.2.1",
            ),
        ],
    },
    Head {
        name: "ArcSight's Common Event Format (CEF), an id of several words",
        place: HeadPlace::Text,
        form: "{text}CEF:~{number}|{-}|{-}|{-}|{-}|{-}|{cef}|",
        samples: &[(
            "<134>Mar 14 02:11:57 sec-1 CEF:0|Vendor|Product|1.0|Web Attack|blocked|8|src=192.0.2.1",
            "at=2026-03-14T02:11:57Z host=sec-1 level=error text=CEF:0|Vendor|Product|1.0|Web Attack|blocked|8|src=192.0.2.1",
        )],
    },
    Head {
        name: "CEF behind a program without a colon",
        place: HeadPlace::Syslog,
        form: "{host} {app} {text}CEF:~{number}|{-}|{-}|{-}|{event}|{-}|{cef}|",
        samples: &[(
            "<134>Mar 14 02:11:57 opswat-1 OPSWATPC CEF:0|OPSWAT|MSCL|4.16.0|core.network|New maximum agent count is set|2|msgid=665",
            "at=2026-03-14T02:11:57Z host=opswat-1 app=OPSWATPC id=core.network level=info text=CEF:0|OPSWAT|MSCL|4.16.0|core.network|New maximum agent count is set|2|msgid=665",
        )],
    },
    Head {
        name: "CEF behind a program and a dash",
        place: HeadPlace::Syslog,
        form: "{host} {app} -: {text}CEF:~{number}|{-}|{-}|{-}|{event}|{-}|{cef}|",
        samples: &[(
            "<134>Mar 14 02:11:57 vectra-1 vectra_cef -: CEF:0|Vectra Networks|X Series|5.8|smb_brute_force|SMB Brute-Force|7|externalId=110076",
            "at=2026-03-14T02:11:57Z host=vectra-1 app=vectra_cef id=smb_brute_force level=error text=CEF:0|Vectra Networks|X Series|5.8|smb_brute_force|SMB Brute-Force|7|externalId=110076",
        )],
    },
    Head {
        name: "IBM's Log Event Extended Format (LEEF)",
        place: HeadPlace::Text,
        form: "{text}LEEF:{-}|{-}|{-}|{-}|{event}|{leef}",
        samples: &[
            (
                "<134>Mar 14 02:11:57 sec-2 LEEF:1.0|Vendor|Product|1.0|PolicyChanged|usrName=ann",
                "at=2026-03-14T02:11:57Z host=sec-2 id=PolicyChanged level=info text=LEEF:1.0|Vendor|Product|1.0|PolicyChanged|usrName=ann",
            ),
            (
                "<134>Mar 14 02:11:57 sec-2 LEEF:2.0|Vendor|Product|1.0|Attack|^|src=192.0.2.1^sev=8",
                "at=2026-03-14T02:11:57Z host=sec-2 id=Attack level=error text=LEEF:2.0|Vendor|Product|1.0|Attack|^|src=192.0.2.1^sev=8",
            ),
            (
                "<13>1 2026-03-14T02:11:57.123Z sec-2 LEEF:1.0|Palo Alto Networks|PAN-OS Syslog Integration|8.1.8|allow|cat=TRAFFIC",
                "at=2026-03-14T02:11:57.123Z host=sec-2 id=allow level=notice text=LEEF:1.0|Palo Alto Networks|PAN-OS Syslog Integration|8.1.8|allow|cat=TRAFFIC",
            ),
        ],
    },
    Head {
        name: "Juniper NetScreen, no stamp",
        place: HeadPlace::Front,
        form: "{host}: {text}NetScreen device_id={-} [{-}]system-{level}-{digits}",
        samples: &[(
            "<134>ns-204: NetScreen device_id=ns204  [Root]system-notification-00257(traffic): start_time=\"2026-03-14 02:11:57\" duration=0",
            "host=ns-204 id=00257 level=notice text=NetScreen device_id=ns204  [Root]system-notification-00257(traffic): start_time=\"2026-03-14 02:11:57\" duration=0",
        )],
    },
    Head {
        name: "Juniper NetScreen",
        place: HeadPlace::Text,
        form: "{text}NetScreen device_id={-} [{-}]system-{level}-{digits}",
        samples: &[(
            "Mar 14 02:11:57 192.0.2.7 ssg5: NetScreen device_id=ssg5  [Root]system-emergency-00005: SYN flood! From 192.0.2.9:41437",
            "at=2026-03-14T02:11:57Z host=192.0.2.7 app=ssg5 id=00005 level=emergency text=NetScreen device_id=ssg5  [Root]system-emergency-00005: SYN flood! From 192.0.2.9:41437",
        )],
    },
    Head {
        name: "IBM DataPower: domain, id, category and level",
        place: HeadPlace::Text,
        form: "{text}[{-}][{event}][{-}][{level}] ",
        samples: &[(
            "<14>Mar 14 02:11:57 dp-1 [default][0x80e00127][mgmt][error] ssl-proxy(shop): tid(49): certificate has expired",
            "at=2026-03-14T02:11:57Z host=dp-1 id=0x80e00127 level=error text=[default][0x80e00127][mgmt][error] ssl-proxy(shop): tid(49): certificate has expired",
        )],
    },
    Head {
        name: "Palo Alto Networks: system log",
        place: HeadPlace::Text,
        form: "{text}{number},{-},{-},SYSTEM,{-},{-},{-},{-},{event},{-},{-},{-},{-},{threat},",
        samples: &[
            (
                "<12>Mar 14 02:11:57 pa-1 1,2026/03/14 02:11:57,007000001,SYSTEM,ha,0,2026/03/14 02:11:57,,ha2-link-change,,0,0,ha,high,\"HA2 link down\",12",
                "at=2026-03-14T02:11:57Z host=pa-1 id=ha2-link-change level=error text=1,2026/03/14 02:11:57,007000001,SYSTEM,ha,0,2026/03/14 02:11:57,,ha2-link-change,,0,0,ha,high,\"HA2 link down\",12",
            ),
            (
                "<14>1 2026-03-14T02:11:57+01:00 pa-1 - - - - 1,2026/03/14 02:11:57,007000001,SYSTEM,ha,0,2026/03/14 02:11:57,,ha2-link-change,,0,0,ha,high,\"HA2 link down\",12",
                "at=2026-03-14T01:11:57Z host=pa-1 id=ha2-link-change level=error text=1,2026/03/14 02:11:57,007000001,SYSTEM,ha,0,2026/03/14 02:11:57,,ha2-link-change,,0,0,ha,high,\"HA2 link down\",12",
            ),
        ],
    },
    Head {
        name: "Palo Alto Networks: threats",
        place: HeadPlace::Text,
        form: "{text}{number},{-},{-},THREAT,{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{-},{threat},",
        samples: &[(
            "<14>Mar 14 02:11:57 pa-1 1,2026/03/14 02:11:57,007000001,THREAT,vulnerability,2305,2026/03/14 02:11:57,192.0.2.1,198.51.100.7,0.0.0.0,0.0.0.0,any,,,web-browsing,vsys1,trust,untrust,ethernet1/1,ethernet1/2,log,2026/03/14 02:11:57,4711,1,57116,80,0,0,0x2000,tcp,reset-both,index.html,Test(30003),any,critical,client-to-server,",
            "at=2026-03-14T02:11:57Z host=pa-1 level=critical text=1,2026/03/14 02:11:57,007000001,THREAT,vulnerability,2305,2026/03/14 02:11:57,192.0.2.1,198.51.100.7,0.0.0.0,0.0.0.0,any,,,web-browsing,vsys1,trust,untrust,ethernet1/1,ethernet1/2,log,2026/03/14 02:11:57,4711,1,57116,80,0,0,0x2000,tcp,reset-both,index.html,Test(30003),any,critical,client-to-server,",
        )],
    },
];
