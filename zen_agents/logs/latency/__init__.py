"""Where time is lost: percentiles for each route or operation, slow queries, error budgets, and queues that grow.

As in `logs.detection`, the caller hands in the time of each line: when it arrived, where a log is followed.
"""
