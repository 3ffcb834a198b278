//! Heads of network devices: switches, routers, firewalls, load balancers.

use super::head::{Head, HeadPlace};

pub(super) const HEADS: &[Head] = &[
    Head {
        name: "Cisco IOS behind a relay's head",
        place: HeadPlace::Device,
        form: "{host} {number}:~{stamp}:~%{mnemonic}~:~{text}",
        samples: &[
            (
                "Mar  1 18:46:11 10.0.0.1 123: Mar  1 18:46:10.123 UTC: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down",
                "at=2026-03-01T18:46:10.123Z host=10.0.0.1 id=LINK-3-UPDOWN level=error text=Interface Gi0/1, changed state to down",
            ),
            (
                "<189>Mar  1 18:46:11 sw-7 88: *Mar  1 00:01:02.003: %SYS-5-RESTART: System restarted --",
                "at=2026-03-01T18:46:11Z host=sw-7 id=SYS-5-RESTART level=notice text=System restarted --",
            ),
        ],
    },
    Head {
        name: "Cisco IOS behind a relay's head, two sequence numbers",
        place: HeadPlace::Device,
        form: "{host} {number}:~{number}:~{stamp}:~%{mnemonic}~:~{text}",
        samples: &[(
            "Mar 14 02:11:57 192.0.2.7 77: 000081: Mar 14 02:11:56.003 UTC: %HSRP-5-STATECHANGE: Vlan7 Grp 1 state Standby -> Active",
            "at=2026-03-14T02:11:56.003Z host=192.0.2.7 id=HSRP-5-STATECHANGE level=notice text=Vlan7 Grp 1 state Standby -> Active",
        )],
    },
    Head {
        name: "Cisco IOS behind a relay's head, no sequence number",
        place: HeadPlace::Device,
        form: "{host}~:~{stamp}:~%{mnemonic}~:~{text}",
        samples: &[(
            "Mar  1 18:46:11 rtr-2 : Mar  1 19:46:10.123 CET: %OSPF-5-ADJCHG: Process 1, Nbr 10.0.0.2 on Gi0/1 from FULL to DOWN",
            "at=2026-03-01T18:46:10.123Z host=rtr-2 id=OSPF-5-ADJCHG level=notice text=Process 1, Nbr 10.0.0.2 on Gi0/1 from FULL to DOWN",
        )],
    },
    Head {
        name: "Cisco behind a relay's head: its own stamp directly behind the host",
        place: HeadPlace::Device,
        form: "{host} {stamp}~:~%{mnemonic}~:~{text}",
        samples: &[(
            "Oct 20 15:42:53 10.10.10.1 Oct 20 2026 15:42:53: %ASA-6-106100: access-list outside denied tcp",
            "at=2026-10-20T15:42:53Z host=10.10.10.1 id=ASA-6-106100 level=info text=access-list outside denied tcp",
        )],
    },
    Head {
        name: "Cisco behind a relay's head: its own stamp and host",
        place: HeadPlace::Device,
        form: "{=relay_host} {stamp} {host}~:~%{mnemonic}~:~{text}",
        samples: &[(
            "Mar 14 02:11:57 10.1.1.1 Mar 14 2026 02:11:57 asa-1 : %ASA-5-111008: User 'ann' executed the 'write memory' command",
            "at=2026-03-14T02:11:57Z host=asa-1 id=ASA-5-111008 level=notice relay_host=10.1.1.1 text=User 'ann' executed the 'write memory' command",
        )],
    },
    Head {
        name: "Cisco IOS behind a relay's head: number and host before its own stamp",
        place: HeadPlace::Device,
        form: "{=relay_host} {number}:~{host}~:~{stamp}~:~%{mnemonic}~:~{text}",
        samples: &[(
            "Mar 14 02:11:57 10.1.1.1 1234: sw1: Mar 14 02:11:57.123: %SYS-5-CONFIG_I: Configured from console",
            "at=2026-03-14T02:11:57.123Z host=sw1 id=SYS-5-CONFIG_I level=notice relay_host=10.1.1.1 text=Configured from console",
        )],
    },
    Head {
        name: "Cisco IOS behind a relay's head: host between two sequence numbers",
        place: HeadPlace::Device,
        form: "{=relay_host} {number}:~{host}~:~{number}:~{stamp}~:~%{mnemonic}~:~{text}",
        samples: &[(
            "Mar 14 02:11:57 10.1.1.1 213: sw1: 214: Mar 14 02:11:57.123: %SYS-5-CONFIG_I: Configured from console",
            "at=2026-03-14T02:11:57.123Z host=sw1 id=SYS-5-CONFIG_I level=notice relay_host=10.1.1.1 text=Configured from console",
        )],
    },
    Head {
        name: "Cisco IOS behind a relay's head, no stamp of its own",
        place: HeadPlace::Device,
        form: "{host} {number}:~%{mnemonic}~:~{text}",
        samples: &[(
            "Mar  1 18:46:11 sw-3 4711: %LINEPROTO-5-UPDOWN: Line protocol on Interface Gi1/0/3, changed state to up",
            "at=2026-03-01T18:46:11Z host=sw-3 id=LINEPROTO-5-UPDOWN level=notice text=Line protocol on Interface Gi1/0/3, changed state to up",
        )],
    },
    Head {
        name: "Cisco ASA, FTD and others, colon apart",
        place: HeadPlace::Device,
        form: "{host}~:~%{mnemonic}~:~{text}",
        samples: &[
            (
                "<164>Sep 14 2016 09:33:47 fw-a : %ASA-4-106023: Deny icmp src outside:198.51.100.98",
                "at=2016-09-14T09:33:47Z host=fw-a id=ASA-4-106023 level=warning text=Deny icmp src outside:198.51.100.98",
            ),
            (
                "Apr 03 2026 11:01:18 n1 : %ASA-6-302013: Built outbound TCP",
                "at=2026-04-03T11:01:18Z host=n1 id=ASA-6-302013 level=info text=Built outbound TCP",
            ),
            (
                "<191>Aug  1 14:01:20 asa1: %ASA-6-302013: Built outbound TCP",
                "at=2026-08-01T14:01:20Z host=asa1 id=ASA-6-302013 level=info text=Built outbound TCP",
            ),
            (
                "<113>Mar 14 2026 02:11:57 ftd-1 : %FTD-1-430003: DeviceUUID: 0af2, AccessControlRuleAction: Block",
                "at=2026-03-14T02:11:57Z host=ftd-1 id=FTD-1-430003 level=alert text=DeviceUUID: 0af2, AccessControlRuleAction: Block",
            ),
        ],
    },
    Head {
        name: "Cisco, Arista, Huawei, H3C: id behind the host",
        place: HeadPlace::Device,
        form: "{host} %{mnemonic}~:~{text}",
        samples: &[
            (
                "2026 Mar 14 02:11:57.123 nx-1 %ETHPORT-5-IF_DOWN_LINK_FAILURE: Interface Ethernet1/1 is down (Link failure)",
                "at=2026-03-14T02:11:57.123Z host=nx-1 id=ETHPORT-5-IF_DOWN_LINK_FAILURE level=notice text=Interface Ethernet1/1 is down (Link failure)",
            ),
            (
                "<188>Mar 14 2026 02:11:57+08:00 hw-1 %%01IFNET/4/LINK_STATE(l)[12]:The line protocol IP on the interface GE0/0/1 has entered the DOWN state.",
                "at=2026-03-13T18:11:57Z host=hw-1 id=IFNET/4/LINK_STATE level=warning text=The line protocol IP on the interface GE0/0/1 has entered the DOWN state.",
            ),
            (
                "<187>Mar 14 02:11:57 2026 h3c-1 %%10IFNET/3/PHY_UPDOWN: Physical state on the interface changed to down.",
                "at=2026-03-14T02:11:57Z host=h3c-1 id=IFNET/3/PHY_UPDOWN level=error text=Physical state on the interface changed to down.",
            ),
        ],
    },
    Head {
        name: "Cisco NX-OS with a virtual device context",
        place: HeadPlace::Device,
        form: "{host} %$ {-} %$ %{mnemonic}~:~{text}",
        samples: &[(
            "2026 Mar 14 02:11:57 nx-1 %$ VDC-2 %$ %ETHPORT-3-IF_ERROR_VLANS_SUSPENDED: VLANs 7 on Interface port-channel1 are being suspended",
            "at=2026-03-14T02:11:57Z host=nx-1 id=ETHPORT-3-IF_ERROR_VLANS_SUSPENDED level=error text=VLANs 7 on Interface port-channel1 are being suspended",
        )],
    },
    Head {
        name: "Cisco IOS-XR behind a relay's head",
        place: HeadPlace::Device,
        form: "{host} {number}:~{-}:{stamp}~:~{app}[{pid}]~:~%{mnemonic}~:~{text}",
        samples: &[(
            "<187>Mar 14 02:11:58 xr-1 4321: RP/0/RSP0/CPU0:Mar 14 02:11:57.123 UTC: ifmgr[253]: %PKT_INFRA-LINK-3-UPDOWN : Interface TenGigE0/0/0/1, changed state to Down",
            "at=2026-03-14T02:11:57.123Z host=xr-1 app=ifmgr pid=253 id=PKT_INFRA-LINK-3-UPDOWN level=error text=Interface TenGigE0/0/0/1, changed state to Down",
        )],
    },
    Head {
        name: "Cisco wireless controllers",
        place: HeadPlace::Device,
        form: "{host} *{app}:~{stamp}:~%{mnemonic}~:~{text}",
        samples: &[(
            "<187>Mar 14 02:11:58 wlc-1 *spamApTask0: Mar 14 02:11:57.123: %CAPWAP-3-DTLS_CLOSED_ERR: capwap_ac_sm.c:7521 Connection to AP closed",
            "at=2026-03-14T02:11:57.123Z host=wlc-1 app=spamApTask0 id=CAPWAP-3-DTLS_CLOSED_ERR level=error text=capwap_ac_sm.c:7521 Connection to AP closed",
        )],
    },
    Head {
        name: "Cisco wireless controllers, a colon behind the host",
        place: HeadPlace::Device,
        form: "{host}~:~*{app}:~{stamp}:~%{mnemonic}~:~{text}",
        samples: &[(
            "<187>Mar 14 02:11:58 wlc-1: *spamApTask7: Mar 14 02:11:57.123: %CAPWAP-3-DTLS_CLOSED_ERR: capwap_ac_sm.c:7095 x",
            "at=2026-03-14T02:11:57.123Z host=wlc-1 app=spamApTask7 id=CAPWAP-3-DTLS_CLOSED_ERR level=error text=capwap_ac_sm.c:7095 x",
        )],
    },
    Head {
        name: "Cisco wireless controllers before version 8: the id behind a number sign",
        place: HeadPlace::Device,
        form: "{host}~:~*{app}:~{stamp}:~#{mnemonic}~:~{text}",
        samples: &[(
            "<187>Mar 14 02:11:58 wlc-1: *spamApTask7: Mar 14 02:11:57.123: #CAPWAP-3-DTLS_CLOSED_ERR: capwap_ac_sm.c:7095 x",
            "at=2026-03-14T02:11:57.123Z host=wlc-1 app=spamApTask7 id=CAPWAP-3-DTLS_CLOSED_ERR level=error text=capwap_ac_sm.c:7095 x",
        )],
    },
    Head {
        name: "Cisco wireless controllers before version 8, no colon",
        place: HeadPlace::Device,
        form: "{host} *{app}:~{stamp}:~#{mnemonic}~:~{text}",
        samples: &[(
            "<187>Mar 14 02:11:58 wlc-1 *apfReceiveTask: Mar 14 02:11:57.123: #APF-3-VALIDATE_DOT11i_CIPHERS_FAILED: apf_rsn_utils.c:2162 x",
            "at=2026-03-14T02:11:57.123Z host=wlc-1 app=apfReceiveTask id=APF-3-VALIDATE_DOT11i_CIPHERS_FAILED level=error text=apf_rsn_utils.c:2162 x",
        )],
    },
    Head {
        name: "Dell Force10: unit before the id",
        place: HeadPlace::Device,
        form: "{host} %{-}:{-} %{mnemonic}~:~{text}",
        samples: &[(
            "<45>Mar 14 02:11:57 dell1 %STKUNIT0-M:CP %IFMGR-5-ASTATE_UP: Changed interface Admin state to up: Vl 7",
            "at=2026-03-14T02:11:57Z host=dell1 id=IFMGR-5-ASTATE_UP level=notice text=Changed interface Admin state to up: Vl 7",
        )],
    },
    Head {
        name: "Dell OS10",
        place: HeadPlace::Text,
        form: "{-}:PRI [{-}], Dell EMC (OS10) %{id}:~{text}",
        samples: &[(
            "<14>1 2026-03-14T02:11:57.123Z os10 dn_ifm 1234 - - Node.1-Unit.1:PRI [event], Dell EMC (OS10) %IFM_ASTATE_UP: Interface admin state up",
            "at=2026-03-14T02:11:57.123Z host=os10 app=dn_ifm pid=1234 id=IFM_ASTATE_UP level=info text=Interface admin state up",
        )],
    },
    Head {
        name: "Cisco ACI: no colon behind the id",
        place: HeadPlace::Device,
        form: "{host} %{mnemonic} {text}",
        samples: &[(
            "<190>Mar 14 02:11:57 leaf-1 %LOG_LOCAL7-6-SYSTEM_MSG [E4208219][transition][info][sys] link is up",
            "at=2026-03-14T02:11:57Z host=leaf-1 id=LOG_LOCAL7-6-SYSTEM_MSG level=info text=[E4208219][transition][info][sys] link is up",
        )],
    },
    Head {
        name: "Cisco ISE",
        place: HeadPlace::Syslog,
        form: "{host} {app} {number} {number} {number} {stamp} {number} {digits} {level} {text}",
        samples: &[(
            "<181>Mar 14 02:11:57 ise-1 CISE_RADIUS_Accounting 0000000170 1 0 2026-03-14 02:11:57.123 +01:00 0000000182 3000 NOTICE Radius-Accounting: RADIUS Accounting start request",
            "at=2026-03-14T01:11:57.123Z host=ise-1 app=CISE_RADIUS_Accounting id=03000 level=notice text=Radius-Accounting: RADIUS Accounting start request",
        )],
    },
    Head {
        name: "Cisco ACS: a tag before the numbers",
        place: HeadPlace::Text,
        form: "{number} {number} {number} {stamp} {number} {digits} {level} {text}",
        samples: &[(
            "<165>Mar 14 02:11:57 acs-1 CSCOacs_Passed_Authentications: 0765855540 1 0 2026-03-14 02:11:57.123 +01:00 0178632943 5200 NOTICE Passed-Authentication: Authentication succeeded",
            "at=2026-03-14T01:11:57.123Z host=acs-1 app=CSCOacs_Passed_Authentications id=05200 level=notice text=Passed-Authentication: Authentication succeeded",
        )],
    },
    Head {
        name: "Dell iDRAC",
        place: HeadPlace::Syslog,
        form: "{host} {text}Severity: {level}, Category: {-}, MessageID: {event},",
        samples: &[(
            "<14>Mar 14 02:11:57 idrac-1 Severity: Critical, Category: System, MessageID: PSU0003, Message: The power input for power supply 1 is lost.",
            "at=2026-03-14T02:11:57Z host=idrac-1 id=PSU0003 level=critical text=Severity: Critical, Category: System, MessageID: PSU0003, Message: The power input for power supply 1 is lost.",
        )],
    },
    Head {
        name: "WatchGuard",
        place: HeadPlace::Syslog,
        form: "{host} {-} ({-}) {app}:~{text}msg_id=\"{event}\"",
        samples: &[(
            "<142>Mar 14 02:11:57 wg-1 80B60A9E0F001 (2026-03-14T01:11:57) firewall: msg_id=\"3000-0148\" Allow External 1-Trusted",
            "at=2026-03-14T02:11:57Z host=wg-1 app=firewall id=3000-0148 level=info text=msg_id=\"3000-0148\" Allow External 1-Trusted",
        )],
    },
    Head {
        name: "WatchGuard, no id",
        place: HeadPlace::Syslog,
        form: "{host} {-} ({-}) {app}[{pid}]:~{text}",
        samples: &[(
            "<142>Mar 14 02:11:57 wg-1 80B60A9E0F001 (2026-03-14T01:11:57) loggerd[812]: archived the log",
            "at=2026-03-14T02:11:57Z host=wg-1 app=loggerd pid=812 level=info text=archived the log",
        )],
    },
    Head {
        name: "NetApp ONTAP",
        place: HeadPlace::Syslog,
        form: "{host} {text}[{-}:{event}:{level}]: ",
        samples: &[(
            "<133>Mar 14 02:11:57 nas1 [nas1:monitor.globalStatus.critical:CRITICAL]: Disk shelf fault",
            "at=2026-03-14T02:11:57Z host=nas1 id=monitor.globalStatus.critical level=critical text=[nas1:monitor.globalStatus.critical:CRITICAL]: Disk shelf fault",
        )],
    },
    Head {
        name: "NetApp ONTAP: its node in the brackets",
        place: HeadPlace::Syslog,
        form: "{text}[{host}:{event}:{level}]:",
        samples: &[(
            "<131>Mar 14 02:11:57 [node-01:secd.conn.auth.failure:ERROR]: vserver (shop) could not make a connection to server 192.0.2.9",
            "at=2026-03-14T02:11:57Z host=node-01 id=secd.conn.auth.failure level=error text=[node-01:secd.conn.auth.failure:ERROR]: vserver (shop) could not make a connection to server 192.0.2.9",
        )],
    },
    Head {
        name: "F5 BIG-IP: level before the program",
        place: HeadPlace::Syslog,
        form: "{host} {level} {app}[{pid}]:~{text}{hex}:{severity}:",
        samples: &[
            (
                "<133>Oct 16 19:34:16 lb-a notice mcpd[5203]: 01070727:5: Pool member up",
                "at=2026-10-16T19:34:16Z host=lb-a app=mcpd pid=5203 id=01070727 level=notice text=01070727:5: Pool member up",
            ),
            (
                "<132>Oct 16 19:34:15 slot1/lb-a warning tmm3[11048]: 011e0001:4: Limiting icmp unreach response",
                "at=2026-10-16T19:34:15Z host=slot1/lb-a app=tmm3 pid=11048 id=011e0001 level=warning text=011e0001:4: Limiting icmp unreach response",
            ),
        ],
    },
    Head {
        name: "Level before the program",
        place: HeadPlace::Syslog,
        form: "{host} {level} {app}[{pid}]:~{text}",
        samples: &[(
            "<134>Oct 16 19:34:16 lb-a info tmm1[9]: Rule /Common/redirect <HTTP_REQUEST>: hello",
            "at=2026-10-16T19:34:16Z host=lb-a app=tmm1 pid=9 level=info text=Rule /Common/redirect <HTTP_REQUEST>: hello",
        )],
    },
    Head {
        name: "Level before the program, no process",
        place: HeadPlace::Syslog,
        form: "{host} {level} {app}:~{text}",
        samples: &[(
            "<131>Oct 16 19:34:16 lb-a err httpd: [error] no room",
            "at=2026-10-16T19:34:16Z host=lb-a app=httpd level=error text=[error] no room",
        )],
    },
    Head {
        name: "Juniper: a card before the program",
        place: HeadPlace::Syslog,
        form: "{host} ({=card}) {-} {app}:~{text}",
        samples: &[(
            "<29>Mar 14 02:11:57 srx-1 (FPC Slot 0, PIC Slot 0) ms10 kernel: ms-pic is up",
            "at=2026-03-14T02:11:57Z host=srx-1 app=kernel level=notice card=FPC Slot 0, PIC Slot 0 text=ms-pic is up",
        )],
    },
    Head {
        name: "Juniper: a card before the program with its process",
        place: HeadPlace::Syslog,
        form: "{host} ({=card}) {-} {app}[{pid}]:~{text}",
        samples: &[(
            "<29>Mar 14 02:11:57 srx-1 (FPC Slot 1, PIC Slot 0) ms10 mspmand[190]: msvcs_session_send: no peer",
            "at=2026-03-14T02:11:57Z host=srx-1 app=mspmand pid=190 level=notice card=FPC Slot 1, PIC Slot 0 text=msvcs_session_send: no peer",
        )],
    },
    Head {
        name: "HP ProCurve and ArubaOS-Switch: event number before the program",
        place: HeadPlace::Syslog,
        form: "{host} 0{digits} {app}:~{text}",
        samples: &[
            (
                "<14>Feb 19 16:54:21 192.0.2.20 00077 ports:  port 17 is now off-line",
                "at=2026-02-19T16:54:21Z host=192.0.2.20 app=ports id=00077 level=info text=port 17 is now off-line",
            ),
            (
                "<190>Oct 16 19:34:16 sw-b 00179 mgr: SME CONSOLE Session - MANAGER Mode",
                "at=2026-10-16T19:34:16Z host=sw-b app=mgr id=00179 level=info text=SME CONSOLE Session - MANAGER Mode",
            ),
        ],
    },
    Head {
        name: "MikroTik RouterOS",
        place: HeadPlace::Syslog,
        form: "{host} {text}{topics} ",
        samples: &[
            (
                "2026-03-14T12:34:09+01:00 10.0.0.1 system,error,critical login failure for user admin",
                "at=2026-03-14T11:34:09Z host=10.0.0.1 level=critical text=system,error,critical login failure for user admin",
            ),
            (
                "<30>Mar 14 02:11:57 gw1 interface,info ether1 link down",
                "at=2026-03-14T02:11:57Z host=gw1 level=info text=interface,info ether1 link down",
            ),
        ],
    },
    Head {
        name: "MikroTik RouterOS, its own file",
        place: HeadPlace::Line,
        form: "{text}{topics} ",
        samples: &[(
            "mar/14/2026 02:11:57 system,error,critical router was rebooted without proper shutdown",
            "at=2026-03-14T02:11:57Z level=critical text=system,error,critical router was rebooted without proper shutdown",
        )],
    },
    Head {
        name: "Citrix NetScaler",
        place: HeadPlace::Syslog,
        form: "{host} {-} : {=partition} {=feature} {text}{event} {number} {number} :",
        samples: &[(
            "<133> 03/14/2026:02:11:57 GMT ns-1 0-PPE-0 : default EVENT DEVICEDOWN 123 0 :  Device \"server_10.0.0.9\" - State DOWN",
            "at=2026-03-14T02:11:57Z host=ns-1 id=DEVICEDOWN level=notice partition=default feature=EVENT text=DEVICEDOWN 123 0 :  Device \"server_10.0.0.9\" - State DOWN",
        )],
    },
    Head {
        name: "Citrix NetScaler without a partition",
        place: HeadPlace::Syslog,
        form: "{host} {-} : {=feature} {text}{event} {number}",
        samples: &[
            (
                "<133> 03/14/2026:02:11:57 GMT ns-1 0-PPE-0 : SSLVPN LOGIN 1234567 0 : Context ann@192.0.2.1",
                "at=2026-03-14T02:11:57Z host=ns-1 id=LOGIN level=notice feature=SSLVPN text=LOGIN 1234567 0 : Context ann@192.0.2.1",
            ),
            (
                "<133> 03/14/2026:02:11:57 GMT ns-1 0-PPE-0 : UI CMD_EXECUTED 10000 0 :  User nsroot - Command \"show ns info\"",
                "at=2026-03-14T02:11:57Z host=ns-1 id=CMD_EXECUTED level=notice feature=UI text=CMD_EXECUTED 10000 0 :  User nsroot - Command \"show ns info\"",
            ),
        ],
    },
    Head {
        name: "Citrix NetScaler behind a relay's head",
        place: HeadPlace::Syslog,
        form: "{=relay_host} {stamp} {host} {-} : {-} {=feature} {text}{event} {number} {number} :",
        samples: &[(
            "<133>Mar 14 02:11:58 192.0.2.7 03/14/2026:02:11:57 GMT ns-1 0-PPE-0 : default EVENT DEVICEDOWN 123 0 :  Device \"server_10.0.0.9\" - State DOWN",
            "at=2026-03-14T02:11:57Z host=ns-1 id=DEVICEDOWN level=notice relay_host=192.0.2.7 feature=EVENT text=DEVICEDOWN 123 0 :  Device \"server_10.0.0.9\" - State DOWN",
        )],
    },
    Head {
        name: "Host and a colon apart",
        place: HeadPlace::Syslog,
        form: "{host} :~{text}",
        samples: &[(
            "<134>Mar 14 02:11:57 gw-9 : tunnel to 192.0.2.9 is down",
            "at=2026-03-14T02:11:57Z host=gw-9 level=info text=tunnel to 192.0.2.9 is down",
        )],
    },
    Head {
        name: "Cisco and its kin: id before the text",
        place: HeadPlace::Text,
        form: "%{mnemonic}~:~{text}",
        samples: &[
            (
                "<187>Oct  9 14:02:15 sw-core1 Acl: %ACL-6-IPACCESS: list in permitted",
                "at=2026-10-09T14:02:15Z host=sw-core1 app=Acl id=ACL-6-IPACCESS level=info text=list in permitted",
            ),
            (
                "<187>1 2026-03-14T02:11:57Z xr-2 ifmgr 253 - - %PKT_INFRA-LINK-3-UPDOWN : Interface Te0/0/0/1, changed state to Down",
                "at=2026-03-14T02:11:57Z host=xr-2 app=ifmgr pid=253 id=PKT_INFRA-LINK-3-UPDOWN level=error text=Interface Te0/0/0/1, changed state to Down",
            ),
            ("<166>%ASA-6-302013: Built inbound TCP connection", "id=ASA-6-302013 level=info text=Built inbound TCP connection"),
            ("%ASA-6-302013: Built inbound TCP connection", "id=ASA-6-302013 level=info text=Built inbound TCP connection"),
            (
                "2021-11-25T16:52:19.802098+01:00 sw-a.example.com PortSec: %ETH-4-HOST_FLAPPING: Host 02:00:00:00:00:01 in VLAN 7 is flapping",
                "at=2021-11-25T15:52:19.802098Z host=sw-a.example.com app=PortSec id=ETH-4-HOST_FLAPPING level=warning text=Host 02:00:00:00:00:01 in VLAN 7 is flapping",
            ),
        ],
    },
    Head {
        name: "Cisco NX-OS with a virtual device context, behind the tag",
        place: HeadPlace::Text,
        form: "%$ {-} %$ %{mnemonic}~:~{text}",
        samples: &[(
            "<189>: 2026 Mar 14 02:11:57 UTC: %$ VDC-1 %$ %VPC-2-PEER_KEEP_ALIVE_RECV_FAIL: In domain 1, VPC peer keep-alive receive has failed",
            "at=2026-03-14T02:11:57Z id=VPC-2-PEER_KEEP_ALIVE_RECV_FAIL level=critical text=In domain 1, VPC peer keep-alive receive has failed",
        )],
    },
    Head {
        name: "Arista: a sequence number before the id",
        place: HeadPlace::Text,
        form: "{number}:~%{mnemonic}~:~{text}",
        samples: &[(
            "<189>Mar 14 02:11:57 eos-1 Bgp: 1234: %BGP-5-ADJCHANGE: peer 192.0.2.1 old state Established new state Idle",
            "at=2026-03-14T02:11:57Z host=eos-1 app=Bgp id=BGP-5-ADJCHANGE level=notice text=peer 192.0.2.1 old state Established new state Idle",
        )],
    },
    Head {
        name: "Aruba access points",
        place: HeadPlace::Text,
        form: "{text}<{event}> <{level}> ",
        samples: &[(
            "<140>Mar 14 02:11:57 2026 192.0.2.9 cli[2345]: <341004> <WARN> AP:ap-1 <192.0.2.9 00:00:5e:00:53:01>  client is gone",
            "at=2026-03-14T02:11:57Z host=192.0.2.9 app=cli pid=2345 id=341004 level=warning text=<341004> <WARN> AP:ap-1 <192.0.2.9 00:00:5e:00:53:01>  client is gone",
        )],
    },
    Head {
        name: "Brocade Fabric OS over syslog",
        place: HeadPlace::Text,
        form: "{text}20{-}, [{id}], {-}, {-}, {level}, ",
        samples: &[(
            "<188>Mar 14 02:11:57 fc-1 raslogd: 2026/03/14-02:11:57, [FW-1402], 4488, FID 128, WARNING, fc-1, Flapping on port 7.",
            "at=2026-03-14T02:11:57Z host=fc-1 app=raslogd id=FW-1402 level=warning text=2026/03/14-02:11:57, [FW-1402], 4488, FID 128, WARNING, fc-1, Flapping on port 7.",
        )],
    },
    Head {
        name: "F5 BIG-IP: id and severity before the text",
        place: HeadPlace::Text,
        form: "{text}{hex}:{severity}: ",
        samples: &[(
            "<133>1 2026-03-14T02:11:57Z lb-a.example.com mcpd 5203 - - 01070638:5: Pool /Common/sip member /Common/192.0.2.11:5060 monitor status down.",
            "at=2026-03-14T02:11:57Z host=lb-a.example.com app=mcpd pid=5203 id=01070638 level=notice text=01070638:5: Pool /Common/sip member /Common/192.0.2.11:5060 monitor status down.",
        )],
    },
    Head {
        name: "Juniper: id before the text",
        place: HeadPlace::Text,
        form: "{text}{id}: ",
        samples: &[
            (
                "<28>Mar 14 02:11:57 mx-1 mib2d[1234]: SNMP_TRAP_LINK_DOWN: ifIndex 531, ifAdminStatus up(1)",
                "at=2026-03-14T02:11:57Z host=mx-1 app=mib2d pid=1234 id=SNMP_TRAP_LINK_DOWN level=warning text=SNMP_TRAP_LINK_DOWN: ifIndex 531, ifAdminStatus up(1)",
            ),
            (
                "<28>Mar 14 02:11:57 mx-1 rpd[77]: RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer 192.0.2.1 changed state from Established to Idle",
                "at=2026-03-14T02:11:57Z host=mx-1 app=rpd pid=77 id=RPD_BGP_NEIGHBOR_STATE_CHANGED level=warning text=RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer 192.0.2.1 changed state from Established to Idle",
            ),
        ],
    },
    Head {
        name: "HPE Aruba CX",
        place: HeadPlace::Text,
        form: "{text}~Event|{event}|LOG_{level}|",
        samples: &[(
            "<190>1 2026-03-14T02:11:57.123Z cx-1 intfd 3125 - - Event|403|LOG_ERR|AMM|1/1|Link status for interface 1/1/7 is down",
            "at=2026-03-14T02:11:57.123Z host=cx-1 app=intfd pid=3125 id=00403 level=error text=Event|403|LOG_ERR|AMM|1/1|Link status for interface 1/1/7 is down",
        )],
    },
    Head {
        name: "Aruba wireless controllers",
        place: HeadPlace::Text,
        form: "{text}<{event}> <{number}> <{level}> ",
        samples: &[(
            "<141>Mar 14 02:11:57 2026 wc-1 authmgr[3592]: <522008> <3592> <NOTI> <wc-1 10.1.1.1>  User Authentication Successful",
            "at=2026-03-14T02:11:57Z host=wc-1 app=authmgr pid=3592 id=522008 level=notice text=<522008> <3592> <NOTI> <wc-1 10.1.1.1>  User Authentication Successful",
        )],
    },
    Head {
        name: "Extreme EXOS",
        place: HeadPlace::Text,
        form: "{text}<{level}:{event}> ",
        samples: &[(
            "<134>Mar 14 02:11:57 ex-1 vlan: <Warn:vlan.msgs.portLinkStateDown> Port 1:7 link down",
            "at=2026-03-14T02:11:57Z host=ex-1 app=vlan id=vlan.msgs.portLinkStateDown level=warning text=<Warn:vlan.msgs.portLinkStateDown> Port 1:7 link down",
        )],
    },
    Head {
        name: "Cisco: id behind the stamp",
        place: HeadPlace::Line,
        form: "%{mnemonic}~:~{text}",
        samples: &[(
            "2026-03-14T02:11:57Z: %ASA-4-106023: Deny tcp src outside:192.0.2.1",
            "at=2026-03-14T02:11:57Z id=ASA-4-106023 level=warning text=Deny tcp src outside:192.0.2.1",
        )],
    },
    Head {
        name: "Brocade Fabric OS",
        place: HeadPlace::Line,
        form: "{text}[{id}], {-}, {-}, {level}, {host}, ",
        samples: &[(
            "2026/03/14-02:11:57, [FSSM-1003], 105, FID 128, WARNING, fc-1, HA State out of sync.",
            "at=2026-03-14T02:11:57Z host=fc-1 id=FSSM-1003 level=warning text=[FSSM-1003], 105, FID 128, WARNING, fc-1, HA State out of sync.",
        )],
    },
];
