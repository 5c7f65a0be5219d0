"""The clusters to run on, each behind deployer.clusters.base.Cluster: kind on this machine, or a context the user has.

Nothing here touches a user's kubeconfig, contexts or other clusters: what belongs to a cluster lies in this checkout's
state folder, and what Docker holds of it carries the cluster's name.
"""
