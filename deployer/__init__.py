"""The driver behind `./run_kube`: commands, the steps they are made of, the machines and clusters they work on.

Starts the project's other parts as processes (`python -m app`, `python -m spark_jobs`), the way a cluster does, and
imports none of them.
"""
