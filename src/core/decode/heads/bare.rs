//! Heads of lines without a stamp: what programs print to a terminal, and what a supervisor keeps of it.

use super::head::{Head, HeadPlace};

pub(super) const HEADS: &[Head] = &[
    Head {
        name: "Kamailio and OpenSIPS on a terminal: number and process",
        place: HeadPlace::Bare,
        form: "~{number}({process}) {level}:~{text}",
        samples: &[(
            " 0(1234) ERROR: <core> [core/udp_server.c:600]: udp_rcv_loop(): no memory",
            "pid=1234 level=error text=<core> [core/udp_server.c:600]: udp_rcv_loop(): no memory",
        )],
    },
    Head {
        name: "SLF4J's simple logger: thread before the level",
        place: HeadPlace::Bare,
        form: "[{=thread}] {LEVEL} {text}",
        samples: &[("[main] ERROR org.x.Shop - no room", "level=error thread=main text=org.x.Shop - no room")],
    },
    Head {
        name: "HAProxy on a terminal: day of the year, time and process",
        place: HeadPlace::Bare,
        form: "[{level}] {number}/{number} ({process}) :~{text}",
        samples: &[("[WARNING] 072/021157 (1234) : Server be/s1 is DOWN", "pid=1234 level=warning text=Server be/s1 is DOWN")],
    },
    Head {
        name: "HAProxy on a terminal since version 2.3",
        place: HeadPlace::Bare,
        form: "[{level}]~({process}) :~{text}",
        samples: &[("[ALERT]    (1234) : config : no such backend", "pid=1234 level=alert text=config : no such backend")],
    },
    Head {
        name: "WebSphere Liberty on a terminal",
        place: HeadPlace::Bare,
        form: "[{-}] {text}{ibm}:",
        samples: &[(
            "[ERROR   ] CWWKZ0013E: It is not possible to start two applications called shop",
            "id=CWWKZ0013E level=error text=CWWKZ0013E: It is not possible to start two applications called shop",
        )],
    },
    Head {
        name: "logcat, brief",
        place: HeadPlace::Bare,
        form: "{letter}/{app}(~{process}):~{text}",
        samples: &[(
            "E/AndroidRuntime( 1234): FATAL EXCEPTION: main",
            "app=AndroidRuntime pid=1234 level=error text=FATAL EXCEPTION: main",
        )],
    },
    Head {
        name: "PHP on a terminal",
        place: HeadPlace::Bare,
        form: "{text}PHP {php}:",
        samples: &[(
            "PHP Fatal error:  Uncaught Exception: x in /srv/a.php:3",
            "level=critical text=PHP Fatal error:  Uncaught Exception: x in /srv/a.php:3",
        )],
    },
    Head {
        name: "MikroTik RouterOS, its own log",
        place: HeadPlace::Bare,
        form: "{text}{topics} ",
        samples: &[(
            "system,error,critical login failure for user admin from 192.0.2.9 via ssh",
            "level=critical text=system,error,critical login failure for user admin from 192.0.2.9 via ssh",
        )],
    },
    Head {
        name: "Oracle: the number of an error",
        place: HeadPlace::Bare,
        form: "{text}{dashed}: ",
        samples: &[(
            "ORA-00600: internal error code, arguments: [4194]",
            "id=ORA-00600 text=ORA-00600: internal error code, arguments: [4194]",
        )],
    },
    Head {
        name: "IBM: an id whose last letter is the level",
        place: HeadPlace::Bare,
        form: "{text}{ibm}:",
        samples: &[(
            "AMQ9999E: Channel 'SHOP' ended abnormally.",
            "id=AMQ9999E level=error text=AMQ9999E: Channel 'SHOP' ended abnormally.",
        )],
    },
];
