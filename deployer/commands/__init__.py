"""One module per command: flags -> options -> one call -> print. Kept light: what is heavy is imported when it runs."""

TRY = "Try it on this machine"
DEVELOP = "Develop it"
