#!/bin/bash
# The pod network of a node, kept as the cluster's nodes come and go: a CNI configuration with this node's pod addresses,
# a route to the pods of every other node, and masquerading of what leaves the pods' addresses.
set -uo pipefail

kubeconfig=/etc/kubernetes/kubelet.conf
certificate=/var/lib/kubelet/pki/kubelet-client-current.pem
authority=/etc/kubernetes/pki/ca.crt
configuration=/etc/cni/net.d/10-pods.conflist
every_pod=10.244.0.0/16 # kind's pod subnet

# Name, pod addresses and own address of every node that has all three, a line each.
# By curl as the kubelet: a kubectl would take ten times the processor time, on every node, for as long as it runs.
nodes() {
  local server
  server=$(sed -n 's/^ *server: //p' "$kubeconfig") || return
  curl --silent --fail --max-time 5 --cert "$certificate" --cacert "$authority" "$server/api/v1/nodes" \
    | jq --raw-output '.items[] | [.metadata.name, .spec.podCIDR,
        (.status.addresses[]? | select(.type == "InternalIP") | .address)] | select(length == 3) | join(" ")'
}

configure() {
  local wanted
  wanted=$(jq --null-input --arg subnet "$1" '{
    cniVersion: "0.4.0", name: "pods", plugins: [
      {type: "ptp", mtu: 1500, ipMasq: false, ipam: {type: "host-local", dataDir: "/run/cni-ipam-state",
        routes: [{dst: "0.0.0.0/0"}], ranges: [[{subnet: $subnet}]]}},
      {type: "portmap", capabilities: {portMappings: true}}]}')
  [[ "$(cat "$configuration" 2>/dev/null)" == "$wanted" ]] && return
  mkdir -p "$(dirname "$configuration")"
  echo "$wanted" >"$configuration.new" && mv "$configuration.new" "$configuration"
}

masquerade() {
  local rule=(POSTROUTING -s "$every_pod" ! -d "$every_pod" -j MASQUERADE)
  iptables --wait --table nat --check "${rule[@]}" 2>/dev/null || iptables --wait --table nat --append "${rule[@]}"
}

# Asking costs a tenth of a second of processor time: every second while nodes come and go, else every ten.
before=
pause=1
while sleep "$pause"; do
  pause=1
  known=$(nodes 2>/dev/null) || continue
  [[ "$known" == "$before" ]] && pause=10
  before=$known
  while read -r name pods address; do
    if [[ "$name" == "$(hostname)" ]]; then
      configure "$pods"
    else
      ip route replace "$pods" via "$address"
    fi
  done <<<"$known"
  masquerade
done
