"""`python -m deployer`, which is what ./run_kube becomes once its environment is there."""

from deployer.cli import main

main()
