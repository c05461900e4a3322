#!/bin/sh
# A Slurm of one node in a folder of its own, for specs: one_node_slurm.sh start DIR PORT PORT | stop DIR.
# `start` fails when Slurm is not there, does not come up or does not end a job that does nothing; afterwards
# SLURM_CONF=DIR/slurm.conf is what clients need.
set -eu
verb=$1 dir=$2
conf=$dir/slurm.conf
PATH=$PATH:/usr/sbin:/sbin

stop() {
  for file in "$dir"/slurmd.pid "$dir"/slurmctld.pid; do
    [ -f "$file" ] || continue
    pid=$(cat "$file")
    kill "$pid" 2>/dev/null || true
    i=0
    while kill -0 "$pid" 2>/dev/null && [ $i -lt 50 ]; do
      i=$((i + 1))
      sleep 0.1
    done
  done
}

if [ "$verb" = stop ]; then
  stop
  exit 0
fi

command -v slurmctld >/dev/null && command -v slurmd >/dev/null && command -v sbatch >/dev/null \
  || { echo "Slurm is not installed"; exit 1; }
mkdir -p "$dir/state" "$dir/spool"
host=$(hostname -s)
# no authentication and no cgroups: it serves one user of one machine for a minute
cat >"$conf" <<CONF
ClusterName=spec
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$3
SlurmdPort=$4
AuthType=auth/none
CredType=cred/none
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
AuthInfo=cred_expire=5
KillWait=5
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$conf"
slurmctld -c >/dev/null 2>&1 && slurmd >/dev/null 2>&1 || { echo "Slurm does not start"; stop; exit 1; }

# up when the node is idle
i=0
until sinfo -h -o %t 2>/dev/null | grep -q idle; do
  i=$((i + 1))
  if [ $i -gt 300 ]; then
    echo "Slurm's node does not come up"
    stop
    exit 1
  fi
  sleep 0.1
done
cd "$dir"
timeout 120 sbatch --wait --output=/dev/null --wrap=true >/dev/null 2>&1 || { echo "Slurm does not run a job here"; stop; exit 1; }
