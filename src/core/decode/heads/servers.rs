//! Heads of servers' syslogs, and of programs that write their own files like syslog.

use super::head::{Head, HeadPlace};

pub(super) const HEADS: &[Head] = &[
    Head {
        name: "corosync's file, with process and level",
        place: HeadPlace::Syslog,
        form: "[{process}] {host} {app} {level} {text}",
        samples: &[(
            "Apr 03 11:01:18 [1941] n1 corosync notice  [QUORUM] Members[1]: 1",
            "at=2026-04-03T11:01:18Z host=n1 app=corosync pid=1941 level=notice text=[QUORUM] Members[1]: 1",
        )],
    },
    Head {
        name: "Pacemaker's file before version 2",
        place: HeadPlace::Syslog,
        form: "[{process}] {host} {app}:~{level}:~{text}",
        samples: &[(
            "Apr 03 11:01:18 [1941] n1       crmd:     info: do_state_transition: State transition S_IDLE",
            "at=2026-04-03T11:01:18Z host=n1 app=crmd pid=1941 level=info text=do_state_transition: State transition S_IDLE",
        )],
    },
    Head {
        name: "Process before the host, with a tag",
        place: HeadPlace::Syslog,
        form: "[{process}] {host} {app}:~{text}",
        samples: &[("Apr 03 11:01:18 [1941] n1 cib: starting", "at=2026-04-03T11:01:18Z host=n1 app=cib pid=1941 text=starting")],
    },
    Head {
        name: "Pacemaker's file",
        place: HeadPlace::Syslog,
        form: "{host} {app}~[{process}] {text}({-})~{level}:",
        samples: &[(
            "Apr 03 11:01:18 n1 pacemaker-controld  [1941] (do_x) \tinfo: state changed",
            "at=2026-04-03T11:01:18Z host=n1 app=pacemaker-controld pid=1941 level=info text=(do_x) \tinfo: state changed",
        )],
    },
    Head {
        name: "Padded tag",
        place: HeadPlace::Syslog,
        form: "{host} {app}~[~{process}~]~:~{text}",
        samples: &[
            (
                "Apr 03 11:01:18 n1 sshd     [  712]: Connection closed",
                "at=2026-04-03T11:01:18Z host=n1 app=sshd pid=712 text=Connection closed",
            ),
            (
                "<30>Apr 03 11:01:18 n1 ntpd[ 99]: clock is set",
                "at=2026-04-03T11:01:18Z host=n1 app=ntpd pid=99 level=info text=clock is set",
            ),
        ],
    },
    Head {
        name: "Padded tag without a colon",
        place: HeadPlace::Syslog,
        form: "{host} {app}~[{process}] {text}",
        samples: &[(
            "Apr 03 11:01:18 n1 pacemaker-fenced    [1938] watchdog is armed",
            "at=2026-04-03T11:01:18Z host=n1 app=pacemaker-fenced pid=1938 text=watchdog is armed",
        )],
    },
    Head {
        name: "Padded tag without a process",
        place: HeadPlace::Syslog,
        form: "{host} {app} :~{text}",
        samples: &[(
            "Apr 03 11:01:18 n1 lrmd   : operation monitor ended",
            "at=2026-04-03T11:01:18Z host=n1 app=lrmd text=operation monitor ended",
        )],
    },
    Head {
        name: "Process in parentheses apart from the program",
        place: HeadPlace::Syslog,
        form: "{host} {app} ({process}):~{text}",
        samples: &[(
            "Mar 14 02:11:57 h1 shopd (712): order 7 is paid",
            "at=2026-03-14T02:11:57Z host=h1 app=shopd pid=712 text=order 7 is paid",
        )],
    },
    Head {
        name: "Process in angle brackets behind the program",
        place: HeadPlace::Syslog,
        form: "{host} {app}<{process}>:~{text}",
        samples: &[(
            "Mar 14 02:11:57 h1 shopd<712>: order 7 is paid",
            "at=2026-03-14T02:11:57Z host=h1 app=shopd pid=712 text=order 7 is paid",
        )],
    },
    Head {
        name: "Level behind the program, in capitals",
        place: HeadPlace::Syslog,
        form: "{host} {app} {LEVEL}:~{text}",
        samples: &[(
            "<133>Mar 14 02:11:57 ise-1 CISE_Alarm WARN: High Load Average: Server=ise-1",
            "at=2026-03-14T02:11:57Z host=ise-1 app=CISE_Alarm level=warning text=High Load Average: Server=ise-1",
        )],
    },
    Head {
        name: "Dovecot: user and process behind the service",
        place: HeadPlace::Syslog,
        form: "{app}({-})<{process}><{-}>:~{level}:~{text}",
        samples: &[(
            "Mar 14 02:11:57 imap(ann)<812><b3>: Info: Logged out in=1 out=2",
            "at=2026-03-14T02:11:57Z app=imap pid=812 level=info text=Logged out in=1 out=2",
        )],
    },
    Head {
        name: "A program's name with blanks",
        place: HeadPlace::Syslog,
        form: "{host} {program}[{process}]:~{text}",
        samples: &[
            (
                "Mar 14 02:11:57 mac-1 Google Chrome[712]: no display",
                "at=2026-03-14T02:11:57Z host=mac-1 app=Google Chrome pid=712 text=no display",
            ),
            (
                "Mar 14 02:11:57 h1 /opt/my shop/bin/shopd[712]: order 7 is paid",
                "at=2026-03-14T02:11:57Z host=h1 app=/opt/my shop/bin/shopd pid=712 text=order 7 is paid",
            ),
        ],
    },
    Head {
        name: "Facility and level before the program, as BusyBox and OpenWrt write them",
        place: HeadPlace::Syslog,
        form: "{host} {facility}.{level} {app}[{pid}]:~{text}",
        samples: &[(
            "Mar 14 02:11:57 ap-1 daemon.err dnsmasq[812]: failed to bind",
            "at=2026-03-14T02:11:57Z host=ap-1 app=dnsmasq pid=812 level=error text=failed to bind",
        )],
    },
    Head {
        name: "Facility and level before the program, no process",
        place: HeadPlace::Syslog,
        form: "{host} {facility}.{level} {app}:~{text}",
        samples: &[(
            "Mar 14 02:11:57 ap-1 kern.warn kernel: br-lan: port 2 left",
            "at=2026-03-14T02:11:57Z host=ap-1 app=kernel level=warning text=br-lan: port 2 left",
        )],
    },
    Head {
        name: "Facility and level before the program, no host",
        place: HeadPlace::Syslog,
        form: "{facility}.{level} {app}[{pid}]:~{text}",
        samples: &[(
            "Mar 14 02:11:57 daemon.notice hostapd[77]: AP-STA-CONNECTED",
            "at=2026-03-14T02:11:57Z app=hostapd pid=77 level=notice text=AP-STA-CONNECTED",
        )],
    },
    Head {
        name: "Facility and level before the host, a program with its process",
        place: HeadPlace::Syslog,
        form: "{facility}.{level} {host} {app}[{pid}]:~{text}",
        samples: &[(
            "<14>Mar 14 02:11:57 local0.warning sbc-2 authp[77]: no answer",
            "at=2026-03-14T02:11:57Z host=sbc-2 app=authp pid=77 level=warning text=no answer",
        )],
    },
    Head {
        name: "Facility and level before the host",
        place: HeadPlace::Syslog,
        form: "{facility}.{level} {host} {app}:~{text}",
        samples: &[(
            "<14>Mar 14 02:11:57 user.info meeting-1 authp:  Using authentication server 192.0.2.7",
            "at=2026-03-14T02:11:57Z host=meeting-1 app=authp level=info text=Using authentication server 192.0.2.7",
        )],
    },
    Head {
        name: "Facility and level before the program, no host and no process",
        place: HeadPlace::Syslog,
        form: "{facility}.{level} {app}:~{text}",
        samples: &[(
            "Mar 14 02:11:57 kern.warn kernel: br-lan: port 2 left",
            "at=2026-03-14T02:11:57Z app=kernel level=warning text=br-lan: port 2 left",
        )],
    },
    Head {
        name: "Facility and level before the program, as AIX writes them",
        place: HeadPlace::Syslog,
        form: "{host} {facility}:{level} {app}[{pid}]:~{text}",
        samples: &[(
            "Mar 14 02:11:57 aix-1 auth:notice sshd[679960]: Accepted publickey",
            "at=2026-03-14T02:11:57Z host=aix-1 app=sshd pid=679960 level=notice text=Accepted publickey",
        )],
    },
    Head {
        name: "Facility and level before the program, AIX, no process",
        place: HeadPlace::Syslog,
        form: "{host} {facility}:{level} {app}:~{text}",
        samples: &[(
            "Mar 14 02:11:57 aix-1 daemon:err errdemon: disk is failing",
            "at=2026-03-14T02:11:57Z host=aix-1 app=errdemon level=error text=disk is failing",
        )],
    },
    Head {
        name: "Facility and level in angle brackets, as FreeBSD writes them with -vv",
        place: HeadPlace::Syslog,
        form: "<{facility}.{level}> {host} {app}[{pid}]:~{text}",
        samples: &[(
            "Mar 14 02:11:57 <auth.info> bsd-1 sshd[12]: Connection closed",
            "at=2026-03-14T02:11:57Z host=bsd-1 app=sshd pid=12 level=info text=Connection closed",
        )],
    },
    Head {
        name: "Facility and level in angle brackets, no process",
        place: HeadPlace::Syslog,
        form: "<{facility}.{level}> {host} {app}:~{text}",
        samples: &[(
            "Mar 14 02:11:57 <kern.crit> bsd-1 kernel: em0: link state changed to DOWN",
            "at=2026-03-14T02:11:57Z host=bsd-1 app=kernel level=critical text=em0: link state changed to DOWN",
        )],
    },
    Head {
        name: "VMware ESXi: level before the program with its process",
        place: HeadPlace::Text,
        form: "{level} {app}[{pid}] {text}",
        samples: &[(
            "2026-03-14T02:11:57.123Z esx-1 Hostd: warning hostd[2099] [Originator@6876 sub=Vimsvc] ticket expired",
            "at=2026-03-14T02:11:57.123Z host=esx-1 app=hostd pid=2099 level=warning text=[Originator@6876 sub=Vimsvc] ticket expired",
        )],
    },
    Head {
        name: "Solaris: message id, facility and level",
        place: HeadPlace::Text,
        form: "[ID {event} {facility}.{level}] {text}",
        samples: &[(
            "Mar 29 05:59:23 sol-1 sshd[20878]: [ID 800047 auth.info] Accepted publickey for ann",
            "at=2026-03-29T05:59:23Z host=sol-1 app=sshd pid=20878 id=800047 level=info text=Accepted publickey for ann",
        )],
    },
    Head {
        name: "A number before the program",
        place: HeadPlace::Syslog,
        form: "{host} {number} {app}:~{text}",
        samples: &[(
            "<134>Mar 14 02:11:57 sw-9 77 lacp: port 7 left the trunk",
            "at=2026-03-14T02:11:57Z host=sw-9 app=lacp level=info text=port 7 left the trunk",
        )],
    },
    Head {
        name: "A word with a digit or in capitals before the program",
        place: HeadPlace::Syslog,
        form: "{host} {mark} {app}[{process}]:~{text}",
        samples: &[(
            "<134>Mar 14 02:11:57 fw-1 node0 kernel[12]: link is down",
            "at=2026-03-14T02:11:57Z host=fw-1 app=kernel pid=12 level=info text=link is down",
        )],
    },
    Head {
        name: "Two such words before the program",
        place: HeadPlace::Syslog,
        form: "{host} {mark} {mark} {app}[{process}]:~{text}",
        samples: &[(
            "<134>Mar 14 02:11:57 fw-1 FPC0 Slot-3 chassisd[77]: fan is slow",
            "at=2026-03-14T02:11:57Z host=fw-1 app=chassisd pid=77 level=info text=fan is slow",
        )],
    },
    Head {
        name: "A word before the program with its process",
        place: HeadPlace::Syslog,
        form: "{host} {=label} {app}[{process}]:~{text}",
        samples: &[(
            "Mar 14 02:11:57 h1 shop paymentd[712]: order 7 is paid",
            "at=2026-03-14T02:11:57Z host=h1 app=paymentd pid=712 label=shop text=order 7 is paid",
        )],
    },
    Head {
        name: "Two words before the program with its process",
        place: HeadPlace::Syslog,
        form: "{host} {=label} {-} {app}[{process}]:~{text}",
        samples: &[(
            "Mar 14 02:11:57 h1 shop europe paymentd[712]: order 7 is paid",
            "at=2026-03-14T02:11:57Z host=h1 app=paymentd pid=712 label=shop text=order 7 is paid",
        )],
    },
    Head {
        name: "Snare: a Windows event",
        place: HeadPlace::Syslog,
        form: "{host} MSWinEventLog\t{number}\t{-}\t{number}\t{stamp}\t{digits}\t{app}\t{text}{-}\t{-}\t{snare}\t",
        samples: &[
            (
                "<134>Mar 14 02:11:57 win-1 MSWinEventLog\t1\tSecurity\t1234\tSat Mar 14 02:11:57 2026\t4625\tMicrosoft-Windows-Security-Auditing\tSYSTEM\tN/A\tFailure Audit\twin-1\tLogon\t\tAn account failed to log on.",
                "at=2026-03-14T02:11:57Z host=win-1 app=Microsoft-Windows-Security-Auditing id=04625 level=warning text=SYSTEM\tN/A\tFailure Audit\twin-1\tLogon\t\tAn account failed to log on.",
            ),
            (
                "<13>Mar 14 02:11:57 win-1 MSWinEventLog\t2\tSystem\t77\tSat Mar 14 02:11:57 2026\t7031\tService Control Manager\tNT AUTHORITY\\SYSTEM\tWell Known Group\tError\twin-1\tNone\t\tThe Print Spooler service terminated unexpectedly.",
                "at=2026-03-14T02:11:57Z host=win-1 app=Service Control Manager id=07031 level=error text=NT AUTHORITY\\SYSTEM\tWell Known Group\tError\twin-1\tNone\t\tThe Print Spooler service terminated unexpectedly.",
            ),
        ],
    },
    Head {
        name: "Snare, tabs as rsyslog writes them",
        place: HeadPlace::Syslog,
        form: "{host} MSWinEventLog#011{number}#011{-}#011{number}#011{stamp}#011{digits}#011{app}#011{text}{-}#011{-}#011{snare}#011",
        samples: &[(
            "Mar 14 02:11:57 win-1 MSWinEventLog#0112#011System#01177#011Sat Mar 14 02:11:57 2026#0117031#011Service Control Manager#011SYSTEM#011User#011Error#011win-1#011None#011#011The service ended.",
            "at=2026-03-14T02:11:57Z host=win-1 app=Service Control Manager id=07031 level=error text=SYSTEM#011User#011Error#011win-1#011None#011#011The service ended.",
        )],
    },
    Head {
        name: "Snare: another event",
        place: HeadPlace::Syslog,
        form: "{host} MSWinEventLog {number} {-} {number} {stamp} {digits} {app} {text}",
        samples: &[(
            "<134>Mar 14 02:11:57 win-1 MSWinEventLog\t1\tSecurity\t1234\tSat Mar 14 02:11:57 2026\t4625\tSecurity\tSYSTEM\tN/A",
            "at=2026-03-14T02:11:57Z host=win-1 app=Security id=04625 level=info text=SYSTEM\tN/A",
        )],
    },
    Head {
        name: "strongSwan's own file: thread and subsystem",
        place: HeadPlace::Syslog,
        form: "{number}[{=subsystem}]~{text}",
        samples: &[(
            "Mar 14 02:11:57 03[IKE] <gw|1> deleting IKE_SA gw[1]",
            "at=2026-03-14T02:11:57Z subsystem=IKE text=<gw|1> deleting IKE_SA gw[1]",
        )],
    },
    Head {
        name: "Icinga 2",
        place: HeadPlace::Line,
        form: "{level}/{=facility}:~{text}",
        samples: &[(
            "[2026-03-14 02:11:57 +0100] warning/Checkable: no check result",
            "at=2026-03-14T01:11:57Z level=warning facility=Checkable text=no check result",
        )],
    },
    Head {
        name: "Wazuh and OSSEC: module behind the program",
        place: HeadPlace::Line,
        form: "{app}:{=module}:~{level}:~{text}",
        samples: &[(
            "2026/03/14 02:11:57 wazuh-modulesd:syscollector: ERROR: no database",
            "at=2026-03-14T02:11:57Z app=wazuh-modulesd level=error module=syscollector text=no database",
        )],
    },
    Head {
        name: "Veeam",
        place: HeadPlace::Line,
        form: "<{number}> {level} {text}",
        samples: &[(
            "[14.03.2026 02:11:57] <01> Error    Failed to connect to h1",
            "at=2026-03-14T02:11:57Z level=error text=Failed to connect to h1",
        )],
    },
    Head {
        name: "Zabbix server, proxy and agent",
        place: HeadPlace::Front,
        form: "~{process}:{zabbix} {text}",
        samples: &[(
            "  4711:20260314:021157.123 cannot connect to the database",
            "at=2026-03-14T02:11:57.123Z pid=4711 text=cannot connect to the database",
        )],
    },
    Head {
        name: "Kiwi Syslog: facility, level and host between tabs",
        place: HeadPlace::Line,
        form: "{facility}.{level}\t{host}\t{text}",
        samples: &[(
            "2026-03-14 02:11:57\tLocal7.Error\t192.0.2.7\tpower supply 2 has failed",
            "at=2026-03-14T02:11:57Z host=192.0.2.7 level=error text=power supply 2 has failed",
        )],
    },
    Head {
        name: "A level before a program that has no host",
        place: HeadPlace::Line,
        form: "{level} {app}[{process}]:~{text}",
        samples: &[(
            "Mar 14 02:11:57 error shopd[712]: order 7 is lost",
            "at=2026-03-14T02:11:57Z app=shopd pid=712 level=error text=order 7 is lost",
        )],
    },
    Head {
        name: "stunnel",
        place: HeadPlace::Line,
        form: "{text}LOG{severity}[{-}]:",
        samples: &[(
            "2026.03.14 02:11:57 LOG3[7:1]: SSL_accept from 203.0.113.9:5342 failed",
            "at=2026-03-14T02:11:57Z level=error text=LOG3[7:1]: SSL_accept from 203.0.113.9:5342 failed",
        )],
    },
    Head {
        name: "unbound: process and thread before the level",
        place: HeadPlace::Line,
        form: "{app}[{process}:{=thread}] {level}:~{text}",
        samples: &[(
            "[1773454317] unbound[812:0] info: start of service",
            "at=2026-03-14T02:11:57Z app=unbound pid=812 level=info thread=0 text=start of service",
        )],
    },
    Head {
        name: "macOS: program, process and thread",
        place: HeadPlace::Line,
        form: "{app}[{process}:{=thread}] {text}",
        samples: &[(
            "2026-03-14 02:11:57.123 Shop[812:5678] order 7 is paid",
            "at=2026-03-14T02:11:57.123Z app=Shop pid=812 thread=5678 text=order 7 is paid",
        )],
    },
    Head {
        name: "vsftpd",
        place: HeadPlace::Line,
        form: "[pid {process}] {text}",
        samples: &[(
            "Sat Mar 14 02:11:57 2026 [pid 2] [ann] FAIL LOGIN: Client \"192.0.2.9\"",
            "at=2026-03-14T02:11:57Z pid=2 text=[ann] FAIL LOGIN: Client \"192.0.2.9\"",
        )],
    },
    Head {
        name: "IBM MQ: process, user and program",
        place: HeadPlace::Line,
        form: "Process({process}.{number}) User({-}) Program({app})~{text}",
        samples: &[(
            "03/14/26 02:11:57 - Process(812.1) User(mqm) Program(amqzxma0)",
            "at=2026-03-14T02:11:57Z app=amqzxma0 pid=812 text=",
        )],
    },
    Head {
        name: "IBM: an id whose last letter is the level, behind a stamp",
        place: HeadPlace::Line,
        form: "{text}{ibm} ",
        samples: &[(
            "03/14/26 02:11:57 IEF404I SHOP1 - ENDED",
            "at=2026-03-14T02:11:57Z id=IEF404I level=info text=IEF404I SHOP1 - ENDED",
        )],
    },
    Head {
        name: "IBM: such an id with a colon",
        place: HeadPlace::Line,
        form: "{text}{ibm}:",
        samples: &[(
            "2026-03-14 02:11:57.123 ANR0102E: asalloc.c(7): error 1 inserting row",
            "at=2026-03-14T02:11:57.123Z id=ANR0102E level=error text=ANR0102E: asalloc.c(7): error 1 inserting row",
        )],
    },
    Head {
        name: "IBM: such an id in a message",
        place: HeadPlace::Text,
        form: "{text}{ibm} ",
        samples: &[(
            "<14>Mar 14 02:11:57 zos-1 SYSLOGD: IEF404I SHOP1 - ENDED",
            "at=2026-03-14T02:11:57Z host=zos-1 app=SYSLOGD id=IEF404I level=info text=IEF404I SHOP1 - ENDED",
        )],
    },
    Head {
        name: "Oracle: the number of an error behind a stamp",
        place: HeadPlace::Line,
        form: "{text}{dashed}: ",
        samples: &[(
            "2026-03-14 02:11:57 ORA-01555: snapshot too old",
            "at=2026-03-14T02:11:57Z id=ORA-01555 text=ORA-01555: snapshot too old",
        )],
    },
    Head {
        name: "evtsys: a Windows event",
        place: HeadPlace::Text,
        form: "{text}{digits}: AUDIT_",
        samples: &[(
            "<29>Mar 14 02:11:57 win-1 Security-Auditing: 4625: AUDIT_FAILURE An account failed to log on.",
            "at=2026-03-14T02:11:57Z host=win-1 app=Security-Auditing id=04625 level=notice text=4625: AUDIT_FAILURE An account failed to log on.",
        )],
    },
    Head {
        name: "OSSEC: a Windows event",
        place: HeadPlace::Line,
        form: "WinEvtLog: {words}: {snare}({digits}): {app}: {words}: {words}: {host}:~{text}",
        samples: &[(
            "2026 Mar 14 02:11:57 WinEvtLog: Security: AUDIT_FAILURE(4625): Microsoft-Windows-Security-Auditing: (no user): no domain: win-1.example.com: An account failed to log on.",
            "at=2026-03-14T02:11:57Z host=win-1.example.com app=Microsoft-Windows-Security-Auditing id=04625 level=warning text=An account failed to log on.",
        )],
    },
    Head {
        name: "VMware ESXi 8, its own file",
        place: HeadPlace::Line,
        form: "{two}({number}) {app}[{process}]:~{text}",
        samples: &[(
            "2026-03-14T02:11:57.123Z In(166) Hostd[2100547]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 123 : x",
            "at=2026-03-14T02:11:57.123Z app=Hostd pid=2100547 level=info text=[Originator@6876 sub=Vimsvc.ha-eventmgr] Event 123 : x",
        )],
    },
    Head {
        name: "VMware ESXi 8, its own file, no process",
        place: HeadPlace::Line,
        form: "{two}({number}) {app}:~{text}",
        samples: &[(
            "2026-03-14T02:11:57.123Z Wa(180) vmkwarning: cpu3:2098)WARNING: NFS: 1: Lost connection",
            "at=2026-03-14T02:11:57.123Z app=vmkwarning level=warning text=cpu3:2098)WARNING: NFS: 1: Lost connection",
        )],
    },
    Head {
        name: "VMware ESXi 8, the file of a virtual machine",
        place: HeadPlace::Line,
        form: "{two}({number}) {app} - {text}",
        samples: &[(
            "2026-03-14T02:11:57.123Z Wa(03) vmx - scsi0:0: no disk",
            "at=2026-03-14T02:11:57.123Z app=vmx level=warning text=scsi0:0: no disk",
        )],
    },
    Head {
        name: "VMware, the file of a virtual machine",
        place: HeadPlace::Line,
        form: "{=thread}|~{letter}{number}:~{text}",
        samples: &[(
            "2026-03-14T02:11:57.123Z| vcpu-0| W115: scsi0:0: no disk",
            "at=2026-03-14T02:11:57.123Z level=warning thread=vcpu-0 text=scsi0:0: no disk",
        )],
    },
    Head {
        name: "VMware appliances: level and program before the process",
        place: HeadPlace::Line,
        form: "{level} {app}~[{process}]~{text}",
        samples: &[(
            "2026-03-14T02:11:57.313913+00:00 err rbd  [22968]lotuscreds:ERROR:Could not retrieve account information",
            "at=2026-03-14T02:11:57.313913Z app=rbd pid=22968 level=error text=lotuscreds:ERROR:Could not retrieve account information",
        )],
    },
    Head {
        name: "VMware ESXi and vCenter, their own files",
        place: HeadPlace::Line,
        form: "{level} {app}[{process}] {text}",
        samples: &[(
            "2026-03-14T02:11:57.123Z error hostd[2100547] [Originator@6876 sub=Vimsvc] ticket expired",
            "at=2026-03-14T02:11:57.123Z app=hostd pid=2100547 level=error text=[Originator@6876 sub=Vimsvc] ticket expired",
        )],
    },
    Head {
        name: "macOS, log show",
        place: HeadPlace::Line,
        form: "0x{-} {level} 0x{-} {process} {number} {text}",
        samples: &[(
            "2026-03-14 02:11:57.123456+0100 0x1a2b     Error       0x0                  345    0    kernel: (x) fail",
            "at=2026-03-14T01:11:57.123456Z pid=345 level=error text=kernel: (x) fail",
        )],
    },
    Head {
        name: "OpenSIPS' own file",
        place: HeadPlace::Syslog,
        form: "[{process}] {level}:{text}",
        samples: &[(
            "Mar 14 02:11:57 [1234] ERROR:core:parse_via: bad via",
            "at=2026-03-14T02:11:57Z pid=1234 level=error text=core:parse_via: bad via",
        )],
    },
    Head {
        name: "A program with its process, no host",
        place: HeadPlace::Line,
        form: "{app}[{pid}]:~{text}",
        samples: &[
            (
                "2026-03-14T02:11:57.123456+00:00 heroku[router]: at=info method=GET path=/",
                "at=2026-03-14T02:11:57.123456Z app=heroku pid=router text=at=info method=GET path=/",
            ),
            (
                "2026-03-14 02:11:57 shopd[712]: ERROR: no room",
                "at=2026-03-14T02:11:57Z app=shopd pid=712 level=error text=ERROR: no room",
            ),
        ],
    },
];
