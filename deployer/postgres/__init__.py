"""The database on a cluster: installed by its chart, operated through Patroni's own command in its pods.

Nothing is remembered outside the cluster. Who is the primary is asked of Patroni each time.
"""
