//! Heads of SIP servers, session border controllers and call managers.

use super::head::{Head, HeadPlace};

pub(super) const HEADS: &[Head] = &[
    Head {
        name: "AudioCodes: an alarm is raised",
        place: HeadPlace::Text,
        form: "{text}[S={number}] [{-}] RAISE-ALARM:{event}: ",
        samples: &[(
            "<132>Mar 14 02:11:57 sbc-1 [S=1234567] [BID=abc123:45]  RAISE-ALARM:acBoardEthernetLinkAlarm: [sbc-1] Ethernet link alarm; Severity:minor",
            "at=2026-03-14T02:11:57Z host=sbc-1 id=acBoardEthernetLinkAlarm level=warning text=[S=1234567] [BID=abc123:45]  RAISE-ALARM:acBoardEthernetLinkAlarm: [sbc-1] Ethernet link alarm; Severity:minor",
        )],
    },
    Head {
        name: "AudioCodes: an alarm is cleared",
        place: HeadPlace::Text,
        form: "{text}[S={number}] [{-}] CLEAR-ALARM:{event}: ",
        samples: &[(
            "<134>Mar 14 02:11:57 sbc-1 [S=1234568] [BID=abc123:45]  CLEAR-ALARM:acBoardEthernetLinkAlarm: [sbc-1] Ethernet link alarm",
            "at=2026-03-14T02:11:57Z host=sbc-1 id=acBoardEthernetLinkAlarm level=info text=[S=1234568] [BID=abc123:45]  CLEAR-ALARM:acBoardEthernetLinkAlarm: [sbc-1] Ethernet link alarm",
        )],
    },
    Head {
        name: "Acme Packet and Oracle SBC, their traces of SIP",
        place: HeadPlace::Syslog,
        form: "{text}On [{-}]{-} ",
        samples: &[(
            "Mar 14 02:11:57.123 On [0:4]192.0.2.1:5060 sent to 192.0.2.2:5060",
            "at=2026-03-14T02:11:57.123Z text=On [0:4]192.0.2.1:5060 sent to 192.0.2.2:5060",
        )],
    },
    Head {
        name: "Sonus and Ribbon SBC, their own files",
        place: HeadPlace::Front,
        form: "{number} {stamp}:{-}.{-}.{-}.{-}.{level}~.{app}:~{text}",
        samples: &[(
            "099 03142026 021157.014537:1.01.00.00000.MINOR   .CHM: *CE_N_DsNaps: peer is away",
            "at=2026-03-14T02:11:57.014537Z app=CHM level=warning text=*CE_N_DsNaps: peer is away",
        )],
    },
    Head {
        name: "Avaya's call managers, their own files",
        place: HeadPlace::Front,
        form: "{zabbix}:{number}:{app}({process}):{-}:~{text}",
        samples: &[(
            "20260314:021157123:123456:capro(12345):MED:[link 3 is down]",
            "at=2026-03-14T02:11:57.123Z app=capro pid=12345 text=[link 3 is down]",
        )],
    },
    Head {
        name: "Cisco's call managers, their traces",
        place: HeadPlace::Front,
        form: "{number}.{number}~|{clock}~|{=kind}~|{text}",
        samples: &[(
            "00012345.001 |02:11:57.123 |AppInfo  |SIPTcp - wait_SdlReadRsp: ignoring large message",
            "at=2026-11-29T02:11:57.123Z kind=AppInfo text=SIPTcp - wait_SdlReadRsp: ignoring large message",
        )],
    },
    Head {
        name: "FreeSWITCH with the call",
        place: HeadPlace::Front,
        form: "{=call} {stamp} [{level}]~{text}",
        samples: &[(
            "6a3c1e2f-1111-2222-3333-444455556666 2026-03-14 02:11:57.123456 [ERR] mod_sofia.c:4580 no route",
            "at=2026-03-14T02:11:57.123456Z level=error call=6a3c1e2f-1111-2222-3333-444455556666 text=mod_sofia.c:4580 no route",
        )],
    },
    Head {
        name: "FreeSWITCH with the call and its idle time",
        place: HeadPlace::Front,
        form: "{=call} {stamp} {-}% [{level}]~{text}",
        samples: &[(
            "6a3c1e2f-1111-2222-3333-444455556666 2026-03-14 02:11:57.123456 98.10% [NOTICE] sofia.c:1 gone",
            "at=2026-03-14T02:11:57.123456Z level=notice call=6a3c1e2f-1111-2222-3333-444455556666 text=sofia.c:1 gone",
        )],
    },
];
