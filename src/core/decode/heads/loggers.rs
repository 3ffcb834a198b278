//! Heads of loggers between the stamp of a line and its text, if they contain more than a level at the beginning.

use super::head::{Head, HeadPlace};

pub(super) const HEADS: &[Head] = &[
    Head {
        name: "PostgreSQL",
        place: HeadPlace::Line,
        form: "[{process}] {level}:~{text}",
        samples: &[(
            "2026-07-14 02:11:57.123 CEST [12] LOG:  checkpoint starting",
            "at=2026-07-14T00:11:57.123Z pid=12 level=info text=checkpoint starting",
        )],
    },
    Head {
        name: "PostgreSQL with the number of the line",
        place: HeadPlace::Line,
        form: "[{process}-{number}] {text}{postgres}",
        samples: &[(
            "2026-07-14 02:11:57 UTC [12-3] ERROR:  deadlock detected",
            "at=2026-07-14T02:11:57Z pid=12 level=error text=deadlock detected",
        )],
    },
    Head {
        name: "PostgreSQL with the number of the line, user and database",
        place: HeadPlace::Line,
        form: "[{process}-{number}] {-}@{-} {text}{postgres}",
        samples: &[(
            "2026-07-14 02:11:57 UTC [12-1] app@shop LOG:  connection authorized",
            "at=2026-07-14T02:11:57Z pid=12 level=info text=connection authorized",
        )],
    },
    Head {
        name: "Gunicorn",
        place: HeadPlace::Line,
        form: "[{process}] [{level}]~{text}",
        samples: &[(
            "[2026-03-14 02:11:57 +0000] [12] [ERROR] Worker failed to boot.",
            "at=2026-03-14T02:11:57Z pid=12 level=error text=Worker failed to boot.",
        )],
    },
    Head {
        name: "PostgreSQL with user and database",
        place: HeadPlace::Line,
        form: "[{process}] {-}@{-} {text}{postgres}",
        samples: &[
            (
                "2026-07-14 02:11:57.123 UTC [77] app@shop FATAL:  password authentication failed for user \"app\"",
                "at=2026-07-14T02:11:57.123Z pid=77 level=critical text=password authentication failed for user \"app\"",
            ),
            (
                "2026-03-14 02:11:57.123 CET [2211] postgres@shop STATEMENT:  select 1",
                "at=2026-03-14T01:11:57.123Z pid=2211 text=STATEMENT:  select 1",
            ),
        ],
    },
    Head {
        name: "Apache httpd 2.4",
        place: HeadPlace::Level,
        form: "[{-}:{level}] {text}[pid {process}",
        samples: &[(
            "[Sat Mar 14 02:11:57.123456 2026] [core:error] [pid 12] File does not exist",
            "at=2026-03-14T02:11:57.123456Z pid=12 level=error text=[pid 12] File does not exist",
        )],
    },
    Head {
        name: "nginx",
        place: HeadPlace::Level,
        form: "[{level}] {text}{process}#{number}:",
        samples: &[(
            "2026/03/14 02:11:57 [crit] 12#12: *1 no live upstreams",
            "at=2026-03-14T02:11:57Z pid=12 level=critical text=12#12: *1 no live upstreams",
        )],
    },
    Head {
        name: "Asterisk with a colon",
        place: HeadPlace::Level,
        form: "{level}[{process}]:~{text}",
        samples: &[(
            "[Mar 14 02:11:57] WARNING[566]: chan_sip.c:28926 handle_request: no route",
            "at=2026-03-14T02:11:57Z pid=566 level=warning text=chan_sip.c:28926 handle_request: no route",
        )],
    },
    Head {
        name: "Asterisk",
        place: HeadPlace::Level,
        form: "{level}[{process}]~{text}",
        samples: &[(
            "[2026-03-14 02:11:57] NOTICE[1388][C-00000a01] chan_sip.c: Peer 'ann' is now UNREACHABLE",
            "at=2026-03-14T02:11:57Z pid=1388 level=notice text=[C-00000a01] chan_sip.c: Peer 'ann' is now UNREACHABLE",
        )],
    },
    Head {
        name: "Spring Boot",
        place: HeadPlace::Level,
        form: "{level} {text}{process} --- [",
        samples: &[(
            "2026-03-14 02:11:57.123  WARN 4711 --- [main] o.s.b.Tomcat : port is taken",
            "at=2026-03-14T02:11:57.123Z pid=4711 level=warning text=4711 --- [main] o.s.b.Tomcat : port is taken",
        )],
    },
    Head {
        name: "pino on a terminal",
        place: HeadPlace::Level,
        form: "{level} ({app}/{process} on {host}):~{text}",
        samples: &[(
            "[2026-03-14 02:11:57.123 +0100] ERROR (shop/7 on h1): no room",
            "at=2026-03-14T01:11:57.123Z host=h1 app=shop pid=7 level=error text=no room",
        )],
    },
    Head {
        name: "pino on a terminal, the process only",
        place: HeadPlace::Level,
        form: "{level} ({process}):~{text}",
        samples: &[("[02:11:57.123] ERROR (7): no room", "at=2026-11-29T02:11:57.123Z pid=7 level=error text=no room")],
    },
    Head {
        name: "bunyan on a terminal",
        place: HeadPlace::Level,
        form: "{level}: {app}/{process} on {host}:~{text}",
        samples: &[(
            "[2026-03-14T02:11:57.123Z] ERROR: shop/7 on h1: no room",
            "at=2026-03-14T02:11:57.123Z host=h1 app=shop pid=7 level=error text=no room",
        )],
    },
    Head {
        name: "OpenStack",
        place: HeadPlace::Line,
        form: "{process} {level} {text}",
        samples: &[(
            "2026-03-14 02:11:57.123 2931 ERROR nova.compute.manager [req-3b] no host",
            "at=2026-03-14T02:11:57.123Z pid=2931 level=error text=nova.compute.manager [req-3b] no host",
        )],
    },
    Head {
        name: "Python logging",
        place: HeadPlace::Line,
        form: "{=logger} - {level} - {text}",
        samples: &[(
            "2026-03-14 02:11:57,123 - shop.db - ERROR - connection lost",
            "at=2026-03-14T02:11:57.123Z level=error logger=shop.db text=connection lost",
        )],
    },
    Head {
        name: "log4j and logback: thread before the level",
        place: HeadPlace::Line,
        form: "[{=thread}] {level} {text}",
        samples: &[(
            "2026-03-14 02:11:57,123 [main] ERROR org.x.Y - failed",
            "at=2026-03-14T02:11:57.123Z level=error thread=main text=org.x.Y - failed",
        )],
    },
    Head {
        name: "BIND",
        place: HeadPlace::Line,
        form: "{=category}: {level}: {text}",
        samples: &[(
            "14-Mar-2026 02:11:57.123 queries: info: client 192.0.2.1#5 query",
            "at=2026-03-14T02:11:57.123Z level=info category=queries text=client 192.0.2.1#5 query",
        )],
    },
    Head {
        name: "MySQL 8",
        place: HeadPlace::Line,
        form: "{=thread} [{level}] {text}[{id}] ",
        samples: &[(
            "2026-03-14T02:11:57.123456Z 8 [ERROR] [MY-010119] [Server] Aborting",
            "at=2026-03-14T02:11:57.123456Z id=MY-010119 level=error thread=8 text=[MY-010119] [Server] Aborting",
        )],
    },
    Head {
        name: "MySQL 8, a record of the system itself",
        place: HeadPlace::Line,
        form: "{=thread} [System] {text}[{id}] ",
        samples: &[(
            "2026-03-14T02:11:57.123456Z 0 [System] [MY-010931] [Server] ready for connections",
            "at=2026-03-14T02:11:57.123456Z id=MY-010931 thread=0 text=[MY-010931] [Server] ready for connections",
        )],
    },
    Head {
        name: "MySQL and MariaDB",
        place: HeadPlace::Line,
        form: "{=thread} [{level}] {text}",
        samples: &[(
            "2026-03-14  2:11:57 1398 [Warning] Access denied for user 'ann'@'192.0.2.1'",
            "at=2026-03-14T02:11:57Z level=warning thread=1398 text=Access denied for user 'ann'@'192.0.2.1'",
        )],
    },
    Head {
        name: "Android",
        place: HeadPlace::Line,
        form: "{process} {number} {letter} {app}~: {text}",
        samples: &[(
            "03-14 02:11:57.123  1702  2395 E Tag: x",
            "at=2026-03-14T02:11:57.123Z app=Tag pid=1702 level=error text=x",
        )],
    },
    Head {
        name: "logcat with the time",
        place: HeadPlace::Line,
        form: "{letter}/{app}(~{process}):~{text}",
        samples: &[(
            "03-14 02:11:57.123 E/Tag( 1234): no route",
            "at=2026-03-14T02:11:57.123Z app=Tag pid=1234 level=error text=no route",
        )],
    },
    Head {
        name: "GlusterFS",
        place: HeadPlace::Line,
        form: "{letter} {text}[MSGID: {event}]",
        samples: &[(
            "[2026-03-14 02:11:57.123456] E [MSGID: 106153] [glusterd-syncop.c:113:gd_collate_errors] 0-glusterd: Staging failed",
            "at=2026-03-14T02:11:57.123456Z id=106153 level=error text=[MSGID: 106153] [glusterd-syncop.c:113:gd_collate_errors] 0-glusterd: Staging failed",
        )],
    },
    Head {
        name: "Level as a letter before a bracket",
        place: HeadPlace::Line,
        form: "{letter} {text}[",
        samples: &[(
            "2026-03-14 02:11:57.123456 W [socket.c:522:__socket_rwv] 0-glusterfs: readv failed",
            "at=2026-03-14T02:11:57.123456Z level=warning text=[socket.c:522:__socket_rwv] 0-glusterfs: readv failed",
        )],
    },
    Head {
        name: "MongoDB before version 4.4",
        place: HeadPlace::Line,
        form: "{letter} {text}{capitals}~[{-}]",
        samples: &[(
            "2026-03-14T02:11:57.123+0100 E NETWORK  [conn5] recv(): message length is invalid",
            "at=2026-03-14T01:11:57.123Z level=error text=NETWORK  [conn5] recv(): message length is invalid",
        )],
    },
    Head {
        name: "klog and glog",
        place: HeadPlace::Line,
        form: "{text}{process} {-}:{number}] ",
        samples: &[(
            "E0314 02:11:57.123456    1702 kubelet.go:2190] node not found",
            "at=2026-03-14T02:11:57.123456Z pid=1702 level=error text=1702 kubelet.go:2190] node not found",
        )],
    },
    Head {
        name: "WebSphere",
        place: HeadPlace::Line,
        form: "{thread} {=component} {websphere} {id}:~{text}",
        samples: &[(
            "[3/14/26 2:11:57:123 CET] 0000001a WSChannelFram E   CHFW0034E: The chain failed to start",
            "at=2026-03-14T01:11:57.123Z id=CHFW0034E level=error component=WSChannelFram text=The chain failed to start",
        )],
    },
    Head {
        name: "WebSphere, no id",
        place: HeadPlace::Line,
        form: "{thread} {=component} {websphere} {text}",
        samples: &[(
            "[3/14/26 2:11:57:123 CET] 0000001a SystemErr     R java.lang.IllegalStateException: closed",
            "at=2026-03-14T01:11:57.123Z component=SystemErr text=java.lang.IllegalStateException: closed",
        )],
    },
    Head {
        name: "Sidekiq with a job",
        place: HeadPlace::Line,
        form: "pid={process} tid={=thread} class={-} jid={-} {level}:~{text}",
        samples: &[(
            "2026-03-14T02:11:57.123Z pid=7 tid=abc class=X jid=y ERROR: fail",
            "at=2026-03-14T02:11:57.123Z pid=7 level=error thread=abc text=fail",
        )],
    },
    Head {
        name: "Sidekiq",
        place: HeadPlace::Line,
        form: "pid={process} tid={=thread} {level}:~{text}",
        samples: &[(
            "2026-03-14T02:11:57.123Z pid=7 tid=abc INFO: started",
            "at=2026-03-14T02:11:57.123Z pid=7 level=info thread=abc text=started",
        )],
    },
    Head {
        name: "Airflow",
        place: HeadPlace::Line,
        form: "{{{-}} {level} - {text}",
        samples: &[(
            "[2026-03-14T02:11:57.123+0000] {taskinstance.py:1302} ERROR - Task failed",
            "at=2026-03-14T02:11:57.123Z level=error text=Task failed",
        )],
    },
    Head {
        name: "PHP",
        place: HeadPlace::Line,
        form: "{text}PHP {php}:",
        samples: &[
            (
                "[14-Mar-2026 02:11:57 UTC] PHP Fatal error:  Uncaught Exception: x in /srv/a.php:3",
                "at=2026-03-14T02:11:57Z level=critical text=PHP Fatal error:  Uncaught Exception: x in /srv/a.php:3",
            ),
            (
                "[14-Mar-2026 02:11:57 UTC] PHP Warning:  Undefined variable $x in /srv/a.php on line 3",
                "at=2026-03-14T02:11:57Z level=warning text=PHP Warning:  Undefined variable $x in /srv/a.php on line 3",
            ),
        ],
    },
    Head {
        name: "etcd before version 3.4",
        place: HeadPlace::Line,
        form: "{letter} | {text}",
        samples: &[(
            "2026-03-14 02:11:57.123456 W | etcdserver: read-only range request took too long",
            "at=2026-03-14T02:11:57.123456Z level=warning text=etcdserver: read-only range request took too long",
        )],
    },
    Head {
        name: "fail2ban",
        place: HeadPlace::Line,
        form: "{text}{=logger} [{process}]:~{level} ",
        samples: &[(
            "2026-03-14 02:11:57,123 fail2ban.actions        [812]: NOTICE  [sshd] Ban 192.0.2.1",
            "at=2026-03-14T02:11:57.123Z pid=812 level=notice logger=fail2ban.actions text=fail2ban.actions        [812]: NOTICE  [sshd] Ban 192.0.2.1",
        )],
    },
    Head {
        name: "Asterisk, security events",
        place: HeadPlace::Line,
        form: "{text}SECURITY[{process}]",
        samples: &[(
            "[2026-03-14 02:11:57] SECURITY[1388] res_security_log.c: SecurityEvent=\"FailedACL\"",
            "at=2026-03-14T02:11:57Z pid=1388 text=SECURITY[1388] res_security_log.c: SecurityEvent=\"FailedACL\"",
        )],
    },
    Head {
        name: "Monolog",
        place: HeadPlace::Line,
        form: "{=channel}.{level}:~{text}",
        samples: &[(
            "[2026-03-14T02:11:57.123456+01:00] app.ERROR: Failed {\"x\":1} []",
            "at=2026-03-14T01:11:57.123456Z level=error channel=app text=Failed {\"x\":1} []",
        )],
    },
    Head {
        name: "Telegraf",
        place: HeadPlace::Line,
        form: "{letter}! {text}",
        samples: &[(
            "2026-03-14T02:11:57Z E! [inputs.syslog] Error in plugin: no peer",
            "at=2026-03-14T02:11:57Z level=error text=[inputs.syslog] Error in plugin: no peer",
        )],
    },
];
