//! Heads that do not begin with the stamp.

use super::head::{Head, HeadPlace};

pub(super) const HEADS: &[Head] = &[
    Head {
        name: "Cisco IOS-XR",
        place: HeadPlace::Front,
        form: "{-}/{-}/{-}/{-}:{stamp}~:~{app}[{pid}]~:~%{mnemonic}~:~{text}",
        samples: &[(
            "<187>RP/0/RSP0/CPU0:Mar 14 02:11:57.123 UTC: ifmgr[253]: %PKT_INFRA-LINK-3-UPDOWN : Interface TenGigE0/0/0/1, changed state to Down",
            "at=2026-03-14T02:11:57.123Z app=ifmgr pid=253 id=PKT_INFRA-LINK-3-UPDOWN level=error text=Interface TenGigE0/0/0/1, changed state to Down",
        )],
    },
    Head {
        name: "Cisco IOS, its own buffer",
        place: HeadPlace::Front,
        form: "{stamp}:~%{mnemonic}~:~{text}",
        samples: &[(
            "*Mar 14 02:11:57.123: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down",
            "at=2026-03-14T02:11:57.123Z id=LINK-3-UPDOWN level=error text=Interface Gi0/1, changed state to down",
        )],
    },
    Head {
        name: "Cisco IOS, its own buffer with sequence numbers",
        place: HeadPlace::Front,
        form: "{number}:~{stamp}:~%{mnemonic}~:~{text}",
        samples: &[(
            "000081: Mar 14 02:11:57.123 UTC: %SYS-5-CONFIG_I: Configured from console",
            "at=2026-03-14T02:11:57.123Z id=SYS-5-CONFIG_I level=notice text=Configured from console",
        )],
    },
    Head {
        name: "Cisco IOS-XR with its host",
        place: HeadPlace::Front,
        form: "{host} {-}/{-}/{-}/{-}:{stamp}~:~{app}[{pid}]~:~%{mnemonic}~:~{text}",
        samples: &[(
            "<187>1234: xr-1 RP/0/RSP0/CPU0:Mar 14 02:11:57.123 CET: ifmgr[253]: %PKT_INFRA-LINK-3-UPDOWN : Interface Te0/0/0/1, changed state to Down",
            "at=2026-03-14T01:11:57.123Z host=xr-1 app=ifmgr pid=253 id=PKT_INFRA-LINK-3-UPDOWN level=error meta.sequenceId=1234 text=Interface Te0/0/0/1, changed state to Down",
        )],
    },
    Head {
        name: "Cisco IOS, the time since its start",
        place: HeadPlace::Front,
        form: "{uptime}:~%{mnemonic}~:~{text}",
        samples: &[
            (
                "<189>88: 1w2d: %SYS-5-CONFIG_I: Configured from console",
                "id=SYS-5-CONFIG_I level=notice meta.sequenceId=88 text=Configured from console",
            ),
            (
                "<187>88: 00:00:46: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up",
                "id=LINK-3-UPDOWN level=error meta.sequenceId=88 text=Interface Gi0/1, changed state to up",
            ),
        ],
    },
    Head {
        name: "Cisco: host and id, no stamp",
        place: HeadPlace::Front,
        form: "{host}~:~%{mnemonic}~:~{text}",
        samples: &[(
            "<189>sw-4: %SYS-5-CONFIG_I: Configured from console by vty0",
            "host=sw-4 id=SYS-5-CONFIG_I level=notice text=Configured from console by vty0",
        )],
    },
    Head {
        name: "Cisco wireless controllers, no head",
        place: HeadPlace::Front,
        form: "{host}~:~*{app}:~{stamp}:~%{mnemonic}~:~{text}",
        samples: &[(
            "<187>wlc-2: *apfMsConnTask_1: Mar 14 02:11:57.123: %APF-3-AUTHENTICATION_TRAP: apf_80211.c:18543 Authentication failed",
            "at=2026-03-14T02:11:57.123Z host=wlc-2 app=apfMsConnTask_1 id=APF-3-AUTHENTICATION_TRAP level=error text=apf_80211.c:18543 Authentication failed",
        )],
    },
    Head {
        name: "Cisco Meraki",
        place: HeadPlace::Front,
        form: "1 {epoch} {host} {text}",
        samples: &[(
            "<134>1 1773454317.123456 mx-84 events type=vpn_connectivity_change vpn_type='site-to-site' connectivity='false'",
            "at=2026-03-14T02:11:57.123456Z host=mx-84 level=info text=events type=vpn_connectivity_change vpn_type='site-to-site' connectivity='false'",
        )],
    },
    Head {
        name: "Cisco Meraki without a version",
        place: HeadPlace::Front,
        form: "{epoch} {host} {text}",
        samples: &[(
            "<134>1773454317.123456 mx-84 urls src=192.0.2.1:63735 dst=198.51.100.7:80",
            "at=2026-03-14T02:11:57.123456Z host=mx-84 level=info text=urls src=192.0.2.1:63735 dst=198.51.100.7:80",
        )],
    },
    Head {
        name: "H3C and HPE Comware, their own buffer",
        place: HeadPlace::Front,
        form: "%{stamp} {host} {mnemonic}~:~{text}",
        samples: &[(
            "%Mar 14 02:11:57:123 2026 h3c-2 IFNET/3/PHY_UPDOWN: Physical state on the interface changed to down.",
            "at=2026-03-14T02:11:57.123Z host=h3c-2 id=IFNET/3/PHY_UPDOWN level=error text=Physical state on the interface changed to down.",
        )],
    },
    Head {
        name: "Level before the stamp, as log4j often writes it",
        place: HeadPlace::Front,
        form: "{level} {stamp} {text}",
        samples: &[(
            "ERROR 2026-03-14 02:11:57,123 org.x.Y - failed",
            "at=2026-03-14T02:11:57.123Z level=error text=org.x.Y - failed",
        )],
    },
    Head {
        name: "Cassandra: level and thread before the stamp",
        place: HeadPlace::Front,
        form: "{level} [{=thread}] {stamp} {text}",
        samples: &[(
            "WARN  [main] 2026-03-14 02:11:57,123 StartupChecks.java:169 - JMX is not enabled",
            "at=2026-03-14T02:11:57.123Z level=warning thread=main text=StartupChecks.java:169 - JMX is not enabled",
        )],
    },
    Head {
        name: "Level in brackets before the stamp",
        place: HeadPlace::Front,
        form: "[{level}~] {stamp} {text}",
        samples: &[("[error] 2026-03-14 02:11:57 shard is gone", "at=2026-03-14T02:11:57Z level=error text=shard is gone")],
    },
    Head {
        name: "Level in brackets before a stamp in brackets",
        place: HeadPlace::Front,
        form: "[{level}~]~[{stamp}]~{text}",
        samples: &[(
            "[WARN ][2026-03-14 02:11:57,123] gc took 4 s",
            "at=2026-03-14T02:11:57.123Z level=warning text=gc took 4 s",
        )],
    },
    Head {
        name: "Level with a colon before the stamp",
        place: HeadPlace::Front,
        form: "{level}:~{stamp} {text}",
        samples: &[(
            "CRITICAL: 2026-03-14 02:11:57 pump 3 stands still",
            "at=2026-03-14T02:11:57Z level=critical text=pump 3 stands still",
        )],
    },
    Head {
        name: "Level and its stamp in brackets, as logrus writes them",
        place: HeadPlace::Front,
        form: "{level}[{stamp}]~{text}",
        samples: &[("WARN[2026-03-14T02:11:57+01:00] queue is long", "at=2026-03-14T01:11:57Z level=warning text=queue is long")],
    },
    Head {
        name: "oVirt: thread and level before the stamp",
        place: HeadPlace::Front,
        form: "{=thread}::{level}::{stamp}::{text}",
        samples: &[(
            "MainThread::ERROR::2026-03-14 02:11:57,300::vdsm::74::vds::(run) no storage",
            "at=2026-03-14T02:11:57.300Z level=error thread=MainThread text=vdsm::74::vds::(run) no storage",
        )],
    },
    Head {
        name: "PostgreSQL with the stamp in angle brackets",
        place: HeadPlace::Front,
        form: "<~{stamp}~>~{text}{postgres}",
        samples: &[(
            "< 2026-03-14 02:11:57.123 CET >ERROR:  deadlock detected",
            "at=2026-03-14T01:11:57.123Z level=error text=deadlock detected",
        )],
    },
    Head {
        name: "dmesg with facility and level",
        place: HeadPlace::Front,
        form: "{facility}~:{level}~:~[{stamp}]~{text}",
        samples: &[(
            "kern  :warn  : [Sat Mar 14 02:11:57 2026] usb 1-1: device is gone",
            "at=2026-03-14T02:11:57Z level=warning text=usb 1-1: device is gone",
        )],
    },
    Head {
        name: "uWSGI",
        place: HeadPlace::Front,
        form: "{text}[pid: {process}|app: {-}|req: {-}] {-} ({-}) {{{-} vars in {number} bytes} [{stamp}] ",
        samples: &[(
            "[pid: 812|app: 0|req: 1/1] 192.0.2.1 () {38 vars in 696 bytes} [Sat Mar 14 02:11:57 2026] POST /orders => generated 47 bytes",
            "at=2026-03-14T02:11:57Z pid=812 text=[pid: 812|app: 0|req: 1/1] 192.0.2.1 () {38 vars in 696 bytes} [Sat Mar 14 02:11:57 2026] POST /orders => generated 47 bytes",
        )],
    },
    Head {
        name: "AIX, what errpt prints",
        place: HeadPlace::Front,
        form: "{hex} {errpt} {-} {-} {=resource} {text}",
        samples: &[(
            "A924A5FC   0314021126 P S SYSPROC        SOFTWARE PROGRAM ABNORMALLY TERMINATED",
            "at=2026-03-14T02:11:00Z id=A924A5FC resource=SYSPROC text=SOFTWARE PROGRAM ABNORMALLY TERMINATED",
        )],
    },
    Head {
        name: "Facility and level with a colon before the stamp",
        place: HeadPlace::Front,
        form: "{facility}.{level}: {stamp} {host} {app}[{pid}]:~{text}",
        samples: &[(
            "local7.info: Mar 14 02:11:57 vm-4 SYSMGR[4897]: started",
            "at=2026-03-14T02:11:57Z host=vm-4 app=SYSMGR pid=4897 level=info text=started",
        )],
    },
    Head {
        name: "Mumble: level as a letter before the stamp",
        place: HeadPlace::Front,
        form: "<{letter}>{stamp} {text}",
        samples: &[(
            "<W>2026-03-14 02:11:57.962 1 => <8:ann(-1)> Rejected connection from 192.0.2.1:29761: Wrong password",
            "at=2026-03-14T02:11:57.962Z level=warning text=1 => <8:ann(-1)> Rejected connection from 192.0.2.1:29761: Wrong password",
        )],
    },
    Head {
        name: "Erlang's reports",
        place: HeadPlace::Front,
        form: "={level} REPORT==== {stamp} {text}===",
        samples: &[("=ERROR REPORT==== 14-Mar-2026::02:11:57 ===", "at=2026-03-14T02:11:57Z level=error text====")],
    },
    Head {
        name: "OpenWrt's logread",
        place: HeadPlace::Line,
        form: "{facility}.{level} {app}[{pid}]:~{text}",
        samples: &[(
            "Sat Mar 14 02:11:57 2026 daemon.err dnsmasq[812]: failed to bind",
            "at=2026-03-14T02:11:57Z app=dnsmasq pid=812 level=error text=failed to bind",
        )],
    },
    Head {
        name: "OpenWrt's logread, no process",
        place: HeadPlace::Line,
        form: "{facility}.{level} {app}:~{text}",
        samples: &[(
            "Sat Mar 14 02:11:57 2026 kern.warn kernel: [ 12.3] br-lan: port 2 left",
            "at=2026-03-14T02:11:57Z app=kernel level=warning text=[ 12.3] br-lan: port 2 left",
        )],
    },
    Head {
        name: "Half-Life servers",
        place: HeadPlace::Front,
        form: "L {stamp}:~{text}",
        samples: &[(
            "L 03/14/2026 - 02:11:57: Bad Rcon: \"rcon 1 x\" from \"192.0.2.1:57370\"",
            "at=2026-03-14T02:11:57Z text=Bad Rcon: \"rcon 1 x\" from \"192.0.2.1:57370\"",
        )],
    },
    Head {
        name: "Domino: process and thread before the stamp",
        place: HeadPlace::Front,
        form: "[{process}:{-}] {stamp} {text}",
        samples: &[(
            "[28325:00010-3735542592] 14-03-2026 02:11:57   smtp: ann [192.0.2.1] authentication failure using internet password",
            "at=2026-03-14T02:11:57Z pid=28325 text=smtp: ann [192.0.2.1] authentication failure using internet password",
        )],
    },
    Head {
        name: "Oracle Messaging Server",
        place: HeadPlace::Front,
        form: "{text}<{-} ts=\"{stamp}\"",
        samples: &[(
            "<co ts=\"2026-03-14T02:11:57.99\" pi=\"72aa.17f0.25622\" sc=\"tcp_local\" mi=\"Bad password\"/>",
            "at=2026-03-14T02:11:57.990Z text=<co ts=\"2026-03-14T02:11:57.99\" pi=\"72aa.17f0.25622\" sc=\"tcp_local\" mi=\"Bad password\"/>",
        )],
    },
    Head {
        name: "PortSentry",
        place: HeadPlace::Front,
        form: "{text}{number} - {stamp} ",
        samples: &[(
            "1773454317 - 03/14/2026 02:11:57 Host: 192.0.2.1/192.0.2.1 Port: 1 TCP Blocked",
            "at=2026-03-14T02:11:57Z text=1773454317 - 03/14/2026 02:11:57 Host: 192.0.2.1/192.0.2.1 Port: 1 TCP Blocked",
        )],
    },
    Head {
        name: "NestJS",
        place: HeadPlace::Front,
        form: "[{-}] {process} - {stamp} {level} {text}",
        samples: &[(
            "[Nest] 4711  - 03/14/2026, 2:11:57 AM   ERROR [ExceptionHandler] connect ECONNREFUSED",
            "at=2026-03-14T02:11:57Z pid=4711 level=error text=[ExceptionHandler] connect ECONNREFUSED",
        )],
    },
    Head {
        name: "Zend Framework: session and user before the stamp",
        place: HeadPlace::Front,
        form: "{text}{-} {-} - {stamp} {level} ",
        samples: &[(
            "a8e 7 - 2026-03-14T02:11:57+00:00 WARN (4): Tinebase_Controller::login::106 failed",
            "at=2026-03-14T02:11:57Z level=warning text=a8e 7 - 2026-03-14T02:11:57+00:00 WARN (4): Tinebase_Controller::login::106 failed",
        )],
    },
    Head {
        name: "Zend Framework with a name",
        place: HeadPlace::Front,
        form: "{text}{-} {-} -- {-} -- - {stamp} {level} ",
        samples: &[(
            "78017 00cff -- none -- - 2026-03-14T02:11:57+00:00 WARN (4): Tinebase_Controller::login::106 failed",
            "at=2026-03-14T02:11:57Z level=warning text=78017 00cff -- none -- - 2026-03-14T02:11:57+00:00 WARN (4): Tinebase_Controller::login::106 failed",
        )],
    },
    Head {
        name: "Celery: level and process within the stamp's brackets",
        place: HeadPlace::Front,
        form: "[{stamp}: {level}/{=process}] {text}",
        samples: &[(
            "[2026-03-14 02:11:57,123: ERROR/MainProcess] Task failed",
            "at=2026-03-14T02:11:57.123Z level=error process=MainProcess text=Task failed",
        )],
    },
    Head {
        name: "Level within the stamp's brackets",
        place: HeadPlace::Front,
        form: "[{stamp}: {level}]~{text}",
        samples: &[(
            "[2026-03-14 02:11:57,123: WARNING] queue is long",
            "at=2026-03-14T02:11:57.123Z level=warning text=queue is long",
        )],
    },
    Head {
        name: "Cisco IOS: host between two sequence numbers",
        place: HeadPlace::Front,
        form: "{host}:~{number}:~{stamp}:~%{mnemonic}~:~{text}",
        samples: &[(
            "<190>213: sw1: 214: Mar 14 02:11:57.123 CET: %SEC-6-IPACCESSLOGP: list 1 denied",
            "at=2026-03-14T01:11:57.123Z host=sw1 id=SEC-6-IPACCESSLOGP level=info meta.sequenceId=213 text=list 1 denied",
        )],
    },
    Head {
        name: "Ruby and Rails",
        place: HeadPlace::Front,
        form: "{letter}, [{stamp} #{process}]~{level} -- :~{text}",
        samples: &[(
            "E, [2026-03-14T02:11:57.123456 #1234] ERROR -- : message",
            "at=2026-03-14T02:11:57.123456Z pid=1234 level=error text=message",
        )],
    },
    Head {
        name: "Ruby with a program",
        place: HeadPlace::Front,
        form: "{letter}, [{stamp} #{process}]~{level} -- {app}:~{text}",
        samples: &[(
            "W, [2026-03-14T02:11:57.123456 #1234]  WARN -- shop: slow",
            "at=2026-03-14T02:11:57.123456Z app=shop pid=1234 level=warning text=slow",
        )],
    },
    Head {
        name: "WebLogic",
        place: HeadPlace::Front,
        form: "<{stamp}{-}> <{level}> <{=subsystem}> <{event}> {text}",
        samples: &[(
            "<Mar 14, 2026 2:11:57,123 AM CET> <Error> <Deployer> <BEA-149265> <Failure occurred>",
            "at=2026-03-14T01:11:57.123Z id=BEA-149265 level=error subsystem=Deployer text=<Failure occurred>",
        )],
    },
    Head {
        name: "WebLogic, the server's own log",
        place: HeadPlace::Front,
        form: "####<{stamp}{-}> <{level}> <{=subsystem}> <{host}> {text}{bea}",
        samples: &[
            (
                "####<Mar 14, 2026 2:11:57 AM CET> <Notice> <WebLogicServer> <h1> <AdminServer> <main> <<WLS Kernel>> <> <> <1773450717123> <BEA-000365> <Server state changed to RUNNING>",
                "at=2026-03-14T01:11:57Z host=h1 id=BEA-000365 level=notice subsystem=WebLogicServer text=<AdminServer> <main> <<WLS Kernel>> <> <> <1773450717123> <BEA-000365> <Server state changed to RUNNING>",
            ),
            (
                "####<Mar 14, 2026, 2:11:57,123 AM Coordinated Universal Time> <Error> <JDBC> <h1> <ms1> <[ACTIVE] ExecuteThread: '1' for queue: 'weblogic.kernel.Default (self-tuning)'> <<WLS Kernel>> <> <0a1b> <1773454317123> <[severity-value: 8] [rid: 0] > <BEA-001112> <Test failed>",
                "at=2026-03-14T02:11:57.123Z host=h1 id=BEA-001112 level=error subsystem=JDBC text=<ms1> <[ACTIVE] ExecuteThread: '1' for queue: 'weblogic.kernel.Default (self-tuning)'> <<WLS Kernel>> <> <0a1b> <1773454317123> <[severity-value: 8] [rid: 0] > <BEA-001112> <Test failed>",
            ),
        ],
    },
    Head {
        name: "env_logger of Rust",
        place: HeadPlace::Front,
        form: "[{stamp} {level} {=logger}]~{text}",
        samples: &[(
            "[2026-03-14T02:11:57Z ERROR shop::db] connection lost",
            "at=2026-03-14T02:11:57Z level=error logger=shop::db text=connection lost",
        )],
    },
    Head {
        name: "Level behind the stamp, in the same brackets",
        place: HeadPlace::Front,
        form: "[{stamp} {level}]~{text}",
        samples: &[("[2026-03-14 02:11:57 ERR] Failed", "at=2026-03-14T02:11:57Z level=error text=Failed")],
    },
    Head {
        name: "Serilog on a console: a time of day",
        place: HeadPlace::Front,
        form: "[{clock} {level}]~{text}",
        samples: &[("[02:11:57 ERR] Failed", "at=2026-11-29T02:11:57Z level=error text=Failed")],
    },
    Head {
        name: "Samba",
        place: HeadPlace::Front,
        form: "[{stamp},~{samba}] {text}",
        samples: &[(
            "[2026/03/14 02:11:57.123456,  0] ../../source3/smbd/server.c:1(main)",
            "at=2026-03-14T02:11:57.123456Z level=error text=../../source3/smbd/server.c:1(main)",
        )],
    },
    Head {
        name: "Samba with its process",
        place: HeadPlace::Front,
        form: "[{stamp},~{samba},~pid={process}{-}] {text}",
        samples: &[(
            "[2026/03/14 02:11:57.123456,  1, pid=812, effective(0, 0), real(0, 0)] ../../source3/smbd/server.c:1(main)",
            "at=2026-03-14T02:11:57.123456Z pid=812 level=warning text=../../source3/smbd/server.c:1(main)",
        )],
    },
    Head {
        name: "WSO2: tenant and thread before the stamp",
        place: HeadPlace::Front,
        form: "TID: [{-}] [{-}] [{stamp}] {level} {text}",
        samples: &[(
            "TID: [-1234] [] [2026-03-14 02:11:57,123] ERROR {org.wso2.carbon.core} - failed",
            "at=2026-03-14T02:11:57.123Z level=error text={org.wso2.carbon.core} - failed",
        )],
    },
    Head {
        name: "CUPS",
        place: HeadPlace::Front,
        form: "{letter} [{stamp}] {text}",
        samples: &[("E [14/Mar/2026:02:11:57 +0100] [Job 7] failed", "at=2026-03-14T01:11:57Z level=error text=[Job 7] failed")],
    },
    Head {
        name: "Load balancers of AWS",
        place: HeadPlace::Front,
        form: "{text}{-} {stamp} app/",
        samples: &[(
            "h2 2026-03-14T02:11:57.123456Z app/my-lb/50dc 192.0.2.1:2817 10.0.0.1:80 0.000 0.001 0.000 200 200",
            "at=2026-03-14T02:11:57.123456Z text=h2 2026-03-14T02:11:57.123456Z app/my-lb/50dc 192.0.2.1:2817 10.0.0.1:80 0.000 0.001 0.000 200 200",
        )],
    },
    Head {
        name: "DHCP servers of Windows",
        place: HeadPlace::Front,
        form: "{text}{number},{stamp},",
        samples: &[(
            "10,03/14/26,02:11:57,Assign,192.0.2.7,pc.example.com,00005E005301,,123,0",
            "at=2026-03-14T02:11:57Z text=10,03/14/26,02:11:57,Assign,192.0.2.7,pc.example.com,00005E005301,,123,0",
        )],
    },
    Head {
        name: "A letter before the stamp",
        place: HeadPlace::Front,
        form: "{letter} {stamp} {text}",
        samples: &[("W 2026-03-14T02:11:57.123Z queue is long", "at=2026-03-14T02:11:57.123Z level=warning text=queue is long")],
    },
];
