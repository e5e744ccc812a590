"""What a keeper knows beside the ledger: who works on what, who belongs together, which days are workdays."""
