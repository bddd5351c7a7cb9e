"""Short-lived children for what is heavy or untrusted, one file a job."""
