"""The data centre: server, ledger, staging, promotion, numbers."""
