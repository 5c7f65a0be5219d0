"""One module per command: flags -> options -> one call -> print. Kept light: what is heavy is imported when it runs."""

from typing import Annotated

import typer

TRY = "Try it on this machine"
CLUSTER = "Run it on Kubernetes"
DEVELOP = "Develop it"

Context = Annotated[
    str | None,
    typer.Option(help="A context of your kubeconfig.", show_default="a cluster on this machine, made by kind"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be run, change nothing.")]
