"""Benchmarks: one module per name of `./run_kube bench NAME`, each with `measure() -> Iterator[Row]`.

They compare in one run, on the same machine and files, and print ratios. Their baselines live here only.
"""
