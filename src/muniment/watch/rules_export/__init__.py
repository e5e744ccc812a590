"""What other systems understand: alerts as OCSF events, and Sigma rules for what they can find without watch."""
