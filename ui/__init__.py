"""Every way in: the command line and the page; the only place that wires things together."""
