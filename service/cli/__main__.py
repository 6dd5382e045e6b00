"""`python -m service.cli`: the command line without its installed script, as the supervisor starts its parts."""

from service.cli import main

main()
