//! Heads of databases and clusters in their own files.

use super::head::{Head, HeadPlace};

pub(super) const HEADS: &[Head] = &[
    Head {
        name: "PostgreSQL, csvlog",
        place: HeadPlace::Line,
        form: ",{-},{-},{process},{-},{-},{number},{-},{-},{-},{-},{level},{event},{text}",
        samples: &[(
            "2026-03-14 02:11:57.123 UTC,\"app\",\"shop\",77,\"192.0.2.1:5\",65f,1,\"SELECT\",2026-03-14 02:11:00 UTC,3/1,0,ERROR,42P01,\"relation \"\"x\"\" does not exist\",,,",
            "at=2026-03-14T02:11:57.123Z pid=77 id=42P01 level=error text=\"relation \"\"x\"\" does not exist\",,,",
        )],
    },
    Head {
        name: "PostgreSQL as pgBadger wants it",
        place: HeadPlace::Line,
        form: "[{process}]: [{number}-{number}] {-} {text}{postgres}",
        samples: &[(
            "2026-03-14 02:11:57 UTC [77]: [3-1] user=app,db=shop,app=x,client=192.0.2.1 LOG:  connection authorized",
            "at=2026-03-14T02:11:57Z pid=77 level=info text=connection authorized",
        )],
    },
    Head {
        name: "PostgreSQL as pgBadger wants it, names with blanks",
        place: HeadPlace::Line,
        form: "[{process}]: [{number}-{number}] user={-},db={-},app={-},client={-} {text}{postgres}",
        samples: &[(
            "2026-03-14 02:11:57 UTC [77]: [3-1] user=app,db=shop,app=PostgreSQL JDBC Driver,client=192.0.2.1 ERROR:  deadlock detected",
            "at=2026-03-14T02:11:57Z pid=77 level=error text=deadlock detected",
        )],
    },
    Head {
        name: "PostgreSQL as pgBadger wants it, outside of a session",
        place: HeadPlace::Line,
        form: "[{process}]: [{number}-{number}] {text}{postgres}",
        samples: &[(
            "2026-03-14 02:11:57 UTC [77]: [3-1] LOG:  checkpoint starting: time",
            "at=2026-03-14T02:11:57Z pid=77 level=info text=checkpoint starting: time",
        )],
    },
    Head {
        name: "PostgreSQL as pgBadger wants it, no number of the line",
        place: HeadPlace::Line,
        form: "[{process}]: user={-},db={-},app={-},client={-} {text}{postgres}",
        samples: &[(
            "2026-03-14 02:11:57 UTC [77]: user=app,db=shop,app=x,client=192.0.2.1 ERROR:  deadlock detected",
            "at=2026-03-14T02:11:57Z pid=77 level=error text=deadlock detected",
        )],
    },
    Head {
        name: "PostgreSQL with a colon, user and database",
        place: HeadPlace::Line,
        form: "[{process}]: {-} {text}{postgres}",
        samples: &[(
            "2026-03-14 02:11:57 UTC [77]: app@shop ERROR:  deadlock detected",
            "at=2026-03-14T02:11:57Z pid=77 level=error text=deadlock detected",
        )],
    },
    Head {
        name: "PostgreSQL with a colon, outside of a session",
        place: HeadPlace::Line,
        form: "[{process}]: {text}{postgres}",
        samples: &[(
            "2026-03-14 02:11:57 UTC [77]: LOG:  checkpoint starting: time",
            "at=2026-03-14T02:11:57Z pid=77 level=info text=checkpoint starting: time",
        )],
    },
    Head {
        name: "PostgreSQL: an addition to the record before",
        place: HeadPlace::Line,
        form: "[{process}] {text}{postgres}",
        samples: &[(
            "2026-03-14 02:11:57.123 UTC [77] DETAIL:  Process 77 waits for ShareLock",
            "at=2026-03-14T02:11:57.123Z pid=77 text=DETAIL:  Process 77 waits for ShareLock",
        )],
    },
    Head {
        name: "PostgreSQL with named user and database",
        place: HeadPlace::Line,
        form: "[{process}] user={-},db={-} {text}{postgres}",
        samples: &[(
            "2026-03-14 02:11:57.123 UTC [77] user=app,db=shop FATAL:  role does not exist",
            "at=2026-03-14T02:11:57.123Z pid=77 level=critical text=role does not exist",
        )],
    },
    Head {
        name: "PostgreSQL as Amazon RDS writes it",
        place: HeadPlace::Line,
        form: ":{-}:{-}@{-}:[{process}]:{text}{postgres}",
        samples: &[
            (
                "2026-03-14 02:11:57 UTC:10.0.0.3(51234):ann@shop:[77]:FATAL:  too many connections",
                "at=2026-03-14T02:11:57Z pid=77 level=critical text=too many connections",
            ),
            (
                "2026-03-14 02:11:57 UTC::@:[77]:LOG:  checkpoint starting: time",
                "at=2026-03-14T02:11:57Z pid=77 level=info text=checkpoint starting: time",
            ),
        ],
    },
    Head {
        name: "PostgreSQL as Amazon RDS writes it, with an IPv6 address",
        place: HeadPlace::Line,
        form: ":{-}({number}):{-}@{-}:[{process}]:{text}{postgres}",
        samples: &[(
            "2026-03-14 02:11:57 UTC:2001:db8::1(51234):ann@shop:[77]:ERROR:  deadlock detected",
            "at=2026-03-14T02:11:57Z pid=77 level=error text=deadlock detected",
        )],
    },
    Head {
        name: "PgBouncer",
        place: HeadPlace::Line,
        form: "[{process}] {level} {text}",
        samples: &[(
            "2026-03-14 02:11:57.123 UTC [12] WARNING C-0x55: shop/app@192.0.2.1:5 pooler error",
            "at=2026-03-14T02:11:57.123Z pid=12 level=warning text=C-0x55: shop/app@192.0.2.1:5 pooler error",
        )],
    },
    Head {
        name: "Pgpool-II",
        place: HeadPlace::Line,
        form: "{=process} pid {process}:~{level}:~{text}",
        samples: &[(
            "2026-03-14 02:11:57.123: main pid 77: LOG:  failover done",
            "at=2026-03-14T02:11:57.123Z pid=77 level=info process=main text=failover done",
        )],
    },
    Head {
        name: "MySQL, slow queries",
        place: HeadPlace::Front,
        form: "{text}# Time: {stamp}",
        samples: &[(
            "# Time: 2026-03-14T02:11:57.123456Z",
            "at=2026-03-14T02:11:57.123456Z text=# Time: 2026-03-14T02:11:57.123456Z",
        )],
    },
    Head {
        name: "Oracle Clusterware",
        place: HeadPlace::Line,
        form: "[{app}({process})]{id}:~{text}",
        samples: &[(
            "2026-03-14 02:11:57.123 [CRSD(7)]CRS-2772: Server 'h1' has been assigned to pool 'Free'.",
            "at=2026-03-14T02:11:57.123Z app=CRSD pid=7 id=CRS-2772 text=Server 'h1' has been assigned to pool 'Free'.",
        )],
    },
    Head {
        name: "Db2",
        place: HeadPlace::Line,
        form: "{text}{-} LEVEL: {level}",
        samples: &[(
            "2026-03-14-02.11.57.123456+060 I1234E456            LEVEL: Error",
            "at=2026-03-14T01:11:57.123456Z level=error text=I1234E456            LEVEL: Error",
        )],
    },
    Head {
        name: "Couchbase",
        place: HeadPlace::Front,
        form: "[{-}:{level},{stamp},{-}]~{text}",
        samples: &[(
            "[ns_server:error,2026-03-14T02:11:57.123+01:00,ns_1@h1:<0.1.0>:x:1]failed",
            "at=2026-03-14T01:11:57.123Z level=error text=failed",
        )],
    },
    Head {
        name: "Sybase",
        place: HeadPlace::Front,
        form: "{number}:{-}:{-}:{-}:{stamp} {text}",
        samples: &[(
            "00:0002:00000:00012:2026/03/14 02:11:57.12 server  Error: 1105",
            "at=2026-03-14T02:11:57.120Z text=server  Error: 1105",
        )],
    },
    Head {
        name: "Veritas Cluster Server",
        place: HeadPlace::Line,
        form: "VCS {level} {id} {text}",
        samples: &[(
            "2026/03/14 02:11:57 VCS ERROR V-16-1-10205 Group sip is faulted on system h1",
            "at=2026-03-14T02:11:57Z id=V-16-1-10205 level=error text=Group sip is faulted on system h1",
        )],
    },
    Head {
        name: "Ceph: thread and level",
        place: HeadPlace::Line,
        form: "{ceph} {text}",
        samples: &[(
            "2026-03-14T02:11:57.123+0100 7f2a1c0d5700 -1 osd.3 12 heartbeat_check: no reply",
            "at=2026-03-14T01:11:57.123Z level=error text=osd.3 12 heartbeat_check: no reply",
        )],
    },
    Head {
        name: "Ceph: the log of a cluster",
        place: HeadPlace::Line,
        form: "{app} ({-}) {number} :~{=channel} [{level}]~{text}",
        samples: &[(
            "2026-03-14T02:11:57.123456+0100 mon.a (mon.0) 123 : cluster [WRN] Health check failed: 1 osds down",
            "at=2026-03-14T01:11:57.123456Z app=mon.a level=warning channel=cluster text=Health check failed: 1 osds down",
        )],
    },
    Head {
        name: "Microsoft's cluster log",
        place: HeadPlace::Front,
        form: "{-}.{-}::{stamp} {level} {text}",
        samples: &[(
            "00000f1c.00001a2c::2026/03/14-02:11:57.123 WARN  [RES] Network Name: offline",
            "at=2026-03-14T02:11:57.123Z level=warning text=[RES] Network Name: offline",
        )],
    },
];
