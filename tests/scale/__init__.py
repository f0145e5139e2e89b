"""The same DAGs under CeleryExecutor on this machine, without containers, and what a killed worker costs (`make scale-test`)."""
