#!/bin/bash
# Steps 6 and 7 of docs/tutorial.md, with the files that it prints: the controller, two web servers with agents and Debian's rsyslog, and
# `logger`. What is not as on a user's machines: the controller's name (there is no name server), and the sockets of rsyslog, which
# has a socket of its own beside /dev/log.
. "$(dirname "$0")/../lib.sh"; EXTRA="web1 web2"; . ../lab.sh
page=$REPO/docs/tutorial.md
block() { awk -v want="$1" -v n="$2" '$0 == "```" want { if (++seen == n) on = 1; else on = 0; next } /^```$/ { on = 0 } on' "$page"; }
rm -rf work; mkdir -p work/ctl/rules work/ctl/scripts work/web1/queue work/web2/queue
block yaml 1 > work/ctl/pointsman.yaml; block alarm 1 > work/ctl/rules/web.alarm
block rhai 1 > work/ctl/scripts/follow_primary.rhai; block yaml 2 > work/ctl/rules/web.test.yaml
stop_all() { kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null; net_down; }
trap stop_all EXIT
net_down; for n in sw ctl web1 web2 cli; do ip netns add $N-$n; ns $n ip link set lo up; done
ns sw ip link add br0 type bridge mcast_snooping 0; ns sw ip link set br0 up
for entry in ctl:5 web1:11 web2:12 cli:77; do n=${entry%:*}
  ip -n $N-sw link add p$n type veth peer name eth0 netns $N-$n; ns sw ip link set p$n master br0 up
  ns $n ip addr add 10.20.0.${entry#*:}/24 dev eth0; ns $n ip link set eth0 up; done
in_() { ( cd work/$1 && ip netns exec $N-$1 "${@:2}" ); }
( cd work/ctl; exec ip netns exec $N-ctl $P run > run.out 2>&1 ) & pids+=($!)
until_ 8 in_ ctl $P alarms > /dev/null 2>&1
for h in web1 web2; do
  block yaml 3 | sed "s/web1/$h/; s/controller.example.com/10.20.0.5/" > work/$h/agent.yaml
  token=$(in_ ctl $P enroll $h | head -1); in_ $h $P enroll --token "$token" > work/$h/enroll.out
  ( cd work/$h; exec ip netns exec $N-$h $P agent > agent.out 2>&1 ) & pids+=($!)
  { echo 'module(load="imuxsock" SysSock.Use="off")'; echo "input(type=\"imuxsock\" Socket=\"$here/work/$h/log\")"
    echo "global(workDirectory=\"$here/work/$h/queue\")"; grep -o '\*\.\* @@.*' "$page" | sed 's/controller.example.com/10.20.0.5/'; } > work/$h/rsyslog.conf
  ( exec ip netns exec $N-$h unshare -u sh -c "hostname $h; exec rsyslogd -n -i NONE -f $here/work/$h/rsyslog.conf" > work/$h/rsyslog.out 2>&1 ) & pids+=($!)
done
says() { ip netns exec $N-$1 logger -u work/$1/log -t keepalived "role changed to $2"; }
has() { ns $1 ip -o addr show dev eth0 | grep -q " 10.20.0.10/"; }
both() { [ "$(in_ ctl $P resources --format json | grep -c unknown)" = 0 ] && [ -S work/web1/log ] && [ -S work/web2/log ]; }
until_ 8 both; sleep 1
{ says web2 MASTER; until_ 8 has web2 && ! has web1 && echo "the address is on web2"
  sleep 1; in_ ctl $P resources | tr -s ' ' | cut -d' ' -f1-5
  says web2 BACKUP; sleep 1; says web1 MASTER; until_ 8 has web1 && ! has web2 && echo "the address is on web1"
  sleep 1; in_ ctl $P history | grep -oE 'became_primary \[.*|operators: .*' | grep -v 'at once'
  grep -o 'web: web[12] is primary' work/ctl/run.out
} > got.txt
compare
