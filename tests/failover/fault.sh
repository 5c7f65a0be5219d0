# A fault at one pod, from a privileged pod on its node: fault.sh KIND SECONDS POD_UID [ADDRESS ...]
# It says `began` and the time (seconds since 1970) when the fault is in, and undoes it by itself: what it stopped goes on
# when this script ends, blocked addresses expire in the kernel.
set -euo pipefail
kind=$1 seconds=$2 pod=${3//-/[-_]}
shift 3

# The numbers of the pod's processes whose name or command line matches.
processes() {
  local group number
  for group in $(grep --files-with-matches --extended-regexp "pod$pod" /proc/[0-9]*/cgroup 2>/dev/null); do
    number=${group//[!0-9]/}
    if tr '\0' ' ' 2>/dev/null <"/proc/$number/cmdline" | grep --quiet --extended-regexp "$1"; then echo "$number"; fi
  done
}

# The server's first process, whose parent is none of the server's.
postmaster() {
  local number parent
  for number in $(processes '(^|/)postgres[ :]'); do
    parent=$(sed --quiet 's/^PPid:\t//p' "/proc/$number/status")
    if [[ "$(cat "/proc/$parent/comm")" != postgres ]]; then echo "$number"; fi
  done
}

began() { date '+began %s.%N'; }

case $kind in
  kill-postgres)
    kill -KILL "$(postmaster)"
    began
    ;;
  kill-patroni)
    mapfile -t patroni < <(processes '/bin/patroni ')
    kill -KILL "${patroni[0]}"
    began
    ;;
  stop-postgres)
    mapfile -t stopped < <(processes '(^|/)postgres[ :]')
    trap 'kill -CONT "${stopped[@]}" 2>/dev/null || true' EXIT
    trap 'exit 0' TERM
    kill -STOP "${stopped[@]}"
    began
    sleep "$seconds" & wait
    ;;
  cut)
    mapfile -t members < <(processes .)
    # nft is the node's own.
    nsenter --target=1 --mount "--net=/proc/${members[0]}/ns/net" nft --file - <<RULES
table ip scale_fault {
  set cut { type ipv4_addr; flags timeout; }
  chain in { type filter hook input priority -300; }
  chain out { type filter hook output priority -300; }
}
flush chain ip scale_fault in
flush chain ip scale_fault out
add rule ip scale_fault in ip saddr @cut drop
add rule ip scale_fault out ip daddr @cut drop
$(printf "add element ip scale_fault cut { %s timeout ${seconds}s }\n" "$@")
RULES
    began
    sleep "$seconds" & wait
    ;;
  burn)
    began
    for _ in $(seq $((2 * $(nproc)))); do timeout "$seconds" sh -c 'while :; do :; done' & done
    wait
    ;;
esac
